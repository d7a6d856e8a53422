#ifndef INTERNODE_BASE_MEMORY_H_
#define INTERNODE_BASE_MEMORY_H_

#include <cstddef>
#include <memory>

namespace internode {

struct AlignedDelete {
  size_t alignment = 0;
  void operator()(std::byte* data) const;
};

// Bytes that are not set to zero, and begin at a cache line. Large ones begin
// at a huge page and are laid on huge pages where the system has some: what
// jumps through them needs the way to a page for each of its steps, and the
// processor keeps few of these. Thread-compatible; movable.
class Memory {
 public:
  Memory() = default;
  // Throws std::bad_alloc.
  explicit Memory(size_t bytes);

  std::byte* data() { return data_.get(); }
  const std::byte* data() const { return data_.get(); }

 private:
  std::unique_ptr<std::byte[], AlignedDelete> data_;
};

}  // namespace internode

#endif  // INTERNODE_BASE_MEMORY_H_
