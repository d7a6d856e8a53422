#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "client/job_data.h"
#include "core/block_result.h"
#include "core/frame_encoder.h"
#include "internode/cluster.h"
#include "internode/job_handle.h"
#include "internode/map_collect.h"
#include "internode/segment_file.h"
#include "rpc/job_proto.h"
#include "tests/unit/client/fake_scheduler.h"

namespace internode::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Writer = grpc::ServerWriter<v1::FetchFramesResponse>;

constexpr int64_t kTasks = 10;

// One record a pixel, ten pixels, each a task.
Job TenTasks() {
  JobOptions options;
  options.function = "noop";
  options.shape = {{"x", kTasks}};
  options.cube.chunks = NoChunks();
  return *Job::Open(options);
}

// The frame of tasks [begin, end): one pixel each, with one record that holds
// the task's number.
std::string FrameOf(const Job& job, int64_t begin, int64_t end) {
  const auto& schema = job.state().planned.schema;
  core::FrameEncoder encoder(begin, schema->record_bytes());
  core::BlockResult result(schema);
  for (int64_t task = begin; task < end; ++task) {
    result.Clear();
    core::StoreField(result.AddRecord(), 0, static_cast<int32_t>(task));
    result.FinishPixel(core::PixelStatus::kOk);
    EXPECT_TRUE(encoder.Append(result).ok());
  }
  return *encoder.Finish();
}

v1::FetchFramesResponse MessageOf(int64_t begin, int64_t end) {
  v1::FetchFramesResponse message;
  message.mutable_tasks()->set_begin(begin);
  message.mutable_tasks()->set_end(end);
  return message;
}

void WriteFrame(const Job& job, int64_t begin, int64_t end, Writer* writer) {
  v1::FetchFramesResponse message = MessageOf(begin, end);
  message.set_frame(FrameOf(job, begin, end));
  writer->Write(message);
}

grpc::Status Broken() {
  return grpc::Status(grpc::StatusCode::UNAVAILABLE, "Socket closed");
}

// Which chunks came, and the number that each one's record holds; -1 where
// the chunk failed.
class ListSink : public JobSink {
 public:
  absl::Status OnChunk(const ChunkResult& result) override {
    chunks.push_back(result.chunk());
    if (!result.error().ok()) {
      numbers.push_back(-1);
      errors.emplace_back(result.error().message());
      EXPECT_EQ(result.status(0), PixelStatus::kFailed);
    } else {
      int32_t number = 0;
      std::memcpy(&number, result.bytes().data(), sizeof(number));
      numbers.push_back(number);
    }
    return absl::OkStatus();
  }

  std::vector<int64_t> chunks;
  std::vector<int64_t> numbers;
  std::vector<std::string> errors;
};

class RemoteTest : public ::testing::Test {
 protected:
  void Connect() {
    SetupOptions options;
    options.address = scheduler_.address();
    options.connect_timeout = std::chrono::seconds(20);
    options.patience = std::chrono::seconds(20);
    absl::StatusOr<std::unique_ptr<Executor>> executor = SetupExecutor(options);
    ASSERT_TRUE(executor.ok()) << executor.status();
    executor_ = *std::move(executor);
  }
  JobHandle Submitted() { return *Submit(executor_.get(), job_); }
  // Connects, and submits for a client that gives up when `cancel` is set.
  absl::Status SubmitUntil(const std::atomic<bool>* cancel) {
    Connect();
    CallOptions options;
    options.cancel = cancel;
    return Submit(executor_.get(), job_, {}, options).status();
  }

  const Job job_ = TenTasks();
  FakeScheduler scheduler_;
  std::unique_ptr<Executor> executor_;
};

