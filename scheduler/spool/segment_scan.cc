#include "scheduler/spool/segment_scan.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "base/quantity.h"
#include "base/status_macros.h"
#include "core/crc32c.h"

namespace internode::scheduler {
namespace {

// Fits into the second-level cache, so that the checksum costs little.
constexpr int64_t kBufferBytes = int64_t{256} << 10;

// Reads a file from its start to its end through one buffer.
class Scanner {
 public:
  Scanner(std::shared_ptr<const ReadFile> file, int64_t size)
      : file_(std::move(file)),
        size_(size),
        buffer_(static_cast<size_t>(std::min(size, kBufferBytes))) {}

  int64_t offset() const { return offset_; }
  int64_t left() const { return size_ - offset_; }

  // The next `bytes` bytes, no more than a buffer holds and than are left.
  absl::StatusOr<absl::string_view> Peek(int64_t bytes) {
    if (offset_ < begin_ || offset_ + bytes > end_) {
      INTERNODE_RETURN_IF_ERROR(Fill());
    }
    if (offset_ + bytes > end_) {
      return absl::UnavailableError("it became shorter while it was read");
    }
    return absl::string_view(buffer_.data() + (offset_ - begin_),
                             static_cast<size_t>(bytes));
  }

  void Skip(int64_t bytes) { offset_ += bytes; }
  void GoBackTo(int64_t offset) { offset_ = offset; }

  // The CRC of the next `bytes` bytes, which are skipped.
  absl::StatusOr<uint32_t> SkipWithCrc(int64_t bytes) {
    uint32_t crc = 0;
    while (bytes > 0) {
      const int64_t buffered = end_ - offset_;
      const int64_t most = buffered > 0 ? buffered : kBufferBytes;
      INTERNODE_ASSIGN_OR_RETURN(const absl::string_view part,
                                 Peek(std::min(bytes, most)));
      crc = internode::core::ExtendCrc32c(crc, part);
      Skip(static_cast<int64_t>(part.size()));
      bytes -= static_cast<int64_t>(part.size());
    }
    return crc;
  }

  // Whether all that is left is zeros.
  absl::StatusOr<bool> OnlyZerosLeft() {
    const int64_t start = offset_;
    bool zeros = true;
    while (zeros && left() > 0) {
      INTERNODE_ASSIGN_OR_RETURN(const absl::string_view part,
                                 Peek(std::min(left(), kBufferBytes)));
      zeros = part.find_first_not_of('\0') == absl::string_view::npos;
      Skip(static_cast<int64_t>(part.size()));
    }
    offset_ = start;
    return zeros;
  }

 private:
  absl::Status Fill() {
    begin_ = end_ = offset_;
    INTERNODE_ASSIGN_OR_RETURN(
        const int64_t got,
        file_->ReadAt(offset_, static_cast<int64_t>(buffer_.size()),
                      buffer_.data()));
    end_ = begin_ + got;
    return absl::OkStatus();
  }

  const std::shared_ptr<const ReadFile> file_;
  const int64_t size_;
  // What of the file is in the buffer: [begin_, end_).
  std::vector<char> buffer_;
  int64_t begin_ = 0;
  int64_t end_ = 0;
  int64_t offset_ = 0;
};

using OnFrame =
    std::function<void(const internode::core::FrameHeader&, int64_t)>;
using OnDamage = std::function<void(const SpoolDamage&)>;

absl::Status CheckSegmentHeader(const SegmentHeader& expected,
                                Scanner* scanner) {
  INTERNODE_ASSIGN_OR_RETURN(const absl::string_view bytes,
                             scanner->Peek(kSegmentHeaderBytes));
  INTERNODE_ASSIGN_OR_RETURN(const SegmentHeader header,
                             ParseSegmentHeader(bytes));
  if (header != expected) {
    return absl::DataLossError(
        absl::StrCat("it is segment ", header.segment, " of job ", header.job));
  }
  scanner->Skip(kSegmentHeaderBytes);
  return absl::OkStatus();
}

// One segment file.
class SegmentScan {
 public:
  SegmentScan(const std::string& path, const OnFrame& on_frame,
              const OnDamage& on_damage)
      : path_(path), on_frame_(on_frame), on_damage_(on_damage) {}

