#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/log.h"
#include "base/status_macros.h"
#include "rpc/peer.h"
#include "scheduler/engine/engine.h"

// Control streams: what workers and supervisors say.

namespace internode::scheduler {
namespace {

constexpr size_t kIdBytes = 16;
constexpr size_t kMostNameBytes = 256;
constexpr uint32_t kMostSlotsOfWorker = 1024;
constexpr size_t kMostFunctionBytes = size_t{4} << 20;
// Processes that left are remembered, for their names, up to so many.
constexpr size_t kMostWorkersKept = 20'000;

// Not to be guessed by whoever does not own the control stream.
uint64_t NewSession() {
  std::random_device random;
  return (uint64_t{random()} << 32) | random();
}

std::vector<core::RunningTask> RunningOf(
    const google::protobuf::RepeatedPtrField<v1::RunningTask>& running) {
  std::vector<core::RunningTask> tasks;
  tasks.reserve(static_cast<size_t>(running.size()));
  for (const v1::RunningTask& task : running) {
    tasks.push_back({.job = {task.job()},
                     .task = task.task(),
                     .elapsed = absl::Nanoseconds(task.elapsed_ns())});
  }
  return tasks;
}

internode::core::Interval IntervalOf(const v1::TaskRange& range) {
  return {range.begin(), range.end()};
}

}  // namespace

void Engine::OpenControl(LinkId link, std::shared_ptr<ControlLink> control) {
  strand_->Post([this, link, control = std::move(control)]() mutable {
    if (closed_) {
      control->Close(absl::UnavailableError(kStopping));
    } else {
      controls_[link].link = std::move(control);
    }
  });
}

void Engine::Receive(LinkId link, v1::WorkerMessage message) {
  strand_->Post([this, link, message = std::move(message)]() mutable {
    OnMessage(link, std::move(message));
  });
}

void Engine::CloseControl(LinkId link) {
  strand_->Post([this, link] {
    const auto it = controls_.find(link);
    if (it == controls_.end()) return;
    Worker* const worker = it->second.worker;
    controls_.erase(it);
    if (worker == nullptr || worker->control != link) return;
    Lose(worker, "its connection ended");
  });
}

void Engine::OnMessage(LinkId link, v1::WorkerMessage message) {
  const auto it = controls_.find(link);
  if (it == controls_.end()) return;
  Worker* const worker = it->second.worker;
  if (message.has_hello() != (worker == nullptr)) {
    RefuseControl(link, absl::InvalidArgumentError(
                            "the first message of a control stream, and no "
                            "other, is Hello"));
    return;
  }
  if (worker == nullptr) {
    OnHello(link, message.hello());
    return;
  }
  worker->heard = Now();
  OnMessageOf(worker, std::move(message));
}

// ---- joining ----

absl::Status Engine::CheckHello(const v1::Hello& hello) const {
  INTERNODE_RETURN_IF_ERROR(rpc::CheckPeer(hello.peer(), "worker"));
  if (hello.process_id().size() != kIdBytes ||
      hello.supervisor_id().size() != kIdBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the ids of a process have ", kIdBytes, " bytes"));
  }
  if (hello.slots() > kMostSlotsOfWorker) {
    return absl::InvalidArgumentError(
        absl::StrCat("worker has ", hello.slots(), " slots; a process has ",
                     "at most ", kMostSlotsOfWorker));
  }
  size_t function_bytes = 0;
  for (const std::string& function : hello.functions_json()) {
    function_bytes += function.size();
  }
  if (hello.name().size() > kMostNameBytes ||
      hello.peer().host().size() > kMostNameBytes ||
      function_bytes > kMostFunctionBytes) {
    return absl::InvalidArgumentError(
        "the worker's name, host or functions are too long");
  }
  if (stopping_) return absl::UnavailableError(kStopping);
  return absl::OkStatus();
}

void Engine::OnHello(LinkId link, const v1::Hello& hello) {
  const absl::Status checked = CheckHello(hello);
  if (!checked.ok()) {
    RefuseControl(link, checked);
    return;
  }
  PruneWorkers();
  std::unique_ptr<Worker>& known = workers_[hello.process_id()];
  if (known == nullptr) {
    known = std::make_unique<Worker>();
    known->id = {next_worker_++};
    known->process_id = hello.process_id();
    workers_by_id_.emplace(known->id, known.get());
  }
  Worker* const worker = known.get();
  if (worker->control != 0) {
    Disconnect(worker, absl::AbortedError("the worker has a newer connection"));
  }
  worker->name = hello.name();
  worker->supervisor_id = hello.supervisor_id();
  worker->host = hello.peer().host();
  worker->pid = hello.peer().pid();
  worker->slots = static_cast<int>(hello.slots());
  worker->memory_limit_bytes = std::max<int64_t>(0, hello.memory_limit_bytes());
  worker->functions_json.assign(hello.functions_json().begin(),
                                hello.functions_json().end());
  ++worker->epoch;
  worker->joined = worker->heard = Now();
  worker->control = link;
  worker->session = NewSession();
  worker->draining = worker->paused = false;
  controls_[link].worker = worker;
  if (!worker->supervisor()) sessions_.emplace(worker->session, worker);
  Welcome(*worker);
  if (!worker->supervisor()) Join(worker, hello);
}

void Engine::Welcome(const Worker& worker) {
  v1::SchedulerMessage message;
  v1::Welcome* const welcome = message.mutable_welcome();
  *welcome->mutable_peer() = rpc::LocalPeer();
  welcome->set_worker_id(FormatWorkerId(worker.id));
  welcome->set_session(worker.session);
  welcome->set_heartbeat_interval_ns(
      absl::ToInt64Nanoseconds(options_.heartbeat_interval));
  welcome->set_window_bytes(WindowBytes());
  Send(worker, std::move(message));
}

int64_t Engine::WindowBytes() const {
  return std::clamp(
      options_.window_bytes / std::max<int64_t>(1, num_connected_),
      options_.least_worker_window_bytes, options_.most_worker_window_bytes);
}

void Engine::Join(Worker* worker, const v1::Hello& hello) {
  ++num_connected_;
  ++counters_.workers_joined;
  LogInfo("worker ", WorkerName(worker->id), " joined with ", worker->slots,
          worker->slots == 1 ? " thread" : " threads");
  core::WorkerJoined event;
  event.worker = worker->id;
  event.epoch = worker->epoch;
  event.slots = worker->slots;
  for (const v1::Offer& offer : hello.offers()) {
    for (const v1::TaskRange& tasks : offer.tasks()) {
      event.offers.push_back(
          {.job = {offer.job()}, .tasks = IntervalOf(tasks)});
    }
  }
  Handle(event);
  questions_.AddWorker(worker->id);
}

void Engine::PruneWorkers() {
  if (workers_.size() < kMostWorkersKept) return;
  for (auto it = workers_.begin(); it != workers_.end();) {
    if (it->second->control != 0) {
      ++it;
      continue;
    }
    workers_by_id_.erase(it->second->id);
    it = workers_.erase(it);
  }
}

// ---- leaving ----

void Engine::Lose(Worker* worker, absl::string_view reason) {
  if (worker->control == 0) return;
  const core::WorkerId id = worker->id;
  const core::Epoch epoch = worker->epoch;
  if (!worker->supervisor()) {
    ++counters_.workers_lost;
    LogInfo("worker ", WorkerName(id), " is gone: ", reason);
  }
  Disconnect(worker, absl::UnavailableError(reason));
  Handle(core::WorkerLost{id, epoch, std::string(reason)});
}

void Engine::Disconnect(Worker* worker, const absl::Status& status) {
  if (const auto it = controls_.find(worker->control); it != controls_.end()) {
    it->second.link->Close(status);
    controls_.erase(it);
  }
  if (const auto it = datas_.find(worker->data); it != datas_.end()) {
    it->second.link->Close(status);
    datas_.erase(it);
  }
  sessions_.erase(worker->session);
  worker->control = 0;
  worker->data = 0;
  worker->session = 0;
  worker->plans.clear();
  if (worker->supervisor()) return;
  --num_connected_;
  questions_.RemoveWorker(worker->id);
}

void Engine::RefuseControl(LinkId link, const absl::Status& status) {
  const auto it = controls_.find(link);
  if (it == controls_.end()) return;
  LogWarning("a worker is refused: ", status.message());
  if (it->second.worker != nullptr) {
    ++counters_.liars_closed;
    const core::WorkerId id = it->second.worker->id;
    const core::Epoch epoch = it->second.worker->epoch;
    Disconnect(it->second.worker, status);
    Handle(core::WorkerLost{id, epoch, std::string(status.message())});
    return;
  }
  it->second.link->Close(status);
  controls_.erase(it);
}

void Engine::CloseAll() {
  closed_ = true;
  const absl::Status status = absl::UnavailableError(kStopping);
  for (auto& [link, control] : controls_) control.link->Close(status);
  for (auto& [link, data] : datas_) data.link->Close(status);
  controls_.clear();
  datas_.clear();
  EndCommands(status);
  for (auto& [id, entry] : jobs_) {
    EndWatches(entry.get(), status);
    for (JobEntry::Waiter& waiter : entry->waiters) waiter.reply(status);
    entry->waiters.clear();
    for (auto& submitter : entry->submitters) submitter(status);
    entry->submitters.clear();
  }
  questions_.Close(status);
}

// ---- what a worker says ----

void Engine::OnMessageOf(Worker* worker, v1::WorkerMessage message) {
  const core::WorkerId id = worker->id;
  const core::Epoch epoch = worker->epoch;
  switch (message.message_case()) {
    case v1::WorkerMessage::kHeartbeat: {
      const v1::Heartbeat& heartbeat = message.heartbeat();
      worker->memory_bytes = heartbeat.memory_bytes();
      worker->tasks_done = heartbeat.tasks_done();
      Handle(
          core::HeartbeatReceived{id, epoch, RunningOf(heartbeat.running())});
      return;
    }
    case v1::WorkerMessage::kTasksFailed: {
      v1::TasksFailed& failed = *message.mutable_tasks_failed();
      Handle(core::TaskFailed{.worker = id,
                              .epoch = epoch,
                              .lease = {failed.lease_id()},
                              .tasks = IntervalOf(failed.tasks()),
                              .retryable = failed.retryable(),
                              .message = std::move(*failed.mutable_message())});
      MarkChanged({failed.job()});
      return;
    }
    case v1::WorkerMessage::kLeaseReturned: {
      core::LeaseReturned event;
      event.worker = id;
      event.epoch = epoch;
      event.lease = {message.lease_returned().lease_id()};
      for (const v1::TaskRange& tasks : message.lease_returned().tasks()) {
        event.tasks.push_back(IntervalOf(tasks));
      }
      Handle(event);
      return;
    }
    case v1::WorkerMessage::kAnswer:
      questions_.Answered(id, std::move(*message.mutable_answer()));
      return;
    case v1::WorkerMessage::kPaused:
      worker->paused = true;
      Handle(core::WorkerPaused{id, epoch});
      return;
    case v1::WorkerMessage::kResumed:
      worker->paused = false;
      Handle(core::WorkerResumed{id, epoch});
      return;
    case v1::WorkerMessage::kDraining:
      LogInfo("worker ", WorkerName(id),
              " is draining: ", message.draining().reason());
      worker->draining = true;
      Handle(core::WorkerDraining{id, epoch});
      return;
    case v1::WorkerMessage::kProcessDied:
      OnProcessDied(*worker, message.process_died());
      return;
    case v1::WorkerMessage::kHello:
    case v1::WorkerMessage::MESSAGE_NOT_SET:
      return;
  }
}

void Engine::OnProcessDied(const Worker& supervisor,
                           const v1::ProcessDied& message) {
  const auto it = workers_.find(message.process_id());
  // It speaks of its own processes only, and some die before they join.
  if (it == workers_.end() ||
      it->second->supervisor_id != supervisor.process_id) {
    return;
  }
  Worker* const worker = it->second.get();
  ++counters_.processes_died;
  LogWarning("worker ", WorkerName(worker->id), " died: ", message.cause());
  core::ProcessDied event;
  event.worker = worker->id;
  event.epoch = worker->epoch;
  event.message = message.cause();
  if (message.running_known()) event.running = RunningOf(message.running());
  if (worker->control != 0) {
    Disconnect(worker, absl::UnavailableError("the process died"));
  }
  Handle(event);
}

// ---- for people ----

std::string Engine::FormatWorkerId(core::WorkerId worker) {
  return absl::StrCat("w", worker.value);
}

std::string Engine::WorkerName(core::WorkerId worker) const {
  std::string text = FormatWorkerId(worker);
  const auto it = workers_by_id_.find(worker);
  if (it == workers_by_id_.end()) return text;
  const Worker& known = *it->second;
  if (!known.name.empty()) absl::StrAppend(&text, " '", known.name, "'");
  absl::StrAppend(&text, " (", known.host, ", process ", known.pid, ")");
  return text;
}

v1::WorkerInfo Engine::InfoOf(const Worker& worker) const {
  v1::WorkerInfo info;
  info.set_id(FormatWorkerId(worker.id));
  info.set_name(worker.name);
  info.set_host(worker.host);
  info.set_pid(worker.pid);
  info.set_state(worker.draining ? "draining"
                                 : (worker.paused ? "paused" : "running"));
  info.set_cores(worker.slots);
  info.set_memory_limit_bytes(worker.memory_limit_bytes);
  info.set_memory_bytes(worker.memory_bytes);
  info.set_tasks_done(worker.tasks_done);
  if (const auto known = core_.Worker(worker.id); known.has_value()) {
    info.set_tasks_leased(known->num_tasks);
  }
  info.set_joined_ns(absl::ToUnixNanos(worker.joined));
  info.set_heard_ns(absl::ToUnixNanos(worker.heard));
  return info;
}

void Engine::ListWorkers(Reply<v1::ListWorkersResponse> reply) {
  strand_->Post([this, reply = std::move(reply)]() mutable {
    v1::ListWorkersResponse response;
    for (const auto& [id, worker] : workers_by_id_) {
      if (worker->control == 0 || worker->supervisor()) continue;
      *response.add_workers() = InfoOf(*worker);
    }
    reply(std::move(response));
  });
}

void Engine::DrainWorker(const v1::DrainWorkerRequest& request,
                         Reply<v1::DrainWorkerResponse> reply) {
  strand_->Post(
      [this, wanted = request.worker_id(), reply = std::move(reply)]() mutable {
        for (const auto& [id, worker] : workers_by_id_) {
          if (worker->control == 0 || worker->supervisor() ||
              (wanted != FormatWorkerId(id) && wanted != worker->name)) {
            continue;
          }
          worker->draining = true;
          Handle(core::DrainRequested{id});
          reply(v1::DrainWorkerResponse());
          return;
        }
        reply(absl::NotFoundError(absl::StrCat(
            "there is no worker '", wanted,
            "' connected; `internode worker list` prints those that are")));
      });
}

void Engine::ListFunctions(Reply<v1::ListFunctionsResponse> reply) {
  strand_->Post([this, reply = std::move(reply)]() mutable {
    v1::ListFunctionsResponse response;
    std::set<std::string> listed;
    for (const auto& [id, worker] : workers_by_id_) {
      if (worker->control == 0) continue;
      for (const std::string& function : worker->functions_json) {
        if (listed.insert(function).second) {
          response.add_functions_json(function);
        }
      }
    }
    if (num_connected_ == 0) {
      reply(absl::FailedPreconditionError(
          "no worker is connected to the scheduler, and only workers know "
          "functions; start one with internode-worker"));
      return;
    }
    reply(std::move(response));
  });
}

void Engine::DescribeCube(const v1::DescribeCubeRequest& request,
                          absl::Time deadline,
                          Reply<v1::DescribeCubeResponse> reply) {
  v1::Question question;
  v1::Question::DescribeCube* const describe = question.mutable_describe();
  describe->set_path(request.path());
  describe->set_group(request.group());
  *describe->mutable_dimension_names() = request.dimension_names();
  strand_->Post([this, question = std::move(question), deadline,
                 reply = std::move(reply)]() mutable {
    questions_.Ask(
        std::move(question), deadline,
        [reply = std::move(reply)](absl::StatusOr<v1::Answer> answer) mutable {
          if (!answer.ok()) return reply(answer.status());
          v1::DescribeCubeResponse response;
          response.set_cube_json(answer->cube_json());
          reply(std::move(response));
        });
  });
}

void Engine::PlanJob(const v1::PlanJobRequest& request, absl::Time deadline,
                     Reply<v1::PlanJobResponse> reply) {
  v1::Question question;
  *question.mutable_plan() = request.spec();
  strand_->Post([this, question = std::move(question), deadline,
                 reply = std::move(reply)]() mutable {
    questions_.Ask(
        std::move(question), deadline,
        [reply = std::move(reply)](absl::StatusOr<v1::Answer> answer) mutable {
          if (!answer.ok()) return reply(answer.status());
          v1::PlanJobResponse response;
          *response.mutable_plan() = std::move(*answer->mutable_plan());
          reply(std::move(response));
        });
  });
}

}  // namespace internode::scheduler
