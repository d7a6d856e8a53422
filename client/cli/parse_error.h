#ifndef INTERNODE_CLIENT_CLI_PARSE_ERROR_H_
#define INTERNODE_CLIENT_CLI_PARSE_ERROR_H_

#include <CLI/CLI.hpp>

#include "absl/status/status.h"

namespace internode::cli {

// What CLI11 says against a command line, as one line that names the nearest
// option or command. `root` is the app that was parsed.
absl::Status ParseErrorStatus(const CLI::App& root,
                              const CLI::ParseError& error);

}  // namespace internode::cli

#endif  // INTERNODE_CLIENT_CLI_PARSE_ERROR_H_