  // Errors: why the rest, from the scanner's offset on, is unusable.
  absl::Status Run(const SegmentHeader& expected, Scanner* scanner) {
    if (scanner->left() == 0) return absl::OkStatus();
    if (scanner->left() < kSegmentHeaderBytes) {
      Report(SpoolDamage::Kind::kTornTail, scanner->offset(), scanner->left(),
             "the file ends within its header");
      return absl::OkStatus();
    }
    INTERNODE_RETURN_IF_ERROR(CheckSegmentHeader(expected, scanner));
    bool more = true;
    while (more && scanner->left() > 0) {
      INTERNODE_ASSIGN_OR_RETURN(more, NextFrame(scanner));
    }
    return absl::OkStatus();
  }

  void Report(SpoolDamage::Kind kind, int64_t offset, int64_t bytes,
              absl::string_view reason) {
    on_damage_({.kind = kind,
                .path = path_,
                .offset = offset,
                .bytes = bytes,
                .reason = std::string(reason)});
  }

 private:
  // False: the file ends here, within a frame.
  absl::StatusOr<bool> NextFrame(Scanner* scanner) {
    const int64_t start = scanner->offset();
    const int64_t left = scanner->left();
    if (left < internode::core::kFrameHeaderBytes) {
      Report(SpoolDamage::Kind::kTornTail, start, left,
             "the file ends within a frame's header");
      return false;
    }
    INTERNODE_ASSIGN_OR_RETURN(
        const absl::string_view bytes,
        scanner->Peek(internode::core::kFrameHeaderBytes));
    const absl::StatusOr<internode::core::FrameHeader> header =
        internode::core::ParseFrameHeader(bytes);
    if (!header.ok()) {
      INTERNODE_ASSIGN_OR_RETURN(const bool zeros, scanner->OnlyZerosLeft());
      if (!zeros) return header.status();
      Report(SpoolDamage::Kind::kTornTail, start, left,
             "the file ends in zeros");
      return false;
    }
    if (header->frame_bytes() > left) {
      Report(SpoolDamage::Kind::kTornTail, start, left,
             "the file ends within a frame");
      return false;
    }
    scanner->Skip(internode::core::kFrameHeaderBytes);
    const absl::StatusOr<uint32_t> crc =
        scanner->SkipWithCrc(header->body_bytes);
    if (!crc.ok()) {
      scanner->GoBackTo(start);
      return crc.status();
    }
    if (*crc == header->body_crc) {
      on_frame_(*header, start);
    } else {
      Report(SpoolDamage::Kind::kFrame, start, header->frame_bytes(),
             absl::StrCat("the checksum of the frame of tasks [",
                          header->tasks.begin, ", ", header->tasks.end,
                          ") is wrong"));
    }
    return true;
  }

  const std::string& path_;
  const OnFrame& on_frame_;
  const OnDamage& on_damage_;
};

}  // namespace

std::string SpoolDamage::ToString() const {
  return absl::StrCat("'", path, "': ", FormatBytes(bytes), " from byte ",
                      offset, " on are lost: ", reason);
}

void ScanSegment(FileSystem* file_system, const std::string& path,
                 const SegmentHeader& expected, const OnFrame& on_frame,
                 const OnDamage& on_damage) {
  SegmentScan scan(path, on_frame, on_damage);
  const absl::StatusOr<int64_t> size = file_system->Size(path);
  absl::StatusOr<std::shared_ptr<const ReadFile>> file =
      file_system->Open(path);
  if (!size.ok() || !file.ok()) {
    const absl::Status& why = size.ok() ? file.status() : size.status();
    scan.Report(SpoolDamage::Kind::kRest, 0, size.value_or(0), why.message());
    return;
  }
  Scanner scanner(*std::move(file), *size);
  const absl::Status status = scan.Run(expected, &scanner);
  if (status.ok()) return;
  scan.Report(SpoolDamage::Kind::kRest, scanner.offset(), scanner.left(),
              status.message());
}

}  // namespace internode::scheduler
