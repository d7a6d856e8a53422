#ifndef INTERNODE_CUBE_SIMULATED_PIXEL_H_
#define INTERNODE_CUBE_SIMULATED_PIXEL_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"

// What a simulated cube's pixels are. Pure: no I/O, and the same numbers on
// every machine, because only integers and single IEEE operations are used.
namespace internode::cube {

inline constexpr int kSimulatedBands = 7;
inline constexpr int kMostBreaks = 3;
inline constexpr int16_t kSimulatedNodata = -9999;

// blue, green, red, nir, swir1, swir2: surface reflectance times 10000.
// thermal: brightness temperature in Kelvin times 10.
extern const std::array<absl::string_view, kSimulatedBands> kSimulatedBandNames;

// What is seen at one observation.
enum class SimulatedSight : uint8_t {
  kClear,
  kWater,
  kShadow,
  kSnow,
  kCloud,
  kFill,
};

// One pixel: numbers by band and date, and the truth.
struct SimulatedPixel {
  // Band after band, date after date. kSimulatedNodata where sights are kFill.
  std::vector<int16_t> values;
  std::vector<SimulatedSight> sights;
  int break_count = 0;
  // Days since 1970-01-01 on which the new segment begins, ascending.
  std::array<int32_t, kMostBreaks> break_days = {};
  // New minus old segment's model on that day, by break and band.
  std::array<std::array<int16_t, kSimulatedBands>, kMostBreaks> magnitudes = {};
};

// `count` days of [start_day, end_day], ascending, each once, at uneven
// distances: one at a random place in each of `count` equal spans. Expects
// 1 <= count <= end_day - start_day + 1.
std::vector<int32_t> SimulatedDates(int64_t count, int64_t start_day,
                                    int64_t end_day, uint64_t seed);

// Makes pixels. A pixel has 1 to 4 segments, each of them per band
//
//   f(t) = level + slope t + a1 cos wt + b1 sin wt + a2 cos 2wt + b2 sin 2wt
//
// with normal noise on it; at a break the model goes `change_size` of the way
// to that of another land cover. Clouds, shadows and snow replace the ground;
// on some dates half of the area was not seen. A pixel depends on the
// constructor's arguments and its place alone. Immutable, and so thread-safe.
class PixelSimulator {
 public:
  // `dates`: ascending days since 1970-01-01, at least one.
  PixelSimulator(std::vector<int32_t> dates, uint64_t seed,
                 double cloud_fraction, double break_probability,
                 double change_size = 1);

  const std::vector<int32_t>& dates() const { return dates_; }

  // Replaces `pixel` by the one in row y and column x.
  void Simulate(int64_t y, int64_t x, SimulatedPixel* pixel) const;

 private:
  // What all pixels share of a date.
  struct Date {
    double years = 0;
    double cos1 = 0, sin1 = 0, cos2 = 0, sin2 = 0;
    // Part of the area that is cloudy.
    double cloudy = 0;
    // Where slope_y * y + slope_x * x < limit nothing was seen.
    int64_t slope_y = 0, slope_x = 0, limit = 0;
  };
  struct Model;

  Date DateAt(int32_t day) const;
  void PlaceBreaks(uint64_t key, SimulatedPixel* pixel) const;
  // The date at which segment `s` begins; the number of dates after the last.
  size_t SegmentStart(const SimulatedPixel& pixel, int s) const;
  // One land cover per segment.
  std::vector<int> Covers(int64_t y, int64_t x, uint64_t key,
                          int break_count) const;
  // One model per band.
  void AddModels(uint64_t key, size_t segment, int cover_number,
                 std::vector<Model>* models) const;
  SimulatedSight SightAt(size_t d, int64_t y, int64_t x, uint64_t key,
                         int cover) const;
  // Moves each segment's models back to the part of the way from the segment
  // before that a change goes.
  void ShortenChanges(std::vector<Model>* models) const;
  // The values of the dates in [begin, end), whose sights are set.
  void FillSegment(uint64_t key, size_t begin, size_t end, const Model* models,
                   SimulatedPixel* pixel) const;
  void SetMagnitudes(const std::vector<Model>& models,
                     SimulatedPixel* pixel) const;

  std::vector<int32_t> dates_;
  std::vector<Date> shared_;
  uint64_t seed_;
  double break_probability_;
  double change_size_;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_SIMULATED_PIXEL_H_
