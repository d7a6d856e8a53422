// Spool files from untrusted bytes: the bytes are read as commands that write
// segment files, with whole, damaged, repeated, torn and forged frames and
// whatever else, and as one segment file. What JobSpool::Recover makes of them
// must be readable, and the same when it is done again.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "core/crc32c.h"
#include "core/frame.h"
#include "core/frame_encoder.h"
#include "scheduler/spool/job_spool.h"
#include "scheduler/spool/segment_format.h"
#include "scheduler/spool/spool_reader.h"
#include "tests/support/memory_file_system.h"

namespace internode::scheduler {
namespace {

using internode::core::FrameView;
using internode::core::Interval;
using internode::core::IntervalSet;

constexpr uint64_t kJob = 3;
constexpr char kFolder[] = "/0000000003";
constexpr size_t kMostBytes = 1 << 16;

void Require(bool condition) {
  if (!condition) std::abort();
}

std::string FrameOf(Interval tasks, const std::string& message) {
  internode::core::FrameEncoder encoder(tasks.begin, 0);
  for (int64_t i = tasks.begin; i < tasks.end; ++i) {
    Require(encoder.AppendFailedTask(i % 3, message).ok());
  }
  return encoder.Finish().value();
}

// Makes the length and the checksums of what may be a frame right.
void Forge(std::string* frame) {
  constexpr auto kHeader =
      static_cast<size_t>(internode::core::kFrameHeaderBytes);
  if (frame->size() < kHeader) return;
  const auto body_bytes = static_cast<int64_t>(frame->size() - kHeader);
  std::memcpy(frame->data() + kHeader - 16, &body_bytes, 8);
  const absl::string_view all = *frame;
  const uint32_t body_crc = internode::core::Crc32c(all.substr(kHeader));
  std::memcpy(frame->data() + kHeader - 8, &body_crc, 4);
  const uint32_t header_crc =
      internode::core::Crc32c(all.substr(0, kHeader - 4));
  std::memcpy(frame->data() + kHeader - 4, &header_crc, 4);
}

// Segment files, written as bytes command.
class Script {
 public:
  explicit Script(absl::string_view bytes) : bytes_(bytes) { Begin(); }

  std::vector<std::pair<std::string, std::string>> Run() {
    while (!bytes_.empty() && written_ < kMostBytes) Step();
    End();
    return std::move(files_);
  }

  // Whether there are frames that no encoder made, with right checksums.
  bool forged() const { return forged_; }

 private:
  size_t Byte() {
    if (bytes_.empty()) return 0;
    const auto byte = static_cast<uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return byte;
  }

  std::string Some(size_t most) {
    const absl::string_view some = bytes_.substr(0, most);
    bytes_.remove_prefix(some.size());
    return std::string(some);
  }

  void Begin() {
    ++segment_;
    file_ = EncodeSegmentHeader({.job = kJob, .segment = segment_});
  }

  void End() {
    files_.emplace_back(absl::StrCat(kFolder, "/", SegmentFileName(segment_)),
                        file_);
    written_ += file_.size();
  }

  void Step() {
    const size_t kind = Byte() % 10;
    switch (kind) {
      case 0:
      case 1:
      case 2: {
        const auto begin = static_cast<int64_t>(Byte());
        const auto size = 1 + static_cast<int64_t>(Byte() % 16);
        last_ = FrameOf({begin, begin + size}, Some(Byte() % 4));
        file_ += last_;
        break;
      }
      case 3:
        file_ += last_;
        break;
      case 4:
        file_ += Some(Byte());
        break;
      case 5:
        file_.append(Byte(), '\0');
        break;
      case 6:
        if (!file_.empty()) {
          file_[(256 * Byte() + Byte()) % file_.size()] ^=
              static_cast<char>(1 << Byte() % 8);
        }
        break;
      case 7:
        file_.resize(file_.size() - std::min(file_.size(), Byte()));
        break;
      case 8: {
        std::string frame = last_.empty() ? FrameOf({0, 1}, "") : last_;
        const size_t at = Byte() % frame.size();
        frame.replace(at, std::min(frame.size() - at, bytes_.size() % 9),
                      Some(bytes_.size() % 9));
        Forge(&frame);
        forged_ = true;
        file_ += frame;
        break;
      }
      default:
        End();
        Begin();
    }
  }

  absl::string_view bytes_;
  uint32_t segment_ = 0;
  std::string file_;
  std::string last_;
  bool forged_ = false;
  size_t written_ = 0;
  std::vector<std::pair<std::string, std::string>> files_;
};

// Reads all that the spool says it has.
void ReadAll(const std::shared_ptr<const JobSpool>& spool, bool forged) {
  for (const Interval& run : spool->Done().intervals()) {
    Require(run.begin >= 0);
    SpoolReader reader(spool, run.begin);
    while (reader.next_task() < run.end) {
      const int64_t task = reader.next_task();
      const absl::StatusOr<std::optional<std::string>> frame = reader.Next();
      if (!frame.ok()) {
        Require(forged && frame.status().code() == absl::StatusCode::kDataLoss);
        break;
      }
      Require(frame->has_value());
      const absl::StatusOr<FrameView> view = FrameView::Parse(**frame);
      if (!view.ok()) {
        // Where the checksums are right too, it is who reads it that finds out.
        Require(forged);
        break;
      }
      Require(view->tasks().begin == task);
      Require(reader.next_task() == view->tasks().end &&
              reader.next_task() > task && reader.next_task() <= run.end);
    }
  }
}

JobSpool::Recovery RecoverIn(testing::MemoryFileSystem* files) {
  return JobSpool::Recover(files, kFolder, kJob, {}).value();
}

void Try(const std::vector<std::pair<std::string, std::string>>& contents,
         bool forged) {
  testing::MemoryFileSystem files;
  Require(files.CreateFolder(kFolder).ok());
  for (const auto& [path, bytes] : contents) files.SetContents(path, bytes);
  IntervalSet done;
  int64_t num_frames = 0;
  size_t num_lasting = 0;
  {
    const JobSpool::Recovery first = RecoverIn(&files);
    done = first.spool->Done();
    num_frames = first.spool->num_frames();
    for (const SpoolDamage& damage : first.damages) {
      Require(!damage.ToString().empty());
      num_lasting += damage.kind == SpoolDamage::Kind::kTornTail ? 0 : 1;
    }
  }
  files.Kill();
  JobSpool::Recovery second = RecoverIn(&files);
  Require(second.spool->Done() == done);
  Require(second.spool->num_frames() == num_frames);
  Require(second.damages.size() == num_lasting);
  // It goes on from there.
  const std::string more = FrameOf({5, 300}, "");
  Require(second.spool->Append(FrameView::Parse(more).value()).ok());
  Require(second.spool->Commit().ok());
  done.Add({5, 300});
  Require(second.spool->Done() == done);
  ReadAll(std::move(second.spool), forged);
  files.Kill();
  Require(RecoverIn(&files).spool->Done() == done);
}

}  // namespace
}  // namespace internode::scheduler

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using internode::scheduler::Script;
  if (size > internode::scheduler::kMostBytes) return 0;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  internode::scheduler::Try(
      {{"/0000000003/00000001.frames", std::string(bytes)}}, true);
  Script script(bytes);
  const auto files = script.Run();
  internode::scheduler::Try(files, script.forged());
  return 0;
}