TEST_F(RemoteTest, AFetchGoesOnWhereTheConnectionBroke) {
  scheduler_.fetches = {[&](const auto&, Writer* writer) {
                          WriteFrame(job_, 0, 3, writer);
                          WriteFrame(job_, 3, 4, writer);
                          return Broken();
                        },
                        [&](const auto&, Writer* writer) {
                          WriteFrame(job_, 4, 5, writer);
                          // Half a frame is as none.
                          v1::FetchFramesResponse half = MessageOf(5, 9);
                          half.set_frame(FrameOf(job_, 5, 9).substr(0, 20));
                          half.set_continues(true);
                          writer->Write(half);
                          return Broken();
                        },
                        [&](const auto&, Writer* writer) {
                          WriteFrame(job_, 5, 10, writer);
                          return grpc::Status::OK;
                        }};
  Connect();
  ListSink sink;
  const absl::StatusOr<int64_t> end = Submitted().Fetch(&sink);
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(*end, kTasks);
  EXPECT_THAT(sink.numbers, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_THAT(scheduler_.fetched_from(), ElementsAre(0, 4, 5));
}

TEST_F(RemoteTest, AFrameInPiecesIsJoined) {
  scheduler_.fetches = {[&](const auto&, Writer* writer) {
    const std::string frame = FrameOf(job_, 0, kTasks);
    for (size_t at = 0; at < frame.size(); at += 7) {
      v1::FetchFramesResponse message = MessageOf(0, kTasks);
      message.set_frame(frame.substr(at, 7));
      message.set_continues(at + 7 < frame.size());
      writer->Write(message);
    }
    return grpc::Status::OK;
  }};
  Connect();
  ListSink sink;
  EXPECT_EQ(*Submitted().Fetch(&sink), kTasks);
  EXPECT_THAT(sink.numbers, SizeIs(kTasks));
}

TEST_F(RemoteTest, TasksWithoutResultsAreFailedChunks) {
  scheduler_.fetches = {[&](const auto&, Writer* writer) {
    WriteFrame(job_, 0, 2, writer);
    v1::FetchFramesResponse failed = MessageOf(2, 4);
    failed.mutable_failure()->set_message("three processes died");
    failed.mutable_failure()->set_poisonous(true);
    writer->Write(failed);
    WriteFrame(job_, 4, kTasks, writer);
    return grpc::Status::OK;
  }};
  Connect();
  ListSink sink;
  EXPECT_EQ(*Submitted().Fetch(&sink), kTasks);
  EXPECT_THAT(sink.numbers, ElementsAre(0, 1, -1, -1, 4, 5, 6, 7, 8, 9));
  EXPECT_THAT(sink.errors,
              ElementsAre("three processes died", "three processes died"));
}

TEST_F(RemoteTest, WhatIsNotTheJobsResultIsDataLoss) {
  const auto fetch_one = [&](const v1::FetchFramesResponse& message) {
    return [message](const auto&, Writer* writer) {
      writer->Write(message);
      return grpc::Status::OK;
    };
  };
  v1::FetchFramesResponse gap = MessageOf(1, 2);
  gap.set_frame(FrameOf(job_, 1, 2));
  v1::FetchFramesResponse beyond = MessageOf(0, kTasks + 1);
  beyond.set_frame(FrameOf(job_, 0, kTasks + 1));
  v1::FetchFramesResponse other = MessageOf(0, 2);
  other.set_frame(FrameOf(job_, 0, 3));
  v1::FetchFramesResponse flipped = MessageOf(0, 2);
  flipped.set_frame(FrameOf(job_, 0, 2));
  flipped.mutable_frame()->back() ^= 1;
  v1::FetchFramesResponse wide = MessageOf(0, 1);
  core::FrameEncoder encoder(0, 4);
  ASSERT_TRUE(encoder.AppendFailedTask(7, "x").ok());
  wide.set_frame(*encoder.Finish());
  for (const v1::FetchFramesResponse& message :
       {gap, beyond, other, flipped, wide, MessageOf(0, 1)}) {
    scheduler_.fetches.push_back(fetch_one(message));
  }
  Connect();
  const JobHandle handle = Submitted();
  for (size_t i = 0; i < scheduler_.fetches.size(); ++i) {
    ListSink sink;
    const absl::Status status = handle.Fetch(&sink).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << i << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("j000001"));
    EXPECT_THAT(sink.chunks, SizeIs(0)) << i;
  }
}

