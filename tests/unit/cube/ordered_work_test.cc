#include "cube/ordered_work.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <stdexcept>
#include <vector>

namespace internode::cube {
namespace {

TEST(RunWorkTest, DeliversInOrder) {
  for (const int threads : {1, 2, 7}) {
    std::vector<int64_t> delivered;
    const absl::Status status = RunWork(
        threads, 500, nullptr, [](int, int64_t) { return absl::OkStatus(); },
        [&](int, int64_t number) {
          delivered.push_back(number);
          return absl::OkStatus();
        });
    EXPECT_TRUE(status.ok()) << status;
    std::vector<int64_t> all(500);
    std::iota(all.begin(), all.end(), 0);
    EXPECT_EQ(delivered, all);
  }
}

TEST(RunWorkTest, GivesEachThreadItsNumber) {
  std::vector<std::atomic<int>> inside(4);
  const absl::Status status =
      RunWork(4, 2000, nullptr, [&](int thread, int64_t) {
        const bool alone =
            inside[static_cast<size_t>(thread)].fetch_add(1) == 0;
        inside[static_cast<size_t>(thread)].fetch_sub(1);
        return alone ? absl::OkStatus() : absl::InternalError("shared");
      });
  EXPECT_TRUE(status.ok()) << status;
}

TEST(RunWorkTest, EndsAtAnErrorWithoutWaitingForTheTurn) {
  for (const int threads : {1, 2, 7}) {
    for (const int64_t bad : {0, 1, 250, 499}) {
      int64_t delivered = 0;
      const auto deliver = [&](int, int64_t) {
        ++delivered;
        return absl::OkStatus();
      };
      EXPECT_EQ(RunWork(
                    threads, 500, nullptr,
                    [&](int, int64_t number) -> absl::Status {
                      if (number == bad) throw std::bad_alloc();
                      return absl::OkStatus();
                    },
                    deliver)
                    .code(),
                absl::StatusCode::kResourceExhausted);
      EXPECT_EQ(delivered, bad);
    }
  }
  EXPECT_EQ(RunWork(3, 9, nullptr,
                    [](int, int64_t) -> absl::Status {
                      throw std::runtime_error("it broke");
                    }),
            absl::InternalError("it broke"));
}

TEST(RunWorkTest, CanBeCancelled) {
  std::atomic<bool> cancel = false;
  std::atomic<int64_t> done = 0;
  const absl::Status status = RunWork(
      2, 1000, &cancel,
      [&](int, int64_t number) {
        if (number == 10) cancel = true;
        ++done;
        return absl::OkStatus();
      },
      [](int, int64_t) { return absl::OkStatus(); });
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_LT(done, 20);
}

TEST(RunWorkTest, NothingToDo) {
  EXPECT_TRUE(RunWork(2, 0, nullptr, [](int, int64_t) {
                return absl::InternalError("called");
              }).ok());
}

}  // namespace
}  // namespace internode::cube
