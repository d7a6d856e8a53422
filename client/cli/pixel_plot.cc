#include "client/cli/pixel_plot.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/time/civil_time.h"

namespace internode::cli {
namespace {

constexpr double kLeft = 70;
constexpr double kWidth = 860;
constexpr double kTop = 40;
constexpr double kPanel = 120;
constexpr double kGap = 24;
// Days from one point of a curve to the next.
constexpr double kStep = 8;

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void Include(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  // Makes a range of what has none, and adds a margin.
  void Widen(double share) {
    if (!(low <= high)) low = high = 0;
    const double margin = high > low ? (high - low) * share : 1;
    low -= margin;
    high += margin;
  }
};

std::string Escaped(const std::string& text) {
  return absl::StrReplaceAll(
      text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

double DayOfYearStart(int64_t year) {
  return static_cast<double>(absl::CivilDay(year, 1, 1) -
                             absl::CivilDay(1970, 1, 1));
}

int64_t YearOf(double day) {
  return (absl::CivilDay(1970, 1, 1) + static_cast<int64_t>(std::floor(day)))
      .year();
}

// One band's panel: maps days and values to the drawing.
class Panel {
 public:
  Panel(double top, Range days, Range values)
      : top_(top), days_(days), values_(values) {}

  double X(double day) const {
    return kLeft + (day - days_.low) / (days_.high - days_.low) * kWidth;
  }
  double Y(double value) const {
    const double y = (values_.high - value) / (values_.high - values_.low);
    return top_ + std::clamp(y, 0.0, 1.0) * kPanel;
  }
  bool Shows(double value) const {
    return value >= values_.low && value <= values_.high;
  }

  void DrawFrame(const std::string& label, bool last, std::string* svg) const {
    absl::StrAppendFormat(
        svg,
        "<rect x=\"%g\" y=\"%g\" width=\"%g\" height=\"%g\" fill=\"none\" "
        "stroke=\"#999\"/>\n",
        kLeft, top_, kWidth, kPanel);
    absl::StrAppendFormat(
        svg, "<text x=\"%g\" y=\"%g\" font-weight=\"bold\">%s</text>\n",
        kLeft + 6, top_ + 15, Escaped(label));
    for (const double value : {values_.low, values_.high}) {
      absl::StrAppendFormat(
          svg, "<text x=\"%g\" y=\"%.1f\" text-anchor=\"end\">%.4g</text>\n",
          kLeft - 5, Y(value) + 4, value);
    }
    const int64_t first = YearOf(days_.low) + 1;
    const int64_t years = YearOf(days_.high) - first + 1;
    const int64_t every = std::max<int64_t>(1, (years + 11) / 12);
    for (int64_t year = first; year < first + years; ++year) {
      const double x = X(DayOfYearStart(year));
      absl::StrAppendFormat(svg, "<path d=\"M%.1f %g v%g\" stroke=\"#eee\"/>\n",
                            x, top_, kPanel);
      if (last && (year - first) % every == 0) {
        absl::StrAppendFormat(
            svg, "<text x=\"%.1f\" y=\"%g\" text-anchor=\"middle\">%d</text>\n",
            x, top_ + kPanel + 16, year);
      }
    }
  }

  void DrawObservations(const ObservedPixel& observed, const ObservedBand& band,
                        std::string* svg) const {
    for (size_t i = 0; i < band.values.size(); ++i) {
      if (!Shows(band.values[i])) continue;
      absl::StrAppendFormat(svg,
                            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"1.8\" "
                            "fill=\"%s\"/>\n",
                            X(observed.days[i]), Y(band.values[i]),
                            observed.clear[i] ? "#333" : "#ccc");
    }
  }

  void DrawCurve(const std::vector<double>& coefs, double angular_frequency,
                 const Curve& curve, std::string* svg) const {
    std::string path;
    for (double day = curve.begin;; day = std::min(day + kStep, curve.end)) {
      absl::StrAppendFormat(&path, "%s%.1f %.1f", path.empty() ? "M" : "L",
                            X(day), Y(CurveAt(coefs, angular_frequency, day)));
      if (day >= curve.end) break;
    }
    absl::StrAppendFormat(svg,
                          "<path d=\"%s\" fill=\"none\" stroke=\"#1667b7\" "
                          "stroke-width=\"1.6\"/>\n",
                          path);
    if (curve.break_day.has_value()) {
      absl::StrAppendFormat(svg,
                            "<path d=\"M%.1f %g v%g\" stroke=\"#c0392b\" "
                            "stroke-dasharray=\"4 3\"/>\n",
                            X(*curve.break_day), top_, kPanel);
    }
  }

 private:
  const double top_;
  const Range days_;
  const Range values_;
};

bool IsDrawable(const Curve& curve) {
  // A hostile file may hold any number; a curve has so many points at most.
  return std::isfinite(curve.begin) && std::isfinite(curve.end) &&
         curve.begin <= curve.end && curve.end - curve.begin < 1e6;
}

Range DaysOf(const PixelCurves& curves, const ObservedPixel& observed) {
  Range days;
  for (const double day : observed.days) days.Include(day);
  for (const Curve& curve : curves.curves) {
    if (!IsDrawable(curve)) continue;
    days.Include(curve.begin);
    days.Include(curve.end);
  }
  days.Widen(0.01);
  return days;
}

// The range of the curves and of the clear observations.
Range ValuesOf(const PixelCurves& curves, size_t b,
               const ObservedPixel& observed, const ObservedBand* band) {
  Range values;
  for (const Curve& curve : curves.curves) {
    if (!IsDrawable(curve)) continue;
    for (double day = curve.begin; day <= curve.end; day += kStep) {
      values.Include(CurveAt(curve.coefs[b], curves.angular_frequency, day));
    }
  }
  if (band != nullptr) {
    for (size_t i = 0; i < band->values.size(); ++i) {
      if (observed.clear[i]) values.Include(band->values[i]);
    }
  }
  values.Widen(0.05);
  return values;
}

}  // namespace

std::string PixelPlot(const std::string& title, const PixelCurves& curves,
                      const ObservedPixel& observed) {
  const size_t panels = curves.labels.size();
  const double height =
      kTop + static_cast<double>(panels) * (kPanel + kGap) + 20;
  std::string svg = absl::StrFormat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%g\" height=\"%g\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
      "<text x=\"%g\" y=\"22\" font-size=\"14\">%s</text>\n",
      kLeft + kWidth + 20, height, kLeft, Escaped(title));
  const Range days = DaysOf(curves, observed);
  for (size_t b = 0; b < panels; ++b) {
    const auto found = std::find_if(
        observed.bands.begin(), observed.bands.end(),
        [&](const ObservedBand& x) { return x.label == curves.labels[b]; });
    const ObservedBand* band =
        found == observed.bands.end() ? nullptr : &*found;
    const Panel panel(kTop + static_cast<double>(b) * (kPanel + kGap), days,
                      ValuesOf(curves, b, observed, band));
    panel.DrawFrame(curves.labels[b], b + 1 == panels, &svg);
    if (band != nullptr) panel.DrawObservations(observed, *band, &svg);
    for (const Curve& curve : curves.curves) {
      if (!IsDrawable(curve)) continue;
      panel.DrawCurve(curve.coefs[b], curves.angular_frequency, curve, &svg);
    }
  }
  return svg + "</svg>\n";
}

}  // namespace internode::cli
