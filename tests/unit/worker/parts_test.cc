// Small parts of the worker, each with its own few promises.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"

#include "base/resident_memory.h"
#include "worker/data_roots.h"
#include "worker/engine/slot_page.h"
#include "worker/engine/stretch.h"
#include "worker/memory_limit.h"
#include "worker/path_below.h"
#include "worker/rpc/event_loop.h"
#include "worker/shared_page.h"

namespace internode::worker {
namespace {

namespace fs = std::filesystem;
using core::Interval;
using testing::ElementsAre;
using testing::HasSubstr;

std::string NewFolder() {
  std::string name = testing::TempDir() + "/worker_XXXXXX";
  EXPECT_NE(mkdtemp(name.data()), nullptr);
  return fs::canonical(name).string();
}

void WriteFile(const std::string& path, const std::string& text) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path) << text;
}

// ---- Stretch ----

TEST(StretchTest, IsClaimedOneByOneAndCut) {
  Stretch stretch;
  int64_t task = 0;
  EXPECT_FALSE(stretch.Claim(&task));
  stretch.Set({100, 110});
  ASSERT_TRUE(stretch.Claim(&task));
  EXPECT_EQ(task, 100);
  EXPECT_EQ(stretch.left(), (Interval{101, 110}));
  EXPECT_EQ(stretch.CutFrom(105), (Interval{105, 110}));
  EXPECT_EQ(stretch.left(), (Interval{101, 105}));
  EXPECT_EQ(stretch.CutFrom(200).size(), 0);
  EXPECT_EQ(stretch.CutFrom(-5), (Interval{101, 105}));
  EXPECT_FALSE(stretch.Claim(&task));
  EXPECT_EQ(stretch.left(), (Interval{101, 101}));
  stretch.Set({100, 110});
  EXPECT_EQ(stretch.CutFrom(std::numeric_limits<int64_t>::max()).size(), 0);
  EXPECT_EQ(stretch.CutFrom(std::numeric_limits<int64_t>::min()),
            (Interval{100, 110}));
}

