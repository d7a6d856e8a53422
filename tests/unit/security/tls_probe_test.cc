#include "security/tls_probe.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

// With servers: tests/integration/certificates_test.py.

namespace internode::security {
namespace {

using ::testing::HasSubstr;

TEST(TlsProbeTest, NobodyThereIsNoFaultOfTls) {
  TlsProbe probe;
  for (const char* address : {"127.0.0.1:1", "[::1]:1", "nowhere.invalid:1", "",
                              "127.0.0.1", "unix:/nowhere"}) {
    probe.address = address;
    EXPECT_TRUE(DiagnoseTls(probe).ok()) << address;
  }
}

TEST(TlsProbeTest, FilesAreChecked) {
  EXPECT_TRUE(CheckTlsFiles({}).ok());
  EXPECT_THAT(std::string(CheckTlsFiles({"", "c", ""}).message()),
              HasSubstr("together"));
  EXPECT_THAT(std::string(CheckTlsFiles({"/nowhere/ca", "", ""}).message()),
              HasSubstr("/nowhere/ca"));
  EXPECT_THAT(std::string(CheckTlsFiles({"/dev/null", "", ""}).message()),
              HasSubstr("/dev/null"));
}

}  // namespace
}  // namespace internode::security
