#include "scheduler/http/pages.h"

#include <nlohmann/json.hpp>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "scheduler/http/metrics_text.h"

namespace internode::scheduler {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(PagesTest, WhatComesFromOutsideIsEscaped) {
  v1::ListJobsResponse jobs;
  jobs.add_jobs()->set_name("<script>alert('x' & \"y\")</script>");
  v1::ListWorkersResponse workers;
  workers.add_workers()->set_name("<b>");
  v1::GetClusterResponse cluster;
  cluster.set_not_ready("<i>");
  const std::string page = StatusPage(cluster, jobs, workers);
  EXPECT_THAT(page, Not(HasSubstr("<script>")));
  EXPECT_THAT(page, Not(HasSubstr("<b>")));
  EXPECT_THAT(page, Not(HasSubstr("<i>")));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(&#39;x&#39; &amp; "
                              "&quot;y&quot;)&lt;/script&gt;"));
}

TEST(PagesTest, JsonSaysTheStateInWords) {
  v1::JobInfo job;
  job.set_id("j000017");
  job.set_state(v1::JOB_STATE_COMPLETED_WITH_FAILURES);
  job.set_tasks(int64_t{1} << 53);
  const auto json = nlohmann::json::parse(JobJson(job));
  EXPECT_EQ(json["id"], "j000017");
  EXPECT_EQ(json["state"], "completed_with_failures");
  EXPECT_EQ(json["tasks"], int64_t{1} << 53);
}

TEST(PagesTest, NamesThatAreNotTextDoNotBreakJson) {
  v1::ListWorkersResponse workers;
  workers.add_workers()->set_name("\xff\xfe");
  EXPECT_EQ(nlohmann::json::parse(WorkersJson(workers))["workers"].size(), 1u);
}

TEST(MetricsTextTest, HistogramsAreCumulative) {
  EngineStats stats;
  Histogram histogram;
  histogram.Add(absl::Microseconds(5));
  histogram.Add(absl::Microseconds(10));
  histogram.Add(absl::Milliseconds(2));
  histogram.Add(absl::Minutes(1));
  stats.turn_seconds = histogram.counts();
  stats.not_ready = "disk full";
  stats.jobs[1] = 3;
  const std::string text = MetricsText(stats);
  EXPECT_THAT(text, HasSubstr("internode_turn_seconds_bucket{le=\"1e-05\"} 2"));
  EXPECT_THAT(text, HasSubstr("internode_turn_seconds_bucket{le=\"10\"} 3"));
  EXPECT_THAT(text, HasSubstr("internode_turn_seconds_bucket{le=\"+Inf\"} 4"));
  EXPECT_THAT(text, HasSubstr("internode_turn_seconds_count 4"));
  EXPECT_THAT(text, HasSubstr("internode_ready 0"));
  EXPECT_THAT(text, HasSubstr("internode_jobs{state=\"running\"} 3"));
}

}  // namespace
}  // namespace internode::scheduler
