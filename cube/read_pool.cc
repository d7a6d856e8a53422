#include "cube/read_pool.h"

#include "base/status_macros.h"
#include "cube/cube_file.h"

namespace internode::cube {

std::shared_ptr<ReadPool::Slot> ReadPool::FindSlot(const Key& key) {
  MutexLock lock(&mu_);
  // Those that nobody has any more, nor is about to have.
  for (auto it = slots_.begin(); it != slots_.end();) {
    bool idle = it->second.use_count() == 1;
    if (idle) {
      MutexLock slot_lock(&it->second->mu);
      idle = it->second->dataset.expired();
    }
    it = idle && it->first != key ? slots_.erase(it) : std::next(it);
  }
  std::shared_ptr<Slot>& slot = slots_[key];
  if (slot == nullptr) slot = std::make_shared<Slot>();
  return slot;
}

absl::StatusOr<std::shared_ptr<const ReadPool::Dataset>> ReadPool::Find(
    const CubeFile& file, const StoredVariable& variable) {
  const FileIdentity& identity = file.identity;
  const std::shared_ptr<Slot> slot = FindSlot(
      {identity.device, identity.inode, identity.bytes, identity.mtime_ns,
       identity.ctime_ns, variable.plan.request.object_address});
  // Others who want the same dataset wait.
  MutexLock lock(&slot->mu);
  std::shared_ptr<const Dataset> known = slot->dataset.lock();
  if (known != nullptr) return known;
  auto dataset = std::make_shared<Dataset>();
  dataset->id = next_id_.fetch_add(1);
  INTERNODE_ASSIGN_OR_RETURN(
      dataset->storage, ReadDatasetStorage(*file.bytes, variable.plan.request));
  slot->dataset = dataset;
  return std::shared_ptr<const Dataset>(std::move(dataset));
}

ReadCounters ReadPool::counters() const {
  return {.chunks_decoded = chunks_decoded_,
          .chunks_reused = chunks_reused_,
          .chunks_absent = chunks_absent_,
          .decoded_bytes = decoded_bytes_,
          .read_bytes = read_bytes_};
}

void ReadPool::Count(const ReadCounters& counters) {
  chunks_decoded_ += counters.chunks_decoded;
  chunks_reused_ += counters.chunks_reused;
  chunks_absent_ += counters.chunks_absent;
  decoded_bytes_ += counters.decoded_bytes;
  read_bytes_ += counters.read_bytes;
}

}  // namespace internode::cube
