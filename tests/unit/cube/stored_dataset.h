#ifndef INTERNODE_TESTS_UNIT_CUBE_STORED_DATASET_H_
#define INTERNODE_TESTS_UNIT_CUBE_STORED_DATASET_H_

#include <hdf5.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cube/dataset_storage.h"

namespace internode::cube {

// A dataset "data" that WriteStored makes, storage chunk by storage chunk.
struct StoredSpec {
  ChunkIndexKind kind = ChunkIndexKind::kBTree1;
  std::vector<int64_t> extents;
  std::vector<int64_t> chunk;
  // Empty: as `kind` needs it. kUnlimited as in DatasetStorageRequest.
  std::vector<int64_t> max_extents = {};
  bool filtered = false;
  // Room for all chunks is made when the dataset is.
  bool allocated_early = false;
  int64_t user_block = 0;
  // Whether the chunk of this ordinal is written; none: all are.
  std::function<bool(int64_t)> written = nullptr;
  // Entries of half a node of a version 1 B-tree; 0: as the library has it.
  unsigned tree_k = 0;
  // Attributes of the dataset, written after it, so that its header has to be
  // continued elsewhere.
  int num_attributes = 0;
  // Unless empty, the extents are set to these at the end.
  std::vector<int64_t> later_extents = {};
};

// One byte per element. What is stored of a chunk differs from chunk to chunk;
// of filtered chunks the size and the mask differ, too.
void WriteStored(const std::string& path, const StoredSpec& spec);

// What libhdf5 says of `dataset`; under h5::Lock.
DatasetStorageRequest RequestOf(hid_t dataset);

// What libhdf5 says of dataset "data" of the file.
DatasetStorageRequest RequestOf(const std::string& path);

// The file as it is now.
std::string FileBytes(const std::string& path);

}  // namespace internode::cube

#endif  // INTERNODE_TESTS_UNIT_CUBE_STORED_DATASET_H_
