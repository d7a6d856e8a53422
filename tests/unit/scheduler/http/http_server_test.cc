#include "scheduler/http/http_server.h"

#include <httplib.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/clock.h"
#include "tests/support/memory_file_system.h"
#include "tests/support/memory_journal.h"
#include "tests/unit/scheduler/engine/engine_driver.h"

namespace internode::scheduler {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServerTest() {
    EXPECT_TRUE(files_.CreateFolder("/state").ok());
    spool_ = Spool::Open(&files_, "/state/spool", {.reserve_bytes = 0}).value();
    engine_ = Engine::Open({}, RealClock(), &journal_, spool_.get()).value();
    engine_->Start();
    server_ = HttpServer::Start({}, engine_.get()).value();
    client_ = std::make_unique<httplib::Client>(server_->url());
  }

  void Submit() {
    absl::Notification answered;
    engine_->SubmitJob(
        CheckSubmission(Submission(10, kRequest), "me").value(),
        [&answered](const absl::StatusOr<v1::SubmitJobResponse>& response) {
          EXPECT_TRUE(response.ok());
          answered.Notify();
        });
    answered.WaitForNotification();
  }

  testing::MemoryFileSystem files_;
  testing::MemoryJournal journal_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<httplib::Client> client_;
};

TEST_F(HttpServerTest, ServesJson) {
  Submit();
  EXPECT_EQ(Json::parse(client_->Get("/api/v1/jobs")->body)["jobs"].size(), 1u);
  const Json job = Json::parse(client_->Get("/api/v1/jobs/j000001")->body);
  EXPECT_EQ(job["state"], "queued");
  EXPECT_EQ(job["tasks"], 10);
  EXPECT_EQ(Json::parse(client_->Get("/api/v1/workers")->body)["workers"],
            Json::array());
  EXPECT_EQ(Json::parse(client_->Get("/api/v1/cluster")->body)["workers"], 0);
}

TEST_F(HttpServerTest, ServesPagesAndMetrics) {
  Submit();
  for (const char* path : {"/", "/status"}) {
    const auto page = client_->Get(path);
    EXPECT_EQ(page->status, 200);
    EXPECT_THAT(page->body, HasSubstr("j000001"));
    EXPECT_EQ(page->get_header_value("X-Content-Type-Options"), "nosniff");
  }
  const auto metrics = client_->Get("/metrics");
  EXPECT_THAT(metrics->get_header_value("Content-Type"),
              HasSubstr("version=0.0.4"));
  EXPECT_THAT(metrics->body, HasSubstr("internode_jobs{state=\"queued\"} 1"));
}

TEST_F(HttpServerTest, ReadyUntilItIsNot) {
  EXPECT_EQ(client_->Get("/healthz")->status, 200);
  EXPECT_EQ(client_->Get("/readyz")->status, 200);
  engine_->Stop();
  EXPECT_EQ(client_->Get("/healthz")->status, 200);
  const auto ready = client_->Get("/readyz");
  EXPECT_EQ(ready->status, 503);
  EXPECT_THAT(ready->body, HasSubstr("stopping"));
}

TEST_F(HttpServerTest, WhatIsNotThereIsNotFound) {
  EXPECT_EQ(client_->Get("/api/v1/jobs/j000009")->status, 404);
  EXPECT_EQ(client_->Get("/api/v1/jobs/nonsense")->status, 400);
  EXPECT_EQ(client_->Get("/etc/passwd")->status, 404);
  EXPECT_EQ(client_->Post("/api/v1/jobs", "{}", "application/json")->status,
            404);
  EXPECT_EQ(
      client_->Post("/status", std::string(1 << 20, 'x'), "text/plain")->status,
      413);
}

TEST_F(HttpServerTest, OtherHostsAreRefused) {
  EXPECT_EQ(client_->Get("/status", {{"Host", "evil.example"}})->status, 403);
  EXPECT_EQ(client_->Get("/status", {{"Host", "localhost:1"}})->status, 200);
}

TEST_F(HttpServerTest, ASecondServerOnThePortIsRefused) {
  const std::string url = server_->url();
  const int port = std::stoi(url.substr(url.rfind(':') + 1));
  const auto second = HttpServer::Start({.port = port}, engine_.get());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(second.status().message(), HasSubstr("--http"));
}

}  // namespace
}  // namespace internode::scheduler
