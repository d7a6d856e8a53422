#ifndef INTERNODE_CLIENT_CLI_RUN_REPORT_H_
#define INTERNODE_CLIENT_CLI_RUN_REPORT_H_

#include <string>

#include "client/cli/report.h"
#include "internode/job.h"

namespace internode::cli {

// What a run ends with.
struct RunReport {
  std::string out;
  std::string executor;
  int workers = 1;
  // What the scheduler calls the job; empty without one.
  std::string job;
  double seconds = 0;
  int64_t max_fails = 0;
  JobSummary summary;

  // 3 when more pixels failed than are allowed, else 0.
  int exit_code() const;
};

// What a run would do.
Json PlanJson(const Job& job, const std::string& out);
std::string PlanText(const Job& job, const std::string& out);

Json ReportJson(const Job& job, const RunReport& report);
std::string ReportText(const Job& job, const RunReport& report);

// The messages of failed pixels with their numbers, and the first failures
// with their places; "" when nothing failed.
std::string FailuresText(const Job& job, const JobSummary& summary);

}  // namespace internode::cli

#endif  // INTERNODE_CLIENT_CLI_RUN_REPORT_H_
