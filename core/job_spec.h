#ifndef INTERNODE_CORE_JOB_SPEC_H_
#define INTERNODE_CORE_JOB_SPEC_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/chunk_grid.h"

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

// A job as the user states it, before it is checked against a cube. A value.
struct JobSpec {
  std::string function;
  // As text: numbers, true/false, words, or JSON for lists.
  std::vector<std::pair<std::string, std::string>> parameters;
  std::string cube_path;
  std::string cube_group;
  std::vector<std::string> core_dims = {"time"};
  ChunkChoice chunks = AutoChunks();
  // Empty: the function chooses among all.
  std::vector<VariableChoice> variables;
  std::vector<DimensionRange> select;
  // The packed value that means "no data", beside what the file declares.
  // Absent: -9999 in variables whose file declares none.
  std::optional<double> nodata;
};

}  // namespace internode::core

#endif  // INTERNODE_CORE_JOB_SPEC_H_
