#include "scheduler/access/token_book.h"

#include <sys/stat.h>

#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "base/log.h"
#include "base/status_macros.h"
#include "security/private_file.h"

namespace internode::scheduler {
namespace {

constexpr absl::Duration kInterval = absl::Seconds(1);

}  // namespace

absl::StatusOr<std::unique_ptr<TokenBook>> TokenBook::Open(
    const std::string& path) {
  auto book = absl::WrapUnique(new TokenBook(path));
  book->stamp_ = StampOf(path);
  INTERNODE_RETURN_IF_ERROR(book->Read());
  book->thread_ = std::thread([raw = book.get()] { raw->Run(); });
  return book;
}

TokenBook::~TokenBook() {
  {
    MutexLock lock(&mu_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

std::shared_ptr<const security::TokenList> TokenBook::tokens() const {
  MutexLock lock(&mu_);
  return tokens_;
}

void TokenBook::Watch(std::function<void()> look) {
  MutexLock lock(&mu_);
  mu_.Await([this] {
    mu_.AssertHeld();
    return !looking_;
  });
  look_ = std::move(look);
}

TokenBook::Stamp TokenBook::StampOf(const std::string& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return {};
  return {status.st_ino, status.st_size,
          absl::TimeFromTimespec(status.st_mtim)};
}

absl::Status TokenBook::Read() {
  const auto named = [this](const absl::Status& status) {
    return absl::Status(status.code(),
                        absl::StrCat("the list of tokens in '", path_,
                                     "': ", status.message()));
  };
  const absl::StatusOr<std::string> text = security::ReadSmallFile(path_);
  if (!text.ok()) return named(text.status());
  absl::StatusOr<security::TokenList> list = security::TokenList::Parse(*text);
  if (!list.ok()) return named(list.status());
  auto shared = std::make_shared<const security::TokenList>(*std::move(list));
  MutexLock lock(&mu_);
  tokens_ = std::move(shared);
  return absl::OkStatus();
}

void TokenBook::Run() {
  while (true) {
    std::function<void()> look;
    {
      MutexLock lock(&mu_);
      mu_.AwaitWithDeadline(
          [this] {
            mu_.AssertHeld();
            return stopping_;
          },
          absl::Now() + kInterval);
      if (stopping_) return;
    }
    const Stamp stamp = StampOf(path_);
    if (!(stamp == stamp_)) {
      stamp_ = stamp;
      const absl::Status status = Read();
      if (status.ok()) {
        LogInfo("read the list of tokens anew: ", tokens()->entries().size(),
                " tokens");
      } else {
        LogError("the tokens stay as they were: ", status.message());
      }
    }
    {
      MutexLock lock(&mu_);
      look = look_;
      looking_ = true;
    }
    if (look) look();
    MutexLock lock(&mu_);
    looking_ = false;
  }
}

}  // namespace internode::scheduler
