// For every pixel of a cube, the date of each year on which its vegetation
// index (nir - red) / (nir + red) was highest: one record per year in which
// the pixel was seen, so that pixels give different numbers of records.

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"

#include "internode/cli_options.h"
#include "internode/executor.h"
#include "internode/map_collect.h"

namespace {

struct Greenest {
  int32_t y;
  int32_t x;
  // Days since 1970-01-01.
  int32_t day;
  float index;
};

// The years are counted from 1970, all 365.2425 days long, which is exact
// enough to tell one summer from the next.
std::vector<Greenest> GreenestDays(const internode::PixelView& pixel,
                                   double nodata) {
  const internode::SeriesView& red = pixel["red"];
  const internode::SeriesView& nir = pixel["nir"];
  std::map<int, Greenest> best;
  for (int64_t i = 0; i < nir.size() && i < red.size(); ++i) {
    const double sum = nir[i] + red[i];
    if (nir[i] == nodata || red[i] == nodata || sum <= 0) continue;
    const double day = pixel.days()[static_cast<size_t>(i)];
    const auto index = static_cast<float>((nir[i] - red[i]) / sum);
    const auto [it, is_new] =
        best.try_emplace(static_cast<int>(day / 365.2425));
    if (is_new || index > it->second.index) {
      it->second = {static_cast<int32_t>(pixel.index()[0]),
                    static_cast<int32_t>(pixel.index()[1]),
                    static_cast<int32_t>(day), index};
    }
  }
  std::vector<Greenest> records;
  for (const auto& [year, record] : best) records.push_back(record);
  return records;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The greenest day of each year, for every pixel");
  internode::CubeOptions cube;
  internode::cli::ExecutorOptions executor_options;
  internode::cli::NodataOptions nodata;
  app.add_option("CUBE", cube.path, "A cube with bands red and nir")
      ->required();
  internode::cli::AddExecutorOptions(&app, &executor_options);
  internode::cli::AddNodataOption(&app, &nodata);
  try {
    app.parse(internode::cli::JoinExecutorArguments(argc, argv));
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }

  const auto executor = internode::cli::MakeExecutor(executor_options);
  if (!executor.ok()) {
    std::fprintf(stderr, "error: %s\n",
                 std::string(executor.status().message()).c_str());
    return 2;
  }
  cube.variables = {{"", "red"}, {"", "nir"}};
  internode::MapOptions options;
  options.executor = executor->get();
  const auto greenest = internode::MapCollect1d(
      cube,
      [&nodata](const internode::PixelView& pixel) {
        return GreenestDays(pixel, nodata.value());
      },
      options);
  if (!greenest.ok()) {
    std::fprintf(stderr, "error: %s\n",
                 std::string(greenest.status().message()).c_str());
    return 1;
  }
  for (const Greenest& record : greenest->records) {
    std::printf("%d %d %d %.4f\n", record.y, record.x, record.day,
                static_cast<double>(record.index));
  }
  for (const internode::MapFailure& failure : greenest->failures) {
    std::fprintf(stderr, "failed at y=%lld: %s\n",
                 static_cast<long long>(failure.index[0]),
                 failure.message.c_str());
  }
  return greenest->failures.empty() ? 0 : 3;
}
