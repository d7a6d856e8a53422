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

TEST(StatusTest, NamesTheFlagOfAMessageThatIsTooLarge) {
  const grpc::Status status(
      grpc::StatusCode::RESOURCE_EXHAUSTED,
      "Received message larger than max (3145789 vs. 2097152)");
  EXPECT_EQ(FromGrpc(status),
            absl::ResourceExhaustedError(
                "a message has 3145789 bytes; at most 2097152 are taken "
                "(--max-message of the scheduler)"));
}

}  // namespace
}  // namespace internode::rpc
