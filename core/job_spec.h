#ifndef INTERNODE_CORE_JOB_SPEC_H_
#define INTERNODE_CORE_JOB_SPEC_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/chunk_grid.h"
#include "core/dimension.h"
#include "core/selection.h"

namespace internode::core {

// Whole multiples of the storage chunks, of at most 64 MiB of raw data.
struct AutoChunks {
  friend bool operator==(AutoChunks, AutoChunks) = default;
};
using ChunkChoice = std::variant<AutoChunks, NoChunks, int64_t, ChunkMapping>;

// A variable that the user named for a function, or for one role of it.
struct VariableChoice {
  // "" = the function's main role.
  std::string role;
  // A variable's name; a band's label; or "none", which leaves an optional
  // role empty.
  std::string variable;

  friend bool operator==(const VariableChoice&,
                         const VariableChoice&) = default;
};

// Part of a non-core dimension: begin <= index < end; an open end is -1.
struct DimensionRange {
  std::string dim;
  int64_t begin = 0;
  int64_t end = -1;

  friend bool operator==(const DimensionRange&,
                         const DimensionRange&) = default;
};

// Names for the dimensions of a plain HDF5 file, in storage order.
struct DimensionNames {
  // Empty: for all variables whose dimensions the file does not name.
  std::string variable;
  std::vector<std::string> names;

  friend bool operator==(const DimensionNames&,
                         const DimensionNames&) = default;
};

// A job as the user states it, before it is checked against a cube. A value.
struct JobSpec {
  std::string function;
  // As text: numbers, true/false, words, or JSON for lists.
  std::vector<std::pair<std::string, std::string>> parameters;
  std::string cube_path;
  std::string cube_group;
  std::vector<DimensionNames> dimension_names;
  std::vector<std::string> core_dims = {"time"};
  // The cube decides on the core dimensions: those of bands and time.
  bool default_core_dims = false;
  ChunkChoice chunks = AutoChunks();
  // Empty: the function chooses among all.
  std::vector<VariableChoice> variables;
  std::vector<DimensionRange> select;
  // The packed value that means "no data", beside what the file declares.
  // Absent: -9999 in variables whose file declares none.
  std::optional<double> nodata;
  // The tasks one by one, instead of chunks: not together with `chunks` and
  // `select`.
  std::vector<Selection> selections;
  // The non-core dimensions of a job without a cube: cube_path is empty, and
  // the function gets no data.
  Dimensions shape;

  friend bool operator==(const JobSpec&, const JobSpec&) = default;
};

}  // namespace internode::core

#endif  // INTERNODE_CORE_JOB_SPEC_H_
