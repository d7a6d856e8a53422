#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "client/cli/arguments.h"
#include "client/cli/command.h"
#include "client/cli/interrupt.h"
#include "client/cli/report.h"
#include "cube/simulate.h"
#include "internode/executor.h"

namespace internode::cli {
namespace {

struct SimulateArguments {
  std::string out;
  std::string size = "y=120,x=120";
  std::string start = "2000-01-01";
  std::string end = "2020-12-31";
  std::string storage_chunks;
  std::string layout = "variables";
  std::string qa = "cfmask";
  DateFormatOptions date_format;
  bool overwrite = false;
  cube::SimulateOptions options;
};

absl::StatusOr<cube::SimulateOptions> OptionsOf(
    const SimulateArguments& arguments) {
  cube::SimulateOptions options = arguments.options;
  INTERNODE_ASSIGN_OR_RETURN(options.size,
                             ParseSizes("--size", arguments.size));
  INTERNODE_ASSIGN_OR_RETURN(
      options.storage_chunks,
      ParseSizes("--storage-chunks", arguments.storage_chunks));
  INTERNODE_ASSIGN_OR_RETURN(options.start_day,
                             arguments.date_format.ParseDay(arguments.start));
  INTERNODE_ASSIGN_OR_RETURN(options.end_day,
                             arguments.date_format.ParseDay(arguments.end));
  if (arguments.layout == "band-dim") {
    options.layout = cube::SimulatedLayout::kBandDim;
  } else if (arguments.layout == "samples") {
    options.layout = cube::SimulatedLayout::kSamples;
  }
  if (arguments.qa == "ard") options.qa = cube::SimulatedQa::kArd;
  return options;
}

absl::StatusOr<int> RunSimulate(const SimulateArguments& arguments,
                                OutputFormat format) {
  INTERNODE_ASSIGN_OR_RETURN(const cube::SimulateOptions options,
                             OptionsOf(arguments));
  Interrupt interrupt(absl::StrCat(arguments.out, ".partial"),
                      Interrupt::Mode::kAtOnce);
  const bool terminal = isatty(STDERR_FILENO) == 1;
  const auto progress = [terminal](int64_t done, int64_t all) {
    if (!terminal || all == 0) return;
    std::fprintf(stderr, "\rsimulate %3d%%%s",
                 static_cast<int>(100 * done / all), done == all ? "\n" : "");
  };
  INTERNODE_RETURN_IF_ERROR(
      cube::Simulate(options, arguments.out, arguments.overwrite, progress));
  if (format == OutputFormat::kJson) {
    PrintJson({{"schema", 1}, {"out", arguments.out}});
  } else if (format == OutputFormat::kTable) {
    std::printf("%s\n", arguments.out.c_str());
  }
  return 0;
}

}  // namespace

void AddSimulateCommand(CLI::App* root, CommandLine* line) {
  CLI::App* command = AddCommand(
      root, line, "simulate", "Make a cube with known truth",
      "  internode simulate cube.nc --size y=120,x=120\n"
      "  internode simulate cube.nc --size y=500,x=500 --dates 800 --seed 7 "
      "--qa ard\n"
      "  internode simulate samples.nc --layout samples --size "
      "sample_id=5000");
  auto arguments = std::make_shared<SimulateArguments>();
  cube::SimulateOptions& options = arguments->options;
  options.threads = UsableCores();
  command->add_option("OUT", arguments->out, "The file to write")->required();
  command->add_option("--size", arguments->size, "Sizes of y and x")
      ->type_name("y=120,x=120");
  command->add_option("--dates", options.dates, "Number of dates")
      ->type_name("N");
  command->add_option("--start", arguments->start, "First possible date")
      ->type_name("DATE");
  command->add_option("--end", arguments->end, "Last possible date")
      ->type_name("DATE");
  AddDateFormatOption(command, &arguments->date_format);
  command->add_option("--seed", options.seed, "Of everything that is random")
      ->type_name("N");
  command
      ->add_option("--storage-chunks", arguments->storage_chunks,
                   "Sizes of the storage chunks")
      ->type_name("y=50,x=50");
  command
      ->add_option("--deflate", options.deflate, "Compression: 0 (none) to 9")
      ->type_name("LEVEL");
  command
      ->add_option("--layout", arguments->layout,
                   "variables: one per band; band-dim: one with a band "
                   "dimension; samples: a list of pixels")
      ->check(CLI::IsMember({"variables", "band-dim", "samples"}));
  command
      ->add_option("--qa", arguments->qa,
                   "Codes of clouds: cfmask, or the bits of Landsat ARD")
      ->check(CLI::IsMember({"cfmask", "ard"}));
  command
      ->add_option("--cloud-fraction", options.cloud_fraction,
                   "Mean part of the observations under clouds, 0 to 1")
      ->type_name("F");
  command
      ->add_option("--change-size", options.change_size,
                   "How far a break goes towards another land cover, 0 to 1")
      ->type_name("F");
  command->add_flag("--overwrite", arguments->overwrite,
                    "Replace the file if it exists");
  command->callback([arguments, line] {
    // The default sizes are those of an image.
    if (arguments->layout == "samples" && arguments->size == "y=120,x=120") {
      arguments->size = "sample_id=1000";
    }
    line->action = [arguments, line] {
      return RunSimulate(*arguments, line->global.output_format());
    };
  });
}

}  // namespace internode::cli
