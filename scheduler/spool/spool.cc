#include "scheduler/spool/spool.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "base/quantity.h"
#include "base/status_macros.h"
#include "scheduler/spool/segment_format.h"

namespace internode::scheduler {
namespace {

// What a job's folder is renamed to before it is deleted.
constexpr absl::string_view kForgotten = ".forgotten";
constexpr absl::string_view kProbe = "probe";
// The room is looked at after so many bytes.
constexpr int64_t kAllowanceBytes = int64_t{16} << 20;
// A full disk has to have so much room before it is written again.
constexpr int64_t kProbeRoomBytes = int64_t{1} << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<Spool>> Spool::Open(FileSystem* file_system,
                                                   std::string folder,
                                                   SpoolOptions options) {
  INTERNODE_RETURN_IF_ERROR(EnsureFolder(file_system, folder));
  auto spool =
      absl::WrapUnique(new Spool(file_system, std::move(folder), options));
  INTERNODE_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                             file_system->List(spool->folder_));
  for (const std::string& name : names) {
    if (!absl::EndsWith(name, kForgotten)) continue;
    INTERNODE_RETURN_IF_ERROR(
        spool->RemoveFolder(absl::StrCat(spool->folder_, "/", name)));
  }
  return spool;
}

JobSpool::Options Spool::JobOptions() const {
  return {.durability = options_.durability,
          .segment_bytes = options_.segment_bytes};
}

std::string Spool::JobFolder(uint64_t job) const {
  return absl::StrCat(folder_, "/", JobFolderName(job));
}

std::vector<uint64_t> Spool::JobsToRecover() const {
  std::vector<uint64_t> jobs;
  for (const std::string& name :
       file_system_->List(folder_).value_or(std::vector<std::string>())) {
    const std::optional<uint64_t> job = ParseJobFolderName(name);
    if (job.has_value() && Find(*job) == nullptr) jobs.push_back(*job);
  }
  std::sort(jobs.begin(), jobs.end());
  return jobs;
}

absl::StatusOr<std::vector<SpoolDamage>> Spool::Recover(uint64_t job) {
  if (Find(job) != nullptr) {
    return absl::AlreadyExistsError(
        absl::StrCat("the spool of job ", job, " is open"));
  }
  absl::StatusOr<JobSpool::Recovery> recovery =
      JobSpool::Recover(file_system_, JobFolder(job), job, JobOptions());
  if (absl::IsNotFound(recovery.status())) {
    INTERNODE_RETURN_IF_ERROR(Create(job));
    return std::vector<SpoolDamage>();
  }
  if (!recovery.ok()) return recovery.status();
  MutexLock lock(&mu_);
  jobs_[job] = std::move(recovery->spool);
  return std::move(recovery->damages);
}

absl::Status Spool::Create(uint64_t job) {
  const std::string folder = JobFolder(job);
  absl::Status created = file_system_->CreateFolder(folder);
  if (absl::IsAlreadyExists(created)) return created;
  INTERNODE_RETURN_IF_ERROR(Note(created));
  absl::Status synced = Note(SyncFolder(folder_));
  if (!synced.ok()) {
    file_system_->RemoveFolder(folder).IgnoreError();
    return synced;
  }
  auto spool =
      std::make_shared<JobSpool>(file_system_, folder, job, JobOptions());
  MutexLock lock(&mu_);
  jobs_[job] = std::move(spool);
  return absl::OkStatus();
}

absl::Status Spool::SyncFolder(const std::string& folder) {
  if (options_.durability == Durability::kOs) return absl::OkStatus();
  return file_system_->SyncFolder(folder);
}

absl::StatusOr<std::vector<internode::core::Interval>> Spool::Append(
    uint64_t job, const internode::core::FrameView& frame,
    absl::Span<const internode::core::Interval> wanted) {
  const std::shared_ptr<JobSpool> spool = FindMutable(job);
  if (spool == nullptr) {
    return absl::NotFoundError(absl::StrCat("there is no spool of job ", job));
  }
  INTERNODE_RETURN_IF_ERROR(
      Note(Reserve(static_cast<int64_t>(frame.bytes().size()))));
  absl::StatusOr<std::vector<internode::core::Interval>> fresh =
      spool->Append(frame, wanted);
  Note(fresh.status()).IgnoreError();
  if (spool->has_appended()) appended_.insert(job);
  return fresh;
}

std::vector<Spool::CommitFailure> Spool::Commit() {
  std::vector<CommitFailure> failures;
  for (const uint64_t job : appended_) {
    const std::shared_ptr<JobSpool> spool = FindMutable(job);
    if (spool == nullptr) continue;
    const absl::Status committed = Note(spool->Commit());
    if (!committed.ok()) failures.push_back({.job = job, .status = committed});
  }
  appended_.clear();
  // Not what the last of them says.
  if (!failures.empty()) Note(failures.front().status).IgnoreError();
  return failures;
}

absl::Status Spool::Reserve(int64_t bytes) {
  if (bytes > allowance_) {
    INTERNODE_ASSIGN_OR_RETURN(const int64_t free,
                               file_system_->FreeBytes(folder_));
    const int64_t room = free - options_.reserve_bytes;
    if (bytes > room) {
      allowance_ = 0;
      return absl::ResourceExhaustedError(
          absl::StrCat("the disk of '", folder_, "' is full: it has ",
                       FormatBytes(free), " left, of which ",
                       FormatBytes(options_.reserve_bytes), " are kept free"));
    }
    allowance_ = std::min(room, std::max(bytes, kAllowanceBytes));
  }
  allowance_ -= bytes;
  return absl::OkStatus();
}

bool Spool::Probe() {
  allowance_ = 0;
  absl::Status status = Reserve(kProbeRoomBytes);
  if (status.ok()) status = WriteProbe();
  return Note(status).ok();
}

absl::Status Spool::WriteProbe() {
  const std::string path = absl::StrCat(folder_, "/", kProbe);
  file_system_->Remove(path).IgnoreError();
  INTERNODE_ASSIGN_OR_RETURN(const std::unique_ptr<AppendFile> file,
                             file_system_->Create(path));
  const std::string bytes(4096, 'p');
  absl::Status status;
  for (absl::string_view rest = bytes; status.ok() && !rest.empty();) {
    const absl::StatusOr<int64_t> written = file->Append(rest);
    status = written.status();
    if (status.ok()) rest.remove_prefix(static_cast<size_t>(*written));
  }
  if (status.ok() && options_.durability == Durability::kFsync) {
    status = file->Sync();
  }
  file_system_->Remove(path).IgnoreError();
  return status;
}

absl::Status Spool::Note(const absl::Status& status) {
  SpoolHealth health;
  if (!status.ok()) {
    health.state = absl::IsResourceExhausted(status)
                       ? SpoolHealth::State::kFull
                       : SpoolHealth::State::kFailing;
    health.reason = std::string(status.message());
    allowance_ = 0;
  }
  MutexLock lock(&mu_);
  health_ = std::move(health);
  return status;
}

absl::Status Spool::Forget(uint64_t job) {
  {
    MutexLock lock(&mu_);
    jobs_.erase(job);
  }
  appended_.erase(job);
  const std::string folder = JobFolder(job);
  const absl::Status renamed =
      file_system_->Rename(folder, absl::StrCat(folder, kForgotten));
  return absl::IsNotFound(renamed) ? absl::OkStatus() : renamed;
}

absl::Status Spool::DeleteForgotten(uint64_t job) {
  const absl::Status removed =
      RemoveFolder(absl::StrCat(JobFolder(job), kForgotten));
  return absl::IsNotFound(removed) ? absl::OkStatus() : removed;
}

absl::Status Spool::RemoveFolder(const std::string& folder) {
  INTERNODE_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                             file_system_->List(folder));
  for (const std::string& name : names) {
    INTERNODE_RETURN_IF_ERROR(
        file_system_->Remove(absl::StrCat(folder, "/", name)));
  }
  INTERNODE_RETURN_IF_ERROR(file_system_->RemoveFolder(folder));
  return SyncFolder(folder_);
}

std::shared_ptr<JobSpool> Spool::FindMutable(uint64_t job) const {
  MutexLock lock(&mu_);
  const auto it = jobs_.find(job);
  return it == jobs_.end() ? nullptr : it->second;
}

std::shared_ptr<const JobSpool> Spool::Find(uint64_t job) const {
  return FindMutable(job);
}

SpoolHealth Spool::health() const {
  MutexLock lock(&mu_);
  return health_;
}

int64_t Spool::disk_bytes() const {
  MutexLock lock(&mu_);
  int64_t bytes = 0;
  for (const auto& [job, spool] : jobs_) bytes += spool->disk_bytes();
  return bytes;
}

absl::StatusOr<int64_t> Spool::FreeBytes() const {
  return file_system_->FreeBytes(folder_);
}

}  // namespace internode::scheduler
