#include "internode/pixel.h"

#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/did_you_mean.h"
#include "core/data_type.h"

namespace internode {
namespace {

core::DataType ToCore(NumberType type) {
  return static_cast<core::DataType>(type);
}

static_assert(static_cast<int>(NumberType::kFloat64) ==
              static_cast<int>(core::DataType::kFloat64));
static_assert(NumberTypeOf<uint16_t>() == NumberType::kUInt16);
static_assert(NumberTypeOf<int64_t>() == NumberType::kInt64);
static_assert(NumberTypeOf<long long>() == NumberType::kInt64);

}  // namespace

absl::string_view NumberTypeName(NumberType type) {
  return core::DataTypeName(ToCore(type));
}

double SeriesView::operator[](int64_t i) const {
  return core::VisitDataType(ToCore(type_), [this, i](auto zero) {
    return static_cast<double>(static_cast<const decltype(zero)*>(data_)[i]);
  });
}

void SeriesView::ReportType(NumberType asked) const {
  if (error_ == nullptr || !error_->empty()) return;
  *error_ =
      absl::StrCat("'", name_, "' has numbers of type ", NumberTypeName(type_),
                   ", and the function asked for ", NumberTypeName(asked));
}

PixelView::PixelView() { none_.error_ = &error_; }

const SeriesView& PixelView::operator[](absl::string_view name) const {
  for (const SeriesView& series : series_) {
    if (series.name_ == name) return series;
  }
  if (error_.empty()) {
    std::vector<std::string> names;
    for (const SeriesView& series : series_) names.push_back(series.name_);
    error_ = absl::StrCat("a pixel has no '", name, "'; ",
                          WhatExists("it has", name, names));
  }
  return none_;
}

void PixelView::AddSeries(std::string name, NumberType type,
                          std::vector<int64_t> shape) {
  SeriesView series;
  series.name_ = std::move(name);
  series.type_ = type;
  series.size_ = std::accumulate(shape.begin(), shape.end(), int64_t{1},
                                 std::multiplies<>());
  series.shape_ = std::move(shape);
  series.error_ = &error_;
  series_.push_back(std::move(series));
}

std::string PixelView::TakeError() {
  return error_.empty() ? std::string() : std::exchange(error_, std::string());
}

}  // namespace internode
