#include "worker/process.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

#include "base/log.h"
#include "base/resident_memory.h"
#include "base/status_macros.h"
#include "cube/block_reader.h"
#include "cube/filter_plugins.h"
#include "functions/plugin.h"
#include "rpc/credentials.h"
#include "rpc/peer.h"
#include "worker/data_roots.h"
#include "worker/engine/engine.h"
#include "worker/engine/monotonic_clock.h"
#include "worker/exit_code.h"
#include "worker/jobs.h"
#include "worker/questions.h"
#include "worker/rpc/connection.h"
#include "worker/rpc/event_loop.h"
#include "worker/rpc/worker_proto.h"
#include "worker/shared_page.h"
#include "worker/watcher.h"

namespace internode::worker {
namespace {

EngineOptions EngineOptionsFor(int64_t memory_limit) {
  EngineOptions options;
  if (memory_limit > 0) {
    options.buffer_bytes =
        std::clamp(memory_limit / 8, int64_t{4} << 20, options.buffer_bytes);
    options.read_ahead_bytes =
        std::min(memory_limit / 8, options.read_ahead_bytes);
  }
  return options;
}

// A quarter; blocks and frames have a quarter together, and the function the
// rest.
int64_t CacheBytesFor(int64_t memory_limit) {
  return memory_limit > 0 ? memory_limit / 4 : cube::UsualCacheBytes();
}

class Process final : public ConnectionUser {
 public:
  Process(const WorkerOptions& options,
          std::shared_ptr<const rpc::Credentials> credentials, SharedPage* page,
          const Jobs* jobs)
      : options_(options),
        page_(page),
        jobs_(jobs),
        functions_json_(jobs->FunctionsJson()),
        connection_(&loop_,
                    {.address = [options] { return SchedulerAddress(options); },
                     .credentials = std::move(credentials),
                     .quiet = true},
                    this),
        questions_(jobs,
                   [this](v1::Answer answer) {
                     loop_.Post([this, answer = std::move(answer)] {
                       v1::WorkerMessage message;
                       *message.mutable_answer() = answer;
                       connection_.Send(std::move(message));
                     });
                   }),
        engine_(
            EngineOptionsFor(options.memory_limit), page->slots(),
            [jobs](const JobRequest& request) { return jobs->Open(request); },
            [this] { loop_.Post([this] { Pump(); }); }) {}

  int Run() {
    const Watcher watcher(
        {SIGTERM},
        [this](int) {
          loop_.Post([this] { Drain("the process was told to end"); });
        },
        // Nothing that this process holds is of use to anybody then.
        {{options_.lifeline_fd,
          [](const char*, size_t) { _exit(kExitOrphan); }}});
    connection_.Start();
    loop_.Run();
    return exit_code_;
  }

 private:
  v1::Hello MakeHello() override {
    v1::Hello hello;
    *hello.mutable_peer() = rpc::LocalPeer();
    hello.set_name(options_.name);
    hello.set_process_id(page_->process_id());
    hello.set_supervisor_id(page_->supervisor_id());
    hello.set_slots(static_cast<uint32_t>(page_->slots().size()));
    hello.set_memory_limit_bytes(options_.memory_limit);
    for (const Offer& offer : engine_.Connect()) {
      *hello.add_offers() = ToProto(offer);
    }
    for (const std::string& json : functions_json_) {
      hello.add_functions_json(json);
    }
    questions_.Clear();
    return hello;
  }

  v1::Heartbeat MakeHeartbeat() override {
    const Engine::Load load = engine_.load();
    const int64_t now = NowNanos();
    v1::Heartbeat heartbeat;
    for (const RunningTask& running : load.running) {
      *heartbeat.add_running() = ToProto(running, now);
    }
    heartbeat.set_memory_bytes(ResidentBytes(getpid()));
    heartbeat.set_held_bytes(load.held_bytes);
    heartbeat.set_tasks_done(load.tasks_done);
    page_->SetReadCounters(jobs_->read_counters());
    return heartbeat;
  }

  void OnWelcome(const v1::Welcome& welcome) override {
    engine_.Connected(std::max<int64_t>(1, welcome.window_bytes()));
    ReportConnected();
  }

  void OnLost() override { engine_.Disconnected(); }

  void OnAck(uint64_t sequence) override { engine_.Acknowledge(sequence); }

  void OnRefused(const absl::Status& status) override {
    // The supervisor is refused too, and says so.
    LogDebug("the scheduler refuses this worker: ", status.message());
    Finish(kExitRefused);
  }

