#ifndef INTERNODE_CLIENT_REORDER_WINDOW_H_
#define INTERNODE_CLIENT_REORDER_WINDOW_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"

#include "internode/tasks.h"

namespace internode::client {

// Which task is begun next, and which result is delivered next, so that
// results leave in the order of the tasks while at most `max_tasks` of them
// are begun and not delivered. No threads and no locks: whoever shares it
// guards it. Thread-compatible.
//
// Tasks are begun in order. When one fails, those before it are still
// delivered and those after it are not, so that what is delivered, and the
// status, depend on the tasks alone and not on their timing.
class ReorderWindow {
 public:
  // The tasks [begin, end); max_tasks >= 1.
  ReorderWindow(int64_t begin, int64_t end, int64_t max_tasks,
                int64_t max_bytes);

  // Whether a task may be begun now.
  bool CanBegin() const;
  // Whether none will ever be begun again.
  bool exhausted() const { return stopped_ || next_begin_ >= end_; }
  // Begins the next task. Requires CanBegin().
  int64_t Begin();
  // The task, which was begun, has ended with `result`, or with an error.
  void End(int64_t task, std::unique_ptr<TaskResult> result);
  void Fail(int64_t task, absl::Status error);

  // Whether the next result in order is there and no other is on its way.
  bool CanDeliver() const;
  struct Delivery {
    int64_t task;
    std::unique_ptr<TaskResult> result;
  };
  // Requires CanDeliver(). FinishDelivery follows before the next.
  Delivery StartDelivery();
  // `result` is the delivery's, to be used again. An error ends the run.
  void FinishDelivery(std::unique_ptr<TaskResult> result, absl::Status status);

  // An old result to be used again, or null.
  std::unique_ptr<TaskResult> Recycle();

  // Nothing is begun or delivered from now on; the first reason stays.
  void Stop(absl::Status reason);

  // OK until something fails. The failure of the earliest task, or the reason
  // of the stop.
  const absl::Status& status() const { return status_; }
  // All results were delivered.
  bool complete() const { return status_.ok() && next_deliver_ == end_; }
  int64_t next_deliver() const { return next_deliver_; }
  int64_t waiting_bytes() const { return waiting_bytes_; }

 private:
  std::unique_ptr<TaskResult>& Slot(int64_t task) {
    return slots_[static_cast<size_t>(task % max_tasks_)];
  }
  const std::unique_ptr<TaskResult>& Slot(int64_t task) const {
    return slots_[static_cast<size_t>(task % max_tasks_)];
  }

  // Constant after construction.
  const int64_t max_tasks_;
  const int64_t max_bytes_;

  // Lowered to a task that fails.
  int64_t end_;
  int64_t next_begin_;
  int64_t next_deliver_;
  bool delivering_ = false;
  bool stopped_ = false;
  absl::Status status_;
  // Of the results in slots_ and of the one being delivered.
  int64_t waiting_bytes_ = 0;
  int64_t delivering_bytes_ = 0;
  // Finished results that wait for their turn; task i in i % max_tasks_.
  std::vector<std::unique_ptr<TaskResult>> slots_;
  std::vector<std::unique_ptr<TaskResult>> recycled_;
};

}  // namespace internode::client

#endif  // INTERNODE_CLIENT_REORDER_WINDOW_H_
