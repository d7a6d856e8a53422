#include "scheduler/spool/job_spool.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

#include "base/did_you_mean.h"
#include "base/status_macros.h"

namespace internode::scheduler {

absl::StatusOr<Durability> ParseDurability(absl::string_view text) {
  if (text == "fsync") return Durability::kFsync;
  if (text == "os") return Durability::kOs;
  return absl::InvalidArgumentError(
      absl::StrCat("there is no durability '", text, "'; ",
                   WhatExists("there are", text, {"fsync", "os"})));
}

JobSpool::JobSpool(FileSystem* file_system, std::string folder, uint64_t job,
                   const Options& options)
    : file_system_(file_system),
      folder_(std::move(folder)),
      job_(job),
      options_(options) {}

absl::StatusOr<JobSpool::Recovery> JobSpool::Recover(FileSystem* file_system,
                                                     std::string folder,
                                                     uint64_t job,
                                                     const Options& options) {
  INTERNODE_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                             file_system->List(folder));
  Recovery recovery;
  recovery.spool =
      std::make_unique<JobSpool>(file_system, std::move(folder), job, options);
  JobSpool& spool = *recovery.spool;
  SpoolIndex index;
  for (const std::string& name : names) {
    const std::optional<uint32_t> segment = ParseSegmentFileName(name);
    if (!segment.has_value()) continue;
    INTERNODE_RETURN_IF_ERROR(
        spool.RecoverSegment(*segment, &index, &recovery.damages));
  }
  if (options.durability == Durability::kFsync) {
    INTERNODE_RETURN_IF_ERROR(file_system->SyncFolder(spool.folder_));
  }
  spool.taken_ = index.done();
  spool.closed_bytes_ = spool.MeasureFolder();
  spool.UpdateDiskBytes();
  MutexLock lock(&spool.mu_);
  spool.index_ = std::move(index);
  return recovery;
}

absl::Status JobSpool::RecoverSegment(uint32_t segment, SpoolIndex* index,
                                      std::vector<SpoolDamage>* damages) {
  const std::string path = SegmentPath(segment);
  // Nothing is appended to what may be damaged.
  next_segment_ = std::max(
      next_segment_,
      segment + (segment < std::numeric_limits<uint32_t>::max() ? 1 : 0));
  bool readable = true;
  ScanSegment(
      file_system_, path, {.job = job_, .segment = segment},
      [&](const internode::core::FrameHeader& header, int64_t offset) {
        index->Add(header.tasks,
                   {.segment = segment,
                    .frame_bytes = static_cast<uint32_t>(header.frame_bytes()),
                    .offset = offset});
      },
      [&](const SpoolDamage& damage) {
        damages->push_back(damage);
        if (damage.kind == SpoolDamage::Kind::kTornTail) {
          // If it fails, it is found again next time.
          file_system_->Truncate(path, damage.offset).IgnoreError();
        }
        if (damage.offset == 0) readable = false;
      });
  // The process before this one may have ended between writing and syncing.
  if (readable && options_.durability == Durability::kFsync) {
    return file_system_->Sync(path);
  }
  return absl::OkStatus();
}

int64_t JobSpool::MeasureFolder() const {
  int64_t bytes = 0;
  for (const std::string& name :
       file_system_->List(folder_).value_or(std::vector<std::string>())) {
    bytes += file_system_->Size(absl::StrCat(folder_, "/", name)).value_or(0);
  }
  return bytes;
}

absl::StatusOr<std::vector<internode::core::Interval>> JobSpool::Append(
    const internode::core::FrameView& frame,
    absl::Span<const internode::core::Interval> wanted) {
  const internode::core::Interval whole = frame.tasks();
  if (wanted.empty()) wanted = absl::MakeConstSpan(&whole, 1);
  std::vector<internode::core::Interval> fresh;
  for (const internode::core::Interval& part : wanted) {
    const internode::core::Interval within = {std::max(part.begin, whole.begin),
                                              std::min(part.end, whole.end)};
    for (const internode::core::Interval& tasks :
         taken_.Missing(within).intervals()) {
      absl::Status appended = AppendPart(frame, tasks);
      if (!appended.ok()) {
        TakeBack(fresh.size());
        return appended;
      }
      fresh.push_back(tasks);
    }
  }
  UpdateDiskBytes();
  return fresh;
}

absl::Status JobSpool::AppendPart(const internode::core::FrameView& frame,
                                  internode::core::Interval tasks) {
  if (tasks == frame.tasks()) return WriteFrame(frame.bytes(), tasks);
  INTERNODE_ASSIGN_OR_RETURN(const std::string part,
                             internode::core::SliceFrame(frame, tasks));
  return WriteFrame(part, tasks);
}

