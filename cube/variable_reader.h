#ifndef INTERNODE_CUBE_VARIABLE_READER_H_
#define INTERNODE_CUBE_VARIABLE_READER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/cube_info.h"
#include "cube/block_plan.h"
#include "cube/box.h"
#include "cube/cube_file.h"

namespace internode::cube {

// Cuts boxes into pieces at the boundaries of storage chunks.
class PieceIterator {
 public:
  // Pieces of at most `max_elements` numbers, but not less than one storage
  // chunk, in storage order.
  PieceIterator(const PlannedVariable& plan, const Box& box,
                int64_t max_elements);

  bool done() const { return done_; }
  const Box& piece() const { return piece_; }
  void Next();

 private:
  void SetEnd(size_t d);

  const PlannedVariable& plan_;
  const Box& box_;
  // A multiple of the storage chunk, per dimension.
  absl::InlinedVector<int64_t, 5> step_;
  Box piece_;
  bool done_ = false;
};

// Reads boxes of one variable with H5Dread, in storage order. Every call, the
// destructor among them, happens under h5::Lock.
class VariableReader {
 public:
  // Errors: kFailedPrecondition, a filter that this machine lacks, or a file
  // of a virtual dataset; kDataLoss.
  static absl::StatusOr<VariableReader> Open(const CubeFile& file,
                                             const core::CubeInfo& info,
                                             const PlannedVariable& plan)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

  // Sees to it that storage chunks which `box` shares with its neighbours stay
  // decompressed in memory, if `max_bytes` is enough for them.
  absl::Status KeepShared(const Box& box, int64_t max_bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

  // Reads `box` to `target`, which has room for its elements.
  absl::Status Read(const Box& box, std::byte* target)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

 private:
  VariableReader() = default;

  absl::Status OpenDataset(int64_t cache_bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  absl::Status LearnFill() ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  absl::Status CheckFilters(hid_t creation)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  absl::Status CheckSources(hid_t creation)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  bool ReadElements(const Box& inside, const Box& box, std::byte* target)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  absl::Status ReadError(const Box& inside, const Box& box, std::byte* target)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  void Fill(int64_t elements, std::byte* target) const;

  // Constant after Open; these outlive the reader.
  const CubeFile* file_ = nullptr;
  const core::VariableInfo* info_ = nullptr;
  const StoredVariable* stored_ = nullptr;
  const PlannedVariable* plan_ = nullptr;

  h5::Dataset dataset_;
  h5::Space space_;
  hid_t memory_type_ = -1;
  int64_t cache_bytes_ = 0;
  std::vector<std::byte> fill_;
  // H5Dread leaves elements that were never written as they are.
  bool fill_first_ = false;
  // There is nothing to read but the fill value.
  bool never_written_ = false;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_VARIABLE_READER_H_
