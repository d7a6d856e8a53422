#include "client/reorder_window.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "tests/unit/client/fake_tasks.h"

namespace internode::client {
namespace {

std::unique_ptr<FakeResult> Result(int64_t value, int64_t bytes) {
  auto result = std::make_unique<FakeResult>();
  result->value = value;
  result->size = bytes;
  return result;
}

TEST(ReorderWindowTest, DeliversInOrderWhateverTheOrderOfEnds) {
  ReorderWindow window(0, 3, 3, 100);
  EXPECT_EQ(window.Begin(), 0);
  EXPECT_EQ(window.Begin(), 1);
  EXPECT_EQ(window.Begin(), 2);
  EXPECT_TRUE(window.exhausted());
  window.End(2, Result(2, 1));
  window.End(1, Result(1, 1));
  EXPECT_FALSE(window.CanDeliver());
  window.End(0, Result(0, 1));
  for (int64_t task = 0; task < 3; ++task) {
    ASSERT_TRUE(window.CanDeliver());
    ReorderWindow::Delivery delivery = window.StartDelivery();
    EXPECT_EQ(delivery.task, task);
    EXPECT_FALSE(window.CanDeliver()) << "one delivery at a time";
    window.FinishDelivery(std::move(delivery.result), absl::OkStatus());
  }
  EXPECT_TRUE(window.complete());
  EXPECT_EQ(window.waiting_bytes(), 0);
}

TEST(ReorderWindowTest, NoTaskBeginsFartherAheadThanTheWindow) {
  ReorderWindow window(10, 20, 2, 100);
  EXPECT_EQ(window.Begin(), 10);
  EXPECT_EQ(window.Begin(), 11);
  EXPECT_FALSE(window.CanBegin());
  window.End(11, Result(11, 1));
  EXPECT_FALSE(window.CanBegin());
  window.End(10, Result(10, 1));
  ReorderWindow::Delivery delivery = window.StartDelivery();
  EXPECT_FALSE(window.CanBegin()) << "a result on its way takes its place";
  window.FinishDelivery(std::move(delivery.result), absl::OkStatus());
  EXPECT_TRUE(window.CanBegin());
}

TEST(ReorderWindowTest, WaitingBytesHoldBackAllButTheNextToBeDelivered) {
  ReorderWindow window(0, 10, 8, 100);
  EXPECT_EQ(window.Begin(), 0);
  EXPECT_EQ(window.Begin(), 1);
  window.End(1, Result(1, 1000));
  EXPECT_FALSE(window.CanBegin());
  window.End(0, Result(0, 1000));
  for (int i = 0; i < 2; ++i) {
    ReorderWindow::Delivery delivery = window.StartDelivery();
    window.FinishDelivery(std::move(delivery.result), absl::OkStatus());
  }
  EXPECT_TRUE(window.CanBegin());
}

TEST(ReorderWindowTest, AFailureKeepsWhatIsBeforeItAndDropsWhatIsAfter) {
  ReorderWindow window(0, 10, 4, 100);
  for (int64_t task = 0; task < 4; ++task) EXPECT_EQ(window.Begin(), task);
  window.Fail(2, absl::DataLossError("two"));
  EXPECT_TRUE(window.exhausted());
  window.End(3, Result(3, 1));
  window.Fail(1, absl::DataLossError("one"));
  window.End(0, Result(0, 1));
  ReorderWindow::Delivery delivery = window.StartDelivery();
  EXPECT_EQ(delivery.task, 0);
  window.FinishDelivery(std::move(delivery.result), absl::OkStatus());
  EXPECT_FALSE(window.CanDeliver());
  EXPECT_EQ(window.status(), absl::DataLossError("one"));
  EXPECT_FALSE(window.complete());
}

TEST(ReorderWindowTest, AfterAStopNothingIsBegunOrDelivered) {
  ReorderWindow window(0, 10, 4, 100);
  window.Begin();
  window.End(0, Result(0, 1));
  window.Stop(absl::CancelledError("first"));
  window.Stop(absl::CancelledError("second"));
  EXPECT_TRUE(window.exhausted());
  EXPECT_FALSE(window.CanBegin());
  EXPECT_FALSE(window.CanDeliver());
  EXPECT_EQ(window.status(), absl::CancelledError("first"));
}

// Plays threads in one: at each turn a random one of the moves that the window
// allows is made, so that every interleaving can come up, and comes up again
// for the same seed.
class RandomPlay {
 public:
  explicit RandomPlay(uint32_t seed) : random_(seed) {
    num_tasks_ = Draw(0, 60);
    max_tasks_ = Draw(1, 12);
    max_bytes_ = Draw(1, 30);
    threads_ = Draw(1, 9);
    if (Draw(0, 3) == 0) failing_ = Draw(0, 60);
    if (Draw(0, 3) == 0) failing_later_ = Draw(0, 60);
  }

