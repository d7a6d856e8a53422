#include "client/cli/launch_options.h"

#include <string>
#include <tuple>

namespace internode::cli {
namespace {

void AddJobOptions(CLI::App* app, SlurmArguments* arguments) {
  launch::SlurmJobSpec* const spec = &arguments->spec;
  CLI::Option* const nworkers =
      app->add_option("--nworkers", arguments->nworkers,
                      "Workers: one Slurm job each")
          ->check(CLI::Range(1, 10'000))
          ->type_name("N");
  app->add_option("--cpus", spec->cpus, "Compute threads of each")
      ->check(CLI::Range(1, 1024))
      ->type_name("N")
      ->capture_default_str();
  app->add_option("--mem", arguments->memory,
                  "Memory of each, such as 16GiB (default: the partition's)")
      ->type_name("SIZE");
  app->add_option("--walltime", arguments->walltime,
                  "How long each runs, as sbatch takes it: 2:00:00, 1-12, or "
                  "2h (default: the partition's)")
      ->type_name("TIME");
  app->add_option("--partition", spec->partition, "Where they run")
      ->type_name("NAME");
  app->add_option("--account", spec->account, "Who pays")->type_name("NAME");
  app->add_option("--qos", spec->qos, "Quality of service")->type_name("NAME");
  app->add_option("--job-name", spec->job_name,
                  "Name of the Slurm jobs, by which --adapt finds them again "
                  "(default: from the scheduler's file or address)")
      ->type_name("NAME");
  app->add_option("--log-dir", spec->log_dir,
                  "Folder for their logs (default: this one)")
      ->type_name("DIR");
  app->add_option("--directive", spec->directives,
                  "A further line #SBATCH, such as '--constraint=avx2'; may be "
                  "repeated")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("TEXT");
  app->add_option("--prologue", spec->prologue,
                  "A line of the script before the worker, such as 'module "
                  "load hdf5'; may be repeated")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("LINE");
  app->add_option("--adapt", arguments->adapt,
                  "Stay, and keep MIN to MAX workers while there is work for "
                  "them: those whose time is over are submitted again")
      ->excludes(nworkers)
      ->type_name("MIN:MAX");
  app->add_option("--idle-timeout", arguments->idle_timeout,
                  "With --adapt: workers above MIN go after so long without "
                  "work")
      ->type_name("DURATION")
      ->capture_default_str();
  app->add_option("--interval", arguments->interval,
                  "With --adapt: how often it looks")
      ->type_name("DURATION")
      ->capture_default_str();
  app->add_flag("--once", arguments->once,
                "With --adapt: look once, for a timer or cron");
  app->add_flag("--print", arguments->print,
                "Print the script and submit nothing");
}

void AddWorkerOptions(CLI::App* app, SlurmArguments* arguments) {
  launch::SlurmJobSpec* const spec = &arguments->spec;
  app->add_option("--processes", spec->processes,
                  "Worker processes that share the threads of a job")
      ->check(CLI::Range(1, 1024))
      ->type_name("N")
      ->capture_default_str();
  for (const auto& [flag, folders, help] :
       {std::tuple("--data-root", &arguments->data_roots,
                   "Workers read cubes below this folder only; may be "
                   "repeated"),
        std::tuple("--hdf5-plugins", &arguments->hdf5_plugins,
                   "Folder from which HDF5 may load filters; may be repeated"),
        std::tuple("--function-path", &arguments->function_path,
                   "Folder of shared libraries with functions; may be "
                   "repeated")}) {
    app->add_option(flag, *folders, help)
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false)
        ->type_name("DIR");
  }
  for (const auto& [flag, file, help] :
       {std::tuple("--worker-token-file", &arguments->worker_token_file,
                   "File with the token that the workers show"),
        std::tuple("--worker-tls-cert", &arguments->worker_tls_cert,
                   "Certificate that the workers show"),
        std::tuple("--worker-tls-key", &arguments->worker_tls_key,
                   "Its key")}) {
    app->add_option(flag, *file, help)->type_name("FILE");
  }
  app->add_option("--death-timeout", arguments->death_timeout,
                  "Workers end when there was no scheduler for so long")
      ->type_name("DURATION")
      ->capture_default_str();
  app->add_option("--drain-timeout", arguments->drain_timeout,
                  "What finishing may take at the end of a job")
      ->type_name("DURATION")
      ->capture_default_str();
  app->add_option("--worker-program", spec->worker_program,
                  "internode-worker on the nodes (default: beside this "
                  "command)")
      ->type_name("FILE");
}

}  // namespace

void AddSlurmOptions(CLI::App* app, SlurmArguments* arguments) {
  AddSchedulerOptions(app, &arguments->scheduler);
  AddJobOptions(app, arguments);
  AddWorkerOptions(app, arguments);
}

}  // namespace internode::cli
