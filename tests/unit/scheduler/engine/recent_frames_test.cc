#include "scheduler/engine/recent_frames.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "tests/unit/scheduler/spool/test_frames.h"

namespace internode::scheduler {
namespace {

constexpr core::JobId kJob = {1};
constexpr core::JobId kOther = {2};

// All of these frames have one size.
constexpr int64_t kStep = 21;

std::shared_ptr<const ReceivedFrame> FrameAt(int64_t i) {
  return ReceivedFrame::Create(MakeFrame({i * kStep, i * kStep + 1})).value();
}

TEST(RecentFramesTest, FindsByTheFirstTask) {
  RecentFrames recent(1 << 20);
  const std::shared_ptr<const ReceivedFrame> frame =
      ReceivedFrame::Create(MakeFrame({5, 8})).value();
  recent.Add(kJob, frame);
  EXPECT_EQ(recent.Find(kJob, 5), frame);
  EXPECT_EQ(recent.Find(kJob, 6), nullptr);
  EXPECT_EQ(recent.Find(kJob, 8), nullptr);
  EXPECT_EQ(recent.Find(kOther, 5), nullptr);
}

TEST(RecentFramesTest, TheOldestGoFirst) {
  const auto first = FrameAt(0);
  RecentFrames recent(3 * first->num_bytes());
  recent.Add(kJob, first);
  for (int64_t task = 1; task < 10; ++task) {
    recent.Add(kJob, FrameAt(task));
    for (int64_t old = 0; old < 10; ++old) {
      EXPECT_EQ(recent.Find(kJob, old * kStep) != nullptr,
                old <= task && old > task - 3)
          << task << " " << old;
    }
  }
}

TEST(RecentFramesTest, WhatIsLargerThanAllIsNotKept) {
  const auto frame = FrameAt(0);
  RecentFrames recent(frame->num_bytes() - 1);
  recent.Add(kJob, frame);
  EXPECT_EQ(recent.Find(kJob, 0), nullptr);
}

TEST(RecentFramesTest, TheLastOfATaskCounts) {
  const auto frame = FrameAt(0);
  RecentFrames recent(2 * frame->num_bytes());
  for (int i = 0; i < 5; ++i) recent.Add(kJob, FrameAt(0));
  recent.Add(kJob, frame);
  EXPECT_EQ(recent.Find(kJob, 0), frame);
  recent.Add(kJob, FrameAt(1));
  EXPECT_NE(recent.Find(kJob, kStep), nullptr);
}

TEST(RecentFramesTest, ForgetsAJobAndNoOther) {
  const auto frame = FrameAt(0);
  RecentFrames recent(4 * frame->num_bytes());
  recent.Add(kJob, FrameAt(0));
  recent.Add(kOther, FrameAt(0));
  recent.Add(kJob, FrameAt(1));
  recent.Forget(kJob);
  EXPECT_EQ(recent.Find(kJob, 0), nullptr);
  EXPECT_EQ(recent.Find(kJob, kStep), nullptr);
  EXPECT_NE(recent.Find(kOther, 0), nullptr);
  // Their room is free again.
  for (int64_t task = 1; task < 4; ++task) {
    recent.Add(kOther, FrameAt(task));
  }
  for (int64_t task = 0; task < 4; ++task) {
    EXPECT_NE(recent.Find(kOther, task * kStep), nullptr) << task;
  }
}

}  // namespace
}  // namespace internode::scheduler
