#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "base/status_macros.h"
#include "client/cli/command.h"
#include "client/cli/report.h"
#include "client/job_data.h"
#include "functions/function.h"
#include "functions/function_json.h"
#include "functions/registry.h"

namespace internode::cli {
namespace {

struct FunctionsArguments {
  std::string name;
  std::vector<std::string> function_path;
};

Json ValueJson(const functions::ParameterValue& value) {
  return std::visit([](const auto& held) -> Json { return held; }, value);
}

std::string RangeText(const functions::ParameterSpec& spec) {
  if (!spec.choices.empty()) return absl::StrJoin(spec.choices, "|");
  const bool low = std::isfinite(spec.min);
  const bool high = std::isfinite(spec.max);
  if (low && high) return absl::StrFormat("%g to %g", spec.min, spec.max);
  if (low) return absl::StrFormat(">= %g", spec.min);
  if (high) return absl::StrFormat("<= %g", spec.max);
  return "";
}

void PrintFunction(const functions::FunctionInfo& info) {
  std::printf("%s %s: %s\n\n%s\n", info.name.c_str(), info.version.c_str(),
              info.summary.c_str(), info.description.c_str());
  if (!info.roles.empty()) {
    std::vector<std::vector<std::string>> rows = {
        {"ROLE", "", "GUESSES", "WHAT"}};
    for (const functions::RoleSpec& role : info.roles) {
      rows.push_back({role.name, role.required ? "required" : "optional",
                      absl::StrJoin(role.guesses, ","), role.help});
    }
    std::printf("\n%s", TableText(rows).c_str());
  }
  if (!info.parameters.empty()) {
    std::vector<std::vector<std::string>> rows = {
        {"PARAMETER", "TYPE", "DEFAULT", "RANGE", "WHAT"}};
    for (const functions::ParameterSpec& spec : info.parameters) {
      rows.push_back(
          {spec.name,
           std::string(functions::ParameterTypeName(spec.default_value)),
           ValueJson(spec.default_value).dump(), RangeText(spec),
           spec.aliases.empty()
               ? spec.help
               : absl::StrCat(spec.help, " Also: ",
                              absl::StrJoin(spec.aliases, ", "), ".")});
    }
    std::printf("\n%s", TableText(rows).c_str());
  }
}

absl::StatusOr<int> RunFunctions(const FunctionsArguments& arguments,
                                 OutputFormat format) {
  INTERNODE_ASSIGN_OR_RETURN(const functions::Registry registry,
                             client::LoadRegistry(arguments.function_path));
  if (!arguments.name.empty()) {
    INTERNODE_ASSIGN_OR_RETURN(
        const std::shared_ptr<const functions::Function> function,
        registry.Find(arguments.name));
    Json json = {{"schema", 1}};
    json.update(functions::FunctionJson(function->info()));
    if (format == OutputFormat::kJson) PrintJson(json);
    if (format == OutputFormat::kTable) PrintFunction(function->info());
    return 0;
  }
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows = {
      {"FUNCTION", "VERSION", "WHAT"}};
  for (const auto& function : registry.All()) {
    const functions::FunctionInfo& info = function->info();
    list.push_back(functions::FunctionJson(info));
    rows.push_back({info.name, info.version, info.summary});
    if (format == OutputFormat::kQuiet) std::printf("%s\n", info.name.c_str());
  }
  if (format == OutputFormat::kJson) {
    PrintJson({{"schema", 1}, {"functions", list}});
  }
  if (format == OutputFormat::kTable) {
    std::fputs(TableText(rows).c_str(), stdout);
  }
  return 0;
}

}  // namespace

void AddFunctionsCommand(CLI::App* root, CommandLine* line) {
  CLI::App* command =
      AddCommand(root, line, "functions", "List the functions, or describe one",
                 "  internode functions\n"
                 "  internode functions harmonic");
  auto arguments = std::make_shared<FunctionsArguments>();
  command->add_option("NAME", arguments->name, "Describe this function");
  command
      ->add_option("--function-path", arguments->function_path,
                   "Folder of shared libraries with functions; may be repeated")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false)
      ->type_name("DIR");
  command->callback([arguments, line] {
    line->action = [arguments, line] {
      return RunFunctions(*arguments, line->global.output_format());
    };
  });
}

}  // namespace internode::cli
