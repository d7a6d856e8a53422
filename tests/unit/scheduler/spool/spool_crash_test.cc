#include <cerrno>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "scheduler/spool/spool.h"
#include "tests/support/memory_file_system.h"
#include "tests/unit/scheduler/spool/test_frames.h"

// Spools on a machine where anything fails at any time. Whatever happens, what
// was committed is there after the next start, and nothing else than what was
// sent.

namespace internode::scheduler {
namespace {

using internode::core::Interval;
using internode::core::IntervalSet;
using Call = testing::MemoryFileSystem::Call;

constexpr int64_t kTasks = 300;
constexpr uint64_t kJobs[] = {1, 2};

class World {
 public:
  World(uint32_t seed, Durability durability)
      : random_(seed), durability_(durability) {
    Start();
  }

  void Run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) Step();
    files_.SetFault(nullptr);
    files_.SetCapacity(int64_t{1} << 30);
    Restart();
  }

 private:
  struct Job {
    // Sent since the last commit; committed.
    IntervalSet sent;
    IntervalSet committed;
  };

  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }

  void Step() {
    const uint32_t choice = Below(100);
    if (choice < 70) {
      Append();
    } else if (choice < 85) {
      Commit();
    } else if (choice < 88) {
      Restart();
    } else if (choice < 91 && durability_ == Durability::kFsync) {
      files_.Crash(&random_);
      Restart();
    } else if (choice < 94) {
      FailAtRandom();
    } else if (choice < 96) {
      files_.SetCapacity(Below(60000));
    } else {
      files_.SetFault(nullptr);
      files_.SetCapacity(int64_t{1} << 30);
      files_.SetMostPerAppend(Below(2) == 0 ? int64_t{1} << 30 : 1 + Below(50));
    }
  }

  void FailAtRandom() {
    auto faults = std::make_shared<std::mt19937>(random_());
    files_.SetFault([faults](Call call, const std::string& path) {
      // Not cutting, after which a file that cannot be synced either would
      // keep what will not be durable.
      const bool writing = call == Call::kCreate || call == Call::kAppend ||
                           call == Call::kAppendSync ||
                           call == Call::kSyncFolder;
      return writing && (*faults)() % 3 == 0 ? FileError(EIO, "use", path)
                                             : absl::OkStatus();
    });
  }

  void Append() {
    const uint64_t id = kJobs[Below(2)];
    const int64_t begin = Below(kTasks);
    const Interval tasks = {begin, begin + 1 + Below(30)};
    const std::string bytes = MakeFrame(tasks);
    const auto fresh =
        spool_->Append(id, internode::core::FrameView::Parse(bytes).value());
    if (!fresh.ok()) return;
    for (const Interval& part : *fresh) {
      EXPECT_EQ(jobs_[id].sent.CountWithin(part), 0);
      EXPECT_EQ(jobs_[id].committed.CountWithin(part), 0);
      jobs_[id].sent.Add(part);
    }
    EXPECT_EQ(Union(jobs_[id]).CountWithin(tasks), tasks.size());
  }

  static IntervalSet Union(const Job& job) {
    IntervalSet all = job.sent;
    all.Add(job.committed);
    return all;
  }

  void Commit() {
    std::set<uint64_t> failed;
    for (const auto& failure : spool_->Commit()) failed.insert(failure.job);
    for (const uint64_t id : kJobs) {
      Job& job = jobs_[id];
      if (failed.count(id) == 0) job.committed.Add(job.sent);
      job.sent.Clear();
      EXPECT_EQ(spool_->Find(id)->Done(), job.committed);
    }
  }

  void Restart() {
    files_.SetFault(nullptr);
    spool_.reset();
    files_.Kill();
    Start();
  }

  void Start() {
    auto spool = Spool::Open(
        &files_, "/spool",
        {.durability = durability_, .segment_bytes = 4000, .reserve_bytes = 0});
    ASSERT_TRUE(spool.ok()) << spool.status();
    spool_ = *std::move(spool);
    for (const uint64_t id : kJobs) {
      const auto damages = spool_->Recover(id);
      ASSERT_TRUE(damages.ok()) << damages.status();
      Job& job = jobs_[id];
      const IntervalSet done = spool_->Find(id)->Done();
      // All that was committed is there, and right. There may be more: what
      // was sent.
      for (const Interval& run : job.committed.intervals()) {
        EXPECT_TRUE(done.ContainsAll(run)) << run.begin << " " << run.end;
      }
      ExpectHolds(*spool_->Find(id), done);
      job.committed = done;
      job.sent.Clear();
    }
  }

  std::mt19937 random_;
  const Durability durability_;
  testing::MemoryFileSystem files_;
  std::unique_ptr<Spool> spool_;
  std::map<uint64_t, Job> jobs_;
};

TEST(SpoolCrashTest, WhatIsCommittedIsNeverLost) {
  for (uint32_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    World(seed, Durability::kFsync).Run(150);
    if (HasFailure()) break;
  }
}

TEST(SpoolCrashTest, WithoutFsyncTheEndOfTheProcessLosesNothing) {
  for (uint32_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    World(seed, Durability::kOs).Run(150);
    if (HasFailure()) break;
  }
}

TEST(SpoolCrashTest, WhateverChangesOnDiskNothingWrongIsRead) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    testing::MemoryFileSystem files;
    const SpoolOptions options = {.segment_bytes = 3000, .reserve_bytes = 0};
    {
      auto spool = Spool::Open(&files, "/spool", options).value();
      ASSERT_TRUE(spool->Create(1).ok());
      for (int64_t i = 0; i < 20; ++i) {
        const std::string bytes = MakeFrame({i * 9, i * 9 + 12});
        ASSERT_TRUE(
            spool->Append(1, internode::core::FrameView::Parse(bytes).value())
                .ok());
      }
      ASSERT_TRUE(spool->Commit().empty());
    }
    for (const std::string& path : files.FilesBelow("/spool")) {
      std::string bytes = files.Contents(path);
      for (auto flips = random() % 3; flips > 0; --flips) {
        bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
      }
      if (random() % 4 == 0) bytes.resize(random() % bytes.size());
      files.SetContents(path, bytes);
    }
    auto spool = Spool::Open(&files, "/spool", options).value();
    ASSERT_TRUE(spool->Recover(1).ok());
    ExpectHolds(*spool->Find(1), spool->Find(1)->Done());
    // What is lost is written again, and all is there.
    const std::string bytes = MakeFrame({0, 183});
    ASSERT_TRUE(
        spool->Append(1, internode::core::FrameView::Parse(bytes).value())
            .ok());
    ASSERT_TRUE(spool->Commit().empty());
    ExpectHolds(*spool->Find(1), IntervalSet({0, 183}));
    if (HasFailure()) break;
  }
}

}  // namespace
}  // namespace internode::scheduler
