#ifndef INTERNODE_TESTS_UNIT_SCHEDULER_ENGINE_ENGINE_DRIVER_H_
#define INTERNODE_TESTS_UNIT_SCHEDULER_ENGINE_ENGINE_DRIVER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/interval_set.h"
#include "internode/v1/client.pb.h"
#include "internode/v1/worker.pb.h"
#include "scheduler/engine/engine.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/memory_journal.h"

namespace internode::scheduler {

// Ids of two processes, and of a request.
inline const std::string kProcess(16, 'a');
inline const std::string kOther(16, 'b');
inline const std::string kRequest(16, 'r');

// A job of `num_tasks` tasks of one pixel, as a client submits it.
v1::SubmitJobRequest Submission(int64_t num_tasks,
                                const std::string& request_id);

// A worker as the engine sees it: what it was told, in order.
class FakeWorker {
 public:
  FakeWorker(Engine* engine, const std::string& process_id)
      : engine_(engine), process_id_(process_id) {}

  // Opens both streams and says Hello; attaches when the engine has run.
  void Connect(uint32_t slots, const std::vector<v1::Offer>& offers = {});
  void Attach();
  void Say(v1::WorkerMessage message);
  void Heartbeat();
  // Sends a frame of `tasks`; returns its sequence number.
  uint64_t SendFrame(uint64_t job, uint64_t lease,
                     internode::core::Interval tasks);
  void SendFrameAs(uint64_t sequence, uint64_t job, uint64_t lease,
                   internode::core::Interval tasks);
  void CloseControl();
  void CloseData();

  std::vector<v1::Lease> leases() const;
  std::vector<v1::Question> questions() const;
  const std::vector<v1::SchedulerMessage>& told() const { return *told_; }
  // The last acknowledgement; 0: none.
  uint64_t acknowledged() const { return *acknowledged_; }
  int64_t acknowledged_bytes() const { return *acknowledged_bytes_; }
  // How the engine closed a stream.
  std::optional<absl::Status> closed() const { return *closed_; }
  std::optional<absl::Status> data_closed() const { return *data_closed_; }

 private:
  class Control;
  class Data;

  Engine* engine_;
  std::string process_id_;
  LinkId control_ = 0;
  LinkId data_ = 0;
  uint64_t sequence_ = 0;
  std::shared_ptr<std::vector<v1::SchedulerMessage>> told_;
  std::shared_ptr<uint64_t> acknowledged_;
  std::shared_ptr<int64_t> acknowledged_bytes_;
  std::shared_ptr<std::optional<absl::Status>> closed_;
  std::shared_ptr<std::optional<absl::Status>> data_closed_;
};

// An engine on the test's thread, with a clock, disk and journal that do as
// they are told.
class EngineDriver {
 public:
  explicit EngineDriver(const EngineOptions& options = {});

  // Runs until nothing is left to do.
  void Run();
  void Advance(absl::Duration duration) {
    clock_.Advance(duration);
    Run();
  }
  // The scheduler is killed, and started again.
  void Restart();

  // Submits, and runs; the answer, or nothing if there is none yet.
  std::optional<absl::StatusOr<std::string>> Submit(
      const v1::SubmitJobRequest& request, const std::string& owner = "me");
  // A job that was accepted.
  uint64_t SubmitTasks(int64_t num_tasks);
  absl::StatusOr<v1::JobInfo> Job(uint64_t job);
  // What is next of the job; nothing if that is not known yet.
  std::optional<absl::StatusOr<FetchStep>> Fetch(uint64_t job, int64_t task,
                                                 int64_t end = -1,
                                                 bool done_only = false);
  // A worker that connected and attached.
  FakeWorker Join(uint32_t slots, const std::string& process_id,
                  const std::vector<v1::Offer>& offers = {});

  // Runs what `ask` posts, and returns what it is answered.
  template <typename Response, typename Ask>
  std::optional<absl::StatusOr<Response>> Call(Ask ask) {
    auto answer = std::make_shared<std::optional<absl::StatusOr<Response>>>();
    ask([answer](absl::StatusOr<Response> response) {
      *answer = std::move(response);
    });
    Run();
    return *answer;
  }

  Engine& engine() { return *engine_; }
  testing::ManualClock& clock() { return clock_; }
  testing::MemoryJournal& journal() { return journal_; }
  testing::MemoryFileSystem& files() { return files_; }
  Spool& spool() { return *spool_; }

 private:
  void Open();

  const EngineOptions options_;
  testing::ManualClock clock_;
  testing::MemoryFileSystem files_;
  testing::MemoryJournal journal_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<Engine> engine_;
  int64_t submissions_ = 0;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_TESTS_UNIT_SCHEDULER_ENGINE_ENGINE_DRIVER_H_
