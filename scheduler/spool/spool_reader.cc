#include "scheduler/spool/spool_reader.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "core/crc32c.h"
#include "core/frame.h"

namespace internode::scheduler {
namespace {

constexpr size_t kMostOpenFiles = 4;

}  // namespace

absl::StatusOr<std::optional<std::string>> SpoolReader::Next() {
  const std::optional<SpoolIndex::Entry> entry = spool_->Find(next_task_);
  if (!entry.has_value()) return std::nullopt;
  INTERNODE_ASSIGN_OR_RETURN(std::string bytes, ReadFrame(entry->position));
  INTERNODE_ASSIGN_OR_RETURN(const internode::core::FrameHeader header,
                             internode::core::ParseFrameHeader(bytes));
  if (header.tasks.begin > entry->tasks.begin ||
      header.tasks.end < entry->tasks.end) {
    return absl::DataLossError("another frame lies in its place");
  }
  if (header.tasks != entry->tasks) {
    INTERNODE_ASSIGN_OR_RETURN(const internode::core::FrameView frame,
                               internode::core::FrameView::Parse(bytes));
    INTERNODE_ASSIGN_OR_RETURN(
        bytes, internode::core::SliceFrame(frame, entry->tasks));
  }
  next_task_ = entry->tasks.end;
  return bytes;
}

absl::StatusOr<std::shared_ptr<const ReadFile>> SpoolReader::FileOf(
    uint32_t segment) {
  for (const OpenFile& open : open_) {
    if (open.segment == segment) return open.file;
  }
  INTERNODE_ASSIGN_OR_RETURN(std::shared_ptr<const ReadFile> file,
                             spool_->OpenSegment(segment));
  if (open_.size() < kMostOpenFiles) {
    open_.push_back({.segment = segment, .file = file});
  } else {
    open_[next_victim_] = {.segment = segment, .file = file};
    next_victim_ = (next_victim_ + 1) % kMostOpenFiles;
  }
  return file;
}

absl::StatusOr<std::string> SpoolReader::ReadFrame(
    const FramePosition& position) {
  INTERNODE_ASSIGN_OR_RETURN(const std::shared_ptr<const ReadFile> file,
                             FileOf(position.segment));
  std::string bytes(position.frame_bytes, '\0');
  INTERNODE_ASSIGN_OR_RETURN(
      const int64_t got,
      file->ReadAt(position.offset, position.frame_bytes, bytes.data()));
  absl::Status status;
  if (got < int64_t{position.frame_bytes}) {
    status = absl::DataLossError("the file ends within it");
  } else {
    const absl::StatusOr<internode::core::FrameHeader> header =
        internode::core::ParseFrameHeader(bytes);
    if (!header.ok()) {
      status = header.status();
    } else if (header->frame_bytes() != got ||
               internode::core::Crc32c(absl::string_view(bytes).substr(
                   internode::core::kFrameHeaderBytes)) != header->body_crc) {
      status = absl::DataLossError("its checksum is wrong");
    }
  }
  if (status.ok()) return bytes;
  return absl::DataLossError(absl::StrCat(
      "'", spool_->SegmentPath(position.segment), "': the frame at byte ",
      position.offset, " is damaged: ", status.message()));
}

}  // namespace internode::scheduler
