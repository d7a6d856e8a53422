#include "tests/unit/scheduler/engine/engine_driver.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "gtest/gtest.h"

#include "rpc/peer.h"
#include "scheduler/journal/job_id.h"
#include "tests/unit/scheduler/spool/test_frames.h"

namespace internode::scheduler {

v1::SubmitJobRequest Submission(int64_t num_tasks,
                                const std::string& request_id) {
  v1::SubmitJobRequest request;
  v1::JobPlan* const plan = request.mutable_plan();
  plan->mutable_spec()->set_function("noop");
  v1::Dimension* const dim = plan->mutable_grid()->add_dims();
  dim->set_name("sample");
  dim->set_size(num_tasks);
  v1::DimensionCut* const cut = plan->mutable_grid()->add_cuts();
  cut->set_end(num_tasks);
  cut->set_chunk(1);
  v1::RecordSchema::Field* const field = plan->mutable_schema()->add_fields();
  field->set_name("value");
  field->set_type("int64");
  request.set_request_id(request_id);
  return request;
}

class FakeWorker::Control final : public ControlLink {
 public:
  Control(std::shared_ptr<std::vector<v1::SchedulerMessage>> told,
          std::shared_ptr<std::optional<absl::Status>> closed)
      : told_(std::move(told)), closed_(std::move(closed)) {}
  void Send(v1::SchedulerMessage message) override {
    told_->push_back(std::move(message));
  }
  void Close(const absl::Status& status) override { *closed_ = status; }

 private:
  const std::shared_ptr<std::vector<v1::SchedulerMessage>> told_;
  const std::shared_ptr<std::optional<absl::Status>> closed_;
};

class FakeWorker::Data final : public DataLink {
 public:
  Data(std::shared_ptr<uint64_t> acknowledged, std::shared_ptr<int64_t> bytes,
       std::shared_ptr<std::optional<absl::Status>> closed)
      : acknowledged_(std::move(acknowledged)),
        bytes_(std::move(bytes)),
        closed_(std::move(closed)) {}
  void Acknowledge(uint64_t sequence, int64_t bytes) override {
    EXPECT_GT(sequence, *acknowledged_);
    *acknowledged_ = sequence;
    *bytes_ += bytes;
  }
  void Close(const absl::Status& status) override { *closed_ = status; }

