#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "rpc/peer.h"
#include "tests/unit/scheduler/engine/engine_driver.h"

namespace internode::scheduler {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// FakeWorker says this of its supervisor.
const std::string kSupervisor(16, 's');

v1::WorkerMessage HelloOf(const std::string& process) {
  v1::WorkerMessage message;
  v1::Hello* const hello = message.mutable_hello();
  *hello->mutable_peer() = rpc::LocalPeer();
  hello->set_process_id(process);
  hello->set_supervisor_id(kSupervisor);
  hello->set_slots(1);
  return message;
}

// A control stream that records nothing but its end.
class Link final : public ControlLink {
 public:
  void Send(v1::SchedulerMessage message) override {
    told.push_back(std::move(message));
  }
  void Close(const absl::Status& status) override { closed = status; }

  std::vector<v1::SchedulerMessage> told;
  std::optional<absl::Status> closed;
};

// How a control stream ends that begins with `message`; nothing: it does not.
std::optional<absl::Status> EndOf(EngineDriver* driver,
                                  v1::WorkerMessage message) {
  const auto link = std::make_shared<Link>();
  const LinkId id = driver->engine().NewId();
  driver->engine().OpenControl(id, link);
  driver->engine().Receive(id, std::move(message));
  driver->Run();
  return link->closed;
}

v1::ListWorkersResponse Workers(EngineDriver* driver) {
  return **driver->Call<v1::ListWorkersResponse>(
      [&](auto reply) { driver->engine().ListWorkers(std::move(reply)); });
}

TEST(EngineWorkersTest, IsWelcomedFirstOfAll) {
  EngineDriver driver;
  driver.SubmitTasks(10);
  FakeWorker worker = driver.Join(3, kProcess);
  ASSERT_THAT(worker.told(), ::testing::Not(IsEmpty()));
  ASSERT_TRUE(worker.told()[0].has_welcome());
  const v1::Welcome& welcome = worker.told()[0].welcome();
  EXPECT_EQ(welcome.worker_id(), "w1");
  EXPECT_EQ(welcome.heartbeat_interval_ns(), 1'000'000'000);
  EXPECT_GE(welcome.window_bytes(), 1 << 20);
  EXPECT_EQ(Workers(&driver).workers(0).cores(), 3);
}

TEST(EngineWorkersTest, HellosThatCannotBeAreRefused) {
  EngineDriver driver;
  v1::WorkerMessage version = HelloOf(kProcess);
  version.mutable_hello()->mutable_peer()->set_version("99.0.0");
  EXPECT_EQ(EndOf(&driver, version)->code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(EndOf(&driver, version)->message(), HasSubstr("99.0"));
  v1::WorkerMessage id = HelloOf("short");
  EXPECT_EQ(EndOf(&driver, id)->code(), absl::StatusCode::kInvalidArgument);
  v1::WorkerMessage slots = HelloOf(kProcess);
  slots.mutable_hello()->set_slots(1025);
  EXPECT_EQ(EndOf(&driver, slots)->code(), absl::StatusCode::kInvalidArgument);
  v1::WorkerMessage name = HelloOf(kProcess);
  name.mutable_hello()->set_name(std::string(257, 'n'));
  EXPECT_EQ(EndOf(&driver, name)->code(), absl::StatusCode::kInvalidArgument);
  v1::WorkerMessage early;
  early.mutable_heartbeat();
  EXPECT_EQ(EndOf(&driver, early)->code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(EndOf(&driver, HelloOf(kProcess)), std::nullopt);
  EXPECT_EQ(Workers(&driver).workers_size(), 1);
}

TEST(EngineWorkersTest, ASecondHelloEndsTheStream) {
  EngineDriver driver;
  FakeWorker worker = driver.Join(1, kProcess);
  worker.Say(HelloOf(kProcess));
  driver.Run();
  EXPECT_EQ(worker.closed()->code(), absl::StatusCode::kInvalidArgument);
}

TEST(EngineWorkersTest, ANewConnectionTakesThePlaceOfTheOldOne) {
  EngineDriver driver;
  driver.SubmitTasks(100);
  FakeWorker worker = driver.Join(1, kProcess);
  FakeWorker again = driver.Join(1, kProcess);
  ASSERT_TRUE(worker.closed().has_value());
  EXPECT_FALSE(again.closed().has_value());
  EXPECT_EQ(again.told()[0].welcome().worker_id(), "w1");
  EXPECT_NE(again.told()[0].welcome().session(),
            worker.told()[0].welcome().session());
  // The end of the old streams changes nothing.
  worker.CloseControl();
  worker.CloseData();
  driver.Run();
  EXPECT_EQ(Workers(&driver).workers_size(), 1);
  // The old one's leases are void: the new one has the first tasks.
  EXPECT_EQ(again.leases()[0].tasks().begin(), 0);
}

TEST(EngineWorkersTest, ASilentWorkerLosesItsLeases) {
  EngineDriver driver;
  driver.SubmitTasks(1);
  FakeWorker silent = driver.Join(1, kProcess);
  ASSERT_THAT(silent.leases(), SizeIs(1));
  FakeWorker other = driver.Join(1, kOther);
  for (int second = 0; second < 35; ++second) {
    other.Heartbeat();
    driver.Advance(absl::Seconds(1));
  }
  EXPECT_TRUE(silent.closed().has_value());
  ASSERT_THAT(other.leases(), ::testing::Not(IsEmpty()));
  EXPECT_EQ(other.leases()[0].tasks().begin(), 0);
}

TEST(EngineWorkersTest, ATaskThatKillsThreeProcessesIsPoisonous) {
  EngineDriver driver;
  const uint64_t job = driver.SubmitTasks(1);
  FakeWorker supervisor(&driver.engine(), kSupervisor);
  supervisor.Connect(0);
  driver.Run();
  for (int death = 0; death < 3; ++death) {
    const std::string process(16, static_cast<char>('0' + death));
    FakeWorker worker = driver.Join(1, process);
    ASSERT_THAT(worker.leases(), SizeIs(1)) << death;
    v1::WorkerMessage message;
    v1::ProcessDied* const died = message.mutable_process_died();
    died->set_process_id(process);
    died->set_cause("signal 11 (SIGSEGV)");
    died->set_running_known(true);
    v1::RunningTask* const running = died->add_running();
    running->set_job(job);
    running->set_task(0);
    supervisor.Say(std::move(message));
    driver.Run();
    EXPECT_TRUE(worker.closed().has_value());
  }
  EXPECT_EQ(driver.Job(job)->state(), v1::JOB_STATE_COMPLETED_WITH_FAILURES);
  const auto step = driver.Fetch(job, 0);
  ASSERT_TRUE(step->ok());
  const v1::TaskFailure& failure = (*step)->failures[0].failure;
  EXPECT_TRUE(failure.poisonous());
  EXPECT_THAT(failure.message(), HasSubstr("SIGSEGV"));
}

TEST(EngineWorkersTest, AProcessThatRunsATaskForTooLongIsRestarted) {
  EngineOptions options;
  options.task_timeout = absl::Seconds(5);
  EngineDriver driver(options);
  const uint64_t job = driver.SubmitTasks(1);
  FakeWorker worker = driver.Join(1, kProcess);
  const auto run_for = [&](absl::Duration elapsed) {
    v1::WorkerMessage message;
    v1::RunningTask* const task = message.mutable_heartbeat()->add_running();
    task->set_job(job);
    task->set_elapsed_ns(absl::ToInt64Nanoseconds(elapsed));
    worker.Say(std::move(message));
    driver.Run();
    return worker.told().back().has_restart();
  };
  EXPECT_FALSE(run_for(absl::Seconds(5)));
  EXPECT_TRUE(run_for(absl::Seconds(6)));
}

TEST(EngineWorkersTest, DeathsAreBelievedOfTheSupervisorAlone) {
  EngineDriver driver;
  driver.SubmitTasks(1);
  FakeWorker worker = driver.Join(1, kProcess);
  FakeWorker stranger(&driver.engine(), kOther);
  stranger.Connect(0);
  v1::WorkerMessage message;
  message.mutable_process_died()->set_process_id(kProcess);
  stranger.Say(std::move(message));
  driver.Run();
  EXPECT_FALSE(worker.closed().has_value());
}

TEST(EngineWorkersTest, ADrainedWorkerGetsNoMore) {
  EngineDriver driver;
  FakeWorker worker = driver.Join(1, kProcess);
  v1::DrainWorkerRequest request;
  request.set_worker_id("w1");
  const auto drained = driver.Call<v1::DrainWorkerResponse>([&](auto reply) {
    driver.engine().DrainWorker(request, std::move(reply));
  });
  ASSERT_TRUE(drained->ok());
  EXPECT_TRUE(worker.told().back().has_drain());
  EXPECT_EQ(Workers(&driver).workers(0).state(), "draining");
  driver.SubmitTasks(10);
  EXPECT_THAT(worker.leases(), IsEmpty());
  request.set_worker_id("w9");
  EXPECT_EQ(driver
                .Call<v1::DrainWorkerResponse>([&](auto reply) {
                  driver.engine().DrainWorker(request, std::move(reply));
                })
                ->status()
                .code(),
            absl::StatusCode::kNotFound);
}

TEST(EngineWorkersTest, TheWindowIsShared) {
  EngineOptions options;
  options.window_bytes = 8 << 20;
  options.least_worker_window_bytes = 1 << 20;
  options.most_worker_window_bytes = 4 << 20;
  EngineDriver driver(options);
  std::vector<int64_t> windows;
  for (int i = 0; i < 20; ++i) {
    FakeWorker worker =
        driver.Join(1, std::string(16, static_cast<char>('a' + i)));
    windows.push_back(worker.told()[0].welcome().window_bytes());
  }
  EXPECT_EQ(windows.front(), 4 << 20);
  EXPECT_EQ(windows.back(), 1 << 20);
}

// ---- questions ----

class EngineQuestionsTest : public ::testing::Test {
 protected:
  void Ask(absl::Duration within) {
    v1::DescribeCubeRequest request;
    request.set_path("/data/cube.nc");
    driver_.engine().DescribeCube(
        request, driver_.clock().Now() + within,
        [this](absl::StatusOr<v1::DescribeCubeResponse> response) {
          answer_ = std::move(response);
        });
    driver_.Run();
  }

  static v1::WorkerMessage AnswerTo(const v1::Question& question) {
    v1::WorkerMessage message;
    message.mutable_answer()->set_question_id(question.question_id());
    message.mutable_answer()->set_cube_json("{}");
    return message;
  }

  // Before the engine, which answers what is still asked when it stops.
  std::optional<absl::StatusOr<v1::DescribeCubeResponse>> answer_;
  EngineDriver driver_;
};

TEST_F(EngineQuestionsTest, AWorkerAnswers) {
  FakeWorker worker = driver_.Join(1, kProcess);
  Ask(absl::Seconds(10));
  ASSERT_THAT(worker.questions(), SizeIs(1));
  EXPECT_EQ(worker.questions()[0].describe().path(), "/data/cube.nc");
  worker.Say(AnswerTo(worker.questions()[0]));
  driver_.Run();
  ASSERT_TRUE(answer_.has_value());
  EXPECT_EQ((*answer_)->cube_json(), "{}");
}

TEST_F(EngineQuestionsTest, ItsErrorIsHandedOn) {
  FakeWorker worker = driver_.Join(1, kProcess);
  Ask(absl::Seconds(10));
  v1::WorkerMessage message = AnswerTo(worker.questions()[0]);
  message.mutable_answer()->set_code(5);
  message.mutable_answer()->set_message("there is no file '/data/cube.nc'");
  worker.Say(std::move(message));
  driver_.Run();
  EXPECT_EQ(answer_->status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(answer_->status().message(), "there is no file '/data/cube.nc'");
}

TEST_F(EngineQuestionsTest, WaitsForAWorker) {
  Ask(absl::Seconds(10));
  EXPECT_FALSE(answer_.has_value());
  FakeWorker worker = driver_.Join(1, kProcess);
  EXPECT_THAT(worker.questions(), SizeIs(1));
}

TEST_F(EngineQuestionsTest, WithoutAWorkerItSaysSo) {
  Ask(absl::Seconds(10));
  driver_.Advance(absl::Seconds(10));
  ASSERT_TRUE(answer_.has_value());
  EXPECT_EQ(answer_->status(),
            absl::UnavailableError("no worker is connected"));
}

TEST_F(EngineQuestionsTest, AnotherWorkerIsAskedWhenTheFirstIsLost) {
  FakeWorker first = driver_.Join(1, kProcess);
  Ask(absl::Seconds(10));
  FakeWorker second = driver_.Join(1, kOther);
  first.CloseControl();
  driver_.Run();
  ASSERT_THAT(second.questions(), SizeIs(1));
  // What the first says now comes too late.
  second.Say(AnswerTo(second.questions()[0]));
  driver_.Run();
  EXPECT_TRUE(answer_->ok());
}

TEST_F(EngineQuestionsTest, AQuestionThatKillsWorkersIsGivenUp) {
  Ask(absl::Minutes(10));
  for (int i = 0; i < Questions::kMostLosses; ++i) {
    EXPECT_FALSE(answer_.has_value());
    FakeWorker worker =
        driver_.Join(1, std::string(16, static_cast<char>('0' + i)));
    worker.CloseControl();
    driver_.Run();
  }
  ASSERT_TRUE(answer_.has_value());
  EXPECT_EQ(answer_->status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(EngineQuestionsTest, OnlyWhoWasAskedCanAnswer) {
  FakeWorker worker = driver_.Join(1, kProcess);
  Ask(absl::Seconds(10));
  FakeWorker stranger = driver_.Join(1, kOther);
  stranger.Say(AnswerTo(worker.questions()[0]));
  driver_.Run();
  EXPECT_FALSE(answer_.has_value());
  driver_.Advance(absl::Seconds(10));
  EXPECT_EQ(answer_->status().code(), absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace internode::scheduler
