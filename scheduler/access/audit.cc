#include "scheduler/access/audit.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

#include "base/log.h"

namespace internode::scheduler {
namespace {

constexpr size_t kMostBytes = 400;

std::string Quoted(absl::string_view value) {
  value = value.substr(0, kMostBytes);
  const bool plain =
      !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return absl::ascii_isgraph(byte) && c != '"' && c != '\\' && c != '=';
      });
  return plain ? std::string(value)
               : absl::StrCat("\"", absl::Utf8SafeCEscape(value), "\"");
}

}  // namespace

std::string AuditLine(
    absl::string_view action, const Caller& caller,
    const std::vector<std::pair<std::string, std::string>>& facts,
    const absl::Status& result) {
  std::string line =
      absl::StrCat("audit action=", action, " by=", Quoted(caller.name),
                   " role=", RoleName(caller.role));
  if (!caller.token_id.empty()) {
    absl::StrAppend(&line, " token=", caller.token_id);
  }
  absl::StrAppend(&line, " peer=", Quoted(caller.peer));
  for (const auto& [name, value] : facts) {
    absl::StrAppend(&line, " ", name, "=", Quoted(value));
  }
  absl::StrAppend(&line,
                  " result=", result.ok() ? "ok" : Quoted(result.message()));
  return line;
}

void Audit(absl::string_view action, const Caller& caller,
           const std::vector<std::pair<std::string, std::string>>& facts,
           const absl::Status& result) {
  LogInfo(AuditLine(action, caller, facts, result));
}

}  // namespace internode::scheduler
