#include "security/certificate_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "security/private_file.h"
#include "security/tls_probe.h"

namespace internode::security {
namespace {

using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

class CertificateFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = absl::StrCat(
        ::testing::TempDir(), "/certificates_", getpid(), "_",
        ::testing::UnitTest::GetInstance()->current_test_info()->name());
    options_.server_names = {"node1", "127.0.0.1"};
  }
  std::string Read(const std::string& name) const {
    return ReadSmallFile(absl::StrCat(folder_, "/", name)).value();
  }

  std::string folder_;
  CertificateFilesOptions options_;
};

TEST_F(CertificateFilesTest, AllAreMadeForTheOwnerAlone) {
  EXPECT_FALSE(HasCertificates(folder_));
  ASSERT_TRUE(InitCertificates(folder_, options_, kNow).ok());
  EXPECT_TRUE(HasCertificates(folder_));
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    struct stat status = {};
    ASSERT_EQ(stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600u) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 8);
  for (const auto& [name, unit] :
       {std::pair("server", "scheduler"), std::pair("worker", "worker"),
        std::pair("client", "admin")}) {
    const std::string path = absl::StrCat(folder_, "/", name);
    EXPECT_TRUE(
        CheckTlsFiles({folder_ + "/ca.crt", path + ".crt", path + ".key"})
            .ok());
    EXPECT_EQ(DescribeCertificate(Read(absl::StrCat(name, ".crt")), "")->unit,
              unit);
  }
}

TEST_F(CertificateFilesTest, NothingIsOverwritten) {
  ASSERT_TRUE(InitCertificates(folder_, options_, kNow).ok());
  const std::string before = Read("ca.key");
  const absl::Status again = InitCertificates(folder_, options_, kNow);
  EXPECT_EQ(again.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(again.message()), HasSubstr("--renew"));
  EXPECT_EQ(Read("ca.key"), before);
}

TEST_F(CertificateFilesTest, RenewedOnesAreOfTheSameAuthority) {
  EXPECT_EQ(RenewCertificates(folder_, options_, kNow).code(),
            absl::StatusCode::kNotFound);
  ASSERT_TRUE(InitCertificates(folder_, options_, kNow).ok());
  const std::string authority = Read("ca.crt");
  const std::string server = Read("server.crt");
  options_.server_names = {"node2"};
  ASSERT_TRUE(
      RenewCertificates(folder_, options_, kNow + absl::Hours(24)).ok());
  EXPECT_EQ(Read("ca.crt"), authority);
  EXPECT_NE(Read("server.crt"), server);
  EXPECT_EQ(DescribeCertificate(Read("server.crt"), "")->names, "DNS:node2");
  EXPECT_EQ(DescribeCertificate(Read("server.crt"), "")->expires,
            kNow + absl::Hours(24 * 366));
}

TEST_F(CertificateFilesTest, MoreAreIssued) {
  EXPECT_EQ(
      IssueCertificate(folder_, "alice", Role::kSubmit, kNow, absl::Hours(1))
          .code(),
      absl::StatusCode::kNotFound);
  ASSERT_TRUE(InitCertificates(folder_, options_, kNow).ok());
  ASSERT_TRUE(
      IssueCertificate(folder_, "alice", Role::kSubmit, kNow, absl::Hours(1))
          .ok());
  EXPECT_EQ(DescribeCertificate(Read("alice.crt"), "")->unit, "submit");
  EXPECT_EQ(
      IssueCertificate(folder_, "alice", Role::kRead, kNow, absl::Hours(1))
          .code(),
      absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(
      IssueCertificate(folder_, "../alice", Role::kRead, kNow, absl::Hours(1))
          .code(),
      absl::StatusCode::kInvalidArgument);
}

TEST_F(CertificateFilesTest, AnAuthorityThatIsNoneIsSaid) {
  ASSERT_TRUE(InitCertificates(folder_, options_, kNow).ok());
  ASSERT_TRUE(WritePrivateFile(folder_ + "/ca.key", Read("server.key")).ok());
  const absl::Status status = RenewCertificates(folder_, options_, kNow);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("the CA's key"));
}

}  // namespace
}  // namespace internode::security
