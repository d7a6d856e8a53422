#include "cube/simulated_pixel.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace internode::cube {

const std::array<absl::string_view, kSimulatedBands> kSimulatedBandNames = {
    "blue", "green", "red", "nir", "swir1", "swir2", "thermal"};

namespace {

constexpr double kDaysPerYear = 365.2425;
constexpr int kThermal = 6;

// The finaliser of SplitMix64 (Steele, Lea, Flood: Fast Splittable
// Pseudorandom Number Generators, 2014).
constexpr uint64_t Mix(uint64_t z) {
  z += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// The random number `counter` of `key`.
constexpr uint64_t Draw(uint64_t key, uint64_t counter) {
  return Mix(key ^ Mix(counter));
}

// In [0, 1).
constexpr double Unit(uint64_t random) {
  return static_cast<double>(random >> 11) * 0x1p-53;
}

// In [-1, 1).
constexpr double Signed(uint64_t random) { return 2 * Unit(random) - 1; }

// Nearly normal, of mean 0 and standard deviation 1: the sum of four uniform
// numbers.
inline double Normal(uint64_t random) {
  const auto sum =
      static_cast<int64_t>((random & 0xffff) + ((random >> 16) & 0xffff) +
                           ((random >> 32) & 0xffff) + (random >> 48));
  constexpr double kDeviation = 37837.22;  // 65536 / sqrt(3)
  return static_cast<double>(sum - 2 * 65535) / kDeviation;
}

// The cosine of `turns` full turns, to 1e-9. Not std::cos, whose last bits
// differ between C libraries.
double CosTurns(double turns) {
  turns -= std::floor(turns);
  // cos is even round a half turn, and odd round a quarter.
  if (turns > 0.5) turns = 1 - turns;
  const bool negative = turns > 0.25;
  if (negative) turns = 0.5 - turns;
  const double x = turns * 6.283185307179586;
  const double q = x * x;
  double sum = 1;
  for (const double n : {182.0, 132.0, 90.0, 56.0, 30.0, 12.0, 2.0}) {
    sum = 1 - q / n * sum;
  }
  return negative ? -sum : sum;
}

double SinTurns(double turns) { return CosTurns(turns - 0.25); }

// A kind of land: mean reflectances in summer and winter, and the height of
// the yearly wave, which peaks in mid July in the northern hemisphere.
struct Cover {
  std::array<double, kSimulatedBands> mean;
  std::array<double, kSimulatedBands> wave;
};

constexpr int kWater = 4;
constexpr std::array<Cover, 5> kCovers = {{
    // Forest.
    {{300, 500, 350, 3200, 1500, 700, 2890},
     {-30, 60, -60, 900, 250, -120, 130}},
    // Crops.
    {{600, 900, 900, 3000, 2400, 1500, 2930},
     {-120, 80, -300, 1200, -250, -400, 160}},
    // Grass.
    {{600, 850, 850, 2500, 2300, 1300, 2920},
     {-80, 60, -180, 700, -150, -250, 150}},
    // Bare soil and buildings.
    {{1100, 1400, 1700, 2400, 2900, 2500, 2960},
     {40, 50, 60, 120, 100, 80, 170}},
    // Water.
    {{500, 500, 350, 200, 120, 80, 2860}, {40, 40, 30, 30, 20, 20, 100}},
}};

constexpr int64_t kCloudCell = 16;

// What the draws of a pixel are for; each purpose has counters of its own.
enum Purpose : uint64_t {
  kForCover = uint64_t{1} << 40,
  kForBreaks = uint64_t{2} << 40,
  kForModel = uint64_t{3} << 40,
  kForNoise = uint64_t{4} << 40,
  kForSight = uint64_t{5} << 40,
  kForDates = uint64_t{6} << 40,
  kForClouds = uint64_t{7} << 40,
};

int16_t Rounded(double value) {
  return static_cast<int16_t>(
      std::floor(std::clamp(value, 0.0, 16000.0) + 0.5));
}

}  // namespace

// One segment of one band.
struct PixelSimulator::Model {
  double level, slope, cos1, sin1, cos2, sin2, noise;

  double At(const Date& date) const {
    return level + slope * date.years + cos1 * date.cos1 + sin1 * date.sin1 +
           cos2 * date.cos2 + sin2 * date.sin2;
  }
};

std::vector<int32_t> SimulatedDates(int64_t count, int64_t start_day,
                                    int64_t end_day, uint64_t seed) {
  const int64_t days = end_day - start_day + 1;
  const uint64_t key = Mix(seed ^ kForDates);
  std::vector<int32_t> dates;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t begin = i * days / count;
    const int64_t end = (i + 1) * days / count;
    const auto place =
        static_cast<int64_t>(Unit(Draw(key, static_cast<uint64_t>(i))) *
                             static_cast<double>(end - begin));
    dates.push_back(static_cast<int32_t>(start_day + begin + place));
  }
  return dates;
}