  void OnMessage(const v1::SchedulerMessage& message) override {
    switch (message.message_case()) {
      case v1::SchedulerMessage::kLease:
        Handle(FromProto(message.lease()));
        break;
      case v1::SchedulerMessage::kTakeBack:
        Handle(FromProto(message.take_back()));
        break;
      case v1::SchedulerMessage::kRevoke:
        Handle(FromProto(message.revoke()));
        break;
      case v1::SchedulerMessage::kOfferAnswer:
        Handle(FromProto(message.offer_answer()));
        break;
      case v1::SchedulerMessage::kQuestion:
        questions_.Ask(message.question());
        break;
      case v1::SchedulerMessage::kDrain:
        Drain(message.drain().reason());
        break;
      case v1::SchedulerMessage::kRestart:
        page_->SetReason(message.restart().reason());
        LogWarning("ending at once: ", message.restart().reason());
        // What runs may run for ever.
        _exit(kExitRestart);
      case v1::SchedulerMessage::kForgetJob:
        engine_.ForgetJob(message.forget_job().job());
        break;
      default:
        // Of a newer scheduler, or a second Welcome.
        break;
    }
  }

  template <class Message>
  void Handle(const absl::StatusOr<Message>& message) {
    if (message.ok()) {
      engine_.Handle(*message);
    } else {
      LogError("the scheduler sent nonsense: ", message.status().message());
    }
  }

  void Drain(const std::string& reason) {
    LogDebug("draining: ", reason);
    engine_.Drain(reason);
    Pump();
  }

  void Pump() {
    for (const Outgoing& outgoing : engine_.TakeOutgoing()) {
      if (const auto* frame = std::get_if<FrameToSend>(&outgoing)) {
        connection_.SendFrame(ToProto(*frame), frame->bytes);
        continue;
      }
      std::visit(
          [this](const auto& message) {
            using Message = std::decay_t<decltype(message)>;
            if constexpr (!std::is_same_v<Message, FrameToSend>) {
              connection_.Send(ToProto(message));
            }
          },
          outgoing);
    }
    if (engine_.drained()) Finish(kExitDrained);
  }

  void Finish(int exit_code) {
    if (finishing_) return;
    finishing_ = true;
    exit_code_ = exit_code;
    page_->SetReadCounters(jobs_->read_counters());
    connection_.Close([this] { loop_.Stop(); });
  }

  void ReportConnected() {
    const auto number = static_cast<uint16_t>(options_.process);
    if (options_.report_fd < 0) return;
    if (write(options_.report_fd, &number, sizeof(number)) < 0) {
      LogDebug("the supervisor does not listen");
    }
  }

  const WorkerOptions options_;
  SharedPage* const page_;
  const Jobs* const jobs_;
  const std::vector<std::string> functions_json_;
  bool finishing_ = false;
  int exit_code_ = kExitFailed;
  EventLoop loop_;
  Connection connection_;
  Questions questions_;
  Engine engine_;
};

absl::StatusOr<int> Run(const WorkerOptions& options) {
  INTERNODE_ASSIGN_OR_RETURN(
      const std::unique_ptr<SharedPage> page,
      options.page_fd >= 0
          ? SharedPage::Open(options.page_fd)
          : SharedPage::Create(NewProcessId(), {}, options.num_slots));
  INTERNODE_ASSIGN_OR_RETURN(
      std::shared_ptr<const rpc::Credentials> credentials,
      rpc::Credentials::Create(options.security));
  INTERNODE_RETURN_IF_ERROR(cube::LimitFilterPlugins(options.hdf5_plugins));
  Jobs::Options jobs_options;
  INTERNODE_ASSIGN_OR_RETURN(jobs_options.data_roots,
                             DataRoots::Create(options.data_roots));
  jobs_options.cache_bytes = CacheBytesFor(options.memory_limit);
  INTERNODE_ASSIGN_OR_RETURN(functions::Registry registry,
                             functions::LoadRegistry(options.function_path));
  const Jobs jobs(jobs_options, std::move(registry));
  Process process(options, std::move(credentials), page.get(), &jobs);
  const int exit_code = process.Run();
  // What runs is not waited for, if nobody takes its result.
  if (exit_code != kExitDrained) _exit(exit_code);
  return exit_code;
}

}  // namespace

int RunProcess(const WorkerOptions& options) {
  const absl::StatusOr<int> exit_code = Run(options);
  if (exit_code.ok()) return *exit_code;
  LogError(exit_code.status().message());
  return kExitWrongUse;
}

}  // namespace internode::worker
