#ifndef INTERNODE_CLIENT_INCLUDE_INTERNODE_DATA_ARRAY_H_
#define INTERNODE_CLIENT_INCLUDE_INTERNODE_DATA_ARRAY_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

#include "internode/chunks.h"
#include "internode/pixel.h"

namespace internode {

// The numbers along a dimension.
struct Coordinate {
  std::string dim;
  std::vector<double> values;
};

// An array in memory with named dimensions, not owned: `values` must outlive
// it and every call that it is given to. A value.
class DataArray {
 public:
  // `values` lie in the order of `dims`, the last fastest. Whether everything
  // fits is checked by what the array is given to.
  template <typename T>
  DataArray(std::string name, std::vector<Dimension> dims,
            absl::Span<const T> values,
            std::vector<Coordinate> coordinates = {})
      : name_(std::move(name)),
        dims_(std::move(dims)),
        coordinates_(std::move(coordinates)),
        type_(NumberTypeOf<T>()),
        data_(values.data()),
        size_(static_cast<int64_t>(values.size())) {}
  template <typename T>
  DataArray(std::string name, std::vector<Dimension> dims,
            const std::vector<T>& values,
            std::vector<Coordinate> coordinates = {})
      : DataArray(std::move(name), std::move(dims), absl::Span<const T>(values),
                  std::move(coordinates)) {}

  const std::string& name() const { return name_; }
  const std::vector<Dimension>& dims() const { return dims_; }
  const std::vector<Coordinate>& coordinates() const { return coordinates_; }
  NumberType type() const { return type_; }
  const void* data() const { return data_; }
  int64_t size() const { return size_; }

  // Errors (kInvalidArgument): the product of the dimensions' sizes is not
  // the number of values; a dimension is named twice; a coordinate is not as
  // long as its dimension, or of a dimension that the array lacks.
  absl::Status Check() const;

 private:
  std::string name_;
  std::vector<Dimension> dims_;
  std::vector<Coordinate> coordinates_;
  NumberType type_;
  const void* data_;
  int64_t size_;
};

}  // namespace internode

#endif  // INTERNODE_CLIENT_INCLUDE_INTERNODE_DATA_ARRAY_H_
