#include "tests/unit/worker/daemon_testutil.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

#include "functions/job_plan.h"
#include "functions/planned_job.h"
#include "functions/registry.h"
#include "rpc/job_proto.h"
#include "worker/child_process.h"

namespace internode::worker {

bool Attached(const FakeScheduler::Worker& worker) {
  return worker.attached && !worker.gone;
}

v1::JobPlan NoopPlan() {
  core::JobSpec spec;
  spec.function = "noop";
  spec.core_dims = {};
  spec.chunks = core::NoChunks();
  spec.shape = {{"y", 1000}, {"x", 1000}};
  const core::CubeInfo cube = functions::CubeOfShape(spec.shape);
  const functions::JobPlan plan =
      *functions::MakeJobPlan(spec, cube, functions::Registry::WithBuiltins());
  return rpc::ToProto(functions::MakePlannedJob(spec, cube, plan));
}

v1::SchedulerMessage LeaseOf(int64_t begin, int64_t end, uint64_t id) {
  v1::SchedulerMessage message;
  v1::Lease* const lease = message.mutable_lease();
  lease->set_job(17);
  lease->set_lease_id(id);
  lease->mutable_tasks()->set_begin(begin);
  lease->mutable_tasks()->set_end(end);
  *lease->mutable_plan() = NoopPlan();
  return message;
}

Program::Program(const std::vector<std::string>& arguments) {
  folder_ = testing::TempDir() + "/daemon_XXXXXX";
  EXPECT_NE(mkdtemp(folder_.data()), nullptr);
  const int log = open(LogPath().c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  int ready[2];
  int lifeline[2];
  int held[2];
  EXPECT_EQ(pipe2(ready, O_CLOEXEC), 0);
  EXPECT_EQ(pipe2(lifeline, O_CLOEXEC), 0);
  EXPECT_EQ(pipe2(held, O_CLOEXEC), 0);
  // 3 is the log, 4 the ready pipe, 5 the lifeline; 6 is kept open by all its
  // processes as long as they live.
  std::string command = absl::StrCat("exec ", INTERNODE_WORKER_PROGRAM,
                                     " --ready-fd 4 --lifeline-fd 5");
  for (const std::string& argument : arguments) {
    absl::StrAppend(&command, " ", argument);
  }
  const auto pid = StartChild({"/bin/sh",
                               {"sh", "-c", command + " 2>&3"},
                               {log, ready[1], lifeline[0], held[1]}});
  EXPECT_TRUE(pid.ok());
  pid_ = *pid;
  close(log);
  close(ready[1]);
  close(lifeline[0]);
  close(held[1]);
  ready_ = ready[0];
  lifeline_ = lifeline[1];
  held_ = held[0];
}

Program::~Program() {
  if (pid_ != 0) {
    kill(pid_, SIGKILL);
    Wait();
  }
  for (const int fd : {ready_, lifeline_, held_}) {
    if (fd >= 0) close(fd);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Program::CutLifeline() { close(std::exchange(lifeline_, -1)); }

std::string Program::AwaitReady() {
  char text[256] = {};
  return read(ready_, text, sizeof(text) - 1) > 0 ? text : "";
}

int Program::Wait() {
  int status = -1;
  waitpid(std::exchange(pid_, 0), &status, 0);
  char byte = 0;
  EXPECT_EQ(read(held_, &byte, 1), 0);
  return status;
}

std::string Program::log() const {
  std::ifstream file(LogPath());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

int ExitCode(int code) { return code << 8; }

std::vector<std::string> DaemonTest::Arguments(
    const std::vector<std::string>& more) const {
  std::vector<std::string> arguments = {scheduler_->address(), "--nthreads",
                                        "1"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

}  // namespace internode::worker
