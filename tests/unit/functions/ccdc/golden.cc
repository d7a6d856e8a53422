#include "tests/unit/functions/ccdc/golden.h"

#include <hdf5.h>

#include <utility>

namespace internode::functions::ccdc::testing {
namespace {

// An open dataset and its size; closes itself.
class Dataset {
 public:
  Dataset(const std::string& path, const std::string& name) {
    file_ = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file_ < 0) return;
    set_ = H5Dopen2(file_, name.c_str(), H5P_DEFAULT);
    if (set_ < 0) return;
    const hid_t space = H5Dget_space(set_);
    size_ = static_cast<size_t>(H5Sget_simple_extent_npoints(space));
    H5Sclose(space);
  }
  ~Dataset() {
    if (set_ >= 0) H5Dclose(set_);
    if (file_ >= 0) H5Fclose(file_);
  }
  Dataset(const Dataset&) = delete;
  Dataset& operator=(const Dataset&) = delete;

  hid_t id() const { return set_; }
  size_t size() const { return size_; }

 private:
  hid_t file_ = -1;
  hid_t set_ = -1;
  size_t size_ = 0;
};

// All of the group /out, by segment.
struct SegmentColumns {
  std::vector<double> start, end, brk, count, qa, change, magnitude, rmse,
      intercept, coefficients;

  explicit SegmentColumns(const std::string& path)
      : start(ReadNumbers(path, "out/start_day")),
        end(ReadNumbers(path, "out/end_day")),
        brk(ReadNumbers(path, "out/break_day")),
        count(ReadNumbers(path, "out/observation_count")),
        qa(ReadNumbers(path, "out/curve_qa")),
        change(ReadNumbers(path, "out/change_probability")),
        magnitude(ReadNumbers(path, "out/magnitude")),
        rmse(ReadNumbers(path, "out/rmse")),
        intercept(ReadNumbers(path, "out/intercept")),
        coefficients(ReadNumbers(path, "out/coefficients")) {}

  GoldenSegment At(size_t s) const {
    GoldenSegment g;
    g.start_day = static_cast<int>(start[s]);
    g.end_day = static_cast<int>(end[s]);
    g.break_day = static_cast<int>(brk[s]);
    g.observation_count = static_cast<int>(count[s]);
    g.curve_qa = static_cast<int>(qa[s]);
    g.change_probability = change[s];
    for (size_t b = 0; b < kGoldenBands; ++b) {
      g.magnitude[b] = magnitude[s * kGoldenBands + b];
      g.rmse[b] = rmse[s * kGoldenBands + b];
      g.intercept[b] = intercept[s * kGoldenBands + b];
      for (size_t k = 0; k < 7; ++k) {
        g.coefficients[b][k] = coefficients[(s * kGoldenBands + b) * 7 + k];
      }
    }
    return g;
  }
};

}  // namespace

