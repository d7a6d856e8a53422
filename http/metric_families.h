#ifndef INTERNODE_HTTP_METRIC_FAMILIES_H_
#define INTERNODE_HTTP_METRIC_FAMILIES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace internode::http {

// Metrics in Prometheus' text format. Names are `internode_<noun>_<unit>`,
// those of counters end in `_total`. Thread-compatible.
class MetricFamilies {
 public:
  MetricFamilies();
  ~MetricFamilies();
  MetricFamilies(const MetricFamilies&) = delete;
  MetricFamilies& operator=(const MetricFamilies&) = delete;

  void Gauge(absl::string_view name, double value, absl::string_view help);
  // One value for each state.
  void Gauge(absl::string_view name, absl::string_view help,
             const std::vector<std::pair<std::string, double>>& by_state);
  void Counter(absl::string_view name, uint64_t value, absl::string_view help);
  // `counts`, not cumulative, has one more than `bounds`: those above all.
  void Histogram(absl::string_view name, absl::Span<const double> bounds,
                 absl::Span<const uint64_t> counts, uint64_t count, double sum,
                 absl::string_view help);

  std::string Text() const;

 private:
  struct Families;
  const std::unique_ptr<Families> families_;
};

}  // namespace internode::http

#endif  // INTERNODE_HTTP_METRIC_FAMILIES_H_
