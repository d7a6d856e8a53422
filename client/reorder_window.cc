#include "client/reorder_window.h"

#include <utility>

namespace internode::client {

ReorderWindow::ReorderWindow(int64_t begin, int64_t end, int64_t max_tasks,
                             int64_t max_bytes)
    : max_tasks_(max_tasks),
      max_bytes_(max_bytes),
      end_(end),
      next_begin_(begin),
      next_deliver_(begin),
      slots_(static_cast<size_t>(max_tasks)) {}

bool ReorderWindow::CanBegin() const {
  if (exhausted() || next_begin_ - next_deliver_ >= max_tasks_) return false;
  return next_begin_ == next_deliver_ || waiting_bytes_ < max_bytes_;
}

int64_t ReorderWindow::Begin() { return next_begin_++; }

void ReorderWindow::End(int64_t task, std::unique_ptr<TaskResult> result) {
  waiting_bytes_ += result->bytes();
  Slot(task) = std::move(result);
}

void ReorderWindow::Fail(int64_t task, absl::Status error) {
  if (stopped_ || task >= end_) return;
  end_ = task;
  status_ = std::move(error);
}

bool ReorderWindow::CanDeliver() const {
  return !stopped_ && !delivering_ && next_deliver_ < end_ &&
         Slot(next_deliver_) != nullptr;
}

ReorderWindow::Delivery ReorderWindow::StartDelivery() {
  delivering_ = true;
  Delivery delivery{next_deliver_, std::move(Slot(next_deliver_))};
  delivering_bytes_ = delivery.result->bytes();
  return delivery;
}

void ReorderWindow::FinishDelivery(std::unique_ptr<TaskResult> result,
                                   absl::Status status) {
  delivering_ = false;
  waiting_bytes_ -= delivering_bytes_;
  delivering_bytes_ = 0;
  ++next_deliver_;
  // Few, because each may hold as much memory as the largest result took.
  if (recycled_.size() < static_cast<size_t>(max_tasks_ / 8 + 1)) {
    recycled_.push_back(std::move(result));
  }
  if (!status.ok()) Stop(std::move(status));
}

std::unique_ptr<TaskResult> ReorderWindow::Recycle() {
  if (recycled_.empty()) return nullptr;
  std::unique_ptr<TaskResult> result = std::move(recycled_.back());
  recycled_.pop_back();
  return result;
}

void ReorderWindow::Stop(absl::Status reason) {
  if (stopped_) return;
  stopped_ = true;
  status_ = std::move(reason);
}

}  // namespace internode::client
