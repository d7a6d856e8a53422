#ifndef INTERNODE_CLIENT_CLI_REPORT_H_
#define INTERNODE_CLIENT_CLI_REPORT_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace internode::cli {

// Members keep the order in which they are set.
using Json = nlohmann::ordered_json;

// The exit code that an error means: see docs/command.md.
int ExitCodeOf(const absl::Status& status);

// "invalid_argument", "not_found", …
std::string CodeName(absl::StatusCode code);

// Prints `value` on stdout, as one line. Text that is not UTF-8 is replaced.
void PrintJson(const Json& value);

// Prints "error: …" on stderr, and with `json` also
// {"schema":1,"error":{"code":…,"message":…}} on stdout.
void PrintError(const absl::Status& status, bool json);

// Rows of text in columns, the first row above the others; numbers and text
// alike are aligned left.
std::string TableText(const std::vector<std::vector<std::string>>& rows);

// "25.0M", "3.6k", "12".
std::string ShortCount(double count);

}  // namespace internode::cli

#endif  // INTERNODE_CLIENT_CLI_REPORT_H_
