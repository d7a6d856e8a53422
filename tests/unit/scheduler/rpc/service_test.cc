#include <arpa/inet.h>
#include <grpcpp/grpcpp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/blocking_counter.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/clock.h"
#include "core/frame_encoder.h"
#include "rpc/channel.h"
#include "rpc/peer.h"
#include "rpc/server.h"
#include "scheduler/rpc/client_service.h"
#include "scheduler/rpc/worker_service.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/memory_journal.h"
#include "tests/unit/scheduler/engine/engine_driver.h"
#include "tests/unit/scheduler/spool/test_frames.h"

namespace internode::scheduler {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using Call = testing::MemoryFileSystem::Call;

// A scheduler in this process, with a disk in memory.
class ServiceTest : public ::testing::Test {
 protected:
  ServiceTest() {
    EXPECT_TRUE(files_.CreateFolder("/state").ok());
    spool_ = Spool::Open(&files_, "/state/spool", {.reserve_bytes = 0}).value();
    engine_ = Engine::Open({}, RealClock(), &journal_, spool_.get()).value();
    engine_->Start();
    clients_ = std::make_unique<ClientServiceImpl>(engine_.get(), &gate_);
    workers_ =
        std::make_unique<WorkerServiceImpl>(engine_.get(), &gate_, &buffers_);
    server_ = rpc::Server::Start({}, {clients_.get(), workers_.get()}).value();
    channel_ = rpc::NewChannel(server_->address(), *rpc::Credentials::None());
    client_ = v1::ClientService::NewStub(channel_);
  }

  ~ServiceTest() override {
    engine_->Stop();
    server_->Stop(absl::Now());
  }

  absl::StatusOr<std::string> Submit(const v1::SubmitJobRequest& request) {
    grpc::ClientContext context;
    v1::SubmitJobResponse response;
    const grpc::Status status =
        client_->SubmitJob(&context, request, &response);
    if (!status.ok()) {
      return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                          status.error_message());
    }
    return response.job_id();
  }

  grpc::Status GetJob(const std::string& id, v1::GetJobResponse* response) {
    grpc::ClientContext context;
    v1::GetJobRequest request;
    request.set_job_id(id);
    return client_->GetJob(&context, request, response);
  }

  int NumWorkers() {
    grpc::ClientContext context;
    v1::ListWorkersResponse response;
    EXPECT_TRUE(client_->ListWorkers(&context, {}, &response).ok());
    return response.workers_size();
  }

  testing::MemoryFileSystem files_;
  testing::MemoryJournal journal_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<ClientServiceImpl> clients_;
  Gate gate_{{}};
  rpc::BufferQuota buffers_{rpc::kDefaultBufferBytes};
  std::unique_ptr<WorkerServiceImpl> workers_;
  std::unique_ptr<rpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::ClientService::Stub> client_;
};

// A worker over real streams.
class Worker {
 public:
  Worker(const std::shared_ptr<grpc::Channel>& channel,
         const std::string& process)
      : stub_(v1::WorkerService::NewStub(channel)),
        control_(stub_->Control(&control_context_)) {
    v1::WorkerMessage message;
    v1::Hello* const hello = message.mutable_hello();
    *hello->mutable_peer() = rpc::LocalPeer();
    hello->set_process_id(process);
    hello->set_supervisor_id(process);
    hello->set_slots(1);
    EXPECT_TRUE(control_->Write(message));
    v1::SchedulerMessage answer;
    EXPECT_TRUE(control_->Read(&answer));
    EXPECT_TRUE(answer.has_welcome());
    data_ = stub_->Data(&data_context_);
    v1::FrameMessage attach;
    attach.mutable_attach()->set_session(answer.welcome().session());
    EXPECT_TRUE(data_->Write(attach));
  }

  ~Worker() {
    control_context_.TryCancel();
    data_context_.TryCancel();
    control_->Finish();
    if (!data_ended_) data_->Finish();
  }

  v1::SchedulerMessage Next() {
    v1::SchedulerMessage message;
    EXPECT_TRUE(control_->Read(&message));
    return message;
  }

