#include "tests/unit/worker/engine_testutil.h"

#include <gtest/gtest.h>

#include <thread>
#include <utility>
#include <variant>

#include "core/frame.h"
#include "core/frame_encoder.h"
#include "core/record_schema.h"
#include "functions/function.h"

namespace internode::worker {
namespace {

std::shared_ptr<const core::RecordSchema> Schema() {
  return std::make_shared<const core::RecordSchema>(
      *core::RecordSchema::Create({{.name = "task",
                                    .type = core::DataType::kInt64,
                                    .dims = {},
                                    .fill = std::nullopt,
                                    .attributes = {}}}));
}

void AddResult(int64_t task, core::BlockResult* result) {
  for (int64_t r = 0; r < task % 3; ++r) {
    core::StoreField(result->AddRecord(), 0, task);
  }
  result->FinishPixel(task % 3 == 0 ? core::PixelStatus::kNoSegments
                                    : core::PixelStatus::kOk);
}

class ScriptedKernel final : public functions::Kernel {
 public:
  explicit ScriptedKernel(Script* script) : script_(script) {}
  absl::Status Run(const core::Block& block,
                   core::BlockResult* result) override {
    const int64_t task = block.selection().extents[0].begin;
    if (absl::Status status = script_->Run(task); !status.ok()) return status;
    AddResult(task, result);
    return absl::OkStatus();
  }

 private:
  Script* const script_;
};

class PreparedScript final : public functions::PreparedFunction {
 public:
  explicit PreparedScript(Script* script)
      : script_(script), schema_(Schema()) {}
  const std::shared_ptr<const core::RecordSchema>& schema() const override {
    return schema_;
  }
  absl::StatusOr<std::unique_ptr<functions::Kernel>> NewKernel()
      const override {
    return std::make_unique<ScriptedKernel>(script_);
  }

