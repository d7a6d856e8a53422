#ifndef INTERNODE_CUBE_CUBE_JSON_H_
#define INTERNODE_CUBE_CUBE_JSON_H_

#include <nlohmann/json.hpp>
#include <string>

#include "core/cube_info.h"

namespace internode::cube {

// "1999-12-31": the day that is `days` days after 1970-01-01.
std::string DayText(double days);

// A cube as `internode cube PATH --output json` prints it.
nlohmann::ordered_json CubeJson(const core::CubeInfo& cube);

// The same as one line of text. Names and attributes that are not UTF-8, which
// a file may have, are replaced.
std::string CubeText(const core::CubeInfo& cube);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_CUBE_JSON_H_
