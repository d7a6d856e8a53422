#include "scheduler/journal/job_id.h"

#include "gtest/gtest.h"

namespace internode::scheduler {
namespace {

TEST(JobIdTest, IsShortAndSorts) {
  EXPECT_EQ(FormatJobId({1}), "j000001");
  EXPECT_EQ(FormatJobId({42}), "j000042");
  EXPECT_EQ(FormatJobId({1234567}), "j1234567");
  EXPECT_LT(FormatJobId({9}), FormatJobId({10}));
}

TEST(JobIdTest, IsReadBack) {
  for (const uint64_t number : {1ull, 42ull, 999999ull, 1234567ull}) {
    EXPECT_EQ(ParseJobId(FormatJobId({number})).value().value, number);
  }
  EXPECT_EQ(ParseJobId("42").value().value, 42u);
}

TEST(JobIdTest, OtherTextIsRefused) {
  for (const char* text : {"", "j", "j0", "x42", "j-1", "j4 2", "42j", "jj42",
                           "j99999999999999999999", "j000042\n"}) {
    EXPECT_EQ(ParseJobId(text).status().code(),
              absl::StatusCode::kInvalidArgument)
        << text;
  }
  EXPECT_EQ(ParseJobId("job42").status(),
            absl::InvalidArgumentError(
                "'job42' is no job's id; one looks like j000042"));
}

}  // namespace
}  // namespace internode::scheduler