  // Runs leases, a frame for so many tasks, until it is told to forget the
  // job. `frame_of` makes frames.
  template <typename FrameOf>
  void Work(FrameOf frame_of, int64_t tasks_per_frame = 1'000'000) {
    for (v1::SchedulerMessage message = Next(); !message.has_forget_job();
         message = Next()) {
      if (!message.has_lease()) continue;
      const v1::Lease& lease = message.lease();
      const int64_t end = lease.tasks().end();
      for (int64_t task = lease.tasks().begin(); task < end;) {
        const int64_t next = std::min(task + tasks_per_frame, end);
        Send(lease.job(), lease.lease_id(), frame_of({task, next}));
        AwaitAck();
        task = next;
      }
    }
  }

  // Waits until all that was sent is acknowledged.
  void AwaitAck() {
    v1::FrameAck ack;
    while (ack.sequence() < sequence_ && data_->Read(&ack)) {
    }
    EXPECT_EQ(ack.sequence(), sequence_);
  }

  void Send(uint64_t job, uint64_t lease, const std::string& bytes) {
    ++sequence_;
    for (size_t sent = 0; sent < bytes.size();) {
      const size_t size =
          std::min<size_t>(rpc::kPieceBytes, bytes.size() - sent);
      v1::FrameMessage message;
      v1::Frame* const frame = message.mutable_frame();
      frame->set_job(job);
      frame->set_lease_id(lease);
      frame->set_sequence(sequence_);
      frame->set_busy_ns(1000);
      frame->set_frame(bytes.substr(sent, size));
      sent += size;
      frame->set_continues(sent < bytes.size());
      if (!data_->Write(message)) return;
    }
  }

  // How the data stream ends.
  grpc::Status DataEnd() {
    v1::FrameAck ack;
    while (data_->Read(&ack)) {
    }
    data_ended_ = true;
    return data_->Finish();
  }

 private:
  std::unique_ptr<v1::WorkerService::Stub> stub_;
  grpc::ClientContext control_context_;
  grpc::ClientContext data_context_;
  std::unique_ptr<
      grpc::ClientReaderWriter<v1::WorkerMessage, v1::SchedulerMessage>>
      control_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::FrameMessage, v1::FrameAck>>
      data_;
  uint64_t sequence_ = 0;
  bool data_ended_ = false;
};

// Reads a stream of frames to its end; checks that tasks follow each other.
grpc::Status FetchAll(v1::ClientService::Stub* client, const std::string& id,
                      int64_t from, int64_t* next, int64_t* bytes) {
  grpc::ClientContext context;
  v1::FetchFramesRequest request;
  request.set_job_id(id);
  request.set_from_task(from);
  const auto reader = client->FetchFrames(&context, request);
  v1::FetchFramesResponse response;
  std::string frame;
  *next = from;
  *bytes = 0;
  while (reader->Read(&response)) {
    EXPECT_EQ(response.tasks().begin(), *next);
    EXPECT_LE(response.ByteSizeLong(), size_t{rpc::kPieceBytes});
    frame += response.frame();
    *bytes += static_cast<int64_t>(response.frame().size());
    if (response.continues()) continue;
    const auto view = internode::core::FrameView::Parse(frame);
    EXPECT_TRUE(view.ok()) << view.status();
    if (!view.ok()) break;
    EXPECT_EQ(view->tasks().begin, response.tasks().begin());
    EXPECT_EQ(view->tasks().end, response.tasks().end());
    *next = response.tasks().end();
    frame.clear();
  }
  return reader->Finish();
}

// A frame of tasks with 1 MiB each.
std::string LargeFrame(internode::core::Interval tasks) {
  internode::core::Field field;
  field.name = "value";
  field.type = internode::core::DataType::kInt64;
  internode::core::BlockResult result(
      std::make_shared<const internode::core::RecordSchema>(
          internode::core::RecordSchema::Create({field}).value()));
  for (int64_t record = 0; record < (1 << 17); ++record) result.AddRecord();
  result.FinishPixel(internode::core::PixelStatus::kOk);
  internode::core::FrameEncoder encoder(tasks.begin, 8);
  for (int64_t task = tasks.begin; task < tasks.end; ++task) {
    EXPECT_TRUE(encoder.Append(result).ok());
  }
  return encoder.Finish().value();
}

std::string RequestId(int number) {
  return absl::StrFormat("request %08d", number);
}