 private:
  Script* const script_;
  const std::shared_ptr<const core::RecordSchema> schema_;
};

}  // namespace

bool Script::Await(const std::function<bool()>& condition) {
  return mu_.AwaitWithDeadline([&] { return condition(); },
                               absl::Now() + kPatience);
}

void Script::Hold(int64_t task) {
  MutexLock lock(&mu_);
  to_hold_.insert(task);
}

void Script::Release(int64_t task) {
  MutexLock lock(&mu_);
  to_hold_.erase(task);
}

void Script::Fail(int64_t task, absl::Status status) {
  MutexLock lock(&mu_);
  failures_[task] = std::move(status);
}

void Script::FailRead(int64_t task, absl::Status status) {
  MutexLock lock(&mu_);
  read_failures_[task] = std::move(status);
}

void Script::FailOpen(absl::Status status) {
  MutexLock lock(&mu_);
  open_status_ = std::move(status);
}

bool Script::AwaitHeld(int64_t task) {
  MutexLock lock(&mu_);
  return Await([&] {
    mu_.AssertHeld();
    return held_.contains(task);
  });
}

bool Script::AwaitRead(int64_t task) {
  MutexLock lock(&mu_);
  return Await([&] {
    mu_.AssertHeld();
    return std::find(reads_.begin(), reads_.end(), task) != reads_.end();
  });
}

absl::Status Script::Run(int64_t task) {
  MutexLock lock(&mu_);
  runs_.push_back(task);
  if (to_hold_.contains(task)) {
    held_.insert(task);
    Await([&] {
      mu_.AssertHeld();
      return !to_hold_.contains(task);
    });
    held_.erase(task);
  }
  const auto it = failures_.find(task);
  return it == failures_.end() ? absl::OkStatus() : it->second;
}

absl::Status Script::Read(int64_t task, int64_t memory_bytes) {
  MutexLock lock(&mu_);
  reads_.push_back(task);
  read_memory_.push_back(memory_bytes);
  const auto it = read_failures_.find(task);
  return it == read_failures_.end() ? absl::OkStatus() : it->second;
}

absl::Status Script::Open() {
  MutexLock lock(&mu_);
  ++opens_;
  return open_status_;
}

std::vector<int64_t> Script::runs() {
  MutexLock lock(&mu_);
  return runs_;
}

std::vector<int64_t> Script::reads() {
  MutexLock lock(&mu_);
  return reads_;
}

std::vector<int64_t> Script::read_memory() {
  MutexLock lock(&mu_);
  return read_memory_;
}

int64_t Script::num_opens() {
  MutexLock lock(&mu_);
  return opens_;
}

std::shared_ptr<const WorkerJob> ScriptedJob(Script* script, int64_t num_tasks,
                                             bool reads, int64_t pixel_bytes) {
  auto job = std::make_shared<WorkerJob>();
  job->plan.grid =
      *core::ChunkGrid::Create({{"i", num_tasks}}, core::NoChunks());
  job->plan.prepared = std::make_shared<PreparedScript>(script);
  job->dim_names = {"i"};
  job->reads = reads;
  job->bytes_per_pixel = pixel_bytes;
  job->read = [script, layout = core::BlockLayout{.series = {},
                                                  .pixel_stride = pixel_bytes}](
                  const core::Selection& selection, core::Block* block) {
    absl::Status status =
        script->Read(selection.extents[0].begin, block->memory_bytes());
    if (status.ok()) block->Reset(&layout, selection);
    return status;
  };
  return job;
}

std::string ExpectedFrame(core::Interval tasks) {
  core::BlockResult result(Schema());
  core::FrameEncoder encoder(tasks.begin,
                             result.records().schema().record_bytes());
  for (int64_t task = tasks.begin; task < tasks.end; ++task) {
    result.Clear();
    AddResult(task, &result);
    EXPECT_TRUE(encoder.Append(result).ok());
  }
  return *encoder.Finish();
}

void ExpectRightBytes(const std::vector<FrameToSend>& frames) {
  for (const FrameToSend& frame : frames) {
    EXPECT_EQ(*frame.bytes, ExpectedFrame(frame.tasks))
        << frame.tasks.begin << " to " << frame.tasks.end;
    const auto view = core::FrameView::Parse(*frame.bytes);
    ASSERT_TRUE(view.ok());
    EXPECT_EQ(view->tasks(), frame.tasks);
  }
}

TestLink::TestLink(const Setup& setup)
    : setup_(setup),
      slots_(static_cast<size_t>(setup.slots)),
      engine_(std::make_unique<Engine>(
          setup.options, absl::MakeSpan(slots_),
          [this](const JobRequest&)
              -> absl::StatusOr<std::shared_ptr<const WorkerJob>> {
            if (absl::Status status = script_.Open(); !status.ok()) {
              return status;
            }
            return ScriptedJob(&script_, setup_.num_tasks, setup_.reads,
                               pixel_bytes_);
          },
          [this] {
            MutexLock lock(&mu_);
            woken_ = true;
          })) {
  EXPECT_TRUE(Reconnect().empty());
}

TestLink::~TestLink() = default;

std::vector<Offer> TestLink::Reconnect() {
  engine_->Disconnected();
  std::vector<Offer> offers = engine_->Connect();
  engine_->Connected(setup_.window_bytes);
  return offers;
}

std::shared_ptr<const JobRequest> TestLink::request(
    uint64_t fingerprint) const {
  auto request = std::make_shared<JobRequest>();
  request->fingerprint = fingerprint;
  return request;
}

void TestLink::Grant(LeaseId lease, core::Interval tasks, JobId job) {
  engine_->Handle(Lease{.job = job,
                        .lease = lease,
                        .tasks = tasks,
                        .request = request(),
                        .front = false,
                        .alone = false});
}

void TestLink::Take() {
  uint64_t last = 0;
  for (Outgoing& outgoing : engine_->TakeOutgoing()) {
    if (auto* frame = std::get_if<FrameToSend>(&outgoing)) {
      last = frame->sequence;
      done.Add(frame->tasks);
      frames.push_back(std::move(*frame));
    } else if (auto* failure = std::get_if<TasksFailed>(&outgoing)) {
      failed.push_back(std::move(*failure));
    } else if (auto* given = std::get_if<LeaseReturned>(&outgoing)) {
      returned.push_back(std::move(*given));
    } else {
      states += std::holds_alternative<Paused>(outgoing)    ? 'P'
                : std::holds_alternative<Resumed>(outgoing) ? 'R'
                                                            : 'D';
    }
  }
  if (last > 0 && setup_.acknowledge) engine_->Acknowledge(last);
}

bool TestLink::Await(const std::function<bool(const TestLink&)>& condition) {
  const absl::Time deadline = absl::Now() + kPatience;
  for (;;) {
    Take();
    if (condition(*this)) return true;
    MutexLock lock(&mu_);
    const bool woken = mu_.AwaitWithDeadline(
        [this] {
          mu_.AssertHeld();
          return woken_;
        },
        deadline);
    if (!woken) return false;
    woken_ = false;
  }
}

bool TestLink::AwaitDone(core::Interval tasks) {
  return Await(
      [tasks](const TestLink& link) { return link.done.ContainsAll(tasks); });
}

bool TestLink::AwaitReturned(size_t count) {
  return Await(
      [&](const TestLink& link) { return link.returned.size() >= count; });
}

bool TestLink::AwaitLoad(
    const std::function<bool(const Engine::Load&)>& condition) {
  const absl::Time deadline = absl::Now() + kPatience;
  while (!condition(engine_->load())) {
    if (absl::Now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

bool TestLink::AwaitDrained() {
  return Await([this](const TestLink&) { return engine_->drained(); });
}

}  // namespace internode::worker
