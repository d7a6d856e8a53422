#ifndef INTERNODE_TESTS_UNIT_CLIENT_FAKE_TASKS_H_
#define INTERNODE_TESTS_UNIT_CLIENT_FAKE_TASKS_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "internode/tasks.h"

namespace internode::client {

struct FakeResult : TaskResult {
  int64_t value = -1;
  int64_t size = 0;
  int64_t bytes() const override { return size; }
};

// Tasks whose result is a number that follows from the task alone, and whose
// deliveries are remembered.
class FakeTasks : public TaskList {
 public:
  explicit FakeTasks(int64_t num_tasks) : num_tasks_(num_tasks) {}

  static int64_t ValueOf(int64_t task) { return task * 7919 + 13; }

  // Called in each task, on its thread; an error fails the task.
  std::function<absl::Status(int64_t)> on_run = [](int64_t) {
    return absl::OkStatus();
  };
  std::function<absl::Status(int64_t)> on_deliver = [](int64_t) {
    return absl::OkStatus();
  };
  std::function<int64_t(int64_t)> bytes_of = [](int64_t) { return 1; };
  absl::Status runner_status;

  int64_t num_tasks() const override { return num_tasks_; }
  absl::StatusOr<std::unique_ptr<TaskRunner>> NewRunner() override {
    if (!runner_status.ok()) return runner_status;
    ++runners;
    return std::make_unique<Runner>(this);
  }
  std::unique_ptr<TaskResult> NewResult() override {
    ++results;
    return std::make_unique<FakeResult>();
  }
  absl::Status Deliver(int64_t task, const TaskResult& result) override {
    delivered.push_back(task);
    values.push_back(static_cast<const FakeResult&>(result).value);
    return on_deliver(task);
  }

  int runners = 0;
  std::atomic<int> results = 0;
  std::atomic<int64_t> runs = 0;
  // Written by deliveries, of which there is one at a time.
  std::vector<int64_t> delivered;
  std::vector<int64_t> values;

 private:
  class Runner : public TaskRunner {
   public:
    explicit Runner(FakeTasks* tasks) : tasks_(tasks) {}
    absl::Status Run(int64_t task, TaskResult* result) override {
      ++tasks_->runs;
      if (absl::Status status = tasks_->on_run(task); !status.ok()) {
        return status;
      }
      auto* fake = static_cast<FakeResult*>(result);
      fake->value = ValueOf(task);
      fake->size = tasks_->bytes_of(task);
      return absl::OkStatus();
    }

   private:
    FakeTasks* const tasks_;
  };

  const int64_t num_tasks_;
};

}  // namespace internode::client

#endif  // INTERNODE_TESTS_UNIT_CLIENT_FAKE_TASKS_H_
