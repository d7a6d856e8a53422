// Writes the segment files that segment_file_test.py opens:
//
//   segment_file_maker FOLDER
#include <cstdio>
#include <string>

#include "tests/unit/cube/segment_testutil.h"

int main(int argc, char** argv) {
  using internode::cube::GridSpec;
  using internode::cube::SampleSpec;
  using internode::cube::SegmentFileSpec;
  if (argc != 2) {
    std::fprintf(stderr, "usage: segment_file_maker FOLDER\n");
    return 2;
  }
  const std::string folder = argv[1];
  SegmentFileSpec empty = GridSpec(4, 5, 3);
  empty.part = internode::cube::SegmentFilePart{};
  SegmentFileSpec bare = GridSpec(4, 5, 3);
  bare.coordinates.clear();
  for (const auto& [name, spec] :
       {std::pair<std::string, SegmentFileSpec>("grid", GridSpec(30, 50, 7)),
        {"samples", SampleSpec(40, 7)},
        {"empty", empty},
        {"bare", bare}}) {
    const absl::Status status =
        internode::cube::WriteSegments(folder + "/" + name + ".nc", spec);
    if (!status.ok()) {
      std::fprintf(stderr, "error: %s\n", status.ToString().c_str());
      return 1;
    }
  }
  return 0;
}
