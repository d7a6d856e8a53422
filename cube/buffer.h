#ifndef INTERNODE_CUBE_BUFFER_H_
#define INTERNODE_CUBE_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/types/span.h"

namespace internode::cube {

// Memory for bytes, which is not set to zero, and grows but never shrinks.
// Thread-compatible; movable. Throws std::bad_alloc.
class Buffer {
 public:
  // So many bytes behind the end may be read (not written), so that vectors
  // may be loaded across it.
  static constexpr size_t kSlack = 64;

  // Makes room for `bytes`; what was there is lost if it grows.
  std::byte* Reserve(size_t bytes) {
    if (bytes > capacity_ || data_ == nullptr) {
      data_.reset();
      capacity_ = 0;
      data_ = std::make_unique_for_overwrite<std::byte[]>(bytes + kSlack);
      capacity_ = bytes;
    }
    return data_.get();
  }

  std::byte* data() { return data_.get(); }
  const std::byte* data() const { return data_.get(); }
  size_t capacity() const { return capacity_; }

 private:
  std::unique_ptr<std::byte[]> data_;
  size_t capacity_ = 0;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_BUFFER_H_
