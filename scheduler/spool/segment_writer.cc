#include "scheduler/spool/segment_writer.h"

#include <cstddef>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"

namespace internode::scheduler {

absl::StatusOr<std::unique_ptr<SegmentWriter>> SegmentWriter::Create(
    FileSystem* file_system, const std::string& folder,
    const SegmentHeader& header) {
  const std::string path =
      absl::StrCat(folder, "/", SegmentFileName(header.segment));
  INTERNODE_ASSIGN_OR_RETURN(std::unique_ptr<AppendFile> file,
                             file_system->Create(path));
  auto writer =
      absl::WrapUnique(new SegmentWriter(std::move(file), header.segment));
  absl::Status written = writer->Write(EncodeSegmentHeader(header));
  if (!written.ok()) {
    // The number is not used again, so that what may be left does no harm.
    file_system->Remove(path).IgnoreError();
    return written;
  }
  return writer;
}

absl::StatusOr<int64_t> SegmentWriter::Append(absl::string_view frame) {
  const int64_t offset = size_;
  INTERNODE_RETURN_IF_ERROR(Write(frame));
  return offset;
}

absl::Status SegmentWriter::Write(absl::string_view bytes) {
  const auto size = static_cast<int64_t>(bytes.size());
  while (!bytes.empty()) {
    const absl::StatusOr<int64_t> written = file_->Append(bytes);
    if (!written.ok()) {
      CutBackTo(size_);
      return written.status();
    }
    bytes.remove_prefix(static_cast<size_t>(*written));
  }
  size_ += size;
  return absl::OkStatus();
}

absl::Status SegmentWriter::Sync() {
  if (synced_size_ == size_) return absl::OkStatus();
  absl::Status synced = file_->Sync();
  if (!synced.ok()) {
    CutBackTo(synced_size_);
    usable_ = false;
    return synced;
  }
  synced_size_ = size_;
  return absl::OkStatus();
}

void SegmentWriter::CutBackTo(int64_t size) {
  if (!file_->Truncate(size).ok()) usable_ = false;
  size_ = size;
}

}  // namespace internode::scheduler