 private:
  const std::shared_ptr<uint64_t> acknowledged_;
  const std::shared_ptr<int64_t> bytes_;
  const std::shared_ptr<std::optional<absl::Status>> closed_;
};

void FakeWorker::Connect(uint32_t slots, const std::vector<v1::Offer>& offers) {
  told_ = std::make_shared<std::vector<v1::SchedulerMessage>>();
  acknowledged_ = std::make_shared<uint64_t>(0);
  acknowledged_bytes_ = std::make_shared<int64_t>(0);
  closed_ = std::make_shared<std::optional<absl::Status>>();
  data_closed_ = std::make_shared<std::optional<absl::Status>>();
  sequence_ = 0;
  control_ = engine_->NewId();
  engine_->OpenControl(control_, std::make_shared<Control>(told_, closed_));
  v1::WorkerMessage message;
  v1::Hello* const hello = message.mutable_hello();
  *hello->mutable_peer() = rpc::LocalPeer();
  hello->set_process_id(process_id_);
  hello->set_supervisor_id(std::string(16, 's'));
  hello->set_slots(slots);
  for (const v1::Offer& offer : offers) *hello->add_offers() = offer;
  engine_->Receive(control_, std::move(message));
}

void FakeWorker::Attach() {
  data_ = engine_->NewId();
  engine_->OpenData(
      data_,
      std::make_shared<Data>(acknowledged_, acknowledged_bytes_, data_closed_));
  ASSERT_FALSE(told_->empty());
  engine_->Attach(data_, told_->front().welcome().session());
}

void FakeWorker::Say(v1::WorkerMessage message) {
  engine_->Receive(control_, std::move(message));
}

void FakeWorker::Heartbeat() {
  v1::WorkerMessage message;
  message.mutable_heartbeat();
  Say(std::move(message));
}

uint64_t FakeWorker::SendFrame(uint64_t job, uint64_t lease,
                               internode::core::Interval tasks) {
  SendFrameAs(++sequence_, job, lease, tasks);
  return sequence_;
}

void FakeWorker::SendFrameAs(uint64_t sequence, uint64_t job, uint64_t lease,
                             internode::core::Interval tasks) {
  v1::Frame frame;
  frame.set_job(job);
  frame.set_lease_id(lease);
  frame.set_sequence(sequence);
  frame.set_busy_ns(1000 * tasks.size());
  engine_->ReceiveFrame(data_, frame,
                        ReceivedFrame::Create(MakeFrame(tasks)).value());
}

void FakeWorker::CloseControl() { engine_->CloseControl(control_); }
void FakeWorker::CloseData() { engine_->CloseData(data_); }

std::vector<v1::Lease> FakeWorker::leases() const {
  std::vector<v1::Lease> leases;
  for (const v1::SchedulerMessage& message : *told_) {
    if (message.has_lease()) leases.push_back(message.lease());
  }
  return leases;
}

std::vector<v1::Question> FakeWorker::questions() const {
  std::vector<v1::Question> questions;
  for (const v1::SchedulerMessage& message : *told_) {
    if (message.has_question()) questions.push_back(message.question());
  }
  return questions;
}

EngineDriver::EngineDriver(const EngineOptions& options) : options_(options) {
  EXPECT_TRUE(files_.CreateFolder("/state").ok());
  Open();
}

void EngineDriver::Open() {
  auto spool = Spool::Open(&files_, "/state/spool", {.reserve_bytes = 0});
  ASSERT_TRUE(spool.ok()) << spool.status();
  spool_ = *std::move(spool);
  auto engine = Engine::Open(options_, &clock_, &journal_, spool_.get());
  ASSERT_TRUE(engine.ok()) << engine.status();
  engine_ = *std::move(engine);
}

void EngineDriver::Run() {
  for (int turns = 0; engine_->RunTurn(); ++turns) ASSERT_LT(turns, 10'000);
}

void EngineDriver::Restart() {
  files_.Kill();
  engine_.reset();
  spool_.reset();
  journal_.Restart();
  Open();
}

std::optional<absl::StatusOr<std::string>> EngineDriver::Submit(
    const v1::SubmitJobRequest& request, const std::string& owner) {
  absl::StatusOr<SubmittedJob> job = CheckSubmission(request, owner);
  if (!job.ok()) return job.status();
  const auto answer = Call<v1::SubmitJobResponse>([&](auto reply) {
    engine_->SubmitJob(*std::move(job), std::move(reply));
  });
  if (!answer.has_value()) return std::nullopt;
  if (!answer->ok()) return answer->status();
  return (*answer)->job_id();
}

uint64_t EngineDriver::SubmitTasks(int64_t num_tasks) {
  const auto id = Submit(
      Submission(num_tasks, absl::StrFormat("request %08d", ++submissions_)));
  EXPECT_TRUE(id.has_value() && id->ok());
  return ParseJobId(**id).value().value;
}

absl::StatusOr<v1::JobInfo> EngineDriver::Job(uint64_t job) {
  v1::GetJobRequest request;
  request.set_job_id(FormatJobId({job}));
  const auto answer = Call<v1::GetJobResponse>(
      [&](auto reply) { engine_->GetJob(request, std::move(reply)); });
  if (!answer->ok()) return answer->status();
  return (*answer)->job();
}

std::optional<absl::StatusOr<FetchStep>> EngineDriver::Fetch(uint64_t job,
                                                             int64_t task,
                                                             int64_t end,
                                                             bool done_only) {
  return Call<FetchStep>([&](auto reply) {
    engine_->NextFetch(FormatJobId({job}), task, end, done_only,
                       engine_->NewId(), std::move(reply));
  });
}

FakeWorker EngineDriver::Join(uint32_t slots, const std::string& process_id,
                              const std::vector<v1::Offer>& offers) {
  FakeWorker worker(engine_.get(), process_id);
  worker.Connect(slots, offers);
  Run();
  worker.Attach();
  Run();
  return worker;
}

}  // namespace internode::scheduler
