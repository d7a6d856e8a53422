#ifndef INTERNODE_FUNCTIONS_CCDC_PIXEL_INPUT_H_
#define INTERNODE_FUNCTIONS_CCDC_PIXEL_INPUT_H_

#include <cstdint>

#include "absl/types/span.h"

namespace internode::functions::ccdc {

enum class ElementType {
  kInt8,
  kUint8,
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kInt64,
  kUint64,
  kFloat32,
  kFloat64,
};

// The values of one band of one pixel, one per date in the order in which the
// dates were given to the DateTable, without gaps.
struct BandSeries {
  const void* values = nullptr;
  ElementType type = ElementType::kInt16;
};

// One pixel. `qa` has an integer type; its values are ignored (and may be
// null) with QaEncoding::kNone.
struct PixelInput {
  absl::Span<const BandSeries> bands;
  BandSeries qa;
};

// Calls `visit` with `series.values` as a pointer to its type.
template <typename Visitor>
decltype(auto) VisitValues(const BandSeries& series, Visitor visit) {
  switch (series.type) {
    case ElementType::kInt8:
      return visit(static_cast<const int8_t*>(series.values));
    case ElementType::kUint8:
      return visit(static_cast<const uint8_t*>(series.values));
    case ElementType::kInt16:
      return visit(static_cast<const int16_t*>(series.values));
    case ElementType::kUint16:
      return visit(static_cast<const uint16_t*>(series.values));
    case ElementType::kInt32:
      return visit(static_cast<const int32_t*>(series.values));
    case ElementType::kUint32:
      return visit(static_cast<const uint32_t*>(series.values));
    case ElementType::kInt64:
      return visit(static_cast<const int64_t*>(series.values));
    case ElementType::kUint64:
      return visit(static_cast<const uint64_t*>(series.values));
    case ElementType::kFloat32:
      return visit(static_cast<const float*>(series.values));
    default:
      return visit(static_cast<const double*>(series.values));
  }
}

}  // namespace internode::functions::ccdc

#endif  // INTERNODE_FUNCTIONS_CCDC_PIXEL_INPUT_H_