absl::Status JobSpool::WriteFrame(absl::string_view frame,
                                  internode::core::Interval tasks) {
  INTERNODE_RETURN_IF_ERROR(NextSegment(static_cast<int64_t>(frame.size())));
  INTERNODE_ASSIGN_OR_RETURN(const int64_t offset, writer_->Append(frame));
  appended_.push_back(
      {.tasks = tasks,
       .position = {.segment = writer_->segment(),
                    .frame_bytes = static_cast<uint32_t>(frame.size()),
                    .offset = offset}});
  taken_.Add(tasks);
  return absl::OkStatus();
}

absl::Status JobSpool::NextSegment(int64_t frame_bytes) {
  if (writer_ != nullptr && writer_->usable() &&
      (writer_->size() == kSegmentHeaderBytes ||
       writer_->size() + frame_bytes <= options_.segment_bytes)) {
    return absl::OkStatus();
  }
  if (next_segment_ == std::numeric_limits<uint32_t>::max()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("'", folder_, "' has too many segment files"));
  }
  if (writer_ != nullptr) {
    closed_bytes_ += writer_->size();
    full_.push_back(std::move(writer_));
  }
  const uint32_t segment = next_segment_++;
  INTERNODE_ASSIGN_OR_RETURN(
      writer_, SegmentWriter::Create(file_system_, folder_,
                                     {.job = job_, .segment = segment}));
  folder_changed_ = true;
  return absl::OkStatus();
}

// Forgets the last frames that were appended, whose bytes stay where they are:
// should they be found by Recover, they are as good as those that replace them.
void JobSpool::TakeBack(size_t num_appended) {
  for (size_t i = 0; i < num_appended; ++i) {
    taken_.Remove(appended_.back().tasks);
    appended_.pop_back();
  }
  UpdateDiskBytes();
}

absl::Status JobSpool::SyncSegments() {
  if (options_.durability == Durability::kOs) return absl::OkStatus();
  for (const std::unique_ptr<SegmentWriter>& writer : full_) {
    INTERNODE_RETURN_IF_ERROR(writer->Sync());
  }
  if (writer_ != nullptr) INTERNODE_RETURN_IF_ERROR(writer_->Sync());
  if (folder_changed_) {
    INTERNODE_RETURN_IF_ERROR(file_system_->SyncFolder(folder_));
  }
  return absl::OkStatus();
}

absl::Status JobSpool::Commit() {
  if (appended_.empty()) return absl::OkStatus();
  absl::Status synced = SyncSegments();
  full_.clear();
  if (!synced.ok()) {
    TakeBack(appended_.size());
    // Whatever state the file is in, nothing follows it.
    writer_.reset();
    closed_bytes_ = MeasureFolder();
    UpdateDiskBytes();
    return synced;
  }
  folder_changed_ = false;
  MutexLock lock(&mu_);
  for (const Appended& appended : appended_) {
    index_.Add(appended.tasks, appended.position);
  }
  appended_.clear();
  return absl::OkStatus();
}

internode::core::IntervalSet JobSpool::Done() const {
  MutexLock lock(&mu_);
  return index_.done();
}

int64_t JobSpool::num_done() const {
  MutexLock lock(&mu_);
  return index_.done().size();
}

std::optional<SpoolIndex::Entry> JobSpool::Find(int64_t task) const {
  MutexLock lock(&mu_);
  return index_.Find(task);
}

absl::StatusOr<std::shared_ptr<const ReadFile>> JobSpool::OpenSegment(
    uint32_t segment) const {
  MutexLock lock(&mu_);
  std::weak_ptr<const ReadFile>& open = open_[segment];
  std::shared_ptr<const ReadFile> file = open.lock();
  if (file == nullptr) {
    INTERNODE_ASSIGN_OR_RETURN(file, file_system_->Open(SegmentPath(segment)));
    open = file;
  }
  return file;
}

std::string JobSpool::SegmentPath(uint32_t segment) const {
  return absl::StrCat(folder_, "/", SegmentFileName(segment));
}

int64_t JobSpool::disk_bytes() const {
  MutexLock lock(&mu_);
  return disk_bytes_;
}

int64_t JobSpool::num_frames() const {
  MutexLock lock(&mu_);
  return index_.num_entries();
}

void JobSpool::UpdateDiskBytes() {
  MutexLock lock(&mu_);
  disk_bytes_ = closed_bytes_ + (writer_ == nullptr ? 0 : writer_->size());
}

}  // namespace internode::scheduler
