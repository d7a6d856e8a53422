#include "client/remote/local_cluster.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

#include "base/log.h"
#include "base/status_macros.h"
#include "security/private_file.h"
#include "security/token.h"
#include "security/token_list.h"

namespace internode::client {
namespace {

constexpr char kPrefix[] = "internode-cluster-";
constexpr char kLockName[] = "client.lock";

std::string TemporaryFolder() {
  const char* folder = std::getenv("TMPDIR");
  return folder == nullptr || *folder == '\0' ? "/tmp" : folder;
}

// Removes `path` if it is the folder of a cluster of ours whose client is
// gone.
void RemoveIfLeft(const std::filesystem::path& path) {
  struct stat status = {};
  if (lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
      status.st_uid != geteuid()) {
    return;
  }
  const FileDescriptor lock(
      open((path / kLockName).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (lock.get() < 0 || flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return;
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

void RemoveLeftFolders(const std::string& parent) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(parent, error), end;
       !error && entry != end; entry.increment(error)) {
    if (absl::StartsWith(entry->path().filename().string(), kPrefix)) {
      RemoveIfLeft(entry->path());
    }
  }
}

bool IsProgram(const std::string& path) {
  struct stat status = {};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         access(path.c_str(), X_OK) == 0;
}

std::vector<std::string> ProgramFolders() {
  std::vector<std::string> folders;
  if (const char* given = std::getenv("INTERNODE_BIN_DIR")) {
    folders.emplace_back(given);
  }
  std::error_code error;
  const std::filesystem::path self =
      std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) folders.push_back(self.parent_path().string());
  folders.emplace_back(INTERNODE_INSTALL_BIN_DIR);
  if (const char* path = std::getenv("PATH")) {
    const std::vector<std::string> parts =
        absl::StrSplit(path, ':', absl::SkipEmpty());
    folders.insert(folders.end(), parts.begin(), parts.end());
  }
  return folders;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PrivateFolder>> PrivateFolder::Make() {
  const std::string parent = TemporaryFolder();
  RemoveLeftFolders(parent);
  std::string path = absl::StrCat(parent, "/", kPrefix, "XXXXXX");
  const auto failed = [&parent](absl::string_view what) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot make ", what, " for a local cluster in '", parent,
                     "': ", std::strerror(errno), "; set TMPDIR"));
  };
  if (mkdtemp(path.data()) == nullptr) return failed("a folder");
  // The lock gets its name when it is held, so that nobody finds it free.
  const std::string lock_path = absl::StrCat(path, "/", kLockName);
  const std::string new_path = absl::StrCat(lock_path, ".new");
  FileDescriptor lock(
      open(new_path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (lock.get() < 0 || flock(lock.get(), LOCK_EX) != 0 ||
      rename(new_path.c_str(), lock_path.c_str()) != 0) {
    return failed("a lock");
  }
  return absl::WrapUnique(new PrivateFolder(std::move(path), std::move(lock)));
}

PrivateFolder::PrivateFolder(std::string path, FileDescriptor lock)
    : path_(std::move(path)), lock_(std::move(lock)) {}

PrivateFolder::~PrivateFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
  if (error) LogDebug("cannot remove ", path_, ": ", error.message());
}

absl::StatusOr<std::string> FindProgram(const std::string& program) {
  const std::vector<std::string> folders = ProgramFolders();
  for (const std::string& folder : folders) {
    std::string path = absl::StrCat(folder, "/", program);
    if (IsProgram(path)) return path;
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "cannot find the program ", program, ", which a local cluster needs; ",
      "it is not in ", absl::StrJoin(folders, ", "),
      "; set INTERNODE_BIN_DIR to its folder"));
}

absl::StatusOr<std::unique_ptr<LocalCluster>> LocalCluster::Start(
    const Options& options) {
  const absl::Time deadline = absl::Now() + options.start_timeout;
  auto cluster = absl::WrapUnique(new LocalCluster());
  INTERNODE_ASSIGN_OR_RETURN(cluster->folder_, PrivateFolder::Make());
  INTERNODE_RETURN_IF_ERROR(cluster->MakeTokens());
  INTERNODE_RETURN_IF_ERROR(cluster->StartScheduler(deadline));
  INTERNODE_RETURN_IF_ERROR(cluster->StartWorkers(options, deadline));
  return cluster;
}

absl::Status LocalCluster::MakeTokens() {
  security::TokenList list;
  for (const auto& [role, path] :
       {std::make_pair(security::Role::kAdmin, token_file()),
        std::make_pair(security::Role::kWorker, WorkerTokenFile())}) {
    INTERNODE_ASSIGN_OR_RETURN(const security::Token token,
                               security::NewToken());
    INTERNODE_RETURN_IF_ERROR(
        list.Add(token, role, absl::InfiniteFuture(), "local"));
    INTERNODE_RETURN_IF_ERROR(
        security::WritePrivateFile(path, token.text, security::Sync::kNo));
  }
  return security::WritePrivateFile(TokenListFile(), list.Format(),
                                    security::Sync::kNo);
}

std::string LocalCluster::token_file() const {
  return absl::StrCat(folder_->path(), "/client.token");
}

std::string LocalCluster::WorkerTokenFile() const {
  return absl::StrCat(folder_->path(), "/worker.token");
}

std::string LocalCluster::TokenListFile() const {
  return absl::StrCat(folder_->path(), "/tokens");
}

absl::Status LocalCluster::StartScheduler(absl::Time deadline) {
  ChildProcess::Options child;
  child.name = "scheduler";
  INTERNODE_ASSIGN_OR_RETURN(child.program, FindProgram("internode-scheduler"));
  child.arguments = {"--listen",     "127.0.0.1:0",
                     "--http",       "127.0.0.1:0",
                     "--state-dir",  absl::StrCat(folder_->path(), "/state"),
                     "--durability", "os",
                     "--tokens",     TokenListFile()};
  child.log_path = absl::StrCat(folder_->path(), "/scheduler.log");
  INTERNODE_ASSIGN_OR_RETURN(scheduler_, ChildProcess::Start(child));
  INTERNODE_ASSIGN_OR_RETURN(const std::string line,
                             scheduler_->ReadReady(deadline));
  const nlohmann::json ready =
      nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!ready.is_object() || !ready.contains("address") ||
      !ready["address"].is_string()) {
    return absl::InternalError(
        absl::StrCat("the local cluster's scheduler said '", line,
                     "' instead of its address"));
  }
  address_ = ready["address"].get<std::string>();
  return absl::OkStatus();
}

