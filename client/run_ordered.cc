#include "client/run_ordered.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <new>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

#include "base/mutex.h"
#include "base/status_macros.h"
#include "client/reorder_window.h"

namespace internode::client {
namespace {

// The threads of one run and what they share. Thread-safe.
class OrderedRun {
 public:
  OrderedRun(TaskList* tasks, const RunOptions& options, int64_t begin,
             int64_t end, int64_t window_tasks)
      : tasks_(tasks),
        cancel_(options.cancel),
        window_(begin, end, window_tasks, options.window_bytes) {}

  // One thread: begins tasks, runs them, and delivers what has its turn, until
  // there is nothing left to begin.
  void Work(TaskRunner* runner) {
    while (true) {
      int64_t task = 0;
      std::unique_ptr<TaskResult> result;
      if (!Begin(&task, &result)) return;
      absl::Status status = RunOne(runner, task, &result);
      MutexLock lock(&mu_);
      if (status.ok()) {
        window_.End(task, std::move(result));
      } else {
        window_.Fail(task, std::move(status));
      }
      DeliverReady();
    }
  }

  void Stop(absl::Status reason) {
    MutexLock lock(&mu_);
    window_.Stop(std::move(reason));
  }

  absl::Status status() {
    MutexLock lock(&mu_);
    return window_.status();
  }

 private:
  bool Begin(int64_t* task, std::unique_ptr<TaskResult>* result) {
    MutexLock lock(&mu_);
    // Ends: the thread that runs or delivers the earliest task is not here.
    mu_.Await([this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return window_.CanBegin() || window_.exhausted();
    });
    if (window_.exhausted()) return false;
    if (cancel_ != nullptr && cancel_->load()) {
      window_.Stop(absl::CancelledError("cancelled"));
      return false;
    }
    *task = window_.Begin();
    *result = window_.Recycle();
    return true;
  }

  // What a task throws, which can only be for want of memory or a fault in the
  // program, ends the run and not the process.
  absl::Status RunOne(TaskRunner* runner, int64_t task,
                      std::unique_ptr<TaskResult>* result) {
    try {
      if (*result == nullptr) *result = tasks_->NewResult();
      return runner->Run(task, result->get());
    } catch (const std::bad_alloc&) {
      return absl::ResourceExhaustedError(
          absl::StrCat("out of memory in task ", task));
    } catch (const std::exception& e) {
      return absl::InternalError(absl::StrCat("task ", task, ": ", e.what()));
    }
  }

  void DeliverReady() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    while (window_.CanDeliver()) {
      if (cancel_ != nullptr && cancel_->load()) {
        window_.Stop(absl::CancelledError("cancelled"));
        return;
      }
      ReorderWindow::Delivery delivery = window_.StartDelivery();
      mu_.Unlock();
      absl::Status status = DeliverOne(delivery);
      mu_.Lock();
      window_.FinishDelivery(std::move(delivery.result), std::move(status));
    }
  }

  absl::Status DeliverOne(const ReorderWindow::Delivery& delivery) {
    try {
      return tasks_->Deliver(delivery.task, *delivery.result);
    } catch (const std::bad_alloc&) {
      return absl::ResourceExhaustedError("out of memory in delivery");
    } catch (const std::exception& e) {
      return absl::InternalError(absl::StrCat("delivery: ", e.what()));
    }
  }

  TaskList* const tasks_;
  const std::atomic<bool>* const cancel_;
  Mutex mu_;
  ReorderWindow window_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

absl::Status RunOrdered(TaskList* tasks, const RunOptions& options,
                        int num_threads) {
  const int64_t end =
      options.end_task == -1 ? tasks->num_tasks() : options.end_task;
  if (options.first_task < 0 || options.first_task > end ||
      end > tasks->num_tasks()) {
    return absl::InvalidArgumentError(
        absl::StrCat("tasks ", options.first_task, ":", end,
                     " are not within 0:", tasks->num_tasks()));
  }
  const int64_t count = end - options.first_task;
  if (count == 0) return absl::OkStatus();
  const int64_t threads =
      std::clamp<int64_t>(num_threads, 1, std::min<int64_t>(count, 4096));
  const int64_t window = std::clamp<int64_t>(
      options.window_tasks > 0 ? options.window_tasks : 8 * threads, 1,
      std::min<int64_t>(count, int64_t{1} << 20));

  std::vector<std::unique_ptr<TaskRunner>> runners;
  for (int64_t t = 0; t < threads; ++t) {
    INTERNODE_ASSIGN_OR_RETURN(std::unique_ptr<TaskRunner> runner,
                               tasks->NewRunner());
    runners.push_back(std::move(runner));
  }
  OrderedRun run(tasks, options, options.first_task, end, window);
  {
    std::vector<std::jthread> pool;
    try {
      for (size_t t = 1; t < runners.size(); ++t) {
        pool.emplace_back(
            [&run, runner = runners[t].get()] { run.Work(runner); });
      }
    } catch (const std::system_error& e) {
      run.Stop(absl::ResourceExhaustedError(
          absl::StrCat("cannot start ", threads, " threads: ", e.what())));
    }
    run.Work(runners[0].get());
  }
  return run.status();
}

}  // namespace internode::client
