#include "scheduler/config.h"

#include <cstdlib>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace internode::scheduler {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<Config> Parse(std::vector<std::string> flags) {
  flags.insert(flags.begin(), "internode-scheduler");
  std::vector<char*> arguments;
  arguments.reserve(flags.size());
  for (std::string& flag : flags) arguments.push_back(flag.data());
  return ParseConfig(static_cast<int>(arguments.size()), arguments.data());
}

TEST(ConfigTest, FlagsAreRead) {
  const Config config = Parse({"--listen",
                               "[::1]:0",
                               "--http",
                               "off",
                               "--state-dir",
                               "/s",
                               "--durability",
                               "os",
                               "--retain",
                               "12h",
                               "--worker-timeout",
                               "10s",
                               "--heartbeat-interval",
                               "250ms",
                               "--reserve",
                               "1GiB",
                               "--task-timeout",
                               "1m",
                               "--log-format",
                               "json",
                               "-v"})
                            .value();
  EXPECT_EQ(config.listen_host, "::1");
  EXPECT_EQ(config.listen_port, 0);
  EXPECT_FALSE(config.http);
  EXPECT_EQ(config.state_dir, "/s");
  EXPECT_EQ(config.durability, Durability::kOs);
  EXPECT_EQ(config.retain, absl::Hours(12));
  EXPECT_EQ(config.worker_timeout, absl::Seconds(10));
  EXPECT_EQ(config.heartbeat_interval, absl::Milliseconds(250));
  EXPECT_EQ(config.reserve_bytes, int64_t{1} << 30);
  EXPECT_EQ(config.task_timeout, absl::Minutes(1));
  EXPECT_EQ(config.log.format, LogFormat::kJson);
  EXPECT_EQ(config.log.level, LogLevel::kDebug);
}

TEST(ConfigTest, DefaultsAreForThisMachineAlone) {
  const Config config = Parse({"--state-dir", "/s"}).value();
  EXPECT_EQ(config.listen_host, "127.0.0.1");
  EXPECT_EQ(config.listen_port, 8786);
  EXPECT_EQ(config.http_host, "127.0.0.1");
  EXPECT_EQ(config.http_port, 8787);
  EXPECT_EQ(config.retain, absl::Hours(7 * 24));
  EXPECT_EQ(config.durability, Durability::kFsync);
}

TEST(ConfigTest, TheEnvironmentCounts) {
  ASSERT_EQ(setenv("INTERNODE_SCHEDULER_RETAIN", "forever", 1), 0);
  EXPECT_EQ(Parse({"--state-dir", "/s"})->retain, absl::InfiniteDuration());
  EXPECT_EQ(Parse({"--state-dir", "/s", "--retain", "1d"})->retain,
            absl::Hours(24));
  unsetenv("INTERNODE_SCHEDULER_RETAIN");
}

TEST(ConfigTest, WhoMayConnectAndHowMuch) {
  const Config config =
      Parse({"--state-dir",        "/s",    "--listen",        "0.0.0.0:1",
             "--tls-cert",         "c",     "--tls-key",       "k",
             "--tls-client-ca",    "ca",    "--tokens",        "t",
             "--http-name",        "a",     "--http-name",     "b",
             "--buffers",          "64MiB", "--max-message",   "2MiB",
             "--max-streams",      "5",     "--max-jobs",      "6",
             "--max-tasks",        "7",     "--max-job-spool", "8KiB",
             "--max-client-spool", "9KiB"})
          .value();
  EXPECT_EQ(config.tls_cert, "c");
  EXPECT_EQ(config.tls_key, "k");
  EXPECT_EQ(config.tls_client_ca, "ca");
  EXPECT_EQ(config.tokens, "t");
  EXPECT_FALSE(config.insecure);
  EXPECT_THAT(config.http_names, ::testing::ElementsAre("a", "b"));
  EXPECT_EQ(config.buffer_bytes, int64_t{64} << 20);
  EXPECT_EQ(config.max_message_bytes, int64_t{2} << 20);
  EXPECT_EQ(config.max_streams, 5);
  EXPECT_EQ(config.max_jobs, 6);
  EXPECT_EQ(config.max_tasks, 7);
  EXPECT_EQ(config.max_job_spool, 8 << 10);
  EXPECT_EQ(config.max_client_spool, 9 << 10);
  EXPECT_EQ(Parse({"--state-dir", "/s"})->max_job_spool, -1);
}

TEST(ConfigTest, WrongValuesAreOneLineThatNamesTheFlag) {
  const std::pair<std::string, std::string> wrong[] = {
      {"--listen", "8786"},        {"--listen", "host:65536"},
      {"--listen", "::1:8786"},    {"--http", "nowhere"},
      {"--retain", "7"},           {"--retain", "-1h"},
      {"--worker-timeout", "1ms"}, {"--heartbeat-interval", "20s"},
      {"--task-timeout", "0s"},    {"--reserve", "much"},
      {"--log-format", "xml"},     {"--buffers", "1MiB"},
      {"--max-message", "1MiB"},   {"--max-message", "1GiB"},
      {"--max-streams", "0"},      {"--max-jobs", "0"},
      {"--max-tasks", "-1"},       {"--max-job-spool", "much"},
      {"--max-client-spool", "x"}};
  for (const auto& [flag, value] : wrong) {
    const absl::Status status = Parse({flag, value}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << flag;
    EXPECT_THAT(status.message(), HasSubstr(flag));
    EXPECT_THAT(status.message(), HasSubstr(value));
    EXPECT_THAT(status.message(), ::testing::Not(HasSubstr("\n")));
  }
  EXPECT_THAT(Parse({"--durability", "fsnyc"}).status().message(),
              HasSubstr("fsync"));
  EXPECT_EQ(Parse({"--nonsense"}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Parse({"--ready-fd", "x"}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace internode::scheduler
