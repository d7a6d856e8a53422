#include "cube/library_series_reader.h"

#include <utility>

#include "base/status_macros.h"
#include "cube/placement.h"

namespace internode::cube {
namespace {

// Large enough for the library's cost per call to vanish, small enough to be
// in the processor's cache still when the numbers are put in their places.
constexpr int64_t kStagingBytes = int64_t{8} << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<LibrarySeriesReader>> LibrarySeriesReader::Open(
    const CubeFile& file, const core::CubeInfo& info,
    const PlannedVariable& plan, int64_t cache_bytes) {
  std::unique_ptr<LibrarySeriesReader> reader(
      new LibrarySeriesReader(plan, cache_bytes));
  h5::Lock lock;
  INTERNODE_ASSIGN_OR_RETURN(VariableReader variable,
                             VariableReader::Open(file, info, plan));
  reader->variable_ = std::make_unique<VariableReader>(std::move(variable));
  return reader;
}

LibrarySeriesReader::~LibrarySeriesReader() {
  h5::Lock lock;
  variable_.reset();
}

void LibrarySeriesReader::WillRead(const SeriesTarget& /*target*/,
                                   ReadScratch* /*scratch*/) {}

absl::Status LibrarySeriesReader::Read(const SeriesTarget& target,
                                       ReadScratch* scratch) {
  const Box box = BoxOf(plan_, target.group, target.selection);
  const Placement placement(plan_, target.group, target.selection,
                            target.pixel_stride);
  {
    h5::Lock lock;
    INTERNODE_RETURN_IF_ERROR(variable_->KeepShared(box, cache_bytes_));
  }
  const int64_t max_elements = kStagingBytes / plan_.element_bytes;
  for (PieceIterator it(plan_, box, max_elements); !it.done(); it.Next()) {
    std::byte* const numbers = scratch->staging.Reserve(
        static_cast<size_t>(NumElements(it.piece()) * plan_.element_bytes));
    {
      h5::Lock lock;
      INTERNODE_RETURN_IF_ERROR(variable_->Read(it.piece(), numbers));
    }
    placement.Copy(it.piece(), numbers, target.first_pixel);
  }
  return absl::OkStatus();
}

}  // namespace internode::cube
