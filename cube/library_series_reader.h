#ifndef INTERNODE_CUBE_LIBRARY_SERIES_READER_H_
#define INTERNODE_CUBE_LIBRARY_SERIES_READER_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/cube_info.h"
#include "cube/series_reader.h"
#include "cube/variable_reader.h"

namespace internode::cube {

// Reads with the HDF5 library: what is read of the file goes through the one
// library lock; numbers are put into their places in the block outside it, so
// that threads take turns.
class LibrarySeriesReader final : public SeriesReader {
 public:
  // `file`, `info` and `plan` outlive the reader. `cache_bytes`: the most that
  // the library may keep of storage chunks, decompressed. Errors as
  // VariableReader::Open.
  static absl::StatusOr<std::unique_ptr<LibrarySeriesReader>> Open(
      const CubeFile& file, const core::CubeInfo& info,
      const PlannedVariable& plan, int64_t cache_bytes);
  ~LibrarySeriesReader() override;

  void WillRead(const SeriesTarget& target, ReadScratch* scratch) override;
  absl::Status Read(const SeriesTarget& target, ReadScratch* scratch) override;

 private:
  LibrarySeriesReader(const PlannedVariable& plan, int64_t cache_bytes)
      : plan_(plan), cache_bytes_(cache_bytes) {}

  const PlannedVariable& plan_;
  const int64_t cache_bytes_;
  std::unique_ptr<VariableReader> variable_ ABSL_GUARDED_BY(h5::LibraryMutex());
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_LIBRARY_SERIES_READER_H_
