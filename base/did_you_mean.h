#ifndef INTERNODE_BASE_DID_YOU_MEAN_H_
#define INTERNODE_BASE_DID_YOU_MEAN_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace internode {

// What an error about an unknown name says after naming it: what exists, and
// the nearest of it when one is near enough, e.g.
//
//   it has time, y, x (did you mean 'time'?)
//
// `has` is the verb phrase ("it has", "there are"). Without candidates:
// "it has none". At most 20 candidates are listed.
std::string WhatExists(absl::string_view has, absl::string_view name,
                       const std::vector<std::string>& candidates);

// The candidate nearest to `name` in edit distance (letters' case ignored), or
// an empty string when none is near enough to be a slip of the pen.
std::string NearestName(absl::string_view name,
                        const std::vector<std::string>& candidates);

}  // namespace internode

#endif  // INTERNODE_BASE_DID_YOU_MEAN_H_
