#include "scheduler/spool/spool.h"

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "scheduler/spool/spool_reader.h"
#include "tests/support/memory_file_system.h"
#include "tests/unit/scheduler/spool/test_frames.h"

namespace internode::scheduler {
namespace {

using internode::core::Interval;
using internode::core::IntervalSet;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Call = testing::MemoryFileSystem::Call;
using State = SpoolHealth::State;

constexpr uint64_t kJob = 7;

class SpoolTest : public ::testing::Test {
 protected:
  SpoolTest() {
    options_.reserve_bytes = 0;
    Reopen();
    EXPECT_TRUE(spool_->Create(kJob).ok());
  }

  void Reopen() {
    spool_.reset();
    auto spool = Spool::Open(&files_, "/spool", options_);
    ASSERT_TRUE(spool.ok()) << spool.status();
    spool_ = *std::move(spool);
  }

  // As after the end of the process.
  std::vector<SpoolDamage> Restart() {
    files_.Kill();
    Reopen();
    auto damages = spool_->Recover(kJob);
    EXPECT_TRUE(damages.ok()) << damages.status();
    return *damages;
  }

  absl::StatusOr<std::vector<Interval>> Append(
      Interval tasks, absl::Span<const Interval> wanted = {}) {
    const std::string bytes = MakeFrame(tasks);
    return spool_->Append(
        kJob, internode::core::FrameView::Parse(bytes).value(), wanted);
  }

  void Commit() { EXPECT_THAT(spool_->Commit(), IsEmpty()); }

  void ExpectDone(const std::vector<Interval>& runs) {
    IntervalSet done;
    for (const Interval& run : runs) done.Add(run);
    ExpectHolds(*spool_->Find(kJob), done);
  }