TEST(StretchTest, EveryTaskIsEitherClaimedOrCut) {
  for (int round = 0; round < 50; ++round) {
    Stretch stretch;
    stretch.Set({0, 10'000});
    std::vector<int64_t> claimed;
    std::thread slot([&] {
      int64_t task = 0;
      while (stretch.Claim(&task)) claimed.push_back(task);
    });
    std::vector<Interval> cuts;
    while (stretch.left().size() > 0) {
      const Interval left = stretch.left();
      cuts.push_back(stretch.CutFrom(left.begin + left.size() / 2));
    }
    slot.join();
    core::IntervalSet all;
    int64_t count = 0;
    for (const int64_t task : claimed) all.Add({task, task + 1});
    count += static_cast<int64_t>(claimed.size());
    for (const Interval& cut : cuts) {
      all.Add(cut);
      count += cut.size();
    }
    EXPECT_EQ(count, 10'000);
    EXPECT_EQ(all.size(), 10'000);
  }
}

// ---- SlotState and SharedPage ----

TEST(SlotStateTest, TellsWhatRuns) {
  SlotState state{};
  EXPECT_FALSE(state.Get().has_value());
  state.Set({1, 2, 3});
  EXPECT_EQ(*state.Get(), (RunningTask{1, 2, 3}));
  state.SetIdle();
  EXPECT_FALSE(state.Get().has_value());
}

TEST(SlotStateTest, IsNeverSeenHalfWritten) {
  SlotState state{};
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int64_t i = 1; !stop; ++i) {
      state.Set({static_cast<JobId>(i), 2 * i, 3 * i});
      if (i % 7 == 0) state.SetIdle();
    }
  });
  for (int i = 0; i < 100'000; ++i) {
    const auto running = state.Get();
    if (!running.has_value()) continue;
    const auto job = static_cast<int64_t>(running->job);
    ASSERT_EQ(running->task, 2 * job);
    ASSERT_EQ(running->start_ns, 3 * job);
  }
  stop = true;
  writer.join();
}

TEST(SharedPageTest, IsSeenThroughItsDescriptor) {
  const ProcessId process = NewProcessId();
  const ProcessId supervisor = NewProcessId();
  EXPECT_NE(process, supervisor);
  auto page = SharedPage::Create(process, supervisor, 3);
  ASSERT_TRUE(page.ok());
  auto other = SharedPage::Open(dup((*page)->fd()));
  ASSERT_TRUE(other.ok());
  EXPECT_EQ((*other)->process_id(), std::string(process.data(), 16));
  EXPECT_EQ((*other)->supervisor_id(), std::string(supervisor.data(), 16));
  EXPECT_EQ((*other)->slots().size(), 3u);
  (*other)->slots()[2].Set({1, 2, 3});
  EXPECT_EQ(*(*page)->slots()[2].Get(), (RunningTask{1, 2, 3}));
  EXPECT_EQ((*page)->reason(), "");
  (*other)->SetReason(std::string(5000, 'x'));
  EXPECT_EQ((*page)->reason(), std::string(1000, 'x'));
}

TEST(SharedPageTest, RefusesWhatIsNoPage) {
  EXPECT_FALSE(SharedPage::Open(-1).ok());
  const std::string path = NewFolder() + "/file";
  WriteFile(path, std::string(8192, 'x'));
  std::FILE* const file = std::fopen(path.c_str(), "r+");
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(SharedPage::Open(fileno(file)).status().code(),
            absl::StatusCode::kInvalidArgument);
  std::fclose(file);
}

// ---- DataRoots ----

TEST(DataRootsTest, WithoutRootsEveryAbsolutePathIsTaken) {
  const DataRoots roots;
  const std::string file = NewFolder() + "/a.nc";
  WriteFile(file, "a");
  EXPECT_EQ(roots.Resolve(file)->path, file);
  EXPECT_EQ(roots.Resolve("/no/such/file").status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(roots.Resolve("a.nc").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(DataRootsTest, HoldsPathsBelowItsRoots) {
  const std::string folder = NewFolder();
  WriteFile(folder + "/data/sub/a.nc", "a");
  WriteFile(folder + "/data-too/b.nc", "b");
  WriteFile(folder + "/secret/c.nc", "c");
  fs::create_symlink(folder + "/secret/c.nc", folder + "/data/link.nc");
  fs::create_symlink(folder + "/data", folder + "/alias");
  const auto roots = DataRoots::Create({folder + "/alias"});
  ASSERT_TRUE(roots.ok());
  const std::string a = folder + "/data/sub/a.nc";
  EXPECT_EQ(roots->Resolve(a)->path, a);
  EXPECT_EQ(roots->Resolve(folder + "/alias/sub/../sub/a.nc")->path, a);
  EXPECT_TRUE(roots->Check(a).ok());
  for (const char* path : {"/data-too/b.nc", "/secret/c.nc", "/data/link.nc",
                           "/data/../secret/c.nc", "/data/../nothing.nc"}) {
    const absl::Status status = roots->Resolve(folder + path).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << path;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("is not under a data root of this worker"));
  }
  EXPECT_EQ(roots->Resolve(folder + "/data/none.nc").status().code(),
            absl::StatusCode::kNotFound);
}

// Looked at, and not opened: a pipe's other end does not wait for it.
TEST(DataRootsTest, TakesRegularFilesOnly) {
  const std::string folder = NewFolder();
  WriteFile(folder + "/a.nc", "a");
  ASSERT_EQ(mkfifo((folder + "/fifo").c_str(), 0600), 0);
  fs::create_directory(folder + "/sub");
  fs::create_symlink("/dev/zero", folder + "/zero");
  const auto inside = DataRoots::Create({folder});
  const auto whole = DataRoots::Create({"/"});
  ASSERT_TRUE(inside.ok() && whole.ok());
  for (const DataRoots& roots : {DataRoots(), *inside, *whole}) {
    EXPECT_TRUE(roots.Resolve(folder + "/a.nc").ok());
    for (const std::string& path :
         {folder + "/fifo", folder + "/sub", folder}) {
      EXPECT_EQ(roots.Resolve(path).status().code(),
                absl::StatusCode::kInvalidArgument)
          << path;
    }
    for (const std::string& path :
         {folder + "/zero", std::string("/dev/zero"),
          std::string("/proc/self/mem"), std::string("/proc/self/environ"),
          std::string("/sys/kernel/uevent_seqnum")}) {
      EXPECT_FALSE(roots.Resolve(path).ok()) << path;
    }
  }
}

TEST(DataRootsTest, FilesAreToldApart) {
  const std::string folder = NewFolder();
  WriteFile(folder + "/a.nc", "a");
  WriteFile(folder + "/b.nc", "b");
  const auto roots = DataRoots::Create({folder});
  const auto a = roots->Resolve(folder + "/a.nc");
  const auto b = roots->Resolve(folder + "/b.nc");
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(a->device, b->device);
  EXPECT_NE(a->inode, b->inode);
}

TEST(PathBelowTest, NothingLeadsOut) {
  const std::string folder = NewFolder();
  WriteFile(folder + "/in/sub/a", "a");
  WriteFile(folder + "/out/b", "b");
  fs::create_symlink("../../out/b", folder + "/in/sub/link");
  fs::create_symlink("../out", folder + "/in/folder");
  fs::create_symlink("sub", folder + "/in/same");
  const int root = open((folder + "/in").c_str(), O_PATH | O_DIRECTORY);
  ASSERT_GE(root, 0);
  for (const auto& below : {&OpenBelow, &OpenBelowByStep}) {
    for (const char* path : {"sub/a", "sub", ".", "./sub/./a", "sub//a"}) {
      const int fd = below(root, path);
      EXPECT_GE(fd, 0) << path;
      close(fd);
    }
    for (const char* path :
         {"sub/link", "folder/b", "same/a", "..", "../out/b", "sub/../sub/a/..",
          "/etc/passwd", "sub/../../out/b", "none", "sub/a/b", "same"}) {
      EXPECT_LT(below(root, path), 0) << path;
    }
  }
  close(root);
}

TEST(DataRootsTest, RefusesRootsThatAreNoFolders) {
  const std::string folder = NewFolder();
  WriteFile(folder + "/file", "x");
  EXPECT_EQ(DataRoots::Create({folder + "/none"}).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(DataRoots::Create({folder + "/file"}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// ---- memory ----

TEST(MemoryLimitTest, IsTheSmallestOfTheGroupsAndTheMachine) {
  const std::string root = NewFolder();
  WriteFile(root + "/proc/meminfo", "MemTotal:  1000 kB\nMemFree:  1 kB\n");
  EXPECT_EQ(UsableMemoryBelow(root), 1000 * 1024);
  WriteFile(root + "/proc/self/cgroup", "0::/a/b\n");
  WriteFile(root + "/sys/fs/cgroup/a/b/memory.max", "max\n");
  EXPECT_EQ(UsableMemoryBelow(root), 1000 * 1024);
  WriteFile(root + "/sys/fs/cgroup/a/memory.max", "500000\n");
  EXPECT_EQ(UsableMemoryBelow(root), 500'000);
  WriteFile(root + "/sys/fs/cgroup/memory.max", "400000\n");
  EXPECT_EQ(UsableMemoryBelow(root), 400'000);
}

TEST(MemoryLimitTest, KnowsTheFirstVersionOfControlGroups) {
  const std::string root = NewFolder();
  WriteFile(root + "/proc/meminfo", "MemTotal:  1000 kB\n");
  WriteFile(root + "/proc/self/cgroup",
            "5:cpu,cpuacct:/x\n4:memory:/slurm/job\n");
  WriteFile(root + "/sys/fs/cgroup/memory/slurm/job/memory.limit_in_bytes",
            "300000\n");
  EXPECT_EQ(UsableMemoryBelow(root), 300'000);
}

TEST(MemoryLimitTest, IsMoreThanWhatThisProcessHas) {
  EXPECT_GT(UsableMemory(), ResidentBytes(getpid()));
}

// ---- EventLoop ----

TEST(EventLoopTest, RunsWhatIsPostedInOrderAndTimersByTheirTime) {
  EventLoop loop;
  std::string order;
  loop.PostAfter(absl::Milliseconds(2), [&] { order += 'c'; });
  loop.PostAfter(absl::Milliseconds(1), [&] { order += 'b'; });
  const EventLoop::TimerId cancelled =
      loop.PostAfter(absl::ZeroDuration(), [&] { order += 'x'; });
  loop.Cancel(cancelled);
  loop.PostAfter(absl::Milliseconds(3), [&] { loop.Stop(); });
  loop.PostAfter(absl::Seconds(1000), [&] { order += 'z'; });
  loop.Post([&] { order += 'a'; });
  loop.Run();
  EXPECT_EQ(order, "abc");
}

TEST(EventLoopTest, IsWokenFromOtherThreads) {
  EventLoop loop;
  std::thread other([&] { loop.Post([&] { loop.Stop(); }); });
  loop.Run();
  other.join();
}

}  // namespace
}  // namespace internode::worker
