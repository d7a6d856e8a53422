#ifndef INTERNODE_CLIENT_INCLUDE_INTERNODE_PIXEL_H_
#define INTERNODE_CLIENT_INCLUDE_INTERNODE_PIXEL_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

// What a function of one pixel sees.

namespace internode {

// The types of numbers in cubes and arrays.
enum class NumberType : uint8_t {
  kInt8 = 1,
  kInt16 = 2,
  kInt32 = 3,
  kInt64 = 4,
  kUInt8 = 5,
  kUInt16 = 6,
  kUInt32 = 7,
  kUInt64 = 8,
  kFloat32 = 9,
  kFloat64 = 10,
};

// "int16", "float32", …
absl::string_view NumberTypeName(NumberType type);

// The NumberType of the C++ type T.
template <typename T>
constexpr NumberType NumberTypeOf() {
  static_assert(
      std::is_arithmetic_v<T> && !std::is_same_v<T, bool> && sizeof(T) <= 8,
      "not a type of cubes and arrays");
  if constexpr (std::is_floating_point_v<T>) {
    return sizeof(T) == 4 ? NumberType::kFloat32 : NumberType::kFloat64;
  } else {
    constexpr int kLog2 = sizeof(T) == 1   ? 0
                          : sizeof(T) == 2 ? 1
                          : sizeof(T) == 4 ? 2
                                           : 3;
    return static_cast<NumberType>((std::is_signed_v<T> ? 1 : 5) + kLog2);
  }
}

// The numbers of one variable, band or array at one pixel, over the core
// dimensions that it has, in its own order, the last fastest. A view: valid
// during the call of the pixel's function.
class SeriesView {
 public:
  // The name of the array or variable, or the band's label.
  absl::string_view name() const { return name_; }
  NumberType type() const { return type_; }
  // Sizes of its core dimensions; their product is size().
  absl::Span<const int64_t> shape() const { return shape_; }
  int64_t size() const { return size_; }

  // All numbers. Asking for another type than type() fails the pixel, with a
  // message that names both, and gives an empty span.
  template <typename T>
  absl::Span<const T> values() const {
    if (NumberTypeOf<T>() != type_) {
      ReportType(NumberTypeOf<T>());
      return {};
    }
    return absl::Span<const T>(static_cast<const T*>(data_),
                               static_cast<size_t>(size_));
  }

  // Number `i`, 0 <= i < size(), whatever the type.
  double operator[](int64_t i) const;

 private:
  friend class PixelView;

  void ReportType(NumberType asked) const;

  std::string name_;
  NumberType type_ = NumberType::kFloat64;
  std::vector<int64_t> shape_;
  int64_t size_ = 0;
  const void* data_ = nullptr;
  // The pixel's, which it fails.
  std::string* error_ = nullptr;
};

// One pixel of one cube, or of several arrays. Thread-compatible.
class PixelView {
 public:
  PixelView();
  PixelView(const PixelView&) = delete;
  PixelView& operator=(const PixelView&) = delete;

  // One per data argument, or per variable or band of the cube.
  size_t size() const { return series_.size(); }
  const SeriesView& operator[](size_t i) const { return series_[i]; }
  // The one called `name`. An unknown name fails the pixel, with a message
  // that says what exists, and gives an empty series of type float64.
  const SeriesView& operator[](absl::string_view name) const;

  // Where the pixel is: one number per non-core dimension, counted from the
  // data's first.
  absl::Span<const int64_t> index() const { return index_; }
  // Days since 1970-01-01 of the numbers along the dimension of time; empty
  // where the data have no decoded time.
  absl::Span<const double> days() const { return days_; }

  // For this library.
  void AddSeries(std::string name, NumberType type, std::vector<int64_t> shape);
  void SetData(size_t series, const void* data) {
    series_[series].data_ = data;
  }
  void SetIndex(absl::Span<const int64_t> index) {
    index_.assign(index.begin(), index.end());
  }
  void SetDays(absl::Span<const double> days) { days_ = days; }
  // What was reported since the last call, or "".
  std::string TakeError();

 private:
  std::vector<SeriesView> series_;
  SeriesView none_;
  std::vector<int64_t> index_;
  absl::Span<const double> days_;
  mutable std::string error_;
};

}  // namespace internode

#endif  // INTERNODE_CLIENT_INCLUDE_INTERNODE_PIXEL_H_
