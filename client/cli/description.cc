#include "client/cli/description.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace internode::cli {

absl::StatusOr<Json> ParseDescription(const std::string& text) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    return absl::DataLossError("what the worker describes is no JSON object");
  }
  return json;
}

absl::StatusOr<std::string> DescriptionText(
    const std::function<std::string()>& make) {
  try {
    return make();
  } catch (const Json::exception& error) {
    return absl::DataLossError(
        absl::StrCat("what the worker describes makes no sense: ",
                     absl::string_view(error.what())));
  }
}

}  // namespace internode::cli