PixelSimulator::PixelSimulator(std::vector<int32_t> dates, uint64_t seed,
                               double cloud_fraction, double break_probability,
                               double change_size)
    : dates_(std::move(dates)),
      seed_(Mix(seed)),
      break_probability_(break_probability),
      change_size_(change_size) {
  for (size_t d = 0; d < dates_.size(); ++d) {
    const uint64_t key = Draw(seed_ ^ kForClouds, d);
    Date date = DateAt(dates_[d]);
    // Triangular, of mean cloud_fraction.
    date.cloudy =
        cloud_fraction + (Unit(Draw(key, 0)) + Unit(Draw(key, 1)) - 1) *
                             std::min(cloud_fraction, 1 - cloud_fraction);
    if (Unit(Draw(key, 2)) < 0.08) {
      // The edge of the scene leans like Landsat's paths do.
      date.slope_x = Unit(Draw(key, 3)) < 0.5 ? 5 : -5;
      date.slope_y = 1;
      date.limit = static_cast<int64_t>(600 * Signed(Draw(key, 4)));
    }
    shared_.push_back(date);
  }
}

PixelSimulator::Date PixelSimulator::DateAt(int32_t day) const {
  const double years = static_cast<double>(day) / kDaysPerYear;
  Date date;
  date.years = static_cast<double>(day - dates_[0]) / kDaysPerYear;
  date.cos1 = CosTurns(years);
  date.sin1 = SinTurns(years);
  date.cos2 = CosTurns(2 * years);
  date.sin2 = SinTurns(2 * years);
  return date;
}

void PixelSimulator::PlaceBreaks(uint64_t key, SimulatedPixel* pixel) const {
  const int64_t days = dates_.back() - dates_.front();
  // A segment lasts at least a year.
  const auto possible =
      static_cast<int>(std::clamp<int64_t>(days / 730 - 1, 0, kMostBreaks));
  pixel->break_count = 0;
  for (int i = 0; i < possible; ++i) {
    const uint64_t random = Draw(key, kForBreaks + static_cast<uint64_t>(i));
    if (Unit(random) < break_probability_) ++pixel->break_count;
  }
  const double span =
      static_cast<double>(days) / static_cast<double>(pixel->break_count + 1);
  for (int i = 0; i < pixel->break_count; ++i) {
    const double lean =
        Signed(Draw(key, kForBreaks + 16 + static_cast<uint64_t>(i))) / 4;
    pixel->break_days[static_cast<size_t>(i)] =
        dates_.front() + static_cast<int32_t>(span * (i + 1 + lean));
  }
}

size_t PixelSimulator::SegmentStart(const SimulatedPixel& pixel, int s) const {
  if (s == 0) return 0;
  if (s > pixel.break_count) return dates_.size();
  return static_cast<size_t>(
      std::lower_bound(dates_.begin(), dates_.end(),
                       pixel.break_days[static_cast<size_t>(s) - 1]) -
      dates_.begin());
}

SimulatedSight PixelSimulator::SightAt(size_t d, int64_t y, int64_t x,
                                       uint64_t key, int cover) const {
  const Date& date = shared_[d];
  if (date.slope_y * y + date.slope_x * x < date.limit) {
    return SimulatedSight::kFill;
  }
  const uint64_t random = Draw(key, kForSight + d);
  // Most pixels of a cell are under the same cloud, or not.
  uint64_t place = random << 8;
  if ((random & 0xf) != 0) {
    place = Draw(seed_ ^ Mix(static_cast<uint64_t>(y / kCloudCell) << 32 |
                             static_cast<uint64_t>(x / kCloudCell)),
                 kForClouds + d);
  }
  if (Unit(place) < date.cloudy) {
    return (random >> 4 & 0x7) == 0 ? SimulatedSight::kShadow
                                    : SimulatedSight::kCloud;
  }
  // Snow lies in winter only: the year begins with a cosine of 1.
  if (date.cos1 > 0.8 && cover != kWater && Unit(random) < 0.15) {
    return SimulatedSight::kSnow;
  }
  return cover == kWater ? SimulatedSight::kWater : SimulatedSight::kClear;
}

namespace {

// What a band shows where the ground, of value `ground`, is not seen clearly.
double Obscured(SimulatedSight sight, int band, double ground,
                uint64_t random) {
  const double unit = Unit(random);
  switch (sight) {
    case SimulatedSight::kCloud:
      return band == kThermal ? ground - 100 - 300 * unit : 2500 + 5000 * unit;
    case SimulatedSight::kShadow:
      return band == kThermal ? ground - 40 : ground * (0.3 + 0.3 * unit);
    case SimulatedSight::kSnow:
      if (band == kThermal) return 2650 + 60 * unit;
      return (band < 3 ? 6500 : band == 3 ? 5500 : 800) + 800 * unit;
    default:
      return ground;
  }
}

}  // namespace

std::vector<int> PixelSimulator::Covers(int64_t y, int64_t x, uint64_t key,
                                        int break_count) const {
  // Land cover comes in patches.
  const uint64_t patch =
      Draw(seed_ ^ kForCover,
           static_cast<uint64_t>(y / 24) << 32 | static_cast<uint64_t>(x / 24));
  std::vector<int> covers = {static_cast<int>(patch % kCovers.size())};
  for (int s = 1; s <= break_count; ++s) {
    // Another one than before.
    const uint64_t step = 1 + Draw(key, kForCover + static_cast<uint64_t>(s)) %
                                  (kCovers.size() - 1);
    covers.push_back(static_cast<int>(
        (static_cast<uint64_t>(covers.back()) + step) % kCovers.size()));
  }
  return covers;
}