std::vector<double> ReadNumbers(const std::string& path,
                                const std::string& name) {
  const Dataset set(path, name);
  std::vector<double> out(set.size());
  if (!out.empty()) {
    H5Dread(set.id(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT,
            out.data());
  }
  return out;
}

std::vector<std::string> ReadStrings(const std::string& path,
                                     const std::string& name) {
  const Dataset set(path, name);
  if (set.size() == 0) return {};
  const hid_t type = H5Dget_type(set.id());
  const size_t width = H5Tget_size(type);
  std::vector<char> text(width * set.size());
  H5Dread(set.id(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data());
  H5Tclose(type);
  std::vector<std::string> out;
  for (size_t i = 0; i < set.size(); ++i) {
    std::string one(text.data() + i * width, width);
    out.push_back(one.substr(0, one.find('\0')));
  }
  return out;
}

std::string FlagNames(unsigned flags) {
  static constexpr std::pair<unsigned, const char*> kNames[] = {
      {kRounding, "rounding"},    {kTmask365, "tmask_365"},
      {kDateTies, "date_ties"},   {kDoyTies, "doy_ties"},
      {kInt16Wrap, "int16_wrap"}, {kConvergence, "convergence"},
      {kException, "exception"},  {kRcond, "rcond"},
      {kMaxIter, "max_iter"},     {kZeroVario, "zero_vario"}};
  std::string names;
  for (const auto& [flag, name] : kNames) {
    if ((flags & flag) == 0) continue;
    if (!names.empty()) names += '|';
    names += name;
  }
  return names.empty() ? "-" : names;
}

std::vector<int32_t> GoldenPixel::Days() const {
  std::vector<int32_t> days;
  for (const int32_t o : ordinals) days.push_back(o - kOrdinalOf1970);
  return days;
}

std::vector<BandSeries> GoldenPixel::Bands() const {
  std::vector<BandSeries> bands;
  for (size_t b = 0; b < kGoldenBands; ++b) {
    bands.push_back(
        {spectra.data() + b * ordinals.size(), ElementType::kInt16});
  }
  return bands;
}

std::vector<GoldenPixel> ReadGolden(const std::string& path) {
  const auto offset = ReadNumbers(path, "in/obs_offset");
  const auto dates = ReadNumbers(path, "in/dates");
  const auto spectra = ReadNumbers(path, "in/spectra");
  const auto qa = ReadNumbers(path, "in/qa");
  const auto packed = ReadNumbers(path, "in/qa_bitpacked");
  const auto names = ReadStrings(path, "pixel/name");
  const auto flags = ReadNumbers(path, "pixel/flags");
  const auto status = ReadNumbers(path, "out/status");
  const auto errors = ReadStrings(path, "out/error");
  const auto cloud = ReadNumbers(path, "out/cloud_prob");
  const auto snow = ReadNumbers(path, "out/snow_prob");
  const auto water = ReadNumbers(path, "out/water_prob");
  const auto mask = ReadNumbers(path, "out/processing_mask");
  const auto segment_offset = ReadNumbers(path, "out/seg_offset");
  const SegmentColumns columns(path);
  std::vector<GoldenPixel> pixels;
  for (size_t p = 0; p < names.size(); ++p) {
    GoldenPixel pixel;
    pixel.name = names[p];
    pixel.error = errors[p];
    pixel.flags = static_cast<unsigned>(flags[p]);
    pixel.bitpacked = packed[p] != 0;
    pixel.raised = status[p] != 0;
    pixel.cloud = cloud[p];
    pixel.snow = snow[p];
    pixel.water = water[p];
    const auto begin = static_cast<size_t>(offset[p]);
    const auto end = static_cast<size_t>(offset[p + 1]);
    for (size_t i = begin; i < end; ++i) {
      pixel.ordinals.push_back(static_cast<int32_t>(dates[i]));
      pixel.qa.push_back(static_cast<uint16_t>(qa[i]));
      pixel.mask.push_back(static_cast<int>(mask[i]));
    }
    for (size_t b = 0; b < kGoldenBands; ++b) {
      for (size_t i = begin; i < end; ++i) {
        pixel.spectra.push_back(
            static_cast<int16_t>(spectra[b * dates.size() + i]));
      }
    }
    for (auto s = static_cast<size_t>(segment_offset[p]);
         s < static_cast<size_t>(segment_offset[p + 1]); ++s) {
      pixel.segments.push_back(columns.At(s));
    }
    pixels.push_back(std::move(pixel));
  }
  return pixels;
}

Parameters GoldenParameters(bool bitpacked) {
  Parameters p;
  p.bands.resize(kGoldenBands);
  p.bands[6].valid_min = kThermalValidMin;
  p.bands[6].valid_max = kThermalValidMax;
  p.detection_bands = {1, 2, 3, 4, 5};
  p.tmask_bands = {1, 4};
  p.thermal_band = 6;
  p.green_band = 1;
  p.qa_encoding = bitpacked ? QaEncoding::kLandsatArd : QaEncoding::kCfmask;
  return p;
}

}  // namespace internode::functions::ccdc::testing
