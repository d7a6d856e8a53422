#ifndef INTERNODE_CUBE_PAIR_INFLATER_H_
#define INTERNODE_CUBE_PAIR_INFLATER_H_

#include <array>
#include <cstddef>

#include "absl/types/span.h"

#include "cube/inflate_stream.h"

namespace internode::cube {

// Decompresses two zlib streams at once. One symbol's place follows from the
// symbol before it, so that a stream alone leaves most of a processor idle; two
// that have nothing to do with each other fill the gaps. A pair takes less
// time than one after the other with libdeflate, which for a single stream
// nothing here surpasses (docs/performance.md). Thread-compatible: one per
// thread.
class PairInflater {
 public:
  struct Stream {
    // Of the file.
    absl::Span<const std::byte> stored;
    // Room for `bytes`, which are expected.
    std::byte* target = nullptr;
    size_t bytes = 0;
  };

  // Whether each came out: as many bytes as expected, with the checksum that
  // the stream has. If not, the target is unspecified; libdeflate then knows
  // what is wrong, or that nothing is (a stream with more bytes behind it is
  // left to it).
  std::array<bool, 2> Inflate(const Stream& first, const Stream& second);

 private:
  std::array<InflateStream, 2> streams_;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_PAIR_INFLATER_H_
