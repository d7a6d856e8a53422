#include "rpc/server.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "internode/v1/client.grpc.pb.h"

namespace internode::rpc {
namespace {

TEST(ServerTest, BindsAnyFreePort) {
  internode::v1::ClientService::CallbackService service;
  const auto server = Server::Start({}, {&service});
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_GT((*server)->port(), 0);
  EXPECT_EQ((*server)->address(),
            "127.0.0.1:" + std::to_string((*server)->port()));
}

TEST(ServerTest, RefusesATakenPort) {
  internode::v1::ClientService::CallbackService service;
  const auto first = Server::Start({}, {&service});
  ASSERT_TRUE(first.ok());
  internode::v1::ClientService::CallbackService other;
  ServerOptions options;
  options.port = (*first)->port();
  const auto second = Server::Start(options, {&other});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(std::string(second.status().message()),
            "cannot listen on " + (*first)->address() +
                ": the port is taken or the address is not this machine's; "
                "choose another with --port, or 0 for any free one");
}

TEST(ServerTest, StopsTwice) {
  internode::v1::ClientService::CallbackService service;
  const auto server = Server::Start({}, {&service});
  ASSERT_TRUE(server.ok());
  (*server)->Stop(absl::Now());
  (*server)->Stop(absl::Now());
}

}  // namespace
}  // namespace internode::rpc
