#include "functions/registry.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "base/did_you_mean.h"
#include "base/status_macros.h"
#include "functions/builtins.h"
#include "functions/ccdc/ccdc_function.h"

namespace internode::functions {
namespace {

// Names are typed on command lines: letters, digits, '_', '-' and '.'.
bool IsName(absl::string_view name) {
  return !name.empty() &&
         absl::ascii_isalpha(static_cast<unsigned char>(name[0])) &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  c == '_' || c == '-' || c == '.';
         });
}

// Checks that `name` is one, and not among `taken`, to which it is added.
absl::Status CheckName(absl::string_view what, const std::string& name,
                       std::vector<std::string>* taken) {
  if (!IsName(name)) {
    return absl::InvalidArgumentError(absl::StrCat(
        what, " '", name,
        "' is not a name; use letters, digits, '_', '-' and '.', and a letter "
        "first"));
  }
  if (std::find(taken->begin(), taken->end(), name) != taken->end()) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " '", name, "' is declared twice"));
  }
  taken->push_back(name);
  return absl::OkStatus();
}

// The default of `spec` written as its user would.
std::string DefaultText(const ParameterSpec& spec) {
  const absl::StatusOr<Parameters> defaults = Parameters::Parse({spec}, {});
  if (!defaults.ok()) return "";
  const absl::StatusOr<std::vector<std::pair<std::string, std::string>>> given =
      ParametersFromJson(defaults->ToJson());
  return given.ok() && !given->empty() ? given->front().second : "";
}

absl::Status CheckParameters(const std::vector<ParameterSpec>& specs) {
  std::vector<std::string> taken;
  for (const ParameterSpec& spec : specs) {
    INTERNODE_RETURN_IF_ERROR(CheckName("parameter", spec.name, &taken));
    for (const std::string& alias : spec.aliases) {
      INTERNODE_RETURN_IF_ERROR(CheckName("parameter", alias, &taken));
    }
    // Not `min > max`, which lets NaN pass.
    if (!(spec.min <= spec.max)) {
      return absl::InvalidArgumentError(
          absl::StrCat("parameter '", spec.name, "' has the range ", spec.min,
                       " to ", spec.max));
    }
    const absl::Status status =
        Parameters::Parse({spec}, {{spec.name, DefaultText(spec)}}).status();
    if (!status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "a default contradicts its declaration: ", status.message()));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckRoles(const std::vector<RoleSpec>& roles) {
  std::vector<std::string> taken;
  std::string repeated;
  for (const RoleSpec& role : roles) {
    INTERNODE_RETURN_IF_ERROR(CheckName("role", role.name, &taken));
    if (!role.repeated) continue;
    if (!repeated.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("roles '", repeated, "' and '", role.name,
                       "' are both repeated; at most one can be"));
    }
    repeated = role.name;
  }
  return absl::OkStatus();
}

absl::Status CheckDeclarations(const FunctionInfo& info) {
  if (info.version.empty()) {
    return absl::InvalidArgumentError("it has no version");
  }
  INTERNODE_RETURN_IF_ERROR(CheckParameters(info.parameters));
  return CheckRoles(info.roles);
}

}  // namespace

Registry Registry::WithBuiltins() {
  Registry registry;
  // In the order of their names.
  registry.functions_ = {MakeCcdcFunction(), MakeHarmonicFunction(),
                         MakeNoopFunction(), MakeStatsFunction()};
  return registry;
}

absl::Status Registry::Add(std::shared_ptr<const Function> function) {
  if (function == nullptr) {
    return absl::InvalidArgumentError("there is no function to register");
  }
  const FunctionInfo& info = function->info();
  std::vector<std::string> none_taken;
  INTERNODE_RETURN_IF_ERROR(CheckName("function", info.name, &none_taken));
  if (const absl::Status status = CheckDeclarations(info); !status.ok()) {
    return absl::Status(status.code(), absl::StrCat("function '", info.name,
                                                    "': ", status.message()));
  }
  const auto at = std::lower_bound(
      functions_.begin(), functions_.end(), info.name,
      [](const std::shared_ptr<const Function>& f, const std::string& name) {
        return f->info().name < name;
      });
  if (at != functions_.end() && (*at)->info().name == info.name) {
    return absl::AlreadyExistsError(
        absl::StrCat("there is already a function '", info.name, "', version ",
                     (*at)->info().version));
  }
  functions_.insert(at, std::move(function));
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const Function>> Registry::Find(
    absl::string_view name) const {
  std::vector<std::string> names;
  for (const std::shared_ptr<const Function>& function : functions_) {
    if (function->info().name == name) return function;
    names.push_back(function->info().name);
  }
  return absl::NotFoundError(
      absl::StrCat("there is no function '", name, "'; ",
                   WhatExists("there are", name, names)));
}

std::vector<std::shared_ptr<const Function>> Registry::All() const {
  return functions_;
}

}  // namespace internode::functions
