#include "security/role.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace internode::security {
namespace {

using ::testing::HasSubstr;

TEST(RoleTest, NamesAreRead) {
  for (const Role role :
       {Role::kRead, Role::kSubmit, Role::kAdmin, Role::kWorker}) {
    EXPECT_EQ(ParseRole(RoleName(role)).value(), role);
  }
}

TEST(RoleTest, OthersAreRefused) {
  for (const char* name : {"", "root", "Admin", "worker ", "scheduler"}) {
    const absl::Status status = ParseRole(name).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("admin, submit, read and worker"));
  }
}

}  // namespace
}  // namespace internode::security
