#include "scheduler/http/pages.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"

#include "base/quantity.h"

namespace internode::scheduler {
namespace {

using Json = nlohmann::ordered_json;

// The newest jobs that the page shows.
constexpr int kJobsOnPage = 100;

// "JOB_STATE_RUNNING" -> "running".
std::string StateName(v1::JobState state) {
  const std::string name = v1::JobState_Name(state);
  constexpr size_t kPrefix = sizeof("JOB_STATE_") - 1;
  return absl::AsciiStrToLower(name.substr(std::min(kPrefix, name.size())));
}

Json ToJson(const v1::JobInfo& job) {
  return {{"id", job.id()},
          {"name", job.name()},
          {"owner", job.owner()},
          {"state", StateName(job.state())},
          {"function", job.function()},
          {"cube", job.cube_path()},
          {"priority", job.priority()},
          {"tasks", job.tasks()},
          {"tasks_done", job.tasks_done()},
          {"tasks_failed", job.tasks_failed()},
          {"tasks_leased", job.tasks_leased()},
          {"pixels", job.pixels()},
          {"task_ns", job.task_ns()},
          {"spool_bytes", job.spool_bytes()},
          {"submitted_ns", job.submitted_ns()},
          {"started_ns", job.started_ns()},
          {"ended_ns", job.ended_ns()},
          {"message", job.message()}};
}

Json ToJson(const v1::WorkerInfo& worker) {
  return {{"id", worker.id()},
          {"name", worker.name()},
          {"host", worker.host()},
          {"pid", worker.pid()},
          {"state", worker.state()},
          {"cores", worker.cores()},
          {"memory_limit_bytes", worker.memory_limit_bytes()},
          {"memory_bytes", worker.memory_bytes()},
          {"tasks_done", worker.tasks_done()},
          {"tasks_leased", worker.tasks_leased()},
          {"joined_ns", worker.joined_ns()},
          {"heard_ns", worker.heard_ns()}};
}

// Names need not be UTF-8.
std::string Dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string Escape(const std::string& text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"},
                                    {"<", "&lt;"},
                                    {">", "&gt;"},
                                    {"\"", "&quot;"},
                                    {"'", "&#39;"}});
}

std::string TimeOf(int64_t nanos) {
  if (nanos == 0) return "";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixNanos(nanos),
                          absl::UTCTimeZone());
}

template <typename... Cells>
std::string Row(const char* tag, const Cells&... cells) {
  std::string row = "<tr>";
  (absl::StrAppend(&row, "<", tag, ">", Escape(absl::StrCat(cells)), "</", tag,
                   ">"),
   ...);
  return row + "</tr>\n";
}

std::string Percent(const v1::JobInfo& job) {
  if (job.tasks() == 0) return "100 %";
  return absl::StrFormat("%.1f %%", 100.0 *
                                        static_cast<double>(job.tasks_done()) /
                                        static_cast<double>(job.tasks()));
}

constexpr char kStyle[] =
    "body{font:14px system-ui,sans-serif;margin:2em;color:#222}"
    "table{border-collapse:collapse;margin:0 0 2em}"
    "td,th{padding:.3em .8em;border-bottom:1px solid #ddd;text-align:left}"
    "h1{font-size:1.4em}h2{font-size:1.1em}.bad{color:#b00}";

std::string JobTable(const v1::ListJobsResponse& jobs) {
  std::string table = absl::StrCat(
      "<h2>Jobs (", jobs.jobs_size(), ")</h2>\n<table>\n",
      Row("th", "id", "name", "state", "function", "tasks", "done", "failed",
          "with workers", "results", "submitted (UTC)", "message"));
  const int first = std::max(0, jobs.jobs_size() - kJobsOnPage);
  for (int i = jobs.jobs_size(); i-- > first;) {
    const v1::JobInfo& job = jobs.jobs(i);
    table += Row("td", job.id(), job.name(), StateName(job.state()),
                 job.function(), job.tasks(), Percent(job), job.tasks_failed(),
                 job.tasks_leased(), FormatBytes(job.spool_bytes()),
                 TimeOf(job.submitted_ns()), job.message());
  }
  return table + "</table>\n";
}

std::string WorkerTable(const v1::ListWorkersResponse& workers) {
  std::string table =
      absl::StrCat("<h2>Workers (", workers.workers_size(), ")</h2>\n<table>\n",
                   Row("th", "id", "name", "host", "pid", "state", "cores",
                       "memory", "tasks done", "tasks held", "joined (UTC)"));
  for (const v1::WorkerInfo& worker : workers.workers()) {
    table += Row("td", worker.id(), worker.name(), worker.host(), worker.pid(),
                 worker.state(), worker.cores(),
                 FormatBytes(std::max<int64_t>(0, worker.memory_bytes())),
                 worker.tasks_done(), worker.tasks_leased(),
                 TimeOf(worker.joined_ns()));
  }
  return table + "</table>\n";
}

}  // namespace

std::string JobsJson(const v1::ListJobsResponse& jobs) {
  Json list = Json::array();
  for (const v1::JobInfo& job : jobs.jobs()) list.push_back(ToJson(job));
  return Dump({{"jobs", std::move(list)}});
}

std::string JobJson(const v1::JobInfo& job) { return Dump(ToJson(job)); }

std::string WorkersJson(const v1::ListWorkersResponse& workers) {
  Json list = Json::array();
  for (const v1::WorkerInfo& worker : workers.workers()) {
    list.push_back(ToJson(worker));
  }
  return Dump({{"workers", std::move(list)}});
}

std::string ClusterJson(const v1::GetClusterResponse& cluster) {
  return Dump({{"version", cluster.scheduler().version()},
               {"host", cluster.scheduler().host()},
               {"pid", cluster.scheduler().pid()},
               {"address", cluster.address()},
               {"dashboard", cluster.dashboard()},
               {"workers", cluster.workers()},
               {"cores", cluster.cores()},
               {"memory_bytes", cluster.memory_bytes()},
               {"started_ns", cluster.started_ns()},
               {"not_ready", cluster.not_ready()}});
}

std::string ErrorJson(const std::string& message) {
  return Dump({{"error", message}});
}

std::string StatusPage(const v1::GetClusterResponse& cluster,
                       const v1::ListJobsResponse& jobs,
                       const v1::ListWorkersResponse& workers) {
  std::string page = absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta http-equiv=\"refresh\" content=\"5\">"
      "<title>Internode</title><style>",
      kStyle, "</style></head><body>\n<h1>Internode ",
      Escape(cluster.scheduler().version()), " on ",
      Escape(cluster.scheduler().host()), "</h1>\n<p>",
      Escape(cluster.address()), ", since ", TimeOf(cluster.started_ns()),
      " UTC: ", cluster.workers(), " workers, ", cluster.cores(), " cores");
  if (cluster.memory_bytes() > 0) {
    absl::StrAppend(&page, ", ", FormatBytes(cluster.memory_bytes()),
                    " of memory");
  }
  page += "</p>\n";
  if (!cluster.not_ready().empty()) {
    absl::StrAppend(&page,
                    "<p class=\"bad\">Not ready: ", Escape(cluster.not_ready()),
                    "</p>\n");
  }
  return absl::StrCat(page, JobTable(jobs), WorkerTable(workers),
                      "</body></html>\n");
}

}  // namespace internode::scheduler
