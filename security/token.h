#ifndef INTERNODE_SECURITY_TOKEN_H_
#define INTERNODE_SECURITY_TOKEN_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// A token: a secret that its bearer shows with every call.
//
//   internode_3f9a1c02_dnVh…   "internode_", the id (8 hexadecimal digits),
//                              "_", and 256 random bits in base64url
//
// Only its hash is kept, SHA-256: with 256 random bits there is nothing to
// guess, so neither salt nor slowness is needed.

namespace internode::security {

struct Token {
  // Not secret: names the token in lists and logs.
  std::string id;
  // The whole text.
  std::string text;
};

// Error (kInternal): the system has no random numbers.
absl::StatusOr<Token> NewToken();

// Takes spaces and line ends around it. Error (kInvalidArgument): not a token;
// the text is not repeated, since it may be a secret.
absl::StatusOr<Token> ParseToken(absl::string_view text);

// 64 hexadecimal digits.
std::string HashOf(const Token& token);

// In a time that does not depend on where the two differ.
bool SameHash(absl::string_view a, absl::string_view b);

}  // namespace internode::security

#endif  // INTERNODE_SECURITY_TOKEN_H_
