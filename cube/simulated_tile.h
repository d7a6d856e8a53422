#ifndef INTERNODE_CUBE_SIMULATED_TILE_H_
#define INTERNODE_CUBE_SIMULATED_TILE_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

#include "cube/netcdf_writer.h"
#include "cube/simulate.h"
#include "cube/simulated_pixel.h"

namespace internode::cube {

// How the area is cut: a tile is the area of one storage chunk, all dates and
// bands of it. Samples are one row.
struct TileShape {
  int64_t rows = 1;
  int64_t columns = 1;
  int64_t row_chunk = 1;
  int64_t column_chunk = 1;
  int64_t time_chunk = 1;

  int64_t tile_columns() const { return (columns - 1) / column_chunk + 1; }
  int64_t num_tiles() const {
    return ((rows - 1) / row_chunk + 1) * tile_columns();
  }
};

// The variables of a simulated cube, by their numbers in the file.
struct SimulatedCube {
  SimulatedLayout layout = SimulatedLayout::kVariables;
  SimulatedQa qa_kind = SimulatedQa::kCfmask;
  // One per band; or the same for all, with a band dimension.
  std::vector<int> bands;
  int qa = 0;
  int break_count = 0;
  int break_date = 0;
  int break_magnitude = 0;
};

// Adds the dimensions, coordinates, variables and attributes to `file`.
absl::StatusOr<SimulatedCube> AddSimulatedCube(
    const SimulateOptions& options, const TileShape& shape,
    const std::vector<int32_t>& dates, NetcdfWriter* file);

struct EncodedChunk {
  int variable = 0;
  std::vector<int64_t> offset;
  std::vector<uint8_t> bytes;
};

// Makes the storage chunks of tiles, one tile at a time. Thread-compatible.
class TileMaker {
 public:
  // `simulator` must outlive the object.
  TileMaker(const PixelSimulator* simulator, const TileShape& shape,
            const SimulatedCube& cube, int deflate);

  // Makes tile number `tile`, row-major.
  void Make(int64_t tile);

  // Of the last tile made.
  const std::vector<EncodedChunk>& chunks() const { return chunks_; }
  int64_t num_pixels() const { return num_pixels_; }

 private:
  void Clear();
  void Hold(const SimulatedPixel& pixel, size_t at);
  void EncodeSeries(int variable, int64_t band, const std::vector<uint8_t>& raw,
                    int64_t number_bytes);
  void EncodeTruth(int variable, const std::vector<uint8_t>& raw,
                   int64_t number_bytes, size_t more_dims);
  // Offset of the tile along the dimensions after time.
  void AppendPlace(std::vector<int64_t>* offset) const;
  EncodedChunk* AddChunk(int variable);

  const PixelSimulator* const simulator_;
  const TileShape shape_;
  const SimulatedCube cube_;
  ChunkEncoder encoder_;
  // Pixels of a storage chunk, and dates of all of them.
  const size_t area_;
  const size_t padded_dates_;
  const size_t qa_bytes_;
  int64_t first_row_ = 0;
  int64_t first_column_ = 0;
  int64_t num_pixels_ = 0;
  SimulatedPixel pixel_;
  // Per band, date after date, pixel after pixel.
  std::vector<std::vector<uint8_t>> bands_;
  std::vector<uint8_t> qa_;
  std::vector<uint8_t> counts_;
  std::vector<uint8_t> days_;
  std::vector<uint8_t> magnitudes_;
  std::vector<EncodedChunk> chunks_;
};

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_SIMULATED_TILE_H_
