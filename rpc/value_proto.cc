#include "rpc/value_proto.h"

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "rpc/job_proto.h"

namespace internode::rpc {

using google::protobuf::RepeatedPtrField;

void SetDimensions(const core::Dimensions& dims,
                   RepeatedPtrField<v1::Dimension>* messages) {
  for (const core::Dimension& dim : dims) {
    v1::Dimension* message = messages->Add();
    message->set_name(dim.name);
    message->set_size(dim.size);
  }
}

absl::StatusOr<core::Dimensions> DimensionsOf(
    const RepeatedPtrField<v1::Dimension>& messages) {
  core::Dimensions dims;
  dims.reserve(static_cast<size_t>(messages.size()));
  for (const v1::Dimension& message : messages) {
    if (message.size() < 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "dimension '", message.name(), "' has the size ", message.size()));
    }
    dims.push_back({message.name(), message.size()});
  }
  return dims;
}

void SetSelections(const std::vector<core::Selection>& selections,
                   RepeatedPtrField<v1::Selection>* messages) {
  messages->Reserve(static_cast<int>(selections.size()));
  for (const core::Selection& selection : selections) {
    v1::Selection* message = messages->Add();
    for (const core::Extent& extent : selection.extents) {
      v1::Selection::Extent* entry = message->add_extents();
      entry->set_begin(extent.begin);
      entry->set_end(extent.end);
      entry->set_is_index(extent.is_index);
    }
  }
}

absl::StatusOr<std::vector<core::Selection>> SelectionsOf(
    const RepeatedPtrField<v1::Selection>& messages) {
  if (messages.size() > kMaxSelections) {
    return absl::InvalidArgumentError(
        absl::StrCat("a job lists at most ", kMaxSelections,
                     " selections; this one lists ", messages.size()));
  }
  std::vector<core::Selection> selections(static_cast<size_t>(messages.size()));
  for (size_t i = 0; i < selections.size(); ++i) {
    for (const v1::Selection::Extent& entry :
         messages[static_cast<int>(i)].extents()) {
      const bool good = entry.begin() >= 0 && entry.begin() < entry.end() &&
                        (!entry.is_index() || entry.end() - entry.begin() == 1);
      if (!good) {
        return absl::InvalidArgumentError(
            absl::StrCat("selection ", i, ": ", entry.begin(), ":", entry.end(),
                         " is not a range"));
      }
      selections[i].extents.push_back(
          {entry.begin(), entry.end(), entry.is_index()});
    }
  }
  return selections;
}

void SetAttributes(const core::Attributes& attributes,
                   RepeatedPtrField<v1::Attribute>* messages) {
  for (const core::Attribute& attribute : attributes) {
    v1::Attribute* message = messages->Add();
    message->set_name(attribute.name);
    if (const auto* text = std::get_if<std::string>(&attribute.value)) {
      message->set_text(*text);
    } else if (const auto* integers =
                   std::get_if<std::vector<int64_t>>(&attribute.value)) {
      message->mutable_integers()->mutable_values()->Add(integers->begin(),
                                                         integers->end());
    } else {
      const auto& numbers = std::get<std::vector<double>>(attribute.value);
      message->mutable_numbers()->mutable_values()->Add(numbers.begin(),
                                                        numbers.end());
    }
  }
}

absl::StatusOr<core::Attributes> AttributesOf(
    const RepeatedPtrField<v1::Attribute>& messages) {
  core::Attributes attributes;
  attributes.reserve(static_cast<size_t>(messages.size()));
  for (const v1::Attribute& message : messages) {
    core::Attribute attribute{message.name(), {}};
    switch (message.value_case()) {
      case v1::Attribute::kText:
        attribute.value = message.text();
        break;
      case v1::Attribute::kIntegers:
        attribute.value =
            std::vector<int64_t>(message.integers().values().begin(),
                                 message.integers().values().end());
        break;
      case v1::Attribute::kNumbers:
        attribute.value =
            std::vector<double>(message.numbers().values().begin(),
                                message.numbers().values().end());
        break;
      case v1::Attribute::VALUE_NOT_SET:
        return absl::InvalidArgumentError(
            absl::StrCat("attribute '", message.name(), "' has no value"));
    }
    attributes.push_back(std::move(attribute));
  }
  return attributes;
}

}  // namespace internode::rpc
