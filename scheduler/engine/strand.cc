#include "scheduler/engine/strand.h"

#include <utility>

namespace internode::scheduler {

Strand::Strand(const Clock* clock, Hooks hooks)
    : clock_(clock), hooks_(std::move(hooks)) {}

Strand::~Strand() { Stop(); }

void Strand::Start() { thread_ = std::thread(&Strand::Run, this); }

void Strand::Stop() {
  {
    MutexLock lock(&mu_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void Strand::Post(Task task) {
  MutexLock lock(&mu_);
  if (!stopping_) waiting_.push_back(std::move(task));
}

int64_t Strand::num_waiting() const {
  MutexLock lock(&mu_);
  return static_cast<int64_t>(waiting_.size());
}

void Strand::RunTasks(std::vector<Task>* tasks) {
  for (Task& task : *tasks) task();
  tasks->clear();
  hooks_.turn_end();
}

bool Strand::RunTurn() {
  std::vector<Task> tasks;
  {
    MutexLock lock(&mu_);
    tasks.swap(waiting_);
  }
  if (tasks.empty() && hooks_.next_wakeup() > clock_->Now()) return false;
  RunTasks(&tasks);
  return true;
}

void Strand::Run() {
  std::vector<Task> tasks;
  bool stopping = false;
  while (!stopping) {
    const absl::Time wakeup = hooks_.next_wakeup();
    {
      MutexLock lock(&mu_);
      auto woken = [this] {
        mu_.AssertHeld();
        return stopping_ || !waiting_.empty();
      };
      mu_.AwaitWithDeadline(woken, wakeup);
      tasks.swap(waiting_);
      stopping = stopping_;
    }
    RunTasks(&tasks);
  }
}

}  // namespace internode::scheduler
