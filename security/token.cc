#include "security/token.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace internode::security {
namespace {

constexpr char kPrefix[] = "internode_";
constexpr size_t kIdBytes = 4;
constexpr size_t kIdDigits = 2 * kIdBytes;
constexpr size_t kSecretBytes = 32;
// Of kSecretBytes in base64url, without padding.
constexpr size_t kSecretCharacters = 43;

absl::string_view View(const unsigned char* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

bool IsBase64Url(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' ||
         c == '_';
}

bool IsLowerHex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

}  // namespace

absl::StatusOr<Token> NewToken() {
  std::array<unsigned char, kIdBytes + kSecretBytes> random{};
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) {
    return absl::InternalError("there are no random numbers for a token");
  }
  Token token;
  token.id = absl::BytesToHexString(View(random.data(), kIdBytes));
  token.text = absl::StrCat(
      kPrefix, token.id, "_",
      absl::WebSafeBase64Escape(View(random.data() + kIdBytes, kSecretBytes)));
  OPENSSL_cleanse(random.data(), random.size());
  return token;
}

absl::StatusOr<Token> ParseToken(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  absl::string_view rest = text;
  const bool right =
      absl::ConsumePrefix(&rest, kPrefix) &&
      rest.size() == kIdDigits + 1 + kSecretCharacters &&
      std::all_of(rest.begin(), rest.begin() + kIdDigits, IsLowerHex) &&
      rest[kIdDigits] == '_' &&
      std::all_of(rest.begin() + kIdDigits + 1, rest.end(), IsBase64Url);
  if (!right) {
    return absl::InvalidArgumentError(
        "what was given is not a token of internode token create");
  }
  return Token{std::string(rest.substr(0, kIdDigits)), std::string(text)};
}

std::string HashOf(const Token& token) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(token.text.data()),
         token.text.size(), digest.data());
  return absl::BytesToHexString(View(digest.data(), digest.size()));
}

bool SameHash(absl::string_view a, absl::string_view b) {
  return a.size() == b.size() &&
         CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace internode::security
