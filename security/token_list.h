#ifndef INTERNODE_SECURITY_TOKEN_LIST_H_
#define INTERNODE_SECURITY_TOKEN_LIST_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "security/role.h"
#include "security/token.h"

namespace internode::security {

// The tokens that a scheduler takes: a text file, a line each,
//
//   # id     role   expires              sha256                name
//   3f9a1c02 worker 2026-12-28T00:00:00Z 5e884898da28047151d0… node7
//
// `expires` may be `never`; lines that begin with # are skipped. It holds no
// secret that is of use to who reads it. Thread-compatible.
class TokenList {
 public:
  struct Entry {
    Role role = Role::kRead;
    // From then on it is refused; InfiniteFuture: never.
    absl::Time expires = absl::InfiniteFuture();
    std::string hash;
    // Who has it, for people: letters, digits and .@_- , at most 64.
    std::string name;
  };
  // By id.
  using Entries = std::map<std::string, Entry>;

  // Error (kInvalidArgument): which line is wrong, and why.
  static absl::StatusOr<TokenList> Parse(absl::string_view text);
  std::string Format() const;

  // The entry of a token that is shown at `now`. Errors (kUnauthenticated):
  // not a token, not in the list, or expired.
  absl::StatusOr<Entries::const_pointer> Check(absl::string_view text,
                                               absl::Time now) const;

  // Errors (kInvalidArgument): a name that is none.
  absl::Status Add(const Token& token, Role role, absl::Time expires,
                   absl::string_view name);
  // Error (kNotFound): names those that exist.
  absl::Status Revoke(absl::string_view id);

  const Entries& entries() const { return entries_; }

 private:
  Entries entries_;
};

// Whether `name` may be an entry's.
absl::Status CheckName(absl::string_view name);

}  // namespace internode::security

#endif  // INTERNODE_SECURITY_TOKEN_LIST_H_
