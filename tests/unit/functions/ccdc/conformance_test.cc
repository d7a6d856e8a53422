// Every pixel of the reference data against the reference's results: structure
// exactly, numbers within the tolerances of its compare_golden.py.

#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "functions/ccdc/detect.h"
#include "tests/support/shared_data.h"
#include "tests/unit/functions/ccdc/golden.h"

namespace internode::functions::ccdc {
namespace {

using testing::GoldenPixel;
using testing::GoldenSegment;
using testing::kGoldenBands;

struct Tally {
  int pass = 0;
  int fail = 0;
  double largest = 0;
};

// The fields of one pixel that differ, with the largest differences.
class Comparison {
 public:
  void Check(const std::string& field, bool same, double difference = 0) {
    Entry& entry = fields_[field];
    entry.same = entry.same && same;
    if (difference > entry.difference) entry.difference = difference;
  }
  void Near(const std::string& field, double got, double want, double atol,
            double rtol) {
    if (std::isnan(got) && std::isnan(want)) return Check(field, true);
    const double difference = std::fabs(got - want);
    Check(field, difference <= atol + rtol * std::fabs(want), difference);
  }

  bool AllSame() const {
    for (const auto& [field, entry] : fields_) {
      if (!entry.same) return false;
    }
    return true;
  }
  std::string Different() const {
    std::string names;
    for (const auto& [field, entry] : fields_) {
      if (!entry.same) names += (names.empty() ? "" : ", ") + field;
    }
    return names;
  }
  void AddTo(std::map<std::string, Tally>& tallies) const {
    for (const auto& [field, entry] : fields_) {
      Tally& tally = tallies[field];
      ++(entry.same ? tally.pass : tally.fail);
      tally.largest = std::fmax(tally.largest, entry.difference);
    }
  }

