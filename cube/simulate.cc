#include "cube/simulate.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

#include "base/did_you_mean.h"
#include "base/status_macros.h"
#include "cube/netcdf_writer.h"
#include "cube/simulated_tile.h"

namespace internode::cube {
namespace {

absl::Status CheckRange(absl::string_view what, double value, double least,
                        double most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      what, " is ", value, "; it must be between ", least, " and ", most));
}

absl::Status CheckDates(const SimulateOptions& options) {
  // The years 1 to 9999.
  INTERNODE_RETURN_IF_ERROR(CheckRange(
      "the start", static_cast<double>(options.start_day), -719162, 2932896));
  INTERNODE_RETURN_IF_ERROR(CheckRange(
      "the end", static_cast<double>(options.end_day), -719162, 2932896));
  const int64_t days = options.end_day - options.start_day + 1;
  if (days < 1) {
    return absl::InvalidArgumentError("the end is before the start");
  }
  if (options.dates < 1 || options.dates > days) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.dates,
                     " dates do not fit between start and end; there must "
                     "be 1 to ",
                     days));
  }
  return absl::OkStatus();
}

absl::Status CheckSize(const SimulateOptions& options) {
  const std::vector<std::string> names =
      options.layout == SimulatedLayout::kSamples
          ? std::vector<std::string>{"sample_id"}
          : std::vector<std::string>{"y", "x"};
  if (options.size.size() != names.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the size must give ",
                     names.size() == 1 ? "sample_id" : "y and x", " alone"));
  }
  for (size_t d = 0; d < names.size(); ++d) {
    const core::Dimension& dim = options.size[d];
    if (dim.name != names[d]) {
      return absl::InvalidArgumentError(
          absl::StrCat("the size gives '", dim.name, "' where '", names[d],
                       "' is expected"));
    }
    INTERNODE_RETURN_IF_ERROR(CheckRange(absl::StrCat("the size of ", dim.name),
                                         static_cast<double>(dim.size), 1,
                                         std::numeric_limits<int32_t>::max()));
  }
  return absl::OkStatus();
}

absl::Status CheckOptions(const SimulateOptions& options) {
  INTERNODE_RETURN_IF_ERROR(CheckSize(options));
  INTERNODE_RETURN_IF_ERROR(CheckDates(options));
  INTERNODE_RETURN_IF_ERROR(
      CheckRange("the deflate level", options.deflate, 0, 9));
  INTERNODE_RETURN_IF_ERROR(
      CheckRange("the cloud fraction", options.cloud_fraction, 0, 1));
  INTERNODE_RETURN_IF_ERROR(
      CheckRange("the break probability", options.break_probability, 0, 1));
  INTERNODE_RETURN_IF_ERROR(
      CheckRange("the change size", options.change_size, 0, 1));
  return CheckRange("the number of threads", options.threads, 1, 1024);
}

// The size of the storage chunks along `dim`, of `size` elements.
absl::StatusOr<int64_t> ChunkSizeAlong(const SimulateOptions& options,
                                       const std::string& dim, int64_t size,
                                       int64_t usual) {
  int64_t chunk = usual;
  for (const core::Dimension& given : options.storage_chunks) {
    if (given.name != dim) continue;
    if (given.size < 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("storage chunk size of '", dim, "' is ", given.size,
                       "; it must be at least 1"));
    }
    chunk = given.size;
  }
  return std::min(chunk, size);
}

