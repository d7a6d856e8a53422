#ifndef INTERNODE_WORKER_SHARED_PAGE_H_
#define INTERNODE_WORKER_SHARED_PAGE_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "cube/read_counters.h"
#include "worker/engine/slot_page.h"

namespace internode::worker {

// Random, of a process.
using ProcessId = std::array<char, 16>;
ProcessId NewProcessId();

// The memory that a supervisor shares with one of its processes: what it runs,
// readable also when it has died. Thread-safe, but for the ids and the reason.
class SharedPage {
 public:
  // Errors (kResourceExhausted): no memory, no file descriptor.
  static absl::StatusOr<std::unique_ptr<SharedPage>> Create(
      const ProcessId& process, const ProcessId& supervisor, int slots);
  // That of a supervisor, by its file descriptor. Errors (kInvalidArgument):
  // not such a page.
  static absl::StatusOr<std::unique_ptr<SharedPage>> Open(int fd);
  ~SharedPage();
  SharedPage(const SharedPage&) = delete;
  SharedPage& operator=(const SharedPage&) = delete;

  int fd() const { return fd_; }
  std::string process_id() const;
  std::string supervisor_id() const;
  absl::Span<SlotState> slots();

  // What the process read since it began, as it said last. One writer; each
  // number is whole, but not all are of one moment.
  void SetReadCounters(const cube::ReadCounters& counters);
  cube::ReadCounters read_counters() const;

  // Why the process ends itself; read after it has died. Cut to 1000 bytes.
  void SetReason(absl::string_view reason);
  std::string reason() const;

 private:
  struct Layout;

  SharedPage(int fd, Layout* layout, size_t bytes)
      : fd_(fd), layout_(layout), bytes_(bytes) {}

  const int fd_;
  Layout* const layout_;
  const size_t bytes_;
};

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_SHARED_PAGE_H_
