#ifndef INTERNODE_TESTS_SUPPORT_MEMORY_FILE_SYSTEM_H_
#define INTERNODE_TESTS_SUPPORT_MEMORY_FILE_SYSTEM_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/mutex.h"
#include "scheduler/spool/file_system.h"

namespace internode::testing {

// A file system in memory that fails, fills up, and crashes as it is told.
// Thread-safe, but for what is told while it is used.
class MemoryFileSystem : public scheduler::FileSystem {
 public:
  enum class Call {
    kCreate,
    kAppend,
    kAppendTruncate,
    kAppendSync,
    kOpen,
    kRead,
    kSize,
    kTruncate,
    kSync,
    kRemove,
    kRename,
    kCreateFolder,
    kRemoveFolder,
    kList,
    kSyncFolder,
    kFreeBytes,
    kLock
  };
  // Asked before each call; what is not OK is what the call returns.
  using Fault = std::function<absl::Status(Call, const std::string& path)>;

  void SetFault(Fault fault);
  // Calls of `call` fail with `status`, until SetFault.
  void Fail(Call call, const absl::Status& status);
  // The disk has room for so many bytes in all.
  void SetCapacity(int64_t bytes);
  // What FreeBytes says, however much room there is.
  void SetClaimedRoom(int64_t bytes);
  // A call of Append writes no more than this.
  void SetMostPerAppend(int64_t bytes);

  // The process ends: files that are open for writing, and locks, are void.
  void Kill();
  // The machine fails: as Kill, and what was not synced is lost, from any byte
  // on, or turned into zeros, or names vanish.
  void Crash(std::mt19937* random);

  // The contents of a file, to be looked at or changed at will.
  std::string Contents(const std::string& path);
  void SetContents(const std::string& path, const std::string& contents);
  // The files below `folder`, in order.
  std::vector<std::string> FilesBelow(const std::string& folder);

  absl::StatusOr<std::unique_ptr<scheduler::AppendFile>> Create(
      const std::string& path) override;
  absl::StatusOr<std::shared_ptr<const scheduler::ReadFile>> Open(
      const std::string& path) override;
  absl::StatusOr<int64_t> Size(const std::string& path) override;
  absl::Status Truncate(const std::string& path, int64_t size) override;
  absl::Status Sync(const std::string& path) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status CreateFolder(const std::string& path) override;
  absl::Status RemoveFolder(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(
      const std::string& path) override;
  absl::Status SyncFolder(const std::string& path) override;
  absl::StatusOr<int64_t> FreeBytes(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<scheduler::FileLock>> Lock(
      const std::string& path) override;

 private:
  class Appender;
  class Reader;
  class Holder;

  struct Node {
    bool folder = false;
    std::string data;
    // What survives a crash: so many bytes, and the name.
    size_t synced = 0;
    bool name_synced = false;
    // A sync failed: from here on nothing will ever be durable.
    size_t never_durable_from = std::string::npos;
  };

  absl::Status Check(Call call, const std::string& path)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<std::shared_ptr<Node>> FindFile(const std::string& path)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  int64_t Room() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SyncNode(Node* node) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void CrashNode(std::mt19937* random, Node* node)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Mutex mu_;
  std::map<std::string, std::shared_ptr<Node>> nodes_ ABSL_GUARDED_BY(mu_);
  std::set<std::string> locks_ ABSL_GUARDED_BY(mu_);
  Fault fault_ ABSL_GUARDED_BY(mu_);
  int64_t capacity_ ABSL_GUARDED_BY(mu_) = int64_t{1} << 40;
  // Below 0: the truth.
  int64_t claimed_room_ ABSL_GUARDED_BY(mu_) = -1;
  int64_t most_per_append_ ABSL_GUARDED_BY(mu_) = int64_t{1} << 40;
  // Processes that ended so far.
  int64_t process_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace internode::testing

#endif  // INTERNODE_TESTS_SUPPORT_MEMORY_FILE_SYSTEM_H_
