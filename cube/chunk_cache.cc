#include "cube/chunk_cache.h"

#include <new>

namespace internode::cube {
namespace {

// An unfinished chunk goes after so many times as many uses as there are
// chunks.
constexpr uint64_t kPatience = 8;
constexpr uint64_t kLeastPatience = 64;

// So much memory waits to be used again even where there is no room: to give
// it back and to take it anew costs more than to decode.
constexpr int64_t kLeastSpareBytes = int64_t{8} << 20;

int64_t Size(const Buffer& memory) {
  return static_cast<int64_t>(memory.capacity());
}

// Sizes are multiples of a page, so that datasets share memory more often.
size_t Rounded(size_t bytes) {
  constexpr size_t kPage = 4096;
  return (bytes + kPage - 1) / kPage * kPage;
}

}  // namespace

ChunkCache::~ChunkCache() = default;

ChunkCache::Chunk& ChunkCache::Chunk::operator=(Chunk&& other) noexcept {
  if (this != &other) {
    Release();
    cache_ = std::exchange(other.cache_, nullptr);
    entry_ = other.entry_;
    taken_ = other.taken_;
  }
  return *this;
}

void ChunkCache::Chunk::Release() {
  if (cache_ != nullptr) std::exchange(cache_, nullptr)->Return(entry_, taken_);
}

absl::StatusOr<ChunkCache::Chunk> ChunkCache::Get(const Key& key,
                                                  const Use& use, Load load) {
  Chunk chunk;
  chunk.taken_ = use.taken;
  {
    MutexLock lock(&mu_);
    ++uses_;
    const auto found = entries_.find(key);
    if (found != entries_.end()) {
      Entry* const entry = found->second;
      ++entry->users;
      entry->last_use = uses_;
      Move(entry, entry->list);
      mu_.Await([entry] { return entry->state != State::kLoading; });
      chunk.cache_ = this;
      chunk.entry_ = entry;
      if (entry->state == State::kReady) return chunk;
    } else {
      MakeRoom(static_cast<int64_t>(Rounded(use.bytes)));
      Entry* const entry = NewEntry(key, use.bytes);
      entry->left = use.expected;
      chunk.cache_ = this;
      chunk.entry_ = entry;
    }
  }
  Entry* const entry = chunk.entry_;
  // Nobody changes the error of a chunk that has failed.
  if (entry->state == State::kFailed) return entry->error;
  absl::StatusOr<ChunkForm> form = ChunkForm::kNumbers;
  try {
    form = load(entry->memory.data());
  } catch (const std::bad_alloc&) {
    form = absl::ResourceExhaustedError(
        "there is no memory to decode a storage chunk");
  }
  MutexLock lock(&mu_);
  if (form.ok()) {
    entry->form = *form;
    entry->state = State::kReady;
    return chunk;
  }
  entry->error = form.status();
  entry->state = State::kFailed;
  Unlist(entry);
  return form.status();
}

bool ChunkCache::Contains(const Key& key) {
  MutexLock lock(&mu_);
  return entries_.contains(key);
}

void ChunkCache::AddInFlight(int64_t bytes) {
  MutexLock lock(&mu_);
  in_flight_bytes_ += bytes;
  if (bytes > 0) MakeRoom(0);
}

ChunkCache::Figures ChunkCache::figures() {
  MutexLock lock(&mu_);
  return {.bytes = used_bytes_ + spare_bytes_,
          .chunks = static_cast<int64_t>(entries_.size()),
          .in_flight_bytes = in_flight_bytes_,
          .without_room = without_room_};
}

// The last eighth is for chunks that are decoded for their one user.
bool ChunkCache::HasRoom(int64_t bytes) const {
  return used_bytes_ + in_flight_bytes_ + bytes <=
         limit_bytes_ - limit_bytes_ / 8;
}

ChunkCache::Entry* ChunkCache::Oldest(List* list) {
  for (Entry& entry : *list) {
    if (entry.users == 0) return &entry;
  }
  return nullptr;
}

void ChunkCache::MakeRoom(int64_t bytes) {
  while (!HasRoom(bytes)) {
    Entry* entry = Oldest(&finished_);
    if (entry == nullptr) {
      entry = Oldest(&unfinished_);
      const uint64_t patience = kPatience * entries_.size() + kLeastPatience;
      if (entry == nullptr || uses_ - entry->last_use < patience) return;
    }
    Unlist(entry);
    Recycle(entry);
  }
}

void ChunkCache::TrimFinished() {
  while (finished_bytes_ > limit_bytes_ / 8) {
    Entry* const entry = Oldest(&finished_);
    if (entry == nullptr) return;
    Unlist(entry);
    Recycle(entry);
  }
}

void ChunkCache::Move(Entry* entry, List* list) {
  list->splice(list->end(), *entry->list, entry->place);
  entry->list = list;
}

ChunkCache::Entry* ChunkCache::NewEntry(const Key& key, size_t bytes) {
  const bool listed = HasRoom(static_cast<int64_t>(Rounded(bytes)));
  if (idle_.empty()) {
    idle_.emplace_back();
    idle_.back().list = &idle_;
    idle_.back().place = std::prev(idle_.end());
  }
  Entry* const entry = &idle_.front();
  entry->memory = TakeMemory(Rounded(bytes));
  Move(entry, listed ? &unfinished_ : &loose_);
  entry->key = key;
  entry->state = State::kLoading;
  entry->users = 1;
  entry->last_use = uses_;
  if (listed) {
    entries_[key] = entry;
  } else {
    ++without_room_;
  }
  return entry;
}

void ChunkCache::Unlist(Entry* entry) {
  if (entry->list == &loose_) return;
  entries_.erase(entry->key);
  if (entry->list == &finished_) finished_bytes_ -= Size(entry->memory);
  Move(entry, &loose_);
}

void ChunkCache::Recycle(Entry* entry) {
  entry->error = absl::OkStatus();
  used_bytes_ -= Size(entry->memory);
  KeepMemory(std::move(entry->memory));
  Move(entry, &idle_);
}

void ChunkCache::Return(Entry* entry, int64_t taken) {
  MutexLock lock(&mu_);
  --entry->users;
  entry->left -= taken;
  if (entry->list == &loose_) {
    if (entry->users == 0) Recycle(entry);
  } else if (entry->left <= 0) {
    if (entry->list != &finished_) finished_bytes_ += Size(entry->memory);
    Move(entry, &finished_);
    TrimFinished();
  }
}

bool ChunkCache::MayKeep(int64_t bytes) const {
  return spare_bytes_ + bytes <= kLeastSpareBytes ||
         used_bytes_ + spare_bytes_ + in_flight_bytes_ + bytes <= limit_bytes_;
}

Buffer ChunkCache::TakeMemory(size_t bytes) {
  const auto found = spare_.find(bytes);
  if (found != spare_.end() && !found->second.empty()) {
    Buffer memory = std::move(found->second.back());
    found->second.pop_back();
    spare_bytes_ -= Size(memory);
    used_bytes_ += Size(memory);
    return memory;
  }
  // What waits has other sizes.
  const auto needed = static_cast<int64_t>(bytes);
  while (!spare_.empty() && !MayKeep(needed)) {
    std::vector<Buffer>& sized = spare_.begin()->second;
    if (sized.empty()) {
      spare_.erase(spare_.begin());
      continue;
    }
    spare_bytes_ -= Size(sized.back());
    sized.pop_back();
  }
  Buffer memory;
  memory.Reserve(bytes);
  used_bytes_ += needed;
  return memory;
}

void ChunkCache::KeepMemory(Buffer memory) {
  const int64_t bytes = Size(memory);
  if (!MayKeep(bytes)) return;
  spare_bytes_ += bytes;
  spare_[memory.capacity()].push_back(std::move(memory));
}

}  // namespace internode::cube