void PixelSimulator::AddModels(uint64_t key, size_t segment, int cover_number,
                               std::vector<Model>* models) const {
  const Cover& cover = kCovers[static_cast<size_t>(cover_number)];
  const uint64_t counter = kForModel + segment * 1024;
  // The peak, in turns after New Year.
  const double lag = 0.535 + 0.04 * Signed(Draw(key, counter + 1023));
  const double cos_lag = CosTurns(lag);
  const double sin_lag = SinTurns(lag);
  for (size_t b = 0; b < kSimulatedBands; ++b) {
    const auto random = [&](uint64_t i) {
      return Signed(Draw(key, counter + b * 16 + i));
    };
    const bool thermal = b == kThermal;
    const double wave = cover.wave[b] * (1 + 0.3 * random(0));
    models->push_back(
        {.level = cover.mean[b] * (1 + (thermal ? 0.003 : 0.15) * random(1)),
         .slope = cover.mean[b] * (thermal ? 0.0002 : 0.006) * random(2),
         .cos1 = wave * cos_lag,
         .sin1 = wave * sin_lag,
         .cos2 = 0.2 * cover.wave[b] * random(3),
         .sin2 = 0.2 * cover.wave[b] * random(4),
         .noise = thermal ? 15 : 20 + 0.03 * cover.mean[b]});
  }
}

void PixelSimulator::ShortenChanges(std::vector<Model>* models) const {
  // Exact where change_size_ is 1.
  const auto between = [this](double old_value, double* value) {
    *value = (1 - change_size_) * old_value + change_size_ * *value;
  };
  for (size_t i = kSimulatedBands; i < models->size(); ++i) {
    const Model& before = (*models)[i - kSimulatedBands];
    Model& model = (*models)[i];
    between(before.level, &model.level);
    between(before.slope, &model.slope);
    between(before.cos1, &model.cos1);
    between(before.sin1, &model.sin1);
    between(before.cos2, &model.cos2);
    between(before.sin2, &model.sin2);
    between(before.noise, &model.noise);
  }
}

void PixelSimulator::Simulate(int64_t y, int64_t x,
                              SimulatedPixel* pixel) const {
  const uint64_t key =
      Draw(seed_, static_cast<uint64_t>(y) << 32 | static_cast<uint64_t>(x));
  PlaceBreaks(key, pixel);
  const std::vector<int> covers = Covers(y, x, key, pixel->break_count);
  std::vector<Model> models;
  for (size_t s = 0; s < covers.size(); ++s) {
    AddModels(key, s, covers[s], &models);
  }
  ShortenChanges(&models);
  pixel->values.resize(dates_.size() * kSimulatedBands);
  pixel->sights.resize(dates_.size());
  for (size_t s = 0; s < covers.size(); ++s) {
    const size_t begin = SegmentStart(*pixel, static_cast<int>(s));
    const size_t end = SegmentStart(*pixel, static_cast<int>(s) + 1);
    // Whether it looks like water is settled by the cover that is nearer.
    const size_t seen_as = change_size_ < 0.5 ? 0 : s;
    for (size_t d = begin; d < end; ++d) {
      pixel->sights[d] = SightAt(d, y, x, key, covers[seen_as]);
    }
    FillSegment(key, begin, end, &models[s * kSimulatedBands], pixel);
  }
  SetMagnitudes(models, pixel);
}

void PixelSimulator::FillSegment(uint64_t key, size_t begin, size_t end,
                                 const Model* models,
                                 SimulatedPixel* pixel) const {
  for (size_t b = 0; b < kSimulatedBands; ++b) {
    const Model& model = models[b];
    int16_t* values = pixel->values.data() + b * dates_.size();
    for (size_t d = begin; d < end; ++d) {
      const SimulatedSight sight = pixel->sights[d];
      if (sight == SimulatedSight::kFill) {
        values[d] = kSimulatedNodata;
        continue;
      }
      const uint64_t random = Draw(key, kForNoise + d * kSimulatedBands + b);
      const double ground = model.At(shared_[d]) + model.noise * Normal(random);
      values[d] = Rounded(Obscured(sight, static_cast<int>(b), ground, random));
    }
  }
}

void PixelSimulator::SetMagnitudes(const std::vector<Model>& models,
                                   SimulatedPixel* pixel) const {
  for (size_t i = 0; i < static_cast<size_t>(pixel->break_count); ++i) {
    const Date date = DateAt(pixel->break_days[i]);
    for (size_t b = 0; b < kSimulatedBands; ++b) {
      const double change = models[(i + 1) * kSimulatedBands + b].At(date) -
                            models[i * kSimulatedBands + b].At(date);
      pixel->magnitudes[i][b] = static_cast<int16_t>(std::floor(change + 0.5));
    }
  }
}

}  // namespace internode::cube
