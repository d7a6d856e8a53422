#include "rpc/status.h"

#include <gtest/gtest.h>

#include <string>

namespace internode::rpc {
namespace {

TEST(StatusTest, CarriesCodeAndMessage) {
  for (int code = 1; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "why");
    EXPECT_EQ(FromGrpc(ToGrpc(status)), status);
  }
  EXPECT_TRUE(FromGrpc(ToGrpc(absl::OkStatus())).ok());
}

TEST(StatusTest, CutsLongMessages) {
  const std::string text(1 << 20, 'x');
  EXPECT_EQ(ToGrpc(absl::InternalError(text)).error_message().size(), 4096u);
}

}  // namespace
}  // namespace internode::rpc
