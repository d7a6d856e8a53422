#include "security/token_list.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace internode::security {
namespace {

using ::testing::HasSubstr;

const absl::Time kToday = absl::FromUnixSeconds(1'800'000'000);

class TokenListTest : public ::testing::Test {
 protected:
  Token Add(Role role, absl::Time expires = absl::InfiniteFuture()) {
    const Token token = NewToken().value();
    EXPECT_TRUE(list_.Add(token, role, expires, "node7").ok());
    return token;
  }

  TokenList list_;
};

TEST_F(TokenListTest, ATokenIsKnown) {
  const Token token = Add(Role::kSubmit);
  Add(Role::kWorker);
  const auto entry = list_.Check(token.text + "\n", kToday);
  ASSERT_TRUE(entry.ok()) << entry.status();
  EXPECT_EQ((*entry)->first, token.id);
  EXPECT_EQ((*entry)->second.role, Role::kSubmit);
  EXPECT_EQ((*entry)->second.name, "node7");
}

TEST_F(TokenListTest, AnotherSecretOfTheSameIdIsRefused) {
  Token token = Add(Role::kAdmin);
  char& last = token.text.back();
  last = last == 'A' ? 'B' : 'A';
  const absl::Status status = list_.Check(token.text, kToday).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(status.message()), HasSubstr("is not known here"));
}

TEST_F(TokenListTest, ExpiredToTheSecond) {
  const Token token = Add(Role::kRead, kToday);
  EXPECT_TRUE(list_.Check(token.text, kToday - absl::Seconds(1)).ok());
  for (const absl::Duration late : {absl::ZeroDuration(), absl::Hours(1)}) {
    const absl::Status status = list_.Check(token.text, kToday + late).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("expired at 2027-01-15T08:00:00Z"));
  }
}

TEST_F(TokenListTest, ARevokedOneIsRefused) {
  const Token token = Add(Role::kAdmin);
  const Token other = Add(Role::kAdmin);
  EXPECT_TRUE(list_.Revoke(token.id).ok());
  EXPECT_FALSE(list_.Check(token.text, kToday).ok());
  EXPECT_TRUE(list_.Check(other.text, kToday).ok());
  const absl::Status again = list_.Revoke(token.id);
  EXPECT_EQ(again.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(again.message()), HasSubstr(other.id));
}

TEST_F(TokenListTest, WhatIsWrittenIsRead) {
  const Token forever = Add(Role::kWorker);
  const Token month = Add(Role::kAdmin, kToday + absl::Milliseconds(1500));
  const std::string text = list_.Format();
  EXPECT_THAT(text, Not(HasSubstr(forever.text)));
  const TokenList read = TokenList::Parse(text).value();
  EXPECT_EQ(read.Format(), text);
  EXPECT_EQ(read.entries().size(), 2u);
  EXPECT_EQ(read.entries().at(forever.id).expires, absl::InfiniteFuture());
  EXPECT_EQ(read.entries().at(month.id).expires, kToday + absl::Seconds(1));
  EXPECT_EQ(list_.entries().at(month.id).expires, kToday + absl::Seconds(1));
}

TEST_F(TokenListTest, EmptyAndCommentedFilesAreLists) {
  for (const char* text : {"", "\n\n", "# nothing\n", "  \t \r\n#x"}) {
    const auto list = TokenList::Parse(text);
    ASSERT_TRUE(list.ok()) << list.status();
    EXPECT_TRUE(list->entries().empty());
  }
}

TEST_F(TokenListTest, WrongLinesAreNamed) {
  const std::string hash(64, '0');
  const std::string good = "01234567 read never " + hash + " me";
  ASSERT_TRUE(TokenList::Parse(good).ok());
  const std::pair<std::string, std::string> wrong[] = {
      {"hello", "words"},
      {good + " too", "words"},
      {"0123456 read never " + hash + " me", "id"},
      {"0123456G read never " + hash + " me", "id"},
      {"01234567 root never " + hash + " me", "'root'"},
      {"01234567 read soon " + hash + " me", "'soon'"},
      {"01234567 read 2026-13-01T00:00:00Z " + hash + " me", "no time"},
      {"01234567 read never " + hash.substr(1) + " me", "hash"},
      {"01234567 read never " + hash + " m/e", "name"},
      {good + "\n" + good, "twice"},
      {std::string(1000, '\0'), "words"}};
  for (const auto& [text, part] : wrong) {
    const absl::Status status =
        TokenList::Parse("# first\n" + text + "\n").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr("line "));
    EXPECT_THAT(std::string(status.message()), HasSubstr(part));
  }
}

TEST_F(TokenListTest, NamesAreShortAndPlain) {
  for (const char* name : {"a", "node7", "a.b@c_d-e", "X"}) {
    EXPECT_TRUE(CheckName(name).ok()) << name;
  }
  for (const std::string& name :
       {std::string(), std::string("a b"), std::string("a\n"), std::string("é"),
        std::string(65, 'a'), std::string("\0", 1)}) {
    EXPECT_FALSE(CheckName(name).ok()) << name;
  }
}

}  // namespace
}  // namespace internode::security
