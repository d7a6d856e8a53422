#ifndef INTERNODE_CUBE_STORAGE_PLAN_H_
#define INTERNODE_CUBE_STORAGE_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cube/dataset_storage.h"
#include "cube/filter_pipeline.h"
#include "cube/h5.h"

namespace internode::cube {

struct StoredDataset;

// How the numbers of a dataset are read: without the HDF5 library, outside its
// lock; or, where the library alone knows how, through it. Decided once, when
// the file is opened.
struct StoragePlan {
  // Why the library is needed: "filter 32015 (zstd)", "virtual dataset". Empty:
  // it is not, and what follows is set.
  std::string library_reason;

  // For ReadDatasetStorage.
  DatasetStorageRequest request;
  // Without filters where the dataset is not chunked.
  FilterPipeline pipeline;
  // One number in this machine's byte order: what is never written reads as.
  // Zero where the file defines none.
  std::vector<std::byte> fill;
};

// Why no dataset of `file` can be read without the library: "opened for
// writing". Empty: they can.
std::string LibraryReasonOfFile(hid_t file)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

// The plan for `dataset`, whose description `stored` is complete but for it,
// and whose numbers have a type. `creation`: its creation properties.
StoragePlan PlanStorage(hid_t dataset, hid_t creation,
                        const StoredDataset& stored)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_STORAGE_PLAN_H_