TEST_F(ServiceTest, AJobGoesThrough) {
  const std::string id = *Submit(Submission(500, RequestId(1)));
  grpc::ClientContext context;
  v1::WatchJobRequest watch;
  watch.set_job_id(id);
  const auto watcher = client_->WatchJob(&context, watch);
  Worker worker(channel_, std::string(16, 'a'));
  worker.Work(MakeFrame);
  v1::JobInfo info;
  while (watcher->Read(&info)) {
  }
  EXPECT_TRUE(watcher->Finish().ok());
  EXPECT_EQ(info.state(), v1::JOB_STATE_COMPLETED);
  EXPECT_EQ(info.tasks_done(), 500);
  for (const int64_t from : {0, 1, 250, 499, 500}) {
    int64_t next = 0;
    int64_t bytes = 0;
    EXPECT_TRUE(FetchAll(client_.get(), id, from, &next, &bytes).ok());
    EXPECT_EQ(next, 500);
  }
}

TEST_F(ServiceTest, AFetchFollowsTheJob) {
  const std::string id = *Submit(Submission(500, RequestId(1)));
  Worker worker(channel_, std::string(16, 'a'));
  int64_t next = 0;
  int64_t bytes = 0;
  grpc::Status status;
  std::thread fetcher([&] {
    const auto stub = v1::ClientService::NewStub(channel_);
    status = FetchAll(stub.get(), id, 0, &next, &bytes);
  });
  worker.Work(MakeFrame);
  fetcher.join();
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(next, 500);
}

// ---- hostile requests ----