  void Play() {
    ReorderWindow window(0, num_tasks_, max_tasks_, max_bytes_);
    while (Step(&window)) {
      const int64_t ahead = next_ - static_cast<int64_t>(delivered_.size());
      EXPECT_LE(ahead, max_tasks_);
      EXPECT_LE(window.waiting_bytes(), max_bytes_ + 5 * threads_);
    }
    const int64_t first_failure = std::min(failing_, failing_later_);
    const int64_t expected = std::min(num_tasks_, first_failure);
    ASSERT_EQ(static_cast<int64_t>(delivered_.size()), expected);
    for (int64_t i = 0; i < expected; ++i) {
      EXPECT_EQ(delivered_[static_cast<size_t>(i)], i);
    }
    EXPECT_EQ(window.complete(), first_failure >= num_tasks_);
    if (!window.complete()) {
      EXPECT_EQ(window.status(),
                absl::DataLossError(std::to_string(first_failure)));
    }
  }

 private:
  int64_t Draw(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random_);
  }

  // Makes one of the possible moves; false when there is none left.
  bool Step(ReorderWindow* window) {
    std::vector<int> moves;
    const bool idle = static_cast<int64_t>(running_.size()) +
                          (delivery_.has_value() ? 1 : 0) <
                      threads_;
    if (idle && window->CanBegin()) moves.push_back(0);
    if (!running_.empty()) moves.push_back(1);
    if (window->CanDeliver()) moves.push_back(2);
    if (delivery_.has_value()) moves.push_back(3);
    if (moves.empty()) return false;
    switch (moves[static_cast<size_t>(
        Draw(0, static_cast<int64_t>(moves.size()) - 1))]) {
      case 0:
        EXPECT_EQ(window->Begin(), next_);
        running_.push_back(next_++);
        break;
      case 1:
        EndOne(window);
        break;
      case 2:
        delivery_ = window->StartDelivery();
        break;
      default:
        delivered_.push_back(delivery_->task);
        window->FinishDelivery(std::move(delivery_->result), absl::OkStatus());
        delivery_.reset();
    }
    return true;
  }

  void EndOne(ReorderWindow* window) {
    const size_t i =
        static_cast<size_t>(Draw(0, static_cast<int64_t>(running_.size()) - 1));
    const int64_t task = running_[i];
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    if (task == failing_ || task == failing_later_) {
      window->Fail(task, absl::DataLossError(std::to_string(task)));
    } else {
      window->End(task, Result(task, Draw(0, 5)));
    }
  }

  std::mt19937 random_;
  int64_t num_tasks_;
  int64_t max_tasks_;
  int64_t max_bytes_;
  int64_t threads_;
  int64_t failing_ = 1000;
  int64_t failing_later_ = 1000;
  int64_t next_ = 0;
  std::vector<int64_t> running_;
  std::optional<ReorderWindow::Delivery> delivery_;
  std::vector<int64_t> delivered_;
};

TEST(ReorderWindowTest, EveryInterleavingDeliversTheSame) {
  for (uint32_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(seed);
    RandomPlay(seed).Play();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace internode::client
