#ifndef INTERNODE_TESTS_UNIT_WORKER_DAEMON_TESTUTIL_H_
#define INTERNODE_TESTS_UNIT_WORKER_DAEMON_TESTUTIL_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "internode/v1/worker.pb.h"
#include "tests/unit/worker/fake_scheduler.h"

// The program internode-worker against a scheduler that is a test.

namespace internode::worker {

bool Attached(const FakeScheduler::Worker& worker);

// A job without a cube: noop over 1000 x 1000 pixels, one a task.
v1::JobPlan NoopPlan();

// Of job 17.
v1::SchedulerMessage LeaseOf(int64_t begin, int64_t end, uint64_t id = 1);

// The program, while it runs. Killed when this is destroyed.
class Program {
 public:
  explicit Program(const std::vector<std::string>& arguments);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  pid_t pid() const { return pid_; }
  void CutLifeline();

  // The line that tells that all processes are connected; "" if none came.
  std::string AwaitReady();
  // Waits until none of its processes is left. Returns its wait status.
  int Wait();
  std::string log() const;

 private:
  std::string LogPath() const { return folder_ + "/log"; }

  std::string folder_;
  pid_t pid_ = 0;
  int ready_ = -1;
  int lifeline_ = -1;
  int held_ = -1;
};

// The wait status of a program that ended with `code`.
int ExitCode(int code);

// A scheduler, and what the program is to be told of it.
class DaemonTest : public testing::Test {
 protected:
  std::vector<std::string> Arguments(
      const std::vector<std::string>& more = {}) const;

  std::unique_ptr<FakeScheduler> scheduler_ = std::make_unique<FakeScheduler>();
};

}  // namespace internode::worker

#endif  // INTERNODE_TESTS_UNIT_WORKER_DAEMON_TESTUTIL_H_
