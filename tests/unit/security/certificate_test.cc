#include "security/certificate.h"

#include <string>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace internode::security {
namespace {

using ::testing::HasSubstr;

const absl::Time kMade = absl::FromUnixSeconds(1'800'000'000);

KeyPair Authority() {
  return NewAuthority("Test CA", kMade, absl::Hours(24)).value();
}

TEST(CertificateTest, SaysWhoItIs) {
  const KeyPair pair = NewClientCertificate(Authority(), "node7", Role::kWorker,
                                            kMade, absl::Hours(2))
                           .value();
  const CertificateInfo info =
      DescribeCertificate(pair.certificate, "it").value();
  EXPECT_EQ(info.name, "node7");
  EXPECT_EQ(info.unit, "worker");
  EXPECT_EQ(info.issuer, "Test CA");
  EXPECT_EQ(info.names, "");
  EXPECT_EQ(info.expires, kMade + absl::Hours(2));
  // Clocks differ.
  EXPECT_EQ(info.begins, kMade - absl::Minutes(5));
}

TEST(CertificateTest, AServersIsForItsNames) {
  const KeyPair pair =
      NewServerCertificate(Authority(),
                           {"node1.example.org", "10.0.0.1", "::1"}, kMade,
                           absl::Hours(2))
          .value();
  const CertificateInfo info =
      DescribeCertificate(pair.certificate, "it").value();
  EXPECT_EQ(info.name, "node1.example.org");
  EXPECT_EQ(info.names, "DNS:node1.example.org, IP:10.0.0.1, IP:::1");
}

TEST(CertificateTest, NamesThatAreNoneAreRefused) {
  for (const char* name : {"", "a b", "a,DNS:b", "-a", "a/b", "*", "é"}) {
    EXPECT_EQ(NewServerCertificate(Authority(), {name}, kMade, absl::Hours(1))
                  .status()
                  .code(),
              absl::StatusCode::kInvalidArgument)
        << name;
  }
  EXPECT_EQ(NewServerCertificate(Authority(), {}, kMade, absl::Hours(1))
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(NewClientCertificate(Authority(), "a b", Role::kRead, kMade,
                                 absl::Hours(1))
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(CertificateTest, KeysFitOrNot) {
  const KeyPair a = Authority();
  const KeyPair b = Authority();
  EXPECT_TRUE(CheckKeyPair(a, "a.crt", "a.key").ok());
  EXPECT_THAT(
      std::string(
          CheckKeyPair({a.certificate, b.key}, "a.crt", "b.key").message()),
      HasSubstr("b.key is not the key of a.crt"));
  EXPECT_THAT(
      std::string(CheckKeyPair({"", b.key}, "a.crt", "b.key").message()),
      HasSubstr("a.crt is no certificate"));
  EXPECT_THAT(
      std::string(
          CheckKeyPair({a.certificate, "junk"}, "a.crt", "b.key").message()),
      HasSubstr("b.key is no private key"));
}

TEST(CertificateTest, DamagedOnesAreRefused) {
  const std::string good = Authority().certificate;
  for (size_t size = 0; size + 2 < good.size(); size += 13) {
    EXPECT_FALSE(DescribeCertificate(good.substr(0, size), "it").ok()) << size;
  }
  for (size_t i = 40; i + 40 < good.size(); i += 7) {
    std::string bad = good;
    bad[i] = '!';
    EXPECT_FALSE(DescribeCertificate(bad, "it").ok()) << i;
  }
}

TEST(CertificateTest, KeysAreNotEncrypted) {
  EXPECT_TRUE(absl::StartsWith(Authority().key, "-----BEGIN PRIVATE KEY-----"));
}

}  // namespace
}  // namespace internode::security
