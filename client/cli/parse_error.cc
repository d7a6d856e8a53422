#include "client/cli/parse_error.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

#include "base/did_you_mean.h"

namespace internode::cli {
namespace {

// The command that the words led to.
const CLI::App& ParsedCommand(const CLI::App& root) {
  const CLI::App* app = &root;
  while (true) {
    const std::vector<CLI::App*> parsed = app->get_subcommands();
    if (parsed.empty()) return *app;
    app = parsed.front();
  }
}

std::string FullName(const CLI::App& app) {
  const std::string parent =
      app.get_parent() == nullptr ? "" : FullName(*app.get_parent());
  return parent.empty() ? app.get_name()
                        : absl::StrCat(parent, " ", app.get_name());
}

std::vector<std::string> OptionNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back(absl::StrCat("--", name));
    }
  }
  return names;
}

std::vector<std::string> CommandNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* subcommand :
       app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(subcommand->get_name());
  }
  return names;
}

std::string UnknownWord(const CLI::App& command, const std::string& word) {
  if (word.size() > 1 && word[0] == '-') {
    const std::string name = word.substr(0, word.find('='));
    const std::string nearest = NearestName(name, OptionNames(command));
    return absl::StrCat(
        FullName(command), " has no option '", name, "'",
        nearest.empty() ? absl::StrCat("; see ", FullName(command), " --help")
                        : absl::StrCat(" (did you mean '", nearest, "'?)"));
  }
  const std::vector<std::string> commands = CommandNames(command);
  if (commands.empty()) {
    return absl::StrCat(FullName(command), " does not take '", word, "'; see ",
                        FullName(command), " --help");
  }
  return absl::StrCat(FullName(command), " has no command '", word, "'; ",
                      WhatExists("it has", word, commands));
}

}  // namespace

absl::Status ParseErrorStatus(const CLI::App& root,
                              const CLI::ParseError& error) {
  const CLI::App& command = ParsedCommand(root);
  const std::vector<std::string> words = root.remaining(true);
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError) &&
      !words.empty()) {
    // What follows an unknown option is its value: the option comes first.
    const auto option = std::find_if(
        words.begin(), words.end(),
        [](const std::string& word) { return word.rfind('-', 0) == 0; });
    return absl::InvalidArgumentError(
        UnknownWord(command, option == words.end() ? words.front() : *option));
  }
  std::string message = absl::StrReplaceAll(error.what(), {{"\n", " "}});
  if (message.size() > 1 && std::islower(message[1]) != 0) {
    message[0] = static_cast<char>(std::tolower(message[0]));
  }
  return absl::InvalidArgumentError(
      absl::StrCat(message, "; see ", FullName(command), " --help"));
}

}  // namespace internode::cli
