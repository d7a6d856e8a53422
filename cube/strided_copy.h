#ifndef INTERNODE_CUBE_STRIDED_COPY_H_
#define INTERNODE_CUBE_STRIDED_COPY_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"

namespace internode::cube {

// One dimension of arrays that are copied: how many elements, and how many
// bytes from one to the next on either side. A source stride of 0 repeats.
struct CopyDimension {
  int64_t count = 0;
  int64_t source_stride = 0;
  int64_t target_stride = 0;
};

// Copies the elements of `element_bytes` (1, 2, 4 or 8) bytes from `source` to
// `target`, in any order of dimensions on either side; the strides are
// multiples of `element_bytes`. Where elements lie next to each other along
// one dimension in the source and along another in the target, as in the turn
// of (time, y, x) to pixel-major, square tiles are transposed in registers.
void StridedCopy(absl::Span<const CopyDimension> dims, int64_t element_bytes,
                 const std::byte* source, std::byte* target);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_STRIDED_COPY_H_