 private:
  struct Entry {
    bool same = true;
    double difference = 0;
  };
  std::map<std::string, Entry> fields_;
};

// Back to the reference's form: all terms in proleptic ordinals.
void ToOrdinals(const double* coefs, double (&out)[kBasis]) {
  for (int k = 0; k < kBasis; ++k) out[k] = coefs[k];
  PhaseShift(-kOrdinalOf1970, 365.2425).Apply(out);
  out[0] -= out[1] * kOrdinalOf1970;
}

double CurveAt(const double (&c)[kBasis], double t) {
  double sum = c[0] + c[1] * t;
  for (int k = 0; k < 3; ++k) {
    const CosSin h = PeriodicCosSin((k + 1) * t, 365.2425);
    sum += c[2 + 2 * k] * h.cos + c[3 + 2 * k] * h.sin;
  }
  return sum;
}

double CurveRms(const GoldenSegment& want, int band,
                const double (&got)[kBasis]) {
  double difference[kBasis];
  difference[0] = got[0] - want.intercept[band];
  for (int k = 0; k < 7; ++k) {
    difference[k + 1] = got[k + 1] - want.coefficients[band][k];
  }
  double sum = 0;
  for (int i = 0; i < 64; ++i) {
    const double d =
        CurveAt(difference,
                want.start_day + (want.end_day - want.start_day) * (i / 63.0));
    sum += d * d;
  }
  return std::sqrt(sum / 64);
}

void CompareNumbers(const SegmentList& list, int s, const GoldenSegment& want,
                    Comparison& c) {
  for (int band = 0; band < kGoldenBands; ++band) {
    const auto b = static_cast<size_t>(band);
    double got[kBasis];
    ToOrdinals(list.coefs(s).data() + b * kBasis, got);
    c.Near("magnitude", list.magnitude(s)[b], want.magnitude[b], 1e-4, 1e-6);
    c.Near("rmse", list.rmse(s)[b], want.rmse[b], 1e-5, 1e-6);
    c.Near("slope", got[1], want.coefficients[b][0], 1e-8, 1e-6);
    for (int k = 1; k < 7; ++k) {
      c.Near("harmonics", got[k + 1], want.coefficients[b][k], 1e-4, 1e-6);
    }
    const double far = std::fabs(want.coefficients[b][0]) *
                       std::max(want.start_day, want.end_day);
    c.Near("intercept", got[0], want.intercept[b], 1e-2 + 1e-6 * far, 1e-6);
    const double rms = CurveRms(want, band, got);
    c.Check("curve", rms <= 1e-5 + 1e-6 * want.rmse[b], rms);
  }
}

void CompareSegments(const GoldenPixel& pixel, const Workspace& workspace,
                     Comparison& c) {
  const SegmentList& list = workspace.segments();
  const int n = static_cast<int>(pixel.segments.size());
  c.Check("segment_count", list.size() == n);
  if (list.size() != n) return;
  for (int s = 0; s < n; ++s) {
    const Segment& got = list.segment(s);
    const GoldenSegment& want = pixel.segments[static_cast<size_t>(s)];
    c.Check("start_day", got.start_day + kOrdinalOf1970 == want.start_day);
    c.Check("end_day", got.end_day + kOrdinalOf1970 == want.end_day);
    c.Check("break_day", got.break_day + kOrdinalOf1970 == want.break_day);
    c.Check("observation_count",
            got.observation_count == want.observation_count);
    c.Check("change_probability",
            got.change_probability == want.change_probability);
    c.Check("curve_qa", got.curve_qa == want.curve_qa);
  }
  if (!c.AllSame()) return;
  for (int s = 0; s < n; ++s) {
    CompareNumbers(list, s, pixel.segments[static_cast<size_t>(s)], c);
  }
}

Comparison Compare(const GoldenPixel& pixel, Workspace& workspace) {
  const auto model =
      Model::Make(testing::GoldenParameters(pixel.bitpacked)).value();
  const auto dates = DateTable::Make(model, pixel.Days()).value();
  const auto bands = pixel.Bands();
  DetectSegments(model, dates, {bands, pixel.Qa()}, workspace);
  Comparison c;
  const bool failed = workspace.result.status == PixelStatus::kFailed;
  c.Check("status", failed == pixel.raised);
  if (failed || pixel.raised) return c;
  c.Near("cloud_prob", workspace.result.cloud_probability, pixel.cloud, 1e-12,
         0);
  c.Near("snow_prob", workspace.result.snow_probability, pixel.snow, 1e-12, 0);
  c.Near("water_prob", workspace.result.water_probability, pixel.water, 1e-12,
         0);
  bool same_mask = true;
  for (size_t i = 0; i < pixel.mask.size(); ++i) {
    same_mask &= workspace.processing_mask()[i] == pixel.mask[i];
  }
  c.Check("processing_mask", same_mask);
  CompareSegments(pixel, workspace, c);
  return c;
}

void PrintTallies(const std::map<std::string, Tally>& tallies) {
  std::printf("  %-20s %6s %6s %14s\n", "field", "pass", "fail", "max |diff|");
  for (const auto& [field, tally] : tallies) {
    std::printf("  %-20s %6d %6d %14.3g\n", field.c_str(), tally.pass,
                tally.fail, tally.largest);
  }
}

class ConformanceTest : public ::testing::TestWithParam<const char*> {};

TEST_P(ConformanceTest, ReproducesTheReference) {
  const std::string name = std::string("ccdc-golden/dev/") + GetParam();
  INTERNODE_NEEDS_SHARED_DATA(name);
  const auto pixels =
      testing::ReadGolden(internode::testing::SharedDataPath(name));
  ASSERT_FALSE(pixels.empty());
  std::map<std::string, Tally> tallies;
  int judged = 0;
  int flagged_same = 0;
  Workspace workspace;
  for (const GoldenPixel& pixel : pixels) {
    const Comparison c = Compare(pixel, workspace);
    if (pixel.judged()) {
      ++judged;
      c.AddTo(tallies);
      EXPECT_TRUE(c.AllSame())
          << pixel.name << " (flags " << testing::FlagNames(pixel.flags)
          << ") differs in " << c.Different();
    } else if (c.AllSame()) {
      ++flagged_same;
    } else {
      std::printf("  not judged: %s differs in %s; flags %s %s\n",
                  pixel.name.c_str(), c.Different().c_str(),
                  testing::FlagNames(pixel.flags).c_str(), pixel.error.c_str());
    }
  }
  const int flagged = static_cast<int>(pixels.size()) - judged;
  std::printf("%s: %d pixels judged; %d not judged (flags), %d of them same\n",
              GetParam(), judged, flagged, flagged_same);
  PrintTallies(tallies);
}

INSTANTIATE_TEST_SUITE_P(Golden, ConformanceTest,
                         ::testing::Values("real.h5", "synth.h5", "edge.h5"),
                         [](const auto& test) {
                           const std::string file = test.param;
                           return file.substr(0, file.find('.'));
                         });

}  // namespace
}  // namespace internode::functions::ccdc
