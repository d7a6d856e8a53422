#ifndef INTERNODE_TESTS_UNIT_CUBE_CUBE_TESTUTIL_H_
#define INTERNODE_TESTS_UNIT_CUBE_CUBE_TESTUTIL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/block.h"
#include "core/selection.h"
#include "cube/cube.h"

namespace internode::cube {

// An int16 variable of a file that WriteCube makes.
struct TestVariable {
  std::string name;
  // Names of dimensions, in storage order.
  std::vector<std::string> dims;
  std::vector<int64_t> shape;
  // Empty: contiguous.
  std::vector<int64_t> chunks;
  // 0: not compressed.
  int deflate = 0;
};

// The number that WriteCube gives element `i` of the variable, in storage
// order.
int16_t TestNumber(const std::string& variable, int64_t i);

// Writes an HDF5 file with a scale per dimension, of the values 0, 1, 2, …;
// the dimension "time" has units of days since 2000-01-01.
void WriteCube(const std::string& path,
               const std::vector<TestVariable>& variables);

// Writes a file with one int16 variable, of which nothing is stored, in storage
// chunks of one element per dimension but the first.
void WriteSparse(const std::string& path, const std::string& variable,
                 const std::vector<std::string>& dims,
                 const std::vector<int64_t>& shape);

// The place in the file of storage chunk `index` (by coordinate of its first
// element) of `variable`: where it begins, and its bytes.
struct ChunkPlace {
  int64_t offset = 0;
  int64_t bytes = 0;
};
ChunkPlace PlaceOfChunk(const std::string& path, const std::string& variable,
                        const std::vector<int64_t>& index);

// Changes the byte at `offset` of the file; its times are as before.
void DamageByte(const std::string& path, int64_t offset);

core::Selection Ranges(const std::vector<std::pair<int64_t, int64_t>>& ranges);

}  // namespace internode::cube

#endif  // INTERNODE_TESTS_UNIT_CUBE_CUBE_TESTUTIL_H_
