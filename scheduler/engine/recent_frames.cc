#include "scheduler/engine/recent_frames.h"

#include <limits>

namespace internode::scheduler {

RecentFrames::Frames::iterator RecentFrames::EraseLocked(Frames::iterator it) {
  bytes_ -= it->second->num_bytes();
  return frames_.erase(it);
}

void RecentFrames::Add(core::JobId job,
                       std::shared_ptr<const ReceivedFrame> frame) {
  const int64_t size = frame->num_bytes();
  if (size > most_bytes_) return;
  const Key key = {job, frame->view().tasks().begin};
  MutexLock lock(&mu_);
  // A task is done once, unless its results were lost.
  if (const auto it = frames_.find(key); it != frames_.end()) EraseLocked(it);
  while (!order_.empty() && bytes_ + size > most_bytes_) {
    const auto oldest = frames_.find(order_.front());
    order_.pop_front();
    if (oldest != frames_.end()) EraseLocked(oldest);
  }
  bytes_ += size;
  frames_.emplace(key, std::move(frame));
  order_.push_back(key);
}

std::shared_ptr<const ReceivedFrame> RecentFrames::Find(core::JobId job,
                                                        int64_t task) const {
  MutexLock lock(&mu_);
  const auto it = frames_.find({job, task});
  return it == frames_.end() ? nullptr : it->second;
}

void RecentFrames::Forget(core::JobId job) {
  MutexLock lock(&mu_);
  auto it = frames_.lower_bound({job, std::numeric_limits<int64_t>::min()});
  while (it != frames_.end() && it->first.first == job) it = EraseLocked(it);
  while (!order_.empty() && !frames_.contains(order_.front())) {
    order_.pop_front();
  }
}

}  // namespace internode::scheduler
