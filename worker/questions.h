#ifndef INTERNODE_WORKER_QUESTIONS_H_
#define INTERNODE_WORKER_QUESTIONS_H_

#include <deque>
#include <functional>
#include <thread>

#include "base/mutex.h"
#include "internode/v1/worker.pb.h"
#include "worker/jobs.h"

namespace internode::worker {

// Answers questions, one after the other, on a thread of its own. Thread-safe.
class Questions {
 public:
  // `answer` is called on that thread. `jobs` outlives it.
  Questions(const Jobs* jobs, std::function<void(v1::Answer)> answer);
  // Drops what is not answered; waits for the one being answered.
  ~Questions();

  void Ask(const v1::Question& question);
  // A new connection: nobody waits for the answers any more.
  void Clear();

 private:
  void Run();

  const Jobs* const jobs_;
  const std::function<void(v1::Answer)> answer_;

  Mutex mu_;
  std::deque<v1::Question> waiting_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_QUESTIONS_H_
