#ifndef INTERNODE_CUBE_HDF5_BLOCK_READER_H_
#define INTERNODE_CUBE_HDF5_BLOCK_READER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "cube/block_plan.h"
#include "cube/block_reader.h"
#include "cube/variable_reader.h"

namespace internode::cube {

// Reads with the HDF5 library: what is read of the file goes through the one
// library lock; numbers are put into their places in the block outside it, so
// that threads take turns.
class Hdf5BlockReader final : public BlockReader {
 public:
  // Errors as NewBlockReader.
  static absl::StatusOr<std::unique_ptr<Hdf5BlockReader>> Create(
      std::shared_ptr<const Cube> cube, const core::BlockRequest& request,
      const BlockReaderOptions& options);
  ~Hdf5BlockReader() override;

  const core::BlockLayout& layout() const override { return plan_.layout; }
  absl::Status Read(const core::Selection& selection,
                    core::Block* block) override;

 private:
  // Numbers in storage order; words, for the alignment.
  using Staging = std::vector<uint64_t>;

  Hdf5BlockReader(std::shared_ptr<const Cube> cube, BlockPlan plan,
                  const BlockReaderOptions& options);

  absl::Status ReadGroup(size_t variable, const SeriesGroup& group,
                         const core::Selection& selection, Staging* staging,
                         core::Block* block);
  absl::Status ReadAll(const core::Selection& selection, Staging* staging,
                       core::Block* block);
  std::unique_ptr<Staging> TakeStaging();
  void ReturnStaging(std::unique_ptr<Staging> staging);

  const std::shared_ptr<const Cube> cube_;
  const BlockPlan plan_;
  // For each variable.
  const int64_t cache_bytes_;
  // As plan_.variables.
  std::vector<VariableReader> variables_ ABSL_GUARDED_BY(h5::LibraryMutex());

  Mutex mutex_;
  std::vector<std::unique_ptr<Staging>> idle_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_HDF5_BLOCK_READER_H_
