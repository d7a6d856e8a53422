#include "client/run_ordered.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/mutex.h"
#include "tests/unit/client/fake_tasks.h"

namespace internode::client {
namespace {

using ::testing::HasSubstr;

std::vector<int64_t> FirstTasks(int64_t n) {
  std::vector<int64_t> tasks;
  for (int64_t i = 0; i < n; ++i) tasks.push_back(i);
  return tasks;
}

// Lets tasks end in an order of its own instead of the threads': a task waits
// until it has the lowest rank of all that wait, and as many wait as can. The
// orders are random, but a seed's order comes back on every machine.
class EndOrder {
 public:
  EndOrder(uint32_t seed, int64_t num_tasks, int64_t together)
      : together_(together), left_(num_tasks), rank_(FirstTasks(num_tasks)) {
    std::shuffle(rank_.begin(), rank_.end(), std::mt19937(seed));
  }

  void Wait(int64_t task) {
    MutexLock lock(&mu_);
    waiting_.push_back(rank_[static_cast<size_t>(task)]);
    const int64_t mine = waiting_.back();
    mu_.Await([this, mine]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return static_cast<int64_t>(waiting_.size()) >=
                 std::min(together_, left_) &&
             *std::min_element(waiting_.begin(), waiting_.end()) == mine;
    });
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), mine));
    --left_;
  }

 private:
  const int64_t together_;
  Mutex mu_;
  int64_t left_ ABSL_GUARDED_BY(mu_);
  std::vector<int64_t> rank_;
  std::vector<int64_t> waiting_ ABSL_GUARDED_BY(mu_);
};

TEST(RunOrderedTest, DeliversEveryResultInOrderOnAnyNumberOfThreads) {
  for (const int threads : {1, 2, 8, 33}) {
    FakeTasks tasks(500);
    EXPECT_EQ(RunOrdered(&tasks, {}, threads), absl::OkStatus());
    EXPECT_EQ(tasks.delivered, FirstTasks(500));
    for (int64_t i = 0; i < 500; ++i) {
      EXPECT_EQ(tasks.values[static_cast<size_t>(i)], FakeTasks::ValueOf(i));
    }
    EXPECT_EQ(tasks.runners, threads);
  }
}

TEST(RunOrderedTest, SyncRunsInTheCallersThread) {
  FakeTasks tasks(10);
  const std::thread::id caller = std::this_thread::get_id();
  tasks.on_run = [caller](int64_t) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    return absl::OkStatus();
  };
  EXPECT_EQ(RunOrdered(&tasks, {}, 1), absl::OkStatus());
  EXPECT_EQ(tasks.results, 1) << "results are used again";
}

TEST(RunOrderedTest, NoTasksNeedNoThreads) {
  FakeTasks tasks(0);
  EXPECT_EQ(RunOrdered(&tasks, {}, 8), absl::OkStatus());
  EXPECT_EQ(tasks.runners, 0);
}

TEST(RunOrderedTest, RunsAPart) {
  FakeTasks tasks(10);
  RunOptions options;
  options.first_task = 3;
  options.end_task = 6;
  EXPECT_EQ(RunOrdered(&tasks, options, 2), absl::OkStatus());
  EXPECT_EQ(tasks.delivered, (std::vector<int64_t>{3, 4, 5}));
}

