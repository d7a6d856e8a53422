#ifndef INTERNODE_CUBE_SERIES_READER_H_
#define INTERNODE_CUBE_SERIES_READER_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"

#include "core/selection.h"
#include "cube/block_plan.h"
#include "cube/chunk_decoder.h"
#include "cube/read_scratch.h"

namespace internode::cube {

class SeriesReader;

// Where series of a variable go: a block's first pixel, and what the block is.
struct SeriesTarget {
  const SeriesGroup& group;
  const core::Selection& selection;
  int64_t pixel_stride = 0;
  std::byte* first_pixel = nullptr;
  // The block is larger than the processor's cache, and may be written past it
  // (cube/streaming_copy.h); who asked for it calls FinishStreaming.
  bool streaming = false;
  // What is read after it with the same scratch memory, and by whom; null: the
  // block is whole then.
  const SeriesTarget* next = nullptr;
  SeriesReader* next_reader = nullptr;
};

// Reads the series of one variable into blocks. Thread-safe.
class SeriesReader {
 public:
  virtual ~SeriesReader() = default;

  // Tells the system what Read will want of the file.
  virtual void WillRead(const SeriesTarget& target, ReadScratch* scratch) = 0;

  // The storage chunk that Read will decode first, to be decoded with another
  // one before it; none where nothing is gained, or where it cannot be read:
  // Read will tell why. It is noted in scratch->ahead, of which the caller sets
  // the form.
  virtual std::optional<ChunkDecoder::Chunk> First(const SeriesTarget& target,
                                                   ReadScratch* scratch) {
    static_cast<void>(target);
    static_cast<void>(scratch);
    return std::nullopt;
  }

  // Reads the series of `target.group` of all pixels of a selection, which is
  // within the cube and not empty. Errors as BlockReader::Read.
  virtual absl::Status Read(const SeriesTarget& target,
                            ReadScratch* scratch) = 0;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_SERIES_READER_H_
