#include "tests/support/memory_file_system.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "base/status_macros.h"

namespace internode::testing {

using scheduler::FileError;

class MemoryFileSystem::Appender : public scheduler::AppendFile {
 public:
  Appender(MemoryFileSystem* owner, std::string path,
           std::shared_ptr<Node> node, int64_t process)
      : owner_(owner),
        path_(std::move(path)),
        node_(std::move(node)),
        process_(process) {}

  absl::StatusOr<int64_t> Append(absl::string_view bytes) override {
    MutexLock lock(&owner_->mu_);
    INTERNODE_RETURN_IF_ERROR(CheckCall(Call::kAppend));
    const int64_t most = std::min(owner_->Room(), owner_->most_per_append_);
    if (most <= 0) return FileError(ENOSPC, "write", path_);
    bytes = bytes.substr(0, static_cast<size_t>(most));
    node_->data.append(bytes.data(), bytes.size());
    return static_cast<int64_t>(bytes.size());
  }

  absl::Status Truncate(int64_t size) override {
    MutexLock lock(&owner_->mu_);
    INTERNODE_RETURN_IF_ERROR(CheckCall(Call::kAppendTruncate));
    node_->data.resize(static_cast<size_t>(size));
    node_->synced = std::min(node_->synced, node_->data.size());
    return absl::OkStatus();
  }

  absl::Status Sync() override {
    MutexLock lock(&owner_->mu_);
    const absl::Status status = CheckCall(Call::kAppendSync);
    if (!status.ok()) {
      node_->never_durable_from =
          std::min(node_->never_durable_from, node_->synced);
      return status;
    }
    owner_->SyncNode(node_.get());
    return absl::OkStatus();
  }

 private:
  absl::Status CheckCall(Call call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(owner_->mu_) {
    if (process_ != owner_->process_) {
      return absl::InternalError("the process that opened the file has ended");
    }
    return owner_->Check(call, path_);
  }

  MemoryFileSystem* const owner_;
  const std::string path_;
  const std::shared_ptr<Node> node_;
  const int64_t process_;
};

class MemoryFileSystem::Reader : public scheduler::ReadFile {
 public:
  Reader(MemoryFileSystem* owner, std::string path, std::shared_ptr<Node> node)
      : owner_(owner), path_(std::move(path)), node_(std::move(node)) {}

  absl::StatusOr<int64_t> ReadAt(int64_t offset, int64_t size,
                                 char* buffer) const override {
    MutexLock lock(&owner_->mu_);
    INTERNODE_RETURN_IF_ERROR(owner_->Check(Call::kRead, path_));
    const auto have = static_cast<int64_t>(node_->data.size());
    const int64_t got = std::clamp(have - offset, int64_t{0}, size);
    if (got > 0) {
      std::memcpy(buffer, node_->data.data() + offset,
                  static_cast<size_t>(got));
    }
    return got;
  }

 private:
  MemoryFileSystem* const owner_;
  const std::string path_;
  const std::shared_ptr<Node> node_;
};

class MemoryFileSystem::Holder : public scheduler::FileLock {
 public:
  Holder(MemoryFileSystem* owner, std::string path, int64_t process)
      : owner_(owner), path_(std::move(path)), process_(process) {}
  ~Holder() override {
    MutexLock lock(&owner_->mu_);
    if (process_ == owner_->process_) owner_->locks_.erase(path_);
  }

