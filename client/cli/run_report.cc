#include "client/cli/run_report.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace internode::cli {
namespace {

std::string PlaceText(const Job& job, const std::vector<int64_t>& index) {
  const std::vector<Dimension> dims = job.chunks().dims();
  std::string text;
  for (size_t d = 0; d < index.size(); ++d) {
    absl::StrAppend(&text, d == 0 ? "" : ", ", dims[d].name, "=", index[d]);
  }
  return text;
}

Json PlaceJson(const Job& job, const std::vector<int64_t>& index) {
  const std::vector<Dimension> dims = job.chunks().dims();
  Json json = Json::object();
  for (size_t d = 0; d < index.size(); ++d) json[dims[d].name] = index[d];
  return json;
}

double PerSecond(int64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

// What ran the job: "sync", "2 threads", "1 worker".
std::string ExecutorText(const RunReport& report) {
  if (report.executor == "sync") return report.executor;
  // Fetched: the workers that ran it may be gone.
  if (report.workers == 0) return absl::StrCat("job ", report.job);
  const bool threads = report.executor == "threads";
  return absl::StrCat(report.workers, threads ? " thread" : " worker",
                      report.workers == 1 ? "" : "s");
}

}  // namespace

int RunReport::exit_code() const {
  return summary.failed_pixels() > max_fails ? 3 : 0;
}

Json PlanJson(const Job& job, const std::string& out) {
  Json fields = Json::array();
  const Schema schema = job.schema();
  for (const FieldInfo& field : schema.fields()) {
    fields.push_back({{"name", field.name},
                      {"type", field.numpy_type},
                      {"shape", field.shape}});
  }
  return {{"schema", 1},
          {"dry_run", true},
          {"out", out},
          {"history", job.canonical_command()},
          {"chunks", job.num_chunks()},
          {"pixels", job.num_pixels()},
          {"record_bytes", schema.record_bytes()},
          {"fields", fields},
          {"notes", job.notes()}};
}

std::string PlanText(const Job& job, const std::string& out) {
  std::string text = absl::StrCat(job.canonical_command(), "\n");
  for (const std::string& note : job.notes()) {
    absl::StrAppend(&text, "note: ", note, "\n");
  }
  absl::StrAppend(&text, "would run ", job.num_pixels(), " pixels in ",
                  job.num_chunks(), " chunks");
  absl::StrAppend(&text, out.empty() ? "" : absl::StrCat(" to ", out), "\n");
  return text;
}

Json ReportJson(const Job& job, const RunReport& report) {
  const JobSummary& summary = report.summary;
  Json pixels = Json::object();
  for (size_t status = 0; status < summary.pixels.size(); ++status) {
    pixels[std::string(PixelStatusName(static_cast<PixelStatus>(status)))] =
        summary.pixels[status];
  }
  Json failures = Json::array();
  for (const PixelFailure& failure : summary.first_failures) {
    failures.push_back({{"index", PlaceJson(job, failure.index)},
                        {"message", failure.message}});
  }
  Json messages = Json::array();
  for (const auto& [message, count] : summary.messages) {
    messages.push_back({{"message", message}, {"pixels", count}});
  }
  return {{"schema", 1},
          {"out", report.out},
          {"history", job.canonical_command()},
          {"executor", report.executor},
          {"workers", report.workers},
          {"job", report.job.empty() ? Json() : Json(report.job)},
          {"chunks", summary.chunks},
          {"failed_chunks", summary.failed_chunks},
          {"pixels", pixels},
          {"records", summary.records},
          {"seconds", report.seconds},
          {"pixels_per_s", PerSecond(summary.num_pixels(), report.seconds)},
          {"notes", job.notes()},
          {"failures", failures},
          {"messages", messages},
          {"exit_code", report.exit_code()}};
}

std::string ReportText(const Job& job, const RunReport& report) {
  const JobSummary& summary = report.summary;
  std::string text;
  for (const std::string& note : job.notes()) {
    absl::StrAppend(&text, "note: ", note, "\n");
  }
  std::string statuses;
  for (size_t status = 0; status < summary.pixels.size(); ++status) {
    if (summary.pixels[status] == 0) continue;
    absl::StrAppend(&statuses, statuses.empty() ? "" : ", ",
                    summary.pixels[status], " ",
                    PixelStatusName(static_cast<PixelStatus>(status)));
  }
  absl::StrAppend(&text, "pixels: ", statuses.empty() ? "none" : statuses,
                  "\n");
  absl::StrAppendFormat(
      &text, "%d segments in %s: %.2f s, %s pixels/s, %s\n", summary.records,
      report.out, report.seconds,
      ShortCount(PerSecond(summary.num_pixels(), report.seconds)),
      ExecutorText(report));
  return text;
}

std::string FailuresText(const Job& job, const JobSummary& summary) {
  std::string text;
  for (const auto& [message, count] : summary.messages) {
    absl::StrAppend(&text, "failed: ", count, " pixels: ", message, "\n");
  }
  for (const PixelFailure& failure : summary.first_failures) {
    absl::StrAppend(&text, "  at ", PlaceText(job, failure.index), ": ",
                    failure.message, "\n");
  }
  return text;
}

}  // namespace internode::cli
