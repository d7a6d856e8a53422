#ifndef INTERNODE_CUBE_READ_POOL_H_
#define INTERNODE_CUBE_READ_POOL_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <tuple>
#include <utility>

#include "absl/status/statusor.h"

#include "base/mutex.h"
#include "cube/chunk_cache.h"
#include "cube/dataset_storage.h"
#include "cube/read_counters.h"

namespace internode::cube {

struct CubeFile;
struct StoredVariable;

// What the block readers of a process share: where the datasets of open files
// lie, decoded storage chunks, and memory within one limit. Thread-safe.
class ReadPool {
 public:
  // `limit_bytes`: for decoded storage chunks that several blocks share, and
  // for what is in flight. A reader that needs more for one storage chunk
  // takes it all the same.
  explicit ReadPool(int64_t limit_bytes) : cache_(limit_bytes) {}

  ChunkCache& cache() { return cache_; }

  // Where a dataset lies.
  struct Dataset {
    // In keys of the cache.
    uint64_t id = 0;
    DatasetStorage storage;
  };
  // That of `variable`, which is read once for each state of a file, while
  // somebody has it. Errors: as ReadDatasetStorage.
  absl::StatusOr<std::shared_ptr<const Dataset>> Find(
      const CubeFile& file, const StoredVariable& variable);

  ReadCounters counters() const;
  // Adds `counters`; what a thread did since it last told.
  void Count(const ReadCounters& counters);

 private:
  // Which file, in which state, and the address in it.
  using Key =
      std::tuple<uint64_t, uint64_t, int64_t, int64_t, int64_t, uint64_t>;
  struct Slot {
    Mutex mu;
    std::weak_ptr<const Dataset> dataset ABSL_GUARDED_BY(mu);
  };

  std::shared_ptr<Slot> FindSlot(const Key& key);

  ChunkCache cache_;

  Mutex mu_;
  std::map<Key, std::shared_ptr<Slot>> slots_ ABSL_GUARDED_BY(mu_);
  std::atomic<uint64_t> next_id_{1};

  std::atomic<int64_t> chunks_decoded_{0};
  std::atomic<int64_t> chunks_reused_{0};
  std::atomic<int64_t> chunks_absent_{0};
  std::atomic<int64_t> decoded_bytes_{0};
  std::atomic<int64_t> read_bytes_{0};
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_READ_POOL_H_
