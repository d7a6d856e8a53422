#ifndef INTERNODE_CLIENT_CLI_READ_ADVICE_H_
#define INTERNODE_CLIENT_CLI_READ_ADVICE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/chunk_grid.h"
#include "core/read_cost.h"

namespace internode::cli {

// A way to cut a cube into tasks, and what it costs.
struct GridCost {
  core::ChunkGrid grid;
  core::ReadCost cost;
  // Of the block of the largest task.
  int64_t task_bytes = 0;
};

struct ReadSituation {
  // As they were typed.
  std::string path;
  GridCost chosen;
  // What --chunks auto would choose.
  GridCost automatic;
  // Storage chunks hold all of time.
  bool holds_series = true;
  int threads = 1;
  int processes = 1;
  // Names of variables that the HDF5 library reads, and why.
  std::vector<std::string> slow_variables;
};

struct ReadAdvice {
  // "ok", "chunks" (other tasks) or "rechunk" (another file).
  std::string kind;
  // In words, a sentence each.
  std::vector<std::string> reasons;
  // What to write after --chunks, or the whole command; empty with "ok".
  std::string chunks;
  std::string command;
};

// "y=100,x=100": what to write after --chunks.
std::string ChunkSizesText(const core::ChunkGrid& grid);

// What to do about a job's reading. Pure.
ReadAdvice AdviseOnReading(const ReadSituation& situation);

}  // namespace internode::cli

#endif  // INTERNODE_CLIENT_CLI_READ_ADVICE_H_
