#include "scheduler/access/token_book.h"

#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "scheduler/access/gate.h"
#include "security/private_file.h"

namespace internode::scheduler {
namespace {

using ::testing::HasSubstr;

class TokenBookTest : public ::testing::Test {
 protected:
  TokenBookTest()
      : path_(absl::StrCat(
            ::testing::TempDir(), "/tokens_", getpid(), "_",
            ::testing::UnitTest::GetInstance()->current_test_info()->name())) {}

  security::Token Add(security::Role role) {
    const security::Token token = security::NewToken().value();
    EXPECT_TRUE(list_.Add(token, role, absl::InfiniteFuture(), "me").ok());
    EXPECT_TRUE(security::WritePrivateFile(path_, list_.Format()).ok());
    return token;
  }

  // Until the book has looked at the file, changed or not, once more.
  static void AwaitLook(TokenBook* book) {
    // The first one may be under way.
    for (int i = 0; i < 2; ++i) {
      absl::Notification looked;
      book->Watch([&] {
        if (!looked.HasBeenNotified()) looked.Notify();
      });
      looked.WaitForNotification();
      book->Watch(nullptr);
    }
  }

  const std::string path_;
  security::TokenList list_;
};

TEST_F(TokenBookTest, FilesThatAreNoneAreSaid) {
  EXPECT_EQ(TokenBook::Open(path_).status().code(),
            absl::StatusCode::kNotFound);
  ASSERT_TRUE(security::WritePrivateFile(path_, "hello\n").ok());
  const absl::Status status = TokenBook::Open(path_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr(path_));
  EXPECT_THAT(std::string(status.message()), HasSubstr("line 1"));
}

TEST_F(TokenBookTest, ChangesAreRead) {
  Add(security::Role::kRead);
  const auto book = TokenBook::Open(path_).value();
  const security::Token token = Add(security::Role::kAdmin);
  EXPECT_FALSE(book->tokens()->Check(token.text, absl::Now()).ok());
  AwaitLook(book.get());
  EXPECT_TRUE(book->tokens()->Check(token.text, absl::Now()).ok());
}

TEST_F(TokenBookTest, AListThatIsDamagedOrGoneChangesNothing) {
  const security::Token token = Add(security::Role::kRead);
  const auto book = TokenBook::Open(path_).value();
  ASSERT_TRUE(security::WritePrivateFile(path_, "junk\n").ok());
  AwaitLook(book.get());
  EXPECT_TRUE(book->tokens()->Check(token.text, absl::Now()).ok());
  ASSERT_EQ(unlink(path_.c_str()), 0);
  AwaitLook(book.get());
  EXPECT_TRUE(book->tokens()->Check(token.text, absl::Now()).ok());
  ASSERT_TRUE(security::WritePrivateFile(path_, "").ok());
  AwaitLook(book.get());
  EXPECT_FALSE(book->tokens()->Check(token.text, absl::Now()).ok());
}

TEST_F(TokenBookTest, StreamsEndWithTheirTokens) {
  const security::Token token = Add(security::Role::kWorker);
  const security::Token other = Add(security::Role::kWorker);
  const auto book = TokenBook::Open(path_).value();
  Gate gate({.tokens = book.get()});
  absl::Notification ended;
  Caller caller;
  caller.token_id = token.id;
  gate.BeginStream(caller, [&](const absl::Status& status) {
    EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
    ended.Notify();
  });
  bool other_ended = false;
  Caller stays;
  stays.token_id = other.id;
  const uint64_t stream =
      gate.BeginStream(stays, [&](const absl::Status&) { other_ended = true; });
  ASSERT_TRUE(list_.Revoke(token.id).ok());
  ASSERT_TRUE(security::WritePrivateFile(path_, list_.Format()).ok());
  ended.WaitForNotification();
  EXPECT_FALSE(other_ended);
  gate.EndStream(stream);
}

TEST_F(TokenBookTest, ReadersShowATokenThatMayRead) {
  const security::Token read = Add(security::Role::kRead);
  const security::Token worker = Add(security::Role::kWorker);
  const auto book = TokenBook::Open(path_).value();
  Gate gate({.tokens = book.get()});
  EXPECT_TRUE(gate.AdmitReader("Bearer " + read.text, "here").ok());
  EXPECT_EQ(gate.AdmitReader("Bearer " + worker.text, "here").code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(gate.AdmitReader("Bearer x", "here").code(),
            absl::StatusCode::kUnauthenticated);
}

}  // namespace
}  // namespace internode::scheduler
