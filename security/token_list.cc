#include "security/token_list.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "base/status_macros.h"

namespace internode::security {
namespace {

constexpr size_t kListedIdDigits = 8;
constexpr size_t kHashDigits = 64;
constexpr size_t kMaxName = 64;
constexpr char kNever[] = "never";
constexpr char kHeader[] =
    "# Tokens: internode token create, list, revoke. No secrets are in here.\n"
    "# id role expires sha256 name\n";

bool IsHex(absl::string_view text, size_t digits) {
  return text.size() == digits &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string TimeText(absl::Time time) {
  if (time == absl::InfiniteFuture()) return kNever;
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

absl::StatusOr<absl::Time> ParseExpiry(absl::string_view text) {
  if (text == kNever) return absl::InfiniteFuture();
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text.substr(0, 40),
                     "' is no time; write 2026-12-28T00:00:00Z, or never"));
  }
  return time;
}

absl::StatusOr<std::pair<std::string, TokenList::Entry>> ParseLine(
    absl::string_view line) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (words.size() != 5) {
    return absl::InvalidArgumentError(
        absl::StrCat("it has ", words.size(),
                     " words; it takes: id role expires sha256 "
                     "name"));
  }
  if (!IsHex(words[0], kListedIdDigits)) {
    return absl::InvalidArgumentError("the id is not 8 hexadecimal digits");
  }
  TokenList::Entry entry;
  INTERNODE_ASSIGN_OR_RETURN(entry.role, ParseRole(words[1]));
  INTERNODE_ASSIGN_OR_RETURN(entry.expires, ParseExpiry(words[2]));
  if (!IsHex(words[3], kHashDigits)) {
    return absl::InvalidArgumentError("the hash is not 64 hexadecimal digits");
  }
  entry.hash = std::string(words[3]);
  INTERNODE_RETURN_IF_ERROR(CheckName(words[4]));
  entry.name = std::string(words[4]);
  return std::make_pair(std::string(words[0]), std::move(entry));
}

}  // namespace

absl::Status CheckName(absl::string_view name) {
  const bool right =
      !name.empty() && name.size() <= kMaxName &&
      std::all_of(name.begin(), name.end(), [](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
               absl::StrContains(".@_-", absl::string_view(&c, 1));
      });
  if (right) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("'", name.substr(0, kMaxName),
                   "' is no name: it takes 1 to 64 letters, digits and .@_-"));
}

absl::StatusOr<TokenList> TokenList::Parse(absl::string_view text) {
  TokenList list;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#') continue;
    auto parsed = ParseLine(line);
    if (!parsed.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, ": ", parsed.status().message()));
    }
    const std::string id = parsed->first;
    if (!list.entries_.insert(*std::move(parsed)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, ": ", id, " is there twice"));
    }
  }
  return list;
}

std::string TokenList::Format() const {
  std::string text = kHeader;
  for (const auto& [id, entry] : entries_) {
    absl::StrAppend(&text, id, " ", RoleName(entry.role), " ",
                    TimeText(entry.expires), " ", entry.hash, " ", entry.name,
                    "\n");
  }
  return text;
}

absl::StatusOr<TokenList::Entries::const_pointer> TokenList::Check(
    absl::string_view text, absl::Time now) const {
  const absl::StatusOr<Token> token = ParseToken(text);
  if (!token.ok()) {
    return absl::UnauthenticatedError(token.status().message());
  }
  const auto it = entries_.find(token->id);
  if (it == entries_.end() || !SameHash(HashOf(*token), it->second.hash)) {
    return absl::UnauthenticatedError(
        absl::StrCat("the token ", token->id,
                     " is not known here: revoked, or of another scheduler"));
  }
  if (now >= it->second.expires) {
    return absl::UnauthenticatedError(absl::StrCat(
        "the token ", token->id, " expired at ", TimeText(it->second.expires)));
  }
  return &*it;
}

absl::Status TokenList::Add(const Token& token, Role role, absl::Time expires,
                            absl::string_view name) {
  INTERNODE_RETURN_IF_ERROR(CheckName(name));
  // As it is written.
  if (expires != absl::InfiniteFuture()) {
    expires = absl::FromUnixSeconds(absl::ToUnixSeconds(expires));
  }
  entries_[token.id] = {role, expires, HashOf(token), std::string(name)};
  return absl::OkStatus();
}

absl::Status TokenList::Revoke(absl::string_view id) {
  if (entries_.erase(std::string(id)) > 0) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat(
      "there is no token '", id.substr(0, 32), "'; ",
      entries_.empty()
          ? std::string("there are none")
          : absl::StrCat("there are ",
                         absl::StrJoin(entries_, ", ",
                                       [](std::string* out, const auto& item) {
                                         out->append(item.first);
                                       }))));
}

}  // namespace internode::security