TEST_F(RemoteTest, RecordsOfAnotherSchemaAreDataLoss) {
  scheduler_.fetches = {[&](const auto&, Writer* writer) {
    core::FrameEncoder encoder(0, 2);
    core::Field field;
    field.name = "a";
    field.type = core::DataType::kInt16;
    const auto schema = core::RecordSchema::Create({field}, {});
    EXPECT_TRUE(schema.ok());
    core::BlockResult result(
        std::make_shared<const core::RecordSchema>(*schema));
    result.AddRecord();
    result.FinishPixel(core::PixelStatus::kOk);
    EXPECT_TRUE(encoder.Append(result).ok());
    v1::FetchFramesResponse message = MessageOf(0, 1);
    message.set_frame(*encoder.Finish());
    writer->Write(message);
    return grpc::Status::OK;
  }};
  Connect();
  ListSink sink;
  const absl::Status status = Submitted().Fetch(&sink).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("records of 2 bytes"));
}

TEST_F(RemoteTest, AJobThatEndsEarlySaysWhy) {
  scheduler_.fetches = {[&](const auto&, Writer* writer) {
    WriteFrame(job_, 0, 2, writer);
    return grpc::Status::OK;
  }};
  Connect();
  const JobHandle handle = Submitted();
  ListSink sink;
  scheduler_.job.set_message("no more");
  scheduler_.job.set_state(v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(handle.Fetch(&sink).status(),
            absl::CancelledError("job j000001 was cancelled: no more"));
  scheduler_.job.set_state(v1::JOB_STATE_FAILED);
  EXPECT_EQ(handle.Fetch(&sink).status(),
            absl::FailedPreconditionError("job j000001 failed: no more"));
  FetchOptions done_only;
  done_only.done_only = true;
  EXPECT_EQ(*handle.Fetch(&sink, done_only), 2);
}

TEST_F(RemoteTest, ASubmissionThatIsSentAgainIsTheSame) {
  scheduler_.refuse_submissions = 2;
  Connect();
  EXPECT_EQ(Submitted().id(), "j000001");
  const std::vector<std::string> ids = scheduler_.request_ids();
  ASSERT_THAT(ids, SizeIs(3));
  EXPECT_THAT(ids[0], SizeIs(16));
  EXPECT_EQ(ids[0], ids[1]);
  EXPECT_EQ(ids[0], ids[2]);
  Submitted();
  EXPECT_NE(scheduler_.request_ids().back(), ids[0]);
}

TEST_F(RemoteTest, ASubmissionThatIsGivenUpCancelsItsJob) {
  // The job is made, and the client gives up before it is told.
  std::atomic<bool> cancel = false;
  scheduler_.on_submit = [&](size_t attempt) {
    if (attempt > 0) return grpc::Status::OK;
    cancel = true;
    return Broken();
  };
  const absl::Status status = SubmitUntil(&cancel);
  EXPECT_EQ(status, absl::CancelledError("cancelled, with job j000001"));
  EXPECT_THAT(scheduler_.cancelled(), ElementsAre("j000001"));
  const std::vector<std::string> ids = scheduler_.request_ids();
  ASSERT_THAT(ids, SizeIs(2));
  EXPECT_EQ(ids[0], ids[1]);
}

TEST_F(RemoteTest, ASubmissionThatIsGivenUpSaysWhenThereIsNoJob) {
  std::atomic<bool> cancel = false;
  scheduler_.on_submit = [&](size_t attempt) {
    cancel = true;
    return attempt == 0 ? Broken()
                        : grpc::Status(grpc::StatusCode::INVALID_ARGUMENT,
                                       "too many tasks");
  };
  EXPECT_EQ(SubmitUntil(&cancel),
            absl::CancelledError("cancelled; there is no job"));
  EXPECT_THAT(scheduler_.cancelled(), IsEmpty());
}

TEST_F(RemoteTest, ASubmissionThatIsGivenUpSaysHowToLookForItsJob) {
  std::atomic<bool> cancel = false;
  scheduler_.on_submit = [&](size_t) {
    cancel = true;
    return Broken();
  };
  const absl::Status status = SubmitUntil(&cancel);
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("if the job arrived it goes on; look with internode "
                        "job list --scheduler " +
                        scheduler_.address()));
}

