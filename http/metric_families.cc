#include "http/metric_families.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <cstddef>
#include <limits>

namespace internode::http {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

struct MetricFamilies::Families {
  MetricFamily* Add(absl::string_view name, MetricType type,
                    absl::string_view help) {
    MetricFamily& family = all.emplace_back();
    family.name = std::string(name);
    family.help = std::string(help);
    family.type = type;
    return &family;
  }

  std::vector<MetricFamily> all;
};

MetricFamilies::MetricFamilies() : families_(std::make_unique<Families>()) {}
MetricFamilies::~MetricFamilies() = default;

void MetricFamilies::Gauge(absl::string_view name, double value,
                           absl::string_view help) {
  families_->Add(name, MetricType::Gauge, help)
      ->metric.emplace_back()
      .gauge.value = value;
}

void MetricFamilies::Gauge(
    absl::string_view name, absl::string_view help,
    const std::vector<std::pair<std::string, double>>& by_state) {
  MetricFamily* const family = families_->Add(name, MetricType::Gauge, help);
  for (const auto& [state, value] : by_state) {
    ClientMetric& metric = family->metric.emplace_back();
    metric.label.push_back({"state", state});
    metric.gauge.value = value;
  }
}

void MetricFamilies::Counter(absl::string_view name, uint64_t value,
                             absl::string_view help) {
  families_->Add(name, MetricType::Counter, help)
      ->metric.emplace_back()
      .counter.value = static_cast<double>(value);
}

void MetricFamilies::Histogram(absl::string_view name,
                               absl::Span<const double> bounds,
                               absl::Span<const uint64_t> counts,
                               uint64_t count, double sum,
                               absl::string_view help) {
  ClientMetric& metric =
      families_->Add(name, MetricType::Histogram, help)->metric.emplace_back();
  metric.histogram.sample_count = count;
  metric.histogram.sample_sum = sum;
  uint64_t cumulative = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    cumulative += counts[i];
    metric.histogram.bucket.push_back(
        {cumulative, i < bounds.size()
                         ? bounds[i]
                         : std::numeric_limits<double>::infinity()});
  }
}

std::string MetricFamilies::Text() const {
  return prometheus::TextSerializer().Serialize(families_->all);
}

}  // namespace internode::http
