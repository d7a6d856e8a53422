// Prints the selections that cut an array of 5 x 7 into chunks of 3 rows.

#include <cstdio>

#include "internode/chunks.h"

int main() {
  const auto chunks = internode::IterChunks({{"y", 5}, {"x", 7}},
                                            internode::ChunkMapping{{"y", 3}});
  if (!chunks.ok()) {
    std::fprintf(stderr, "error: %s\n", chunks.status().ToString().c_str());
    return 1;
  }
  for (const internode::Selection& selection : *chunks) {
    std::printf("y=%ld:%ld x=%ld:%ld\n", static_cast<long>(selection[0].begin),
                static_cast<long>(selection[0].end),
                static_cast<long>(selection[1].begin),
                static_cast<long>(selection[1].end));
  }
  return 0;
}