absl::StatusOr<TileShape> MakeShape(const SimulateOptions& options) {
  std::vector<std::string> names = {"time"};
  for (const core::Dimension& dim : options.size) names.push_back(dim.name);
  for (const core::Dimension& given : options.storage_chunks) {
    if (std::find(names.begin(), names.end(), given.name) == names.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("storage chunk size given for '", given.name, "'; ",
                       WhatExists("there are", given.name, names)));
    }
  }
  TileShape shape;
  INTERNODE_ASSIGN_OR_RETURN(
      shape.time_chunk,
      ChunkSizeAlong(options, "time", options.dates, options.dates));
  const bool samples = options.layout == SimulatedLayout::kSamples;
  if (!samples) {
    shape.rows = options.size[0].size;
    INTERNODE_ASSIGN_OR_RETURN(shape.row_chunk,
                               ChunkSizeAlong(options, "y", shape.rows, 50));
  }
  const core::Dimension& last = options.size.back();
  shape.columns = last.size;
  INTERNODE_ASSIGN_OR_RETURN(
      shape.column_chunk,
      ChunkSizeAlong(options, last.name, last.size, samples ? 2500 : 50));
  // Of one thread; sizes of up to 2^31 each cannot be multiplied blindly.
  constexpr double kMostTileBytes = 4.0 * (int64_t{1} << 30);
  const double bytes = static_cast<double>(shape.row_chunk) *
                       static_cast<double>(shape.column_chunk) *
                       static_cast<double>(options.dates + shape.time_chunk) *
                       2 * (kSimulatedBands + 1);
  if (bytes > kMostTileBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("storage chunks of ", shape.row_chunk * shape.column_chunk,
                     " pixels are too large; all dates of one must fit 4 GiB"));
  }
  return shape;
}

// Makes and writes all tiles, as many at a time as there are threads.
absl::Status WriteTiles(const SimulateOptions& options, const TileShape& shape,
                        const PixelSimulator& simulator,
                        const SimulatedCube& cube, NetcdfWriter* file,
                        const std::function<void(int64_t, int64_t)>& progress) {
  std::vector<std::unique_ptr<TileMaker>> makers;
  makers.reserve(static_cast<size_t>(options.threads));
  for (int i = 0; i < options.threads; ++i) {
    makers.push_back(
        std::make_unique<TileMaker>(&simulator, shape, cube, options.deflate));
  }
  const int64_t pixels = shape.rows * shape.columns;
  int64_t done = 0;
  for (int64_t tile = 0; tile < shape.num_tiles();) {
    const auto wave = static_cast<size_t>(
        std::min<int64_t>(options.threads, shape.num_tiles() - tile));
    std::vector<std::thread> threads;
    threads.reserve(wave);
    for (size_t i = 1; i < wave; ++i) {
      threads.emplace_back(
          [&, i] { makers[i]->Make(tile + static_cast<int64_t>(i)); });
    }
    makers[0]->Make(tile);
    for (std::thread& thread : threads) thread.join();
    // In the order of the tiles, whoever was first.
    for (size_t i = 0; i < wave; ++i) {
      for (const EncodedChunk& chunk : makers[i]->chunks()) {
        INTERNODE_RETURN_IF_ERROR(
            file->WriteChunk(chunk.variable, chunk.offset, chunk.bytes));
      }
      done += makers[i]->num_pixels();
    }
    tile += static_cast<int64_t>(wave);
    if (progress) progress(done, pixels);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Simulate(const SimulateOptions& options, absl::string_view path,
                      bool overwrite,
                      const std::function<void(int64_t, int64_t)>& progress) {
  INTERNODE_RETURN_IF_ERROR(CheckOptions(options));
  INTERNODE_ASSIGN_OR_RETURN(const TileShape shape, MakeShape(options));
  const PixelSimulator simulator(
      SimulatedDates(options.dates, options.start_day, options.end_day,
                     options.seed),
      options.seed, options.cloud_fraction, options.break_probability,
      options.change_size);
  INTERNODE_ASSIGN_OR_RETURN(std::unique_ptr<NetcdfWriter> file,
                             NetcdfWriter::Create(path, overwrite));
  INTERNODE_ASSIGN_OR_RETURN(
      const SimulatedCube cube,
      AddSimulatedCube(options, shape, simulator.dates(), file.get()));
  INTERNODE_RETURN_IF_ERROR(
      WriteTiles(options, shape, simulator, cube, file.get(), progress));
  return file->Finish();
}

}  // namespace internode::cube
