#ifndef INTERNODE_CLIENT_CLI_LAUNCH_OPTIONS_H_
#define INTERNODE_CLIENT_CLI_LAUNCH_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "client/cli/scheduler_options.h"
#include "client/launch/slurm_script.h"

namespace internode::cli {

// What `internode launch slurm` is told, as it was written.
struct SlurmArguments {
  ExecutorOptions scheduler;
  launch::SlurmJobSpec spec;
  int nworkers = 1;
  std::string memory;
  std::string walltime;
  std::string adapt;
  std::string idle_timeout = "5m";
  std::string interval = "30s";
  std::string death_timeout = "5m";
  std::string drain_timeout = "30s";
  std::vector<std::string> data_roots;
  std::vector<std::string> function_path;
  std::vector<std::string> hdf5_plugins;
  std::string worker_token_file;
  std::string worker_tls_cert;
  std::string worker_tls_key;
  bool once = false;
  bool print = false;
};

void AddSlurmOptions(CLI::App* app, SlurmArguments* arguments);

}  // namespace internode::cli

#endif  // INTERNODE_CLIENT_CLI_LAUNCH_OPTIONS_H_
