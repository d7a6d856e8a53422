#ifndef INTERNODE_SCHEDULER_ACCESS_TOKEN_BOOK_H_
#define INTERNODE_SCHEDULER_ACCESS_TOKEN_BOOK_H_

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "base/mutex.h"
#include "security/token_list.h"

namespace internode::scheduler {

// The list of tokens in a file, read again within a second or two of each
// change of it. A file that cannot be read, or is wrong, is said in the log;
// the list stays as it was. Thread-safe.
class TokenBook {
 public:
  // Errors: those of the file, which is named.
  static absl::StatusOr<std::unique_ptr<TokenBook>> Open(
      const std::string& path);
  ~TokenBook();
  TokenBook(const TokenBook&) = delete;
  TokenBook& operator=(const TokenBook&) = delete;

  std::shared_ptr<const security::TokenList> tokens() const;

  // Calls `look`, which may be null, every second on the book's thread: time
  // for what expires. When this returns the one before is not called any more.
  // Not from `look`.
  void Watch(std::function<void()> look);

 private:
  explicit TokenBook(const std::string& path) : path_(path) {}

  // What tells one state of a file from another.
  struct Stamp {
    uint64_t inode = 0;
    int64_t size = -1;
    absl::Time changed;
    bool operator==(const Stamp&) const = default;
  };
  static Stamp StampOf(const std::string& path);
  absl::Status Read();
  void Run();

  const std::string path_;
  Stamp stamp_;
  mutable Mutex mu_;
  std::shared_ptr<const security::TokenList> tokens_ ABSL_GUARDED_BY(mu_);
  std::function<void()> look_ ABSL_GUARDED_BY(mu_);
  bool looking_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_ACCESS_TOKEN_BOOK_H_
