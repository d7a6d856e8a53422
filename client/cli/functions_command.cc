#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "base/did_you_mean.h"
#include "base/status_macros.h"
#include "client/cli/command.h"
#include "client/cli/description.h"
#include "client/cli/report.h"
#include "client/cli/scheduler_options.h"
#include "client/job_data.h"
#include "functions/function_json.h"
#include "functions/registry.h"
#include "internode/describe.h"

namespace internode::cli {
namespace {

struct FunctionsArguments {
  std::string name;
  std::vector<std::string> function_path;
  ExecutorOptions scheduler;
};

using Names = std::vector<std::string>;

std::string RangeText(const Json& parameter) {
  if (parameter.contains("choices")) {
    return absl::StrJoin(parameter.at("choices").get<Names>(), "|");
  }
  const bool low = parameter.contains("min");
  const bool high = parameter.contains("max");
  const auto bound = [&parameter](const char* name) {
    return absl::StrFormat("%g", parameter.at(name).get<double>());
  };
  if (low && high) return absl::StrCat(bound("min"), " to ", bound("max"));
  if (low) return absl::StrCat(">= ", bound("min"));
  if (high) return absl::StrCat("<= ", bound("max"));
  return "";
}

std::string RolesText(const Json& roles) {
  if (roles.empty()) return "";
  std::vector<Names> rows = {{"ROLE", "", "GUESSES", "WHAT"}};
  for (const Json& role : roles) {
    rows.push_back({role.at("name").get<std::string>(),
                    role.at("required").get<bool>() ? "required" : "optional",
                    absl::StrJoin(role.at("guesses").get<Names>(), ","),
                    role.at("help").get<std::string>()});
  }
  return absl::StrCat("\n", TableText(rows));
}

std::string ParametersText(const Json& parameters) {
  if (parameters.empty()) return "";
  std::vector<Names> rows = {{"PARAMETER", "TYPE", "DEFAULT", "RANGE", "WHAT"}};
  for (const Json& parameter : parameters) {
    std::string help = parameter.at("help").get<std::string>();
    if (parameter.contains("aliases")) {
      absl::StrAppend(&help, " Also: ",
                      absl::StrJoin(parameter.at("aliases").get<Names>(), ", "),
                      ".");
    }
    rows.push_back({parameter.at("name").get<std::string>(),
                    parameter.at("type").get<std::string>(),
                    parameter.at("default").dump(), RangeText(parameter),
                    help});
  }
  return absl::StrCat("\n", TableText(rows));
}

std::string FunctionText(const Json& function) {
  return absl::StrCat(function.at("name").get<std::string>(), " ",
                      function.at("version").get<std::string>(), ": ",
                      function.at("summary").get<std::string>(), "\n\n",
                      function.at("description").get<std::string>(), "\n",
                      RolesText(function.at("roles")),
                      ParametersText(function.at("parameters")));
}

std::string ListText(const std::vector<Json>& functions, OutputFormat format) {
  std::vector<Names> rows = {{"FUNCTION", "VERSION", "WHAT"}};
  std::string names;
  for (const Json& function : functions) {
    rows.push_back({function.at("name").get<std::string>(),
                    function.at("version").get<std::string>(),
                    function.at("summary").get<std::string>()});
    absl::StrAppend(&names, rows.back().front(), "\n");
  }
  return format == OutputFormat::kQuiet ? names : TableText(rows);
}

// `functions` is not empty, and all have a name.
absl::StatusOr<int> PrintOne(const std::vector<Json>& functions,
                             const std::string& name, OutputFormat format) {
  Names names;
  for (const Json& function : functions) {
    names.push_back(function.at("name").get<std::string>());
    if (names.back() != name) continue;
    if (format == OutputFormat::kJson) PrintJson(function);
    if (format != OutputFormat::kTable) return 0;
    INTERNODE_ASSIGN_OR_RETURN(
        const std::string text,
        DescriptionText([&function] { return FunctionText(function); }));
    std::fputs(text.c_str(), stdout);
    return 0;
  }
  return absl::NotFoundError(
      absl::StrCat("there is no function '", name, "'; ",
                   WhatExists("there are", name, names)));
}

absl::StatusOr<int> PrintAll(std::vector<Json> functions, OutputFormat format) {
  INTERNODE_ASSIGN_OR_RETURN(const std::string text, DescriptionText([&] {
                               return ListText(functions, format);
                             }));
  if (format != OutputFormat::kJson) {
    std::fputs(text.c_str(), stdout);
    return 0;
  }
  // One value has one schema.
  for (Json& function : functions) function.erase("schema");
  PrintJson({{"schema", 1}, {"functions", functions}});
  return 0;
}

absl::StatusOr<int> ShowFunctions(const Names& texts, const std::string& name,
                                  OutputFormat format) {
  std::vector<Json> functions;
  for (const std::string& text : texts) {
    INTERNODE_ASSIGN_OR_RETURN(functions.emplace_back(),
                               ParseDescription(text));
    if (!functions.back().contains("name") ||
        !functions.back().at("name").is_string()) {
      return absl::DataLossError("a function that a worker has has no name");
    }
  }
  return name.empty() ? PrintAll(std::move(functions), format)
                      : PrintOne(functions, name, format);
}

// Of this process.
absl::StatusOr<Names> LocalFunctions(const FunctionsArguments& arguments) {
  INTERNODE_ASSIGN_OR_RETURN(const functions::Registry registry,
                             client::LoadRegistry(arguments.function_path));
  Names texts;
  for (const auto& function : registry.All()) {
    texts.push_back(functions::FunctionText(function->info()));
  }
  return texts;
}

absl::StatusOr<int> RunFunctions(const FunctionsArguments& arguments,
                                 OutputFormat format) {
  if (!arguments.scheduler.connects()) {
    INTERNODE_ASSIGN_OR_RETURN(const Names texts, LocalFunctions(arguments));
    return ShowFunctions(texts, arguments.name, format);
  }
  if (!arguments.function_path.empty()) {
    return absl::InvalidArgumentError(
        "--function-path is of this process, and the functions are those of "
        "the scheduler's workers; give it to internode-worker");
  }
  return WithScheduler(
      arguments.scheduler, [&](Executor* executor) -> absl::StatusOr<int> {
        INTERNODE_ASSIGN_OR_RETURN(const Names texts, ListFunctions(executor));
        return ShowFunctions(texts, arguments.name, format);
      });
}

}  // namespace

void AddFunctionsCommand(CLI::App* root, CommandLine* line) {
  CLI::App* command =
      AddCommand(root, line, "functions", "List the functions, or describe one",
                 "  internode functions\n"
                 "  internode functions harmonic\n"
                 "  internode functions --scheduler node1:8786\n"
                 "With a scheduler they are those of its workers.");
  auto arguments = std::make_shared<FunctionsArguments>();
  command->add_option("NAME", arguments->name, "Describe this function");
  command
      ->add_option("--function-path", arguments->function_path,
                   "Folder of shared libraries with functions; may be repeated")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false)
      ->type_name("DIR");
  AddSchedulerOptions(command, &arguments->scheduler);
  command->callback([arguments, line] {
    line->action = [arguments, line] {
      return RunFunctions(*arguments, line->global.output_format());
    };
  });
}

}  // namespace internode::cli
