#include "worker/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "worker/memory_limit.h"

namespace internode::worker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ParsedOptions Parse(
    std::vector<std::string> arguments,
    const std::map<std::string, std::string>& environment = {}) {
  for (const auto& [name, value] : environment) {
    setenv(name.c_str(), value.c_str(), 1);
  }
  arguments.insert(arguments.begin(), "internode-worker");
  std::vector<char*> argv;
  argv.reserve(arguments.size());
  for (std::string& argument : arguments) argv.push_back(argument.data());
  ParsedOptions parsed =
      ParseOptions(static_cast<int>(argv.size()), argv.data());
  for (const auto& [name, value] : environment) unsetenv(name.c_str());
  return parsed;
}

TEST(OptionsTest, HaveTheirDefaults) {
  const ParsedOptions parsed = Parse({"127.0.0.1:8786"});
  ASSERT_TRUE(parsed.options.has_value()) << parsed.text;
  const WorkerOptions& options = *parsed.options;
  EXPECT_EQ(*SchedulerAddress(options), "127.0.0.1:8786");
  EXPECT_EQ(options.num_processes, 1);
  EXPECT_GE(options.num_slots, 1);
  EXPECT_THAT(options.data_roots, IsEmpty());
  EXPECT_EQ(options.memory_limit, UsableMemory() / 5 * 4);
  EXPECT_EQ(options.lifetime, absl::InfiniteDuration());
  EXPECT_EQ(options.death_timeout, absl::InfiniteDuration());
  EXPECT_EQ(options.drain_timeout, absl::Seconds(30));
  EXPECT_FALSE(options.name.empty());
  EXPECT_EQ(options.process, 0);
}

TEST(OptionsTest, AreTakenFromTheCommandLine) {
  const ParsedOptions parsed = Parse({"--nworkers",
                                      "2",
                                      "--nthreads=3",
                                      "--data-root",
                                      "/a",
                                      "--data-root",
                                      "/b",
                                      "host:1",
                                      "--function-path",
                                      "/f",
                                      "--memory-limit",
                                      "2GiB",
                                      "--lifetime",
                                      "1h30m",
                                      "--death-timeout",
                                      "2m",
                                      "--drain-timeout",
                                      "5s",
                                      "--name",
                                      "n",
                                      "--log-format",
                                      "json",
                                      "-q"});
  ASSERT_TRUE(parsed.options.has_value()) << parsed.text;
  const WorkerOptions& options = *parsed.options;
  EXPECT_EQ(options.scheduler, "host:1");
  EXPECT_EQ(options.num_processes, 2);
  EXPECT_EQ(options.num_slots, 3);
  EXPECT_THAT(options.data_roots, ElementsAre("/a", "/b"));
  EXPECT_THAT(options.function_path, ElementsAre("/f"));
  EXPECT_EQ(options.memory_limit, int64_t{2} << 30);
  EXPECT_EQ(options.lifetime, absl::Minutes(90));
  EXPECT_EQ(options.death_timeout, absl::Minutes(2));
  EXPECT_EQ(options.drain_timeout, absl::Seconds(5));
  EXPECT_EQ(options.name, "n");
  EXPECT_EQ(options.log.format, LogFormat::kJson);
  EXPECT_EQ(options.log.level, LogLevel::kWarning);
  EXPECT_EQ(Parse({"h:1", "--memory-limit", "none"}).options->memory_limit, 0);
}

TEST(OptionsTest, SayHowToConnect) {
  const std::map<std::string, std::string> environment = {
      {"INTERNODE_WORKER_TLS_CA", "ca"},
      {"INTERNODE_WORKER_TLS_CERT", "c"},
      {"INTERNODE_WORKER_TLS_KEY", "k"},
      {"INTERNODE_WORKER_TLS_NAME", "n"},
      {"INTERNODE_WORKER_TOKEN_FILE", "t"},
      {"INTERNODE_WORKER_HDF5_PLUGINS", "/a:/b"}};
  for (const ParsedOptions& parsed :
       {Parse({"host:1", "--tls-ca", "ca", "--tls-cert", "c", "--tls-key", "k",
               "--tls-name", "n", "--token-file", "t", "--hdf5-plugins", "/a",
               "--hdf5-plugins", "/b"}),
        Parse({"host:1"}, environment)}) {
    ASSERT_TRUE(parsed.options.has_value()) << parsed.text;
    const rpc::ConnectionSecurity& security = parsed.options->security;
    EXPECT_EQ(security.tls.ca, "ca");
    EXPECT_EQ(security.tls.certificate, "c");
    EXPECT_EQ(security.tls.key, "k");
    EXPECT_EQ(security.tls_name, "n");
    EXPECT_EQ(security.token_file, "t");
    EXPECT_THAT(parsed.options->hdf5_plugins, ElementsAre("/a", "/b"));
  }
}

TEST(OptionsTest, AreTakenFromTheEnvironment) {
  const ParsedOptions parsed =
      Parse({}, {{"INTERNODE_WORKER_SCHEDULER", "host:1"},
                 {"INTERNODE_WORKER_NWORKERS", "4"},
                 {"INTERNODE_WORKER_DATA_ROOT", "/a:/b"},
                 {"INTERNODE_WORKER_MEMORY_LIMIT", "1GiB"}});
  ASSERT_TRUE(parsed.options.has_value()) << parsed.text;
  EXPECT_EQ(parsed.options->scheduler, "host:1");
  EXPECT_EQ(parsed.options->num_processes, 4);
  EXPECT_THAT(parsed.options->data_roots, ElementsAre("/a", "/b"));
  EXPECT_EQ(parsed.options->memory_limit, int64_t{1} << 30);
  // The command line goes before it.
  EXPECT_THAT(Parse({"h:1", "--data-root", "/c"},
                    {{"INTERNODE_WORKER_DATA_ROOT", "/a:/b"}})
                  .options->data_roots,
              ElementsAre("/c"));
}

TEST(OptionsTest, HelpAndVersionAreNoErrors) {
  const ParsedOptions help = Parse({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.text, HasSubstr("--data-root"));
  // How it starts its processes is its own affair.
  EXPECT_THAT(help.text, testing::Not(HasSubstr("--page-fd")));
  const ParsedOptions version = Parse({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.text, testing::StartsWith("internode-worker "));
}

TEST(OptionsTest, TheSchedulerFileHoldsTheAddress) {
  const std::string path = testing::TempDir() + "/scheduler_file_test";
  WorkerOptions options;
  options.scheduler_file = path + ".none";
  EXPECT_EQ(SchedulerAddress(options).status().code(),
            absl::StatusCode::kNotFound);
  options.scheduler_file = path;
  for (const char* text : {"", "{", "[1]", "{\"address\": 7}", "{}",
                           "{\"address\": \"nonsense\"}"}) {
    std::ofstream(path) << text;
    EXPECT_EQ(SchedulerAddress(options).status().code(),
              absl::StatusCode::kInvalidArgument)
        << text;
  }
  std::ofstream(path) << "{\"address\":\"127.0.0.1:41234\",\"pid\":5}";
  EXPECT_EQ(*SchedulerAddress(options), "127.0.0.1:41234");
}

}  // namespace
}  // namespace internode::worker
