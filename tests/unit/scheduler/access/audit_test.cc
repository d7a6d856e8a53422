#include "scheduler/access/audit.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace internode::scheduler {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Caller Alice() {
  return {.name = "alice",
          .role = security::Role::kSubmit,
          .token_id = "3f9a1c02",
          .peer = "10.0.0.5:40312"};
}

TEST(AuditTest, SaysWhoDidWhat) {
  EXPECT_EQ(
      AuditLine("submit", Alice(), {{"job", "j000017"}, {"function", "ccdc"}},
                absl::OkStatus()),
      "audit action=submit by=alice role=submit token=3f9a1c02 "
      "peer=10.0.0.5:40312 job=j000017 function=ccdc result=ok");
}

TEST(AuditTest, SaysWhyNot) {
  Caller caller = Alice();
  caller.token_id.clear();
  EXPECT_EQ(AuditLine("cancel", caller, {{"job", "j9"}},
                      absl::NotFoundError("there is no job 'j9'")),
            "audit action=cancel by=alice role=submit peer=10.0.0.5:40312 "
            "job=j9 result=\"there is no job \\'j9\\'\"");
}

TEST(AuditTest, NoValueLooksLikeAnotherFieldOrLine) {
  for (const char* value : {"a b", "x result=ok", "a\nb audit action=forget",
                            "\"", "\\", "", "\x1b[31m", "a=b"}) {
    const std::string line =
        AuditLine("submit", Alice(), {{"cube", value}}, absl::OkStatus());
    EXPECT_THAT(line, HasSubstr(" cube=\"")) << value;
    EXPECT_THAT(line, Not(HasSubstr("\n")));
    EXPECT_THAT(line, Not(HasSubstr("\x1b")));
  }
}

TEST(AuditTest, LongValuesAreCut) {
  EXPECT_LT(AuditLine("submit", Alice(), {{"cube", std::string(1 << 20, 'x')}},
                      absl::OkStatus())
                .size(),
            1000u);
}

}  // namespace
}  // namespace internode::scheduler
