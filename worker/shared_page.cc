#include "worker/shared_page.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace internode::worker {
namespace {

constexpr uint64_t kMagic = 0x31656761'70746e69;
constexpr size_t kReasonBytes = 1000;

absl::Status Failed(absl::string_view what) {
  return absl::ResourceExhaustedError(
      absl::StrCat("cannot ", what, ": ", std::strerror(errno)));
}

}  // namespace

struct SharedPage::Layout {
  uint64_t magic;
  uint32_t num_slots;
  std::atomic<uint32_t> reason_size;
  ProcessId process;
  ProcessId supervisor;
  char reason[kReasonBytes];
  std::atomic<int64_t> chunks_decoded;
  std::atomic<int64_t> chunks_reused;
  std::atomic<int64_t> chunks_absent;
  std::atomic<int64_t> decoded_bytes;
  std::atomic<int64_t> read_bytes;
  alignas(64) SlotState slots[1];
};

ProcessId NewProcessId() {
  ProcessId id;
  if (getrandom(id.data(), id.size(), 0) != static_cast<ssize_t>(id.size())) {
    std::random_device device;
    for (char& byte : id) byte = static_cast<char>(device());
  }
  return id;
}

absl::StatusOr<std::unique_ptr<SharedPage>> SharedPage::Create(
    const ProcessId& process, const ProcessId& supervisor, int slots) {
  const size_t bytes =
      sizeof(Layout) + sizeof(SlotState) * static_cast<size_t>(slots);
  const int fd = memfd_create("internode-worker", MFD_CLOEXEC);
  if (fd < 0) return Failed("create shared memory");
  void* memory = MAP_FAILED;
  if (ftruncate(fd, static_cast<off_t>(bytes)) == 0) {
    memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  if (memory == MAP_FAILED) {
    absl::Status status = Failed("map shared memory");
    close(fd);
    return status;
  }
  auto* const layout = static_cast<Layout*>(memory);
  layout->magic = kMagic;
  layout->num_slots = static_cast<uint32_t>(slots);
  layout->process = process;
  layout->supervisor = supervisor;
  return absl::WrapUnique(new SharedPage(fd, layout, bytes));
}

absl::StatusOr<std::unique_ptr<SharedPage>> SharedPage::Open(int fd) {
  struct stat info;
  if (fstat(fd, &info) != 0 ||
      info.st_size < static_cast<off_t>(sizeof(Layout))) {
    return absl::InvalidArgumentError("no shared page of a supervisor");
  }
  const auto bytes = static_cast<size_t>(info.st_size);
  void* const memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return Failed("map shared memory");
  auto* const layout = static_cast<Layout*>(memory);
  if (layout->magic != kMagic ||
      bytes < sizeof(Layout) + sizeof(SlotState) * layout->num_slots) {
    munmap(memory, bytes);
    return absl::InvalidArgumentError("no shared page of a supervisor");
  }
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return absl::WrapUnique(new SharedPage(fd, layout, bytes));
}

SharedPage::~SharedPage() {
  munmap(layout_, bytes_);
  close(fd_);
}

std::string SharedPage::process_id() const {
  return std::string(layout_->process.data(), layout_->process.size());
}

std::string SharedPage::supervisor_id() const {
  return std::string(layout_->supervisor.data(), layout_->supervisor.size());
}

absl::Span<SlotState> SharedPage::slots() {
  return absl::MakeSpan(layout_->slots, layout_->num_slots);
}

void SharedPage::SetReadCounters(const cube::ReadCounters& counters) {
  layout_->chunks_decoded = counters.chunks_decoded;
  layout_->chunks_reused = counters.chunks_reused;
  layout_->chunks_absent = counters.chunks_absent;
  layout_->decoded_bytes = counters.decoded_bytes;
  layout_->read_bytes = counters.read_bytes;
}

cube::ReadCounters SharedPage::read_counters() const {
  return {.chunks_decoded = layout_->chunks_decoded,
          .chunks_reused = layout_->chunks_reused,
          .chunks_absent = layout_->chunks_absent,
          .decoded_bytes = layout_->decoded_bytes,
          .read_bytes = layout_->read_bytes};
}

void SharedPage::SetReason(absl::string_view reason) {
  const size_t size = std::min(reason.size(), kReasonBytes);
  std::memcpy(layout_->reason, reason.data(), size);
  layout_->reason_size.store(static_cast<uint32_t>(size));
}

std::string SharedPage::reason() const {
  const size_t size =
      std::min<size_t>(layout_->reason_size.load(), kReasonBytes);
  return std::string(layout_->reason, size);
}

}  // namespace internode::worker