  testing::MemoryFileSystem files_;
  SpoolOptions options_;
  std::unique_ptr<Spool> spool_;
};

TEST_F(SpoolTest, AFrameCountsOnceItIsCommitted) {
  EXPECT_THAT(Append({0, 10}).value(), ElementsAre(Interval{0, 10}));
  ExpectDone({});
  Commit();
  ExpectDone({{0, 10}});
}

TEST_F(SpoolTest, AFrameThatIsThereIsDropped) {
  ASSERT_TRUE(Append({0, 10}).ok());
  EXPECT_THAT(Append({0, 10}).value(), IsEmpty());
  EXPECT_THAT(Append({3, 5}).value(), IsEmpty());
  Commit();
  const int64_t bytes = spool_->disk_bytes();
  EXPECT_THAT(Append({0, 10}).value(), IsEmpty());
  Commit();
  EXPECT_EQ(spool_->disk_bytes(), bytes);
  ExpectDone({{0, 10}});
}

TEST_F(SpoolTest, OfAFrameOnlyWhatIsMissingIsWritten) {
  ASSERT_TRUE(Append({5, 8}).ok());
  ASSERT_TRUE(Append({12, 14}).ok());
  EXPECT_THAT(Append({0, 20}).value(),
              ElementsAre(Interval{0, 5}, Interval{8, 12}, Interval{14, 20}));
  Commit();
  ExpectDone({{0, 20}});
  Restart();
  ExpectDone({{0, 20}});
}

TEST_F(SpoolTest, OfAFrameOnlyWhatIsWantedIsWritten) {
  const std::vector<Interval> wanted = {{-5, 3}, {6, 8}, {18, 99}};
  EXPECT_THAT(Append({0, 20}, wanted).value(),
              ElementsAre(Interval{0, 3}, Interval{6, 8}, Interval{18, 20}));
  EXPECT_THAT(Append({20, 30}, {{40, 50}}).value(), IsEmpty());
  Commit();
  ExpectDone({{0, 3}, {6, 8}, {18, 20}});
}

TEST_F(SpoolTest, AReaderBeginsAnywhere) {
  ASSERT_TRUE(Append({10, 20}).ok());
  ASSERT_TRUE(Append({0, 10}).ok());
  ASSERT_TRUE(Append({25, 30}).ok());
  Commit();
  SpoolReader reader(spool_->Find(kJob), 3);
  EXPECT_EQ(reader.Next().value(), MakeFrame({3, 10}));
  EXPECT_EQ(reader.Next().value(), MakeFrame({10, 20}));
  EXPECT_FALSE(reader.Ready());
  EXPECT_EQ(reader.Next().value(), std::nullopt);
  EXPECT_EQ(reader.next_task(), 20);
  ASSERT_TRUE(Append({18, 26}).ok());
  Commit();
  EXPECT_TRUE(reader.Ready());
  EXPECT_EQ(reader.Next().value(), MakeFrame({20, 25}));
  EXPECT_EQ(reader.Next().value(), MakeFrame({25, 30}));
}

TEST_F(SpoolTest, SegmentsAreRolled) {
  options_.segment_bytes = 1000;
  Restart();
  for (int64_t i = 50; i-- > 0;) {
    ASSERT_TRUE(Append({i * 10, i * 10 + 10}).ok());
    if (i % 4 == 0) Commit();
  }
  EXPECT_GT(files_.FilesBelow("/spool").size(), 5u);
  ExpectDone({{0, 500}});
  EXPECT_THAT(Restart(), IsEmpty());
  ExpectDone({{0, 500}});
}

TEST_F(SpoolTest, AFrameLargerThanASegmentHasOneOfItsOwn) {
  options_.segment_bytes = 100;
  Restart();
  ASSERT_TRUE(Append({0, 1000}).ok());
  ASSERT_TRUE(Append({1000, 1001}).ok());
  Commit();
  EXPECT_THAT(files_.FilesBelow("/spool"), SizeIs(2));
  ExpectDone({{0, 1001}});
}

TEST_F(SpoolTest, ShortWritesAreContinued) {
  files_.SetMostPerAppend(3);
  ASSERT_TRUE(Append({0, 50}).ok());
  Commit();
  ExpectDone({{0, 50}});
  EXPECT_THAT(Restart(), IsEmpty());
}

TEST_F(SpoolTest, AFullDiskLeavesNoPartOfAFrame) {
  ASSERT_TRUE(Append({0, 10}).ok());
  Commit();
  const int64_t used = spool_->disk_bytes();
  const auto frame_bytes = static_cast<int64_t>(MakeFrame({10, 40}).size());
  files_.SetClaimedRoom(int64_t{1} << 30);
  for (int64_t room = 0; room < frame_bytes; ++room) {
    files_.SetCapacity(used + room);
    const absl::Status status = Append({10, 40}).status();
    ASSERT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(spool_->health().state, State::kFull);
    EXPECT_THAT(spool_->health().reason, HasSubstr("No space left on device"));
    ASSERT_EQ(spool_->disk_bytes(), used);
    Commit();
    ExpectDone({{0, 10}});
  }
  EXPECT_FALSE(spool_->Probe());
  files_.SetCapacity(int64_t{1} << 30);
  EXPECT_TRUE(spool_->Probe());
  EXPECT_TRUE(spool_->health().ok());
  ASSERT_TRUE(Append({10, 40}).ok());
  Commit();
  ExpectDone({{0, 40}});
  EXPECT_THAT(Restart(), IsEmpty());
  ExpectDone({{0, 40}});
}

TEST_F(SpoolTest, SomeRoomIsKeptFree) {
  options_.reserve_bytes = 10000;
  Restart();
  files_.SetCapacity(10000 + 100);
  const absl::Status status = Append({0, 100}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("the disk of '/spool' is full"));
  EXPECT_EQ(spool_->health().state, State::kFull);
  EXPECT_FALSE(spool_->Probe());
  files_.SetCapacity(10000 + (2 << 20));
  EXPECT_TRUE(spool_->Probe());
  EXPECT_TRUE(Append({0, 100}).ok());
}

TEST_F(SpoolTest, TheRoomIsLookedAtAgainAsItShrinks) {
  options_.reserve_bytes = 1000;
  files_.SetCapacity(20000);
  Restart();
  absl::Status status;
  for (int64_t i = 0; i < 1000 && status.ok(); ++i) {
    status = Append({i * 10, i * 10 + 10}).status();
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_GE(spool_->FreeBytes().value(), 900);
}

TEST_F(SpoolTest, APartialWriteThatCannotBeCutEndsItsSegment) {
  ASSERT_TRUE(Append({0, 10}).ok());
  Commit();
  files_.SetClaimedRoom(int64_t{1} << 30);
  files_.SetCapacity(spool_->disk_bytes() + 30);
  files_.Fail(Call::kAppendTruncate, FileError(EIO, "truncate", "x"));
  EXPECT_FALSE(Append({10, 20}).ok());
  files_.SetFault(nullptr);
  files_.SetCapacity(int64_t{1} << 30);
  ASSERT_TRUE(Append({10, 30}).ok());
  Commit();
  EXPECT_THAT(files_.FilesBelow("/spool"), SizeIs(2));
  ExpectDone({{0, 30}});
  const std::vector<SpoolDamage> damages = Restart();
  ASSERT_THAT(damages, SizeIs(1));
  EXPECT_EQ(damages[0].kind, SpoolDamage::Kind::kTornTail);
  ExpectDone({{0, 30}});
  // It was cut off.
  EXPECT_THAT(Restart(), IsEmpty());
}

TEST_F(SpoolTest, AFrameOfWhichOnePartFailsIsNotThereAtAll) {
  ASSERT_TRUE(Append({5, 8}).ok());
  Commit();
  int appends = 0;
  files_.SetFault([&appends](Call call, const std::string& path) {
    return call == Call::kAppend && ++appends == 2
               ? FileError(EIO, "write", path)
               : absl::OkStatus();
  });
  const absl::Status status = Append({0, 20}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(spool_->health().state, State::kFailing);
  files_.SetFault(nullptr);
  Commit();
  ExpectDone({{5, 8}});
  EXPECT_THAT(Append({0, 20}).value(), SizeIs(2));
  Commit();
  ExpectDone({{0, 20}});
  Restart();
  ExpectDone({{0, 20}});
}

TEST_F(SpoolTest, WhatCannotBeSyncedIsNotThere) {
  ASSERT_TRUE(spool_->Create(8).ok());
  ASSERT_TRUE(Append({0, 10}).ok());
  Commit();
  const std::string other = MakeFrame({0, 5});
  ASSERT_TRUE(Append({10, 20}).ok());
  ASSERT_TRUE(
      spool_->Append(8, internode::core::FrameView::Parse(other).value()).ok());
  files_.SetFault([](Call call, const std::string& path) {
    return call == Call::kAppendSync &&
                   absl::string_view(path).find("0000000007") !=
                       absl::string_view::npos
               ? FileError(EIO, "sync", path)
               : absl::OkStatus();
  });
  const std::vector<Spool::CommitFailure> failures = spool_->Commit();
  files_.SetFault(nullptr);
  ASSERT_THAT(failures, SizeIs(1));
  EXPECT_EQ(failures[0].job, kJob);
  EXPECT_THAT(failures[0].status.message(), HasSubstr("Input/output error"));
  EXPECT_EQ(spool_->health().state, State::kFailing);
  EXPECT_THAT(spool_->health().reason, HasSubstr("Input/output error"));
  ExpectDone({{0, 10}});
  EXPECT_EQ(spool_->Find(8)->num_done(), 5);
  // It has to be sent again, and goes into a new file: what the kernel could
  // not write once it has forgotten.
  EXPECT_TRUE(spool_->Probe());
  EXPECT_THAT(Append({10, 20}).value(), ElementsAre(Interval{10, 20}));
  Commit();
  std::mt19937 random(1);
  files_.Crash(&random);
  Restart();
  ExpectDone({{0, 20}});
}

TEST_F(SpoolTest, AFolderThatCannotBeSyncedFailsTheCommit) {
  files_.Fail(Call::kSyncFolder, FileError(EIO, "sync", "x"));
  ASSERT_TRUE(Append({0, 10}).ok());
  EXPECT_THAT(spool_->Commit(), SizeIs(1));
  files_.SetFault(nullptr);
  ExpectDone({});
  ASSERT_TRUE(Append({0, 10}).ok());
  Commit();
  ExpectDone({{0, 10}});
}

TEST_F(SpoolTest, ASegmentThatCannotBeCreatedIsTriedAgain) {
  for (const Call call : {Call::kCreate, Call::kAppend}) {
    files_.Fail(call, FileError(ENOSPC, "write", "x"));
    EXPECT_EQ(Append({0, 10}).status().code(),
              absl::StatusCode::kResourceExhausted);
    EXPECT_FALSE(spool_->Probe());
  }
  EXPECT_THAT(files_.FilesBelow("/spool"), IsEmpty());
  files_.SetFault(nullptr);
  ASSERT_TRUE(Append({0, 10}).ok());
  Commit();
  ExpectDone({{0, 10}});
}

TEST_F(SpoolTest, WithoutFsyncNothingIsSynced) {
  options_.durability = Durability::kOs;
  Restart();
  files_.SetFault([](Call call, const std::string&) {
    EXPECT_NE(call, Call::kAppendSync);
    EXPECT_NE(call, Call::kSyncFolder);
    return absl::OkStatus();
  });
  ASSERT_TRUE(Append({0, 10}).ok());
  Commit();
  ExpectDone({{0, 10}});
}

TEST_F(SpoolTest, ManyFramesAreSyncedOnce) {
  int syncs = 0;
  files_.SetFault([&syncs](Call call, const std::string&) {
    syncs += call == Call::kAppendSync || call == Call::kSyncFolder ? 1 : 0;
    return absl::OkStatus();
  });
  for (int64_t i = 0; i < 100; ++i) ASSERT_TRUE(Append({i, i + 1}).ok());
  Commit();
  // The file, and the folder where it is new.
  EXPECT_EQ(syncs, 2);
  ASSERT_TRUE(Append({100, 101}).ok());
  Commit();
  Commit();
  EXPECT_EQ(syncs, 3);
}

TEST_F(SpoolTest, ADamagedFrameIsReadAsAnErrorAndLostAtTheNextStart) {
  ASSERT_TRUE(Append({0, 10}).ok());
  ASSERT_TRUE(Append({10, 20}).ok());
  Commit();
  const std::string path = files_.FilesBelow("/spool").front();
  std::string bytes = files_.Contents(path);
  bytes[kSegmentHeaderBytes + 60] ^= 4;
  files_.SetContents(path, bytes);
  SpoolReader reader(spool_->Find(kJob), 0);
  const absl::Status status = reader.Next().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("the frame at byte 32 is damaged"));
  EXPECT_EQ(SpoolReader(spool_->Find(kJob), 10).Next().value(),
            MakeFrame({10, 20}));

  EXPECT_THAT(Restart(), SizeIs(1));
  ExpectDone({{10, 20}});
  ASSERT_TRUE(Append({0, 10}).ok());
  Commit();
  ExpectDone({{0, 20}});
  // The damage is found again; what took its place is found too.
  EXPECT_THAT(Restart(), SizeIs(1));
  ExpectDone({{0, 20}});
}

TEST_F(SpoolTest, ATruncatedFileIsReadAsAnError) {
  ASSERT_TRUE(Append({0, 10}).ok());
  Commit();
  const std::string path = files_.FilesBelow("/spool").front();
  ASSERT_TRUE(files_.Truncate(path, 100).ok());
  const absl::Status status =
      SpoolReader(spool_->Find(kJob), 0).Next().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("the file ends within it"));
}

TEST_F(SpoolTest, WhatAnEndedProcessWroteIsDurableBeforeItCounts) {
  ASSERT_TRUE(Append({0, 10}).ok());
  Restart();
  ExpectDone({{0, 10}});
  std::mt19937 random(1);
  files_.Crash(&random);
  Restart();
  ExpectDone({{0, 10}});
}

TEST_F(SpoolTest, ForgetLeavesNothing) {
  ASSERT_TRUE(Append({0, 10}).ok());
  Commit();
  SpoolReader reader(spool_->Find(kJob), 0);
  ASSERT_TRUE(Append({10, 12}).ok());
  EXPECT_TRUE(spool_->Forget(kJob).ok());
  EXPECT_THAT(spool_->JobsToRecover(), IsEmpty());
  EXPECT_TRUE(spool_->DeleteForgotten(kJob).ok());
  EXPECT_THAT(files_.FilesBelow("/spool"), IsEmpty());
  EXPECT_EQ(spool_->Find(kJob), nullptr);
  EXPECT_EQ(spool_->disk_bytes(), 0);
  EXPECT_EQ(reader.Next().status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Append({0, 1}).status().code(), absl::StatusCode::kNotFound);
  Commit();
  EXPECT_TRUE(spool_->Forget(kJob).ok());
  EXPECT_TRUE(spool_->DeleteForgotten(kJob).ok());
  EXPECT_TRUE(spool_->Create(kJob).ok());
  ExpectDone({});
}

TEST_F(SpoolTest, ForgetThatWasInterruptedIsFinishedAtTheNextStart) {
  ASSERT_TRUE(Append({0, 10}).ok());
  Commit();
  for (const Call call : {Call::kRemove, Call::kRemoveFolder}) {
    files_.Fail(call, FileError(EIO, "remove", "x"));
    EXPECT_TRUE(spool_->Forget(kJob).ok());
    EXPECT_FALSE(spool_->DeleteForgotten(kJob).ok());
    files_.SetFault(nullptr);
    files_.Kill();
    Reopen();
    EXPECT_THAT(spool_->JobsToRecover(), IsEmpty());
    EXPECT_THAT(files_.FilesBelow("/spool"), IsEmpty());
    ASSERT_TRUE(spool_->Create(kJob).ok());
  }
}

TEST_F(SpoolTest, JobsAreFoundAtStart) {
  ASSERT_TRUE(spool_->Create(3).ok());
  files_.Kill();
  Reopen();
  EXPECT_THAT(spool_->JobsToRecover(), ElementsAre(3, kJob));
  EXPECT_TRUE(spool_->Recover(3).ok());
  EXPECT_THAT(spool_->JobsToRecover(), ElementsAre(kJob));
  EXPECT_EQ(spool_->Recover(3).status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(spool_->Create(3).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(spool_->health().ok());
  // A job that never came to write anything.
  EXPECT_TRUE(spool_->Recover(99).ok());
  EXPECT_NE(spool_->Find(99), nullptr);
}

TEST_F(SpoolTest, RecoveryThatCannotSyncIsAnError) {
  ASSERT_TRUE(Append({0, 10}).ok());
  Commit();
  files_.Kill();
  Reopen();
  files_.Fail(Call::kSync, FileError(EIO, "sync", "x"));
  EXPECT_EQ(spool_->Recover(kJob).status().code(),
            absl::StatusCode::kUnavailable);
  files_.SetFault(nullptr);
  EXPECT_TRUE(spool_->Recover(kJob).ok());
  ExpectDone({{0, 10}});
}

TEST_F(SpoolTest, DiskUseIsThatOfTheFiles) {
  options_.segment_bytes = 2000;
  Restart();
  for (int64_t i = 0; i < 40; ++i) {
    ASSERT_TRUE(Append({i * 10, i * 10 + 10}).ok());
    int64_t bytes = 0;
    for (const std::string& path : files_.FilesBelow("/spool")) {
      bytes += static_cast<int64_t>(files_.Contents(path).size());
    }
    ASSERT_EQ(spool_->disk_bytes(), bytes);
  }
  Commit();
  const int64_t bytes = spool_->disk_bytes();
  Restart();
  EXPECT_EQ(spool_->disk_bytes(), bytes);
}

TEST_F(SpoolTest, ReadersKeepUpWithTheWriter) {
  constexpr int64_t kManyTasks = 4000;
  options_.segment_bytes = 20000;
  Restart();
  std::atomic<int> finished = 0;
  std::vector<std::thread> readers;
  for (int64_t first = 0; first < 3; ++first) {
    readers.emplace_back([this, first, &finished] {
      SpoolReader reader(spool_->Find(kJob), first * 500);
      while (reader.next_task() < kManyTasks) {
        const absl::StatusOr<std::optional<std::string>> frame = reader.Next();
        ASSERT_TRUE(frame.ok()) << frame.status();
        if (!frame->has_value()) {
          std::this_thread::yield();
          continue;
        }
        ASSERT_TRUE(IsRight(**frame));
      }
      ++finished;
    });
  }
  for (int64_t task = 0; task < kManyTasks; task += 20) {
    // Two frames in the wrong order, which overlap.
    ASSERT_TRUE(Append({task + 10, task + 20}).ok());
    ASSERT_TRUE(Append({task, task + 15}).ok());
    Commit();
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(finished, 3);
}

TEST(SpoolOnDiskTest, ASpoolIsFoundAgain) {
  std::string folder = ::testing::TempDir() + "/spoolXXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  for (const Durability durability : {Durability::kFsync, Durability::kOs}) {
    const SpoolOptions options = {
        .durability = durability, .segment_bytes = 3000, .reserve_bytes = 0};
    IntervalSet done;
    for (int64_t start = 0; start < 4; ++start) {
      auto spool = Spool::Open(PosixFileSystem(), folder + "/spool", options);
      ASSERT_TRUE(spool.ok()) << spool.status();
      ASSERT_TRUE((*spool)->Recover(kJob).ok());
      ExpectHolds(*(*spool)->Find(kJob), done);
      for (int64_t i = 0; i < 5; ++i) {
        const Interval tasks = {start * 100 + i * 20,
                                start * 100 + i * 20 + 25};
        const std::string bytes = MakeFrame(tasks);
        ASSERT_TRUE(
            (*spool)
                ->Append(kJob, internode::core::FrameView::Parse(bytes).value())
                .ok());
        done.Add(tasks);
      }
      EXPECT_THAT((*spool)->Commit(), IsEmpty());
      ExpectHolds(*(*spool)->Find(kJob), done);
      if (start == 3) {
        EXPECT_TRUE((*spool)->Forget(kJob).ok());
        EXPECT_TRUE((*spool)->DeleteForgotten(kJob).ok());
      }
    }
  }
  std::filesystem::remove_all(folder);
}

TEST(DurabilityTest, IsParsed) {
  EXPECT_EQ(ParseDurability("fsync").value(), Durability::kFsync);
  EXPECT_EQ(ParseDurability("os").value(), Durability::kOs);
  EXPECT_EQ(ParseDurability("fsyn").status(),
            absl::InvalidArgumentError("there is no durability 'fsyn'; there "
                                       "are fsync, os (did you mean "
                                       "'fsync'?)"));
}

}  // namespace
}  // namespace internode::scheduler
