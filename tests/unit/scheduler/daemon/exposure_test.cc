#include "scheduler/exposure.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace internode::scheduler {
namespace {

using ::testing::HasSubstr;

// Every combination of the flags that count.
TEST(ExposureTest, NothingIsOpenToStrangersUnlessInsecureIsGiven) {
  int accepted = 0;
  for (int bits = 0; bits < 128; ++bits) {
    const auto bit = [bits](int i) { return (bits >> i & 1) != 0; };
    Config config;
    config.listen_host = bit(0) ? "0.0.0.0" : "127.0.0.1";
    config.http_host = bit(1) ? "10.0.0.5" : "::1";
    config.http = bit(2);
    if (bit(3)) config.tls_cert = config.tls_key = "f";
    if (bit(4)) config.tls_client_ca = "f";
    if (bit(5)) config.tokens = "f";
    config.insecure = bit(6);
    const absl::Status status = CheckExposure(config);
    SCOPED_TRACE(bits);
    if (!status.ok()) {
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
      EXPECT_THAT(std::string(status.message()), HasSubstr("--"));
      continue;
    }
    ++accepted;
    EXPECT_TRUE(!OpenToStrangers(config) || config.insecure);
    // No token in the clear beyond this machine.
    if (AsksReaders(config)) {
      EXPECT_TRUE(HttpsServed(config));
    }
    if (bit(0) && bit(5)) {
      EXPECT_TRUE(bit(3));
    }
  }
  EXPECT_GT(accepted, 40);
}

TEST(ExposureTest, LoopbackNeedsNothing) {
  EXPECT_TRUE(CheckExposure(Config()).ok());
  EXPECT_FALSE(OpenToStrangers(Config()));
}

TEST(ExposureTest, SaysWhatToGive) {
  Config config;
  config.listen_host = "0.0.0.0";
  EXPECT_THAT(std::string(CheckExposure(config).message()),
              HasSubstr("--tls-cert, --tls-key and --tokens"));
  config.tls_cert = "c";
  EXPECT_THAT(std::string(CheckExposure(config).message()),
              HasSubstr("--tls-key"));
  config.tls_key = "k";
  EXPECT_THAT(std::string(CheckExposure(config).message()),
              HasSubstr("--tokens or --tls-client-ca"));
  config.tokens = "t";
  EXPECT_TRUE(CheckExposure(config).ok());
  config.http_host = "0.0.0.0";
  EXPECT_TRUE(CheckExposure(config).ok());
  EXPECT_TRUE(HttpsServed(config));
  EXPECT_TRUE(AsksReaders(config));
}

}  // namespace
}  // namespace internode::scheduler