absl::Status LocalCluster::StartWorkers(const Options& options,
                                        absl::Time deadline) {
  ChildProcess::Options child;
  child.name = "worker";
  INTERNODE_ASSIGN_OR_RETURN(child.program, FindProgram("internode-worker"));
  child.arguments = {address_,
                     "--nworkers",
                     absl::StrCat(options.num_workers),
                     "--nthreads",
                     absl::StrCat(options.threads_per_worker),
                     "--token-file",
                     WorkerTokenFile()};
  for (const std::string& folder : options.function_path) {
    child.arguments.emplace_back("--function-path");
    child.arguments.push_back(folder);
  }
  // The user's own filters, as in a process of his.
  if (const char* const plugins = std::getenv("HDF5_PLUGIN_PATH")) {
    for (const absl::string_view folder :
         absl::StrSplit(plugins, ':', absl::SkipEmpty())) {
      child.arguments.emplace_back("--hdf5-plugins");
      child.arguments.emplace_back(folder);
    }
  }
  child.log_path = absl::StrCat(folder_->path(), "/worker.log");
  INTERNODE_ASSIGN_OR_RETURN(workers_, ChildProcess::Start(child));
  return workers_->ReadReady(deadline).status();
}

LocalCluster::~LocalCluster() { Stop(absl::Seconds(10)).IgnoreError(); }

absl::Status LocalCluster::Check() {
  MutexLock lock(&mu_);
  if (stopped_) return absl::OkStatus();
  INTERNODE_RETURN_IF_ERROR(scheduler_->Check());
  return workers_->Check();
}

absl::Status LocalCluster::Stop(absl::Duration timeout) {
  MutexLock lock(&mu_);
  if (stopped_) return absl::OkStatus();
  stopped_ = true;
  const absl::Time deadline = absl::Now() + timeout;
  std::string killed;
  // The workers first, so that they do not miss their scheduler.
  for (ChildProcess* child : {workers_.get(), scheduler_.get()}) {
    if (child != nullptr) child->CloseLifeline();
  }
  for (ChildProcess* child : {workers_.get(), scheduler_.get()}) {
    if (child == nullptr || child->WaitUntil(deadline)) continue;
    child->Kill();
    absl::StrAppend(&killed, killed.empty() ? "" : " and ",
                    child == scheduler_.get() ? "scheduler" : "worker");
  }
  folder_.reset();
  if (killed.empty()) return absl::OkStatus();
  return absl::DeadlineExceededError(
      absl::StrCat("the local cluster's ", killed, " did not end within ",
                   absl::FormatDuration(timeout), " and had to be killed"));
}

std::vector<int64_t> LocalCluster::pids() const {
  return {scheduler_->pid(), workers_->pid()};
}

}  // namespace internode::client
