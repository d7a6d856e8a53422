#include "base/did_you_mean.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace internode {
namespace {

constexpr size_t kMaxListed = 20;
// Longer names are not worth the quadratic comparison.
constexpr size_t kMaxNameLength = 256;

// Levenshtein's distance with one row of memory.
size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t substituted =
          diagonal +
          (absl::ascii_tolower(static_cast<unsigned char>(a[i])) ==
                   absl::ascii_tolower(static_cast<unsigned char>(b[j]))
               ? 0
               : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substituted, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string NearestName(absl::string_view name,
                        const std::vector<std::string>& candidates) {
  if (name.size() > kMaxNameLength) return "";
  std::string nearest;
  size_t nearest_distance = std::max<size_t>(1, name.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kMaxNameLength) continue;
    const size_t distance = EditDistance(name, candidate);
    if (distance < nearest_distance) {
      nearest_distance = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string WhatExists(absl::string_view has, absl::string_view name,
                       const std::vector<std::string>& candidates) {
  if (candidates.empty()) return absl::StrCat(has, " none");
  const size_t listed = std::min(candidates.size(), kMaxListed);
  std::string text = absl::StrCat(
      has, " ",
      absl::StrJoin(candidates.begin(),
                    candidates.begin() + static_cast<std::ptrdiff_t>(listed),
                    ", "));
  if (listed < candidates.size()) {
    absl::StrAppend(&text, " and ", candidates.size() - listed, " more");
  }
  const std::string nearest = NearestName(name, candidates);
  if (!nearest.empty()) {
    absl::StrAppend(&text, " (did you mean '", nearest, "'?)");
  }
  return text;
}

}  // namespace internode
