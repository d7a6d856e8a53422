#include "security/token.h"

#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace internode::security {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(TokenTest, ANewOneIsRead) {
  const Token token = NewToken().value();
  EXPECT_EQ(token.text.size(), 62u);
  EXPECT_THAT(token.text, StartsWith("internode_" + token.id + "_"));
  const Token read = ParseToken(" \t" + token.text + "\r\n").value();
  EXPECT_EQ(read.id, token.id);
  EXPECT_EQ(read.text, token.text);
}

TEST(TokenTest, NoTwoAreEqual) {
  std::set<std::string> texts;
  std::set<std::string> hashes;
  for (int i = 0; i < 1000; ++i) {
    const Token token = NewToken().value();
    texts.insert(token.text);
    hashes.insert(HashOf(token));
  }
  EXPECT_EQ(texts.size(), 1000u);
  EXPECT_EQ(hashes.size(), 1000u);
}

TEST(TokenTest, WhatIsNoneIsRefusedAndNotRepeated) {
  const std::string good = NewToken()->text;
  const std::string wrong[] = {"",
                               "internode_",
                               "secret",
                               good.substr(1),
                               good.substr(0, good.size() - 1),
                               good + "A",
                               good + "\n" + good,
                               "Internode" + good.substr(9),
                               "internode_XXXXXXXX" + good.substr(18),
                               good.substr(0, 18) + "-" + good.substr(19),
                               good.substr(0, 30) + "+" + good.substr(31),
                               good.substr(0, 30) + '\0' + good.substr(31),
                               std::string(1 << 20, 'x')};
  for (const std::string& text : wrong) {
    const absl::Status status = ParseToken(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument)
        << text.substr(0, 80);
    if (text.size() > 20) {
      EXPECT_THAT(std::string(status.message()),
                  Not(HasSubstr(text.substr(10, 20))));
    }
  }
}

// FIPS 180-2's way of counting: SHA-256 of the text, in hexadecimal digits.
TEST(TokenTest, TheHashIsSha256OfTheText) {
  EXPECT_EQ(HashOf({"", "abc"}),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(TokenTest, HashesAreCompared) {
  const std::string a(64, 'a');
  EXPECT_TRUE(SameHash(a, a));
  EXPECT_TRUE(SameHash("", ""));
  EXPECT_FALSE(SameHash(a, std::string(63, 'a')));
  for (size_t i = 0; i < a.size(); ++i) {
    std::string b = a;
    b[i] = 'b';
    EXPECT_FALSE(SameHash(a, b)) << i;
  }
}

}  // namespace
}  // namespace internode::security
