#ifndef INTERNODE_CUBE_BUFFER_H_
#define INTERNODE_CUBE_BUFFER_H_

#include <cstddef>

#include "base/memory.h"

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
    if (bytes > capacity_ || data() == nullptr) {
      memory_ = Memory();
      capacity_ = 0;
      memory_ = Memory(bytes + kSlack);
      capacity_ = bytes;
    }
    return data();
  }

  std::byte* data() { return memory_.data(); }
  const std::byte* data() const { return memory_.data(); }
  size_t capacity() const { return capacity_; }

 private:
  Memory memory_;
  size_t capacity_ = 0;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_BUFFER_H_
