#ifndef INTERNODE_CORE_DIMENSION_H_
#define INTERNODE_CORE_DIMENSION_H_

#include <cstdint>
#include <string>
#include <vector>

namespace internode::core {

// A named axis. Sizes are never negative.
struct Dimension {
  std::string name;
  int64_t size = 0;

  friend bool operator==(const Dimension&, const Dimension&) = default;
};

// In the order of the data: the last varies fastest.
using Dimensions = std::vector<Dimension>;

}  // namespace internode::core

#endif  // INTERNODE_CORE_DIMENSION_H_