TEST_F(RemoteTest, AWatchGoesOnToTheEndOfTheJob) {
  scheduler_.watches = {{v1::JOB_STATE_QUEUED},
                        {v1::JOB_STATE_RUNNING, v1::JOB_STATE_COMPLETED}};
  Connect();
  std::vector<JobState> states;
  const absl::Status status = Submitted().Watch([&](const JobStatus& job) {
    states.push_back(job.state);
    return true;
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(states, ElementsAre(JobState::kQueued, JobState::kRunning,
                                  JobState::kCompleted));
}

TEST_F(RemoteTest, ThePlanOfTheSchedulerIsTheJob) {
  scheduler_.plan = rpc::ToProto(job_.state().planned);
  Connect();
  const absl::StatusOr<JobHandle> handle = FindJob(executor_.get(), "j000001");
  ASSERT_TRUE(handle.ok()) << handle.status();
  const absl::StatusOr<Job> plan = handle->Plan();
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->canonical_command(), job_.canonical_command());
  EXPECT_EQ(plan->num_chunks(), kTasks);
  EXPECT_EQ(plan->schema().NumpyDescr(), job_.schema().NumpyDescr());
  EXPECT_EQ(FindJob(executor_.get(), "j000002").status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(RemoteTest, APlanThatMakesNoSenseIsDataLoss) {
  scheduler_.plan = rpc::ToProto(job_.state().planned);
  scheduler_.plan.mutable_schema()->mutable_fields(0)->set_type("float128");
  Connect();
  const absl::StatusOr<JobHandle> handle = FindJob(executor_.get(), "j000001");
  ASSERT_TRUE(handle.ok());
  EXPECT_EQ(handle->Plan().status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(RemoteTest, AnotherVersionIsRefusedNamingBoth) {
  scheduler_.peer.set_version("9.8.7");
  SetupOptions options;
  options.address = scheduler_.address();
  const absl::Status status = SetupExecutor(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("9.8.7"));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr(rpc::LocalPeer().version()));
}

TEST_F(RemoteTest, ASchedulerThatIsGoneForGoodEndsAtTheDeadline) {
  Connect();
  const JobHandle handle = Submitted();
  scheduler_.Stop();
  CallOptions options;
  options.deadline =
      std::chrono::system_clock::now() + std::chrono::milliseconds(300);
  const absl::Status status = handle.Status(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(scheduler_.address()));
}

TEST_F(RemoteTest, PatienceEnds) {
  SetupOptions options;
  options.address = scheduler_.address();
  options.patience = std::chrono::milliseconds(200);
  absl::StatusOr<std::unique_ptr<Executor>> executor = SetupExecutor(options);
  ASSERT_TRUE(executor.ok());
  scheduler_.Stop();
  EXPECT_EQ(ListJobs(executor->get()).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(RemoteTest, CancellingEndsAFetchThatWouldGoOn) {
  std::atomic<bool> cancel = false;
  scheduler_.fetches = {[&](const auto&, Writer* writer) {
    WriteFrame(job_, 0, 1, writer);
    cancel = true;
    return Broken();
  }};
  Connect();
  ListSink sink;
  FetchOptions options;
  options.call.cancel = &cancel;
  EXPECT_EQ(Submitted().Fetch(&sink, options).status().code(),
            absl::StatusCode::kCancelled);
  EXPECT_THAT(sink.numbers, ElementsAre(0));
}

TEST_F(RemoteTest, AClosedExecutorRefusesCalls) {
  Connect();
  const JobHandle handle = Submitted();
  EXPECT_TRUE(executor_->Close().ok());
  EXPECT_TRUE(executor_->Close().ok());
  EXPECT_EQ(handle.Status().status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(RemoteTest, BackgroundWorkEndsWithItsOwner) {
  scheduler_.watches = {{v1::JOB_STATE_RUNNING}};
  Connect();
  std::atomic<int> changes = 0;
  absl::Status end;
  {
    const std::unique_ptr<Background> watch = Submitted().StartWatch(
        [&](const JobStatus&) {
          ++changes;
          return true;
        },
        [&](const absl::Status& status) { end = status; });
    while (changes.load() == 0) std::this_thread::yield();
  }
  EXPECT_EQ(end.code(), absl::StatusCode::kCancelled);
}

TEST_F(RemoteTest, CallablesOfTheProgramAreRefusedWithWhatToDo) {
  Connect();
  const absl::Status status = executor_->RunTasks(nullptr, {});
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(status.message()), HasSubstr("MapCollect1d"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("executor threads"));
}

TEST(ClusterTest, AnExecutorOfThisProcessHasNoScheduler) {
  const std::unique_ptr<Executor> sync = Executor::Sync();
  EXPECT_EQ(Submit(sync.get(), TenTasks()).status().code(),
            absl::StatusCode::kUnimplemented);
  EXPECT_EQ(ListWorkers(sync.get()).status().code(),
            absl::StatusCode::kUnimplemented);
  EXPECT_THAT(*ExecutorInfo(sync.get()), SizeIs(6));
  EXPECT_THAT(*ExecutorInfo(sync.get(), {.ip = false}), SizeIs(4));
  EXPECT_THAT(*ExecutorInfo(sync.get(), {.ip = false, .dashboard = false}),
              ElementsAre("Workers: 1", "Cores: 1", HasSubstr("Memory: ")));
}

TEST(ExplicitSelectionsTest, GiveTheirRecordsInTheirOrder) {
  JobOptions options;
  options.function = "noop";
  options.shape = {{"y", 4}, {"x", 5}};
  options.cube.selections = {{{3, 4, true}, {0, 5, false}},
                             {{0, 2, false}, {1, 2, true}}};
  const absl::StatusOr<CollectedJob> collected = MapCollect1d(options);
  ASSERT_TRUE(collected.ok()) << collected.status();
  EXPECT_THAT(collected->counts, SizeIs(5 + 2));
  EXPECT_EQ(collected->summary.chunks, 2);
}

TEST(ExplicitSelectionsTest, HaveNoSegmentFile) {
  JobOptions options;
  options.function = "noop";
  options.shape = {{"x", 5}};
  options.cube.selections = {{{0, 2, false}}};
  const absl::StatusOr<Job> job = Job::Open(options);
  ASSERT_TRUE(job.ok()) << job.status();
  const std::unique_ptr<Executor> sync = Executor::Sync();
  const absl::Status status =
      WriteSegmentFile(*job, sync.get(), "/nonexistent/out.nc", {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("MapCollect1d"));
}

TEST(SpecTest, AShapeAndACubeContradict) {
  JobOptions options;
  options.function = "noop";
  options.shape = {{"x", 5}};
  options.cube.path = "cube.nc";
  EXPECT_EQ(Job::Open(options).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(SpecTest, HugeParametersAreRefused) {
  JobOptions options;
  options.function = "noop";
  options.shape = {{"x", 5}};
  options.parameters = {{"records", std::string(2 << 20, '1')}};
  EXPECT_EQ(Job::Open(options).status().code(),
            absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace internode::client
