#include "cube/h5_links.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace internode::cube {
namespace {

herr_t AppendLink(hid_t /*group*/, const char* name, const H5L_info_t* info,
                  void* links) {
  static_cast<std::vector<Link>*>(links)->push_back(
      {name, info->type, info->corder_valid > 0, info->corder});
  return 0;
}

}  // namespace

absl::StatusOr<std::vector<Link>> ListLinks(hid_t group,
                                            absl::string_view path) {
  // The calls and their order avoid crashes of the library: see
  // docs/damaged-files.md.
  std::vector<Link> links;
  hsize_t next = 0;
  if (H5Lexists(group, h5::kNoSuchName, H5P_DEFAULT) < 0 ||
      H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE, &next, AppendLink,
                 &links) < 0) {
    return h5::Error(
        absl::StatusCode::kDataLoss,
        absl::StrCat("cannot read the description of '", path, "'"));
  }
  const bool by_creation =
      std::all_of(links.begin(), links.end(),
                  [](const Link& link) { return link.has_order; });
  std::sort(links.begin(), links.end(), [&](const Link& a, const Link& b) {
    if (by_creation && a.creation_order != b.creation_order) {
      return a.creation_order < b.creation_order;
    }
    return a.name < b.name;
  });
  return links;
}

}  // namespace internode::cube