 private:
  MemoryFileSystem* const owner_;
  const std::string path_;
  const int64_t process_;
};

void MemoryFileSystem::SetFault(Fault fault) {
  MutexLock lock(&mu_);
  fault_ = std::move(fault);
}

void MemoryFileSystem::Fail(Call call, const absl::Status& status) {
  SetFault([call, status](Call asked, const std::string&) {
    return asked == call ? status : absl::OkStatus();
  });
}

void MemoryFileSystem::SetCapacity(int64_t bytes) {
  MutexLock lock(&mu_);
  capacity_ = bytes;
}

void MemoryFileSystem::SetClaimedRoom(int64_t bytes) {
  MutexLock lock(&mu_);
  claimed_room_ = bytes;
}

void MemoryFileSystem::SetMostPerAppend(int64_t bytes) {
  MutexLock lock(&mu_);
  most_per_append_ = bytes;
}

void MemoryFileSystem::Kill() {
  MutexLock lock(&mu_);
  ++process_;
  locks_.clear();
}

void MemoryFileSystem::Crash(std::mt19937* random) {
  Kill();
  MutexLock lock(&mu_);
  std::vector<std::string> vanished;
  for (const auto& [path, node] : nodes_) {
    if (!node->name_synced && (*random)() % 2 == 0) vanished.push_back(path);
    CrashNode(random, node.get());
    node->name_synced = true;
  }
  for (const std::string& path : vanished) {
    for (auto it = nodes_.lower_bound(path); it != nodes_.end();) {
      if (it->first != path && !absl::StartsWith(it->first, path + "/")) break;
      it = nodes_.erase(it);
    }
  }
}

void MemoryFileSystem::CrashNode(std::mt19937* random, Node* node) {
  const size_t sure = std::min(node->synced, node->never_durable_from);
  const size_t unsure = node->never_durable_from == std::string::npos
                            ? node->data.size() - sure
                            : 0;
  node->data.resize(sure + (*random)() % (unsure + 1));
  if (node->data.size() > sure && (*random)() % 3 == 0) {
    // The file grew, but the block was never written.
    const size_t from = sure + (*random)() % (node->data.size() - sure);
    std::fill(node->data.begin() + static_cast<std::ptrdiff_t>(from),
              node->data.end(), '\0');
  }
  node->synced = node->data.size();
  node->never_durable_from = std::string::npos;
}

std::string MemoryFileSystem::Contents(const std::string& path) {
  MutexLock lock(&mu_);
  return nodes_.at(path)->data;
}

void MemoryFileSystem::SetContents(const std::string& path,
                                   const std::string& contents) {
  MutexLock lock(&mu_);
  std::shared_ptr<Node>& node = nodes_[path];
  if (node == nullptr) node = std::make_shared<Node>();
  node->data = contents;
  node->synced = contents.size();
}

std::vector<std::string> MemoryFileSystem::FilesBelow(
    const std::string& folder) {
  MutexLock lock(&mu_);
  std::vector<std::string> files;
  for (const auto& [path, node] : nodes_) {
    if (!node->folder && absl::StartsWith(path, folder + "/")) {
      files.push_back(path);
    }
  }
  return files;
}

absl::Status MemoryFileSystem::Check(Call call, const std::string& path) {
  return fault_ ? fault_(call, path) : absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<MemoryFileSystem::Node>>
MemoryFileSystem::FindFile(const std::string& path) {
  const auto it = nodes_.find(path);
  if (it == nodes_.end() || it->second->folder) {
    return FileError(ENOENT, "open", path);
  }
  return it->second;
}

int64_t MemoryFileSystem::Room() {
  int64_t used = 0;
  for (const auto& [path, node] : nodes_) {
    used += static_cast<int64_t>(node->data.size());
  }
  return std::max<int64_t>(0, capacity_ - used);
}

void MemoryFileSystem::SyncNode(Node* node) {
  node->synced = std::min(node->data.size(), node->never_durable_from);
}

absl::StatusOr<std::unique_ptr<scheduler::AppendFile>> MemoryFileSystem::Create(
    const std::string& path) {
  MutexLock lock(&mu_);
  INTERNODE_RETURN_IF_ERROR(Check(Call::kCreate, path));
  if (nodes_.count(path) > 0) return FileError(EEXIST, "create", path);
  auto node = std::make_shared<Node>();
  nodes_[path] = node;
  return std::make_unique<Appender>(this, path, std::move(node), process_);
}

absl::StatusOr<std::shared_ptr<const scheduler::ReadFile>>
MemoryFileSystem::Open(const std::string& path) {
  MutexLock lock(&mu_);
  INTERNODE_RETURN_IF_ERROR(Check(Call::kOpen, path));
  INTERNODE_ASSIGN_OR_RETURN(std::shared_ptr<Node> node, FindFile(path));
  return std::make_shared<const Reader>(this, path, std::move(node));
}

absl::StatusOr<int64_t> MemoryFileSystem::Size(const std::string& path) {
  MutexLock lock(&mu_);
  INTERNODE_RETURN_IF_ERROR(Check(Call::kSize, path));
  INTERNODE_ASSIGN_OR_RETURN(const std::shared_ptr<Node> node, FindFile(path));
  return static_cast<int64_t>(node->data.size());
}

absl::Status MemoryFileSystem::Truncate(const std::string& path, int64_t size) {
  MutexLock lock(&mu_);
  INTERNODE_RETURN_IF_ERROR(Check(Call::kTruncate, path));
  INTERNODE_ASSIGN_OR_RETURN(const std::shared_ptr<Node> node, FindFile(path));
  node->data.resize(static_cast<size_t>(size));
  node->synced = std::min(node->synced, node->data.size());
  return absl::OkStatus();
}

absl::Status MemoryFileSystem::Sync(const std::string& path) {
  MutexLock lock(&mu_);
  INTERNODE_RETURN_IF_ERROR(Check(Call::kSync, path));
  INTERNODE_ASSIGN_OR_RETURN(const std::shared_ptr<Node> node, FindFile(path));
  SyncNode(node.get());
  return absl::OkStatus();
}

absl::Status MemoryFileSystem::Remove(const std::string& path) {
  MutexLock lock(&mu_);
  INTERNODE_RETURN_IF_ERROR(Check(Call::kRemove, path));
  INTERNODE_RETURN_IF_ERROR(FindFile(path).status());
  nodes_.erase(path);
  return absl::OkStatus();
}

absl::Status MemoryFileSystem::Rename(const std::string& from,
                                      const std::string& to) {
  MutexLock lock(&mu_);
  INTERNODE_RETURN_IF_ERROR(Check(Call::kRename, from));
  if (nodes_.count(from) == 0) return FileError(ENOENT, "rename", from);
  std::map<std::string, std::shared_ptr<Node>> moved;
  for (const auto& [path, node] : nodes_) {
    const bool below = path == from || absl::StartsWith(path, from + "/");
    moved[below ? to + path.substr(from.size()) : path] = node;
  }
  nodes_ = std::move(moved);
  return absl::OkStatus();
}

absl::Status MemoryFileSystem::CreateFolder(const std::string& path) {
  MutexLock lock(&mu_);
  INTERNODE_RETURN_IF_ERROR(Check(Call::kCreateFolder, path));
  if (nodes_.count(path) > 0) return FileError(EEXIST, "create folder", path);
  nodes_[path] = std::make_shared<Node>();
  nodes_[path]->folder = true;
  return absl::OkStatus();
}

absl::Status MemoryFileSystem::RemoveFolder(const std::string& path) {
  MutexLock lock(&mu_);
  INTERNODE_RETURN_IF_ERROR(Check(Call::kRemoveFolder, path));
  if (nodes_.count(path) == 0) return FileError(ENOENT, "remove folder", path);
  const auto next = nodes_.upper_bound(path + "/");
  if (next != nodes_.end() && absl::StartsWith(next->first, path + "/")) {
    return FileError(ENOTEMPTY, "remove folder", path);
  }
  nodes_.erase(path);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> MemoryFileSystem::List(
    const std::string& path) {
  MutexLock lock(&mu_);
  INTERNODE_RETURN_IF_ERROR(Check(Call::kList, path));
  if (nodes_.count(path) == 0) return FileError(ENOENT, "list", path);
  std::vector<std::string> names;
  for (const auto& [below, node] : nodes_) {
    if (!absl::StartsWith(below, path + "/")) continue;
    std::string name = below.substr(path.size() + 1);
    if (name.find('/') == std::string::npos) names.push_back(std::move(name));
  }
  return names;
}

absl::Status MemoryFileSystem::SyncFolder(const std::string& path) {
  MutexLock lock(&mu_);
  INTERNODE_RETURN_IF_ERROR(Check(Call::kSyncFolder, path));
  const std::string prefix = path == "/" ? path : path + "/";
  for (const auto& [below, node] : nodes_) {
    if (absl::StartsWith(below, prefix) &&
        below.find('/', prefix.size()) == std::string::npos) {
      node->name_synced = true;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> MemoryFileSystem::FreeBytes(const std::string& path) {
  MutexLock lock(&mu_);
  INTERNODE_RETURN_IF_ERROR(Check(Call::kFreeBytes, path));
  return claimed_room_ < 0 ? Room() : claimed_room_;
}

absl::StatusOr<std::unique_ptr<scheduler::FileLock>> MemoryFileSystem::Lock(
    const std::string& path) {
  MutexLock lock(&mu_);
  INTERNODE_RETURN_IF_ERROR(Check(Call::kLock, path));
  if (!locks_.insert(path).second) {
    return absl::FailedPreconditionError(
        absl::StrCat("'", path, "' is locked"));
  }
  return std::make_unique<Holder>(this, path, process_);
}

}  // namespace internode::testing
