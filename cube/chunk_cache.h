#ifndef INTERNODE_CUBE_CHUNK_CACHE_H_
#define INTERNODE_CUBE_CHUNK_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/mutex.h"
#include "cube/buffer.h"
#include "cube/chunk_decoder.h"

namespace internode::cube {

// Decoded storage chunks that several blocks share, of all readers of a
// process together, within a limit of bytes; up to 8 MiB more may wait to be
// used again. Thread-safe.
//
// A chunk that several threads want at the same time is decoded once. A chunk
// of which everything has been taken goes first when room is needed; of these,
// an eighth of the limit stays, for who comes late, and the memory of others is
// used again at once: new memory costs its pages. Others go only when they have
// not been used for long; without room, a chunk is decoded for its one user. So
// when blocks go round and round through more chunks than there is room for,
// those that are held stay, where throwing out what was not used for the
// longest time would find none of them again.
class ChunkCache {
 public:
  explicit ChunkCache(int64_t limit_bytes) : limit_bytes_(limit_bytes) {}
  ~ChunkCache();
  ChunkCache(const ChunkCache&) = delete;
  ChunkCache& operator=(const ChunkCache&) = delete;

  struct Key {
    // Different for each dataset of each state of a file.
    uint64_t dataset = 0;
    int64_t chunk = 0;
    // The form that is asked for.
    bool planes = false;

    friend bool operator==(const Key&, const Key&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const Key& key) {
      return H::combine(std::move(h), key.dataset, key.chunk, key.planes);
    }
  };

 private:
  enum class State { kLoading, kReady, kFailed };
  struct Entry;
  using List = std::list<Entry>;
  struct Entry {
    Key key;
    State state = State::kLoading;
    absl::Status error;
    ChunkForm form = ChunkForm::kNumbers;
    Buffer memory;
    // The list that it is in.
    List* list = nullptr;
    List::iterator place;
    int users = 0;
    // Numbers that nobody has taken yet.
    int64_t left = 0;
    uint64_t last_use = 0;
  };

 public:
  // A decoded chunk, which stays where it is as long as this lives.
  class Chunk {
   public:
    Chunk() = default;
    ~Chunk() { Release(); }
    Chunk(Chunk&& other) noexcept
        : cache_(std::exchange(other.cache_, nullptr)),
          entry_(other.entry_),
          taken_(other.taken_) {}
    Chunk& operator=(Chunk&& other) noexcept;

    const std::byte* data() const { return entry_->memory.data(); }
    ChunkForm form() const { return entry_->form; }

   private:
    friend class ChunkCache;
    void Release();

    ChunkCache* cache_ = nullptr;
    Entry* entry_ = nullptr;
    int64_t taken_ = 0;
  };

  // What a user takes of a chunk.
  struct Use {
    // Of the decoded chunk.
    size_t bytes = 0;
    // Numbers that the user takes, and that all users together are expected
    // to take.
    int64_t taken = 0;
    int64_t expected = 0;
  };
  // Decodes a chunk to `target`, which has room for Use::bytes and
  // Buffer::kSlack more.
  using Load = absl::FunctionRef<absl::StatusOr<ChunkForm>(std::byte* target)>;

  // The chunk `key`; if it is not there, `load` decodes it, on this thread and
  // without a lock. An error of `load` is returned to all who wait for the
  // chunk; the next one tries again. Throws std::bad_alloc.
  absl::StatusOr<Chunk> Get(const Key& key, const Use& use, Load load);

  // Whether the chunk is there, or is being decoded.
  bool Contains(const Key& key);

  // Memory of the readers that is to be within the limit too.
  void AddInFlight(int64_t bytes);

  struct Figures {
    // Held in chunks, and in memory that waits to be used again.
    int64_t bytes = 0;
    int64_t chunks = 0;
    int64_t in_flight_bytes = 0;
    // Chunks that were decoded for their one user, for lack of room.
    int64_t without_room = 0;
  };
  Figures figures();
  int64_t limit_bytes() const { return limit_bytes_; }

 private:
  // Throws out what may go until `bytes` more have room, if that helps.
  void MakeRoom(int64_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool HasRoom(int64_t bytes) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Throws out chunks of which nothing is left to be taken, but for the last.
  void TrimFinished() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Of `list`, what was not used for the longest time; null: all are in use.
  static Entry* Oldest(List* list);
  Entry* NewEntry(const Key& key, size_t bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // To the end of `list`.
  static void Move(Entry* entry, List* list);
  // Out of the map; gone when its last user is.
  void Unlist(Entry* entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Recycle(Entry* entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Return(Entry* entry, int64_t taken) ABSL_LOCKS_EXCLUDED(mu_);
  // Whether `bytes` more of memory may wait to be used again.
  bool MayKeep(int64_t bytes) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Buffer TakeMemory(size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void KeepMemory(Buffer memory) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const int64_t limit_bytes_;

  Mutex mu_;
  absl::flat_hash_map<Key, Entry*> entries_ ABSL_GUARDED_BY(mu_);
  // In the map: of which something, or nothing, is still to be taken. The ones
  // not used for the longest time first.
  List unfinished_ ABSL_GUARDED_BY(mu_);
  List finished_ ABSL_GUARDED_BY(mu_);
  // In no map: with their users alone.
  List loose_ ABSL_GUARDED_BY(mu_);
  // To be used again: entries, and memory by its size.
  List idle_ ABSL_GUARDED_BY(mu_);
  std::map<size_t, std::vector<Buffer>> spare_ ABSL_GUARDED_BY(mu_);
  uint64_t uses_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t used_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  // Of it, in finished_.
  int64_t finished_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t spare_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t in_flight_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t without_room_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_CHUNK_CACHE_H_
