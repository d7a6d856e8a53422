#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

#include "client/job_data.h"
#include "core/chunk_grid.h"
#include "core/job_spec.h"

namespace internode::client {
namespace {

// `word` as a POSIX shell reads it back.
std::string Quoted(const std::string& word) {
  const std::string plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
      "_-./=,:@%+";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) {
    return word;
  }
  return absl::StrCat("'", absl::StrReplaceAll(word, {{"'", "'\\''"}}), "'");
}

std::string ChunksText(const core::ChunkChoice& chunks) {
  if (std::holds_alternative<core::AutoChunks>(chunks)) return "auto";
  if (std::holds_alternative<core::NoChunks>(chunks)) return "none";
  if (const int64_t* size = std::get_if<int64_t>(&chunks)) {
    return absl::StrCat(*size);
  }
  return absl::StrJoin(std::get<core::ChunkMapping>(chunks), ",",
                       absl::PairFormatter("="));
}

std::string SelectText(const std::vector<core::DimensionRange>& select) {
  return absl::StrJoin(
      select, ",", [](std::string* out, const core::DimensionRange& range) {
        absl::StrAppend(out, range.dim, "=", range.begin, ":",
                        range.end == -1 ? "" : absl::StrCat(range.end));
      });
}

}  // namespace

std::string CanonicalCommand(const core::JobSpec& spec) {
  std::string command = absl::StrCat("internode run ", Quoted(spec.function),
                                     " ", Quoted(spec.cube_path));
  const auto add = [&command](absl::string_view flag,
                              const std::string& value) {
    absl::StrAppend(&command, " ", flag, " ", Quoted(value));
  };
  if (!spec.cube_group.empty()) add("--group", spec.cube_group);
  for (const core::DimensionNames& names : spec.dimension_names) {
    add("--dims",
        absl::StrCat(
            names.variable.empty() ? "" : absl::StrCat(names.variable, "="),
            absl::StrJoin(names.names, ",")));
  }
  add("--core-dims", absl::StrJoin(spec.core_dims, ","));
  add("--chunks", ChunksText(spec.chunks));
  if (!spec.variables.empty()) {
    add("--variables",
        absl::StrJoin(spec.variables, ",",
                      [](std::string* out, const core::VariableChoice& choice) {
                        if (!choice.role.empty()) {
                          absl::StrAppend(out, choice.role, "=");
                        }
                        absl::StrAppend(out, choice.variable);
                      }));
  }
  if (!spec.select.empty()) add("--select", SelectText(spec.select));
  for (const auto& [name, value] : spec.parameters) {
    add("--param", absl::StrCat(name, "=", value));
  }
  if (spec.nodata.has_value()) {
    add("--nodata", absl::StrFormat("%.17g", *spec.nodata));
  }
  return command;
}

}  // namespace internode::client
