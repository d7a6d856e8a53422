#ifndef INTERNODE_CUBE_SIMULATE_H_
#define INTERNODE_CUBE_SIMULATE_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "core/dimension.h"

namespace internode::cube {

// How the bands are laid out.
enum class SimulatedLayout {
  // One variable per band over (time, y, x).
  kVariables,
  // One variable `image` over (band, time, y, x).
  kBandDim,
  // One variable `image` over (band, time, sample_id).
  kSamples,
};

enum class SimulatedQa {
  // Variable `cfmask`: 0 clear, 1 water, 2 shadow, 3 snow, 4 cloud, 255 fill.
  kCfmask,
  // Variable `pixel_qa`: the bits of Landsat ARD, Collection 1.
  kArd,
};

struct SimulateOptions {
  // y and x; or, for kSamples, sample_id. At least 1 each.
  core::Dimensions size = {{"y", 120}, {"x", 120}};
  int64_t dates = 400;
  // Days since 1970-01-01, the last one included; at least one per date.
  int64_t start_day = 10957;  // 2000-01-01
  int64_t end_day = 18627;    // 2020-12-31
  uint64_t seed = 1;
  // Per dimension, `time` included; those not named: all of time, 50 of y and
  // of x, 2500 of sample_id. A storage chunk has at most 1 GiB.
  core::Dimensions storage_chunks;
  // 0 (none) to 9.
  int deflate = 4;
  SimulatedLayout layout = SimulatedLayout::kVariables;
  SimulatedQa qa = SimulatedQa::kCfmask;
  // Mean part of the observations that are cloud or shadow, 0 to 1.
  double cloud_fraction = 0.35;
  // That each of at most three possible breaks of a pixel takes place.
  double break_probability = 0.25;
  // How far a break goes from the old model to that of another land cover: 1
  // is all the way, 0 is no change.
  double change_size = 1;
  // Threads that generate; the file does not depend on it.
  int threads = 2;
};

// Writes a cube with known truth; see cube/simulated_pixel.h for what a pixel
// is. The pixels depend on the seed, the dates and the place alone, not on
// storage chunks, layout or threads. Beside the bands and the QA:
//
//   true_break_count(y, x)                  0 to 3
//   true_break_date(y, x, true_break)       days since 1970-01-01
//   true_break_magnitude(y, x, true_break, true_band)
//                                           new minus old model at the break
//
// `progress`, if given, is called with pixels done and pixels in all. Memory:
// a few rows of storage chunks of all bands per thread. Errors:
// kInvalidArgument for options out of range; as NetcdfWriter.
absl::Status Simulate(
    const SimulateOptions& options, absl::string_view path, bool overwrite,
    const std::function<void(int64_t, int64_t)>& progress = nullptr);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_SIMULATE_H_