TEST(RunOrderedTest, APartOutsideTheTasksIsAnError) {
  FakeTasks tasks(10);
  for (const auto& [first, end] :
       std::vector<std::pair<int64_t, int64_t>>{{-1, 3}, {3, 11}, {5, 4}}) {
    RunOptions options;
    options.first_task = first;
    options.end_task = end;
    EXPECT_EQ(RunOrdered(&tasks, options, 2).code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(RunOrderedTest, TasksThatEndInAnyOrderAreDeliveredInOrder) {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    const int threads = static_cast<int>(seed % 7) + 2;
    FakeTasks tasks(60);
    // A window as wide as the work, so that `threads` tasks can always wait.
    RunOptions options;
    options.window_tasks = 60;
    EndOrder order(seed, 60, threads);
    tasks.on_run = [&order](int64_t task) {
      order.Wait(task);
      return absl::OkStatus();
    };
    EXPECT_EQ(RunOrdered(&tasks, options, threads), absl::OkStatus());
    EXPECT_EQ(tasks.delivered, FirstTasks(60));
  }
}

TEST(RunOrderedTest, ASlowTaskDoesNotLetTheOthersRunAway) {
  FakeTasks tasks(1000);
  RunOptions options;
  options.window_tasks = 16;
  std::atomic<int64_t> delivered = 0;
  std::atomic<int64_t> farthest = 0;
  tasks.on_run = [&](int64_t task) {
    // `delivered` may lag behind, which makes the bound looser by nothing: a
    // task begins only after the one 16 before it was delivered.
    const int64_t ahead = task - delivered.load();
    int64_t seen = farthest.load();
    while (ahead > seen && !farthest.compare_exchange_weak(seen, ahead)) {
    }
    return absl::OkStatus();
  };
  tasks.on_deliver = [&](int64_t) {
    ++delivered;
    return absl::OkStatus();
  };
  EXPECT_EQ(RunOrdered(&tasks, options, 8), absl::OkStatus());
  EXPECT_LE(farthest.load(), 16);
}

TEST(RunOrderedTest, TheEarliestFailureEndsTheRunAfterWhatIsBeforeIt) {
  std::mt19937 random(7);
  for (int round = 0; round < 60; ++round) {
    const int64_t failing =
        std::uniform_int_distribution<int64_t>(0, 99)(random);
    for (const int threads : {1, 2, 8}) {
      FakeTasks tasks(100);
      // Every task from the failing one on fails, with its own message.
      tasks.on_run = [failing](int64_t task) {
        return task < failing
                   ? absl::OkStatus()
                   : absl::DataLossError(absl::StrCat("task ", task));
      };
      EXPECT_EQ(RunOrdered(&tasks, {}, threads),
                absl::DataLossError(absl::StrCat("task ", failing)));
      EXPECT_EQ(tasks.delivered, FirstTasks(failing));
    }
  }
}

TEST(RunOrderedTest, AFailingSinkEndsTheRun) {
  for (const int threads : {1, 2, 8}) {
    FakeTasks tasks(100);
    tasks.on_deliver = [](int64_t task) {
      return task == 20 ? absl::ResourceExhaustedError("disk full")
                        : absl::OkStatus();
    };
    EXPECT_EQ(RunOrdered(&tasks, {}, threads),
              absl::ResourceExhaustedError("disk full"));
    EXPECT_EQ(tasks.delivered, FirstTasks(21));
  }
}

TEST(RunOrderedTest, CancellingInATaskDeliversAPrefix) {
  std::mt19937 random(11);
  for (int round = 0; round < 60; ++round) {
    const int64_t at = std::uniform_int_distribution<int64_t>(0, 99)(random);
    for (const int threads : {1, 2, 8}) {
      FakeTasks tasks(200);
      std::atomic<bool> cancel = false;
      RunOptions options;
      options.cancel = &cancel;
      tasks.on_run = [&cancel, at](int64_t task) {
        if (task == at) cancel = true;
        return absl::OkStatus();
      };
      EXPECT_EQ(RunOrdered(&tasks, options, threads).code(),
                absl::StatusCode::kCancelled);
      EXPECT_LE(static_cast<int64_t>(tasks.delivered.size()), at + 1);
      EXPECT_EQ(tasks.delivered,
                FirstTasks(static_cast<int64_t>(tasks.delivered.size())));
    }
  }
}

TEST(RunOrderedTest, CancelledBeforeItStartsItRunsNothing) {
  FakeTasks tasks(10);
  std::atomic<bool> cancel = true;
  RunOptions options;
  options.cancel = &cancel;
  EXPECT_EQ(RunOrdered(&tasks, options, 2).code(),
            absl::StatusCode::kCancelled);
  EXPECT_EQ(tasks.runs, 0);
}

TEST(RunOrderedTest, ARunnerThatCannotBeMadeEndsTheRun) {
  FakeTasks tasks(10);
  tasks.runner_status = absl::FailedPreconditionError("no kernel");
  EXPECT_EQ(RunOrdered(&tasks, {}, 2),
            absl::FailedPreconditionError("no kernel"));
  EXPECT_TRUE(tasks.delivered.empty());
}

TEST(RunOrderedTest, AnExceptionEndsTheRunAndNotTheProcess) {
  for (const int threads : {1, 4}) {
    FakeTasks tasks(10);
    tasks.on_run = [](int64_t task) -> absl::Status {
      if (task == 3) throw std::runtime_error("boom");
      return absl::OkStatus();
    };
    const absl::Status status = RunOrdered(&tasks, {}, threads);
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
    EXPECT_THAT(std::string(status.message()), HasSubstr("task 3: boom"));
    EXPECT_EQ(tasks.delivered, FirstTasks(3));
  }
}

TEST(RunOrderedTest, HugeResultsPassOneAfterTheOther) {
  FakeTasks tasks(50);
  RunOptions options;
  options.window_bytes = 10;
  tasks.bytes_of = [](int64_t) { return int64_t{1} << 40; };
  EXPECT_EQ(RunOrdered(&tasks, options, 4), absl::OkStatus());
  EXPECT_EQ(tasks.delivered, FirstTasks(50));
}

}  // namespace
}  // namespace internode::client