TEST_F(ServiceTest, UnknownJobsAreNamed) {
  v1::GetJobResponse response;
  EXPECT_EQ(GetJob("j000017", &response).error_code(),
            grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(GetJob("", &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  int64_t next = 0;
  int64_t bytes = 0;
  const grpc::Status status =
      FetchAll(client_.get(), "j000017", 0, &next, &bytes);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("j000017"));
}

TEST_F(ServiceTest, JobsThatCannotBeAreRefused) {
  const auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(Submit({}).status().code(), kInvalid);
  // 2^63 - 1 tasks, then a grid of 2^80 pixels.
  EXPECT_EQ(
      Submit(Submission(std::numeric_limits<int64_t>::max(), RequestId(1)))
          .status()
          .code(),
      kInvalid);
  v1::SubmitJobRequest overflow = Submission(int64_t{1} << 40, RequestId(1));
  v1::ChunkGrid* const grid = overflow.mutable_plan()->mutable_grid();
  *grid->add_dims() = grid->dims(0);
  grid->mutable_dims(1)->set_name("x");
  *grid->add_cuts() = grid->cuts(0);
  EXPECT_EQ(Submit(overflow).status().code(), kInvalid);
}

TEST_F(ServiceTest, AMessageThatIsTooLargeIsRefused) {
  v1::SubmitJobRequest request = Submission(1, RequestId(1));
  v1::JobSpec::Parameter* const parameter =
      request.mutable_plan()->mutable_spec()->add_parameters();
  parameter->set_name("large");
  parameter->set_value(std::string(rpc::kMaxMessageBytes + 1, 'x'));
  // As a client that sets no limit for itself.
  grpc::ChannelArguments arguments;
  arguments.SetMaxSendMessageSize(-1);
  const auto channel = grpc::CreateCustomChannel(
      server_->address(), grpc::InsecureChannelCredentials(), arguments);
  const auto stub = v1::ClientService::NewStub(channel);
  grpc::ClientContext context;
  v1::SubmitJobResponse response;
  EXPECT_EQ(stub->SubmitJob(&context, request, &response).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(Submit(Submission(1, RequestId(1))).ok());
}

TEST_F(ServiceTest, ClientsOfAnotherVersionAreRefused) {
  grpc::ClientContext context;
  v1::GetClusterRequest request;
  *request.mutable_peer() = rpc::LocalPeer();
  request.mutable_peer()->set_version("99.1.0");
  v1::GetClusterResponse response;
  const grpc::Status status = client_->GetCluster(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("99.1"));
}

TEST_F(ServiceTest, PlanningWithoutAWorkerSaysSoInTime) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::milliseconds(500));
  v1::PlanJobRequest request;
  request.mutable_spec()->set_function("noop");
  v1::PlanJobResponse response;
  const grpc::Status status = client_->PlanJob(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(status.error_message(), "no worker is connected");
}

// ---- liars ----

TEST_F(ServiceTest, ADamagedFrameEndsTheStream) {
  ASSERT_TRUE(Submit(Submission(100, RequestId(1))).ok());
  Worker worker(channel_, std::string(16, 'a'));
  std::string frame = MakeFrame({0, 1});
  frame[frame.size() / 2] = static_cast<char>(frame[frame.size() / 2] ^ 1);
  worker.Send(1, 1, frame);
  EXPECT_EQ(worker.DataEnd().error_code(), grpc::StatusCode::DATA_LOSS);
  v1::GetJobResponse response;
  ASSERT_TRUE(GetJob("j000001", &response).ok());
  EXPECT_EQ(response.job().tasks_done(), 0);
}

TEST_F(ServiceTest, AWorkerBeyondItsWindowIsClosed) {
  files_.Fail(Call::kAppend, absl::ResourceExhaustedError("disk full"));
  ASSERT_TRUE(Submit(Submission(1000, RequestId(1))).ok());
  Worker worker(channel_, std::string(16, 'a'));
  v1::SchedulerMessage message = worker.Next();
  while (!message.has_lease()) message = worker.Next();
  // Frames of 1 MiB that no one can write down.
  const std::string frame = LargeFrame({0, 1});
  for (int i = 0; i < 64; ++i) {
    worker.Send(1, message.lease().lease_id(), frame);
  }
  EXPECT_EQ(worker.DataEnd().error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
}

// ---- crowds ----

TEST_F(ServiceTest, FiveHundredSubmissionsAtOnce) {
  constexpr int kSubmissions = 500;
  struct One {
    grpc::ClientContext context;
    v1::SubmitJobRequest request;
    v1::SubmitJobResponse response;
    grpc::Status status;
  };
  std::vector<std::unique_ptr<One>> all;
  all.reserve(kSubmissions);
  absl::BlockingCounter done(kSubmissions);
  for (int i = 0; i < kSubmissions; ++i) {
    One* const one = all.emplace_back(std::make_unique<One>()).get();
    // Every tenth is one that was sent before.
    one->request = Submission(1000, RequestId(i - i % 10 == i ? 0 : i));
    client_->async()->SubmitJob(&one->context, &one->request, &one->response,
                                [one, &done](grpc::Status status) {
                                  one->status = std::move(status);
                                  done.DecrementCount();
                                });
  }
  done.Wait();
  std::set<std::string> ids;
  for (const auto& one : all) {
    EXPECT_TRUE(one->status.ok()) << one->status.error_message();
    ids.insert(one->response.job_id());
  }
  EXPECT_THAT(ids, SizeIs(451));
}

TEST_F(ServiceTest, AThousandConnectionsThatVanish) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(server_->port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int i = 0; i < 1000; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_GE(fd, 0);
    ASSERT_EQ(
        connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    if (i % 2 == 0) {
      EXPECT_GE(send(fd, "PRI * HTTP/2", 12, MSG_NOSIGNAL), 0);
    }
    close(fd);
  }
  for (int i = 0; i < 100; ++i) {
    Worker worker(channel_, absl::StrFormat("process %08d", i));
  }
  while (NumWorkers() > 0) {
  }
  EXPECT_TRUE(Submit(Submission(10, RequestId(1))).ok());
}

TEST_F(ServiceTest, AClientThatNeverReadsHoldsLittle) {
  // Two jobs of 96 tasks with 1 MiB each.
  constexpr int64_t kTasks = 96;
  std::atomic<int64_t> reads = 0;
  {
    Worker worker(channel_, std::string(16, 'a'));
    for (int job = 0; job < 2; ++job) {
      ASSERT_TRUE(Submit(Submission(kTasks, RequestId(job))).ok());
      worker.Work(LargeFrame, 1);
    }
  }
  files_.SetFault([&](Call call, const std::string& path) {
    if (call == Call::kRead && path.find("/0000000001/") != path.npos) ++reads;
    return absl::OkStatus();
  });
  grpc::ClientContext context;
  v1::FetchFramesRequest request;
  request.set_job_id("j000001");
  const auto lazy = client_->FetchFrames(&context, request);
  // Meanwhile another client reads all of the other job.
  int64_t next = 0;
  int64_t bytes = 0;
  EXPECT_TRUE(FetchAll(client_.get(), "j000002", 0, &next, &bytes).ok());
  EXPECT_EQ(next, kTasks);
  EXPECT_GT(bytes, kTasks << 20);
  // A few frames lie in buffers; the rest was not even read.
  EXPECT_LT(reads, kTasks / 2);
  context.TryCancel();
}

}  // namespace
}  // namespace internode::scheduler
