#include "cube/segment_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "cube/cube_file.h"
#include "cube/dataset_list.h"
#include "cube/h5.h"
#include "cube/segment_file_describe.h"
#include "cube/segment_layout.h"
#include "cube/segment_same.h"

namespace internode::cube {
namespace {

// What is read at once, lest a made-up file exhausts the memory.
constexpr int64_t kMostPixels = int64_t{1} << 27;
constexpr int64_t kMostBytes = int64_t{1} << 32;

// The per-pixel variables of a selection, row-major.
struct IndexBlock {
  std::vector<int16_t> counts;
  std::vector<int64_t> firsts;
  std::vector<int8_t> statuses;
};

}  // namespace

struct SegmentReader::Impl {
  ~Impl() {
    h5::Lock lock;
    columns.clear();
    counts.reset();
    firsts.reset();
    statuses.reset();
  }

  absl::Status Open();
  absl::Status OpenVariables()
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  absl::Status InFile(const absl::Status& status) const;

  // The numbers of the hyperslab [begin, begin + size) of `dataset`.
  absl::Status ReadSlab(const h5::Dataset& dataset, hid_t type,
                        const std::vector<hsize_t>& begin,
                        const std::vector<hsize_t>& size, void* numbers) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  absl::StatusOr<IndexBlock> ReadIndex(const core::Selection& selection) const;
  absl::Status LoadWindow(int64_t window);
  absl::Status ReadRecords(int64_t first, int64_t count,
                           std::vector<uint8_t>* rows);
  absl::Status CheckIndex(const IndexBlock& index, int64_t* first,
                          int64_t* count) const;
  absl::Status ReadSelection(const core::Selection& selection,
                             core::BlockResult* result);

  std::unique_ptr<CubeFile> file;
  SegmentFileDescription description;
  // Parallel to the schema's fields.
  std::vector<h5::Dataset> columns;
  h5::Dataset counts;
  h5::Dataset firsts;
  h5::Dataset statuses;
  // Rows per window, and the packed rows of the window at hand.
  int64_t window_rows = 1;
  int64_t window = -1;
  std::vector<uint8_t> window_bytes;
};

absl::Status SegmentReader::Impl::InFile(const absl::Status& status) const {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat("cannot read '", file->path,
                                                  "': ", status.message()));
}

absl::Status SegmentReader::Impl::Open() {
  h5::Lock lock;
  absl::StatusOr<DatasetList> list =
      ListDatasets(file->file.get(), file->path, nullptr);
  if (!list.ok()) return InFile(list.status());
  absl::StatusOr<SegmentFileDescription> described =
      DescribeSegmentFile(file->file.get(), *list);
  if (!described.ok()) return InFile(described.status());
  description = *std::move(described);
  window_rows = RecordsPerStorageChunk(
      description.spec.schema->record_bytes() +
      12 * static_cast<int64_t>(description.spec.grid.dims().size()));
  return InFile(OpenVariables());
}

absl::Status SegmentReader::Impl::OpenVariables() {
  const auto open = [&](const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(
                        h5::LibraryMutex()) {
    return h5::Own<h5::Dataset>(
        H5Dopen2(file->file.get(), name.c_str(), H5P_DEFAULT),
        absl::StrCat("open '", name, "'"));
  };
  for (const core::Field& field : description.spec.schema->fields()) {
    INTERNODE_ASSIGN_OR_RETURN(h5::Dataset column, open(field.name));
    columns.push_back(std::move(column));
  }
  const SegmentLayout layout = MakeSegmentLayout(description.spec);
  INTERNODE_ASSIGN_OR_RETURN(counts, open(layout.count_name));
  INTERNODE_ASSIGN_OR_RETURN(firsts, open(std::string(kFirstName)));
  INTERNODE_ASSIGN_OR_RETURN(statuses, open(std::string(kStatusName)));
  return absl::OkStatus();
}

absl::Status SegmentReader::Impl::ReadSlab(const h5::Dataset& dataset,
                                           hid_t type,
                                           const std::vector<hsize_t>& begin,
                                           const std::vector<hsize_t>& size,
                                           void* numbers) const {
  h5::Space in_file(H5Dget_space(dataset.get()));
  h5::Space in_memory(size.empty()
                          ? H5Screate(H5S_SCALAR)
                          : H5Screate_simple(static_cast<int>(size.size()),
                                             size.data(), nullptr));
  if (!size.empty()) {
    INTERNODE_RETURN_IF_ERROR(h5::Check(
        H5Sselect_hyperslab(in_file.get(), H5S_SELECT_SET, begin.data(),
                            nullptr, size.data(), nullptr),
        "select"));
  }
  if (H5Dread(dataset.get(), type, in_memory.get(), in_file.get(), H5P_DEFAULT,
              numbers) < 0) {
    return h5::Error(absl::StatusCode::kDataLoss, "damaged data");
  }
  return absl::OkStatus();
}

absl::StatusOr<IndexBlock> SegmentReader::Impl::ReadIndex(
    const core::Selection& selection) const {
  if (selection.num_pixels() > kMostPixels) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a chunk of ", selection.num_pixels(),
                     " pixels is too large to be read"));
  }
  std::vector<hsize_t> begin;
  std::vector<hsize_t> size;
  for (const core::Extent& extent : selection.extents) {
    begin.push_back(static_cast<hsize_t>(extent.begin));
    size.push_back(static_cast<hsize_t>(extent.size()));
  }
  const auto pixels = static_cast<size_t>(selection.num_pixels());
  IndexBlock index;
  index.counts.resize(pixels);
  index.firsts.resize(pixels);
  index.statuses.resize(pixels);
  if (pixels == 0) return index;
  h5::Lock lock;
  INTERNODE_RETURN_IF_ERROR(
      ReadSlab(counts, H5T_NATIVE_INT16, begin, size, index.counts.data()));
  INTERNODE_RETURN_IF_ERROR(
      ReadSlab(firsts, H5T_NATIVE_INT64, begin, size, index.firsts.data()));
  INTERNODE_RETURN_IF_ERROR(
      ReadSlab(statuses, H5T_NATIVE_INT8, begin, size, index.statuses.data()));
  return index;
}

absl::Status SegmentReader::Impl::LoadWindow(int64_t number) {
  if (window == number) return absl::OkStatus();
  window = -1;
  const core::RecordSchema& schema = *description.spec.schema;
  const int64_t begin = number * window_rows;
  const int64_t rows = std::min(window_rows, description.num_records - begin);
  const int64_t row_bytes = schema.record_bytes();
  window_bytes.resize(static_cast<size_t>(rows * row_bytes));
  std::vector<uint8_t> column;
  for (int i = 0; i < static_cast<int>(columns.size()); ++i) {
    const core::DataType type = schema.fields()[static_cast<size_t>(i)].type;
    const int64_t bytes = schema.count(i) * core::DataTypeBytes(type);
    std::vector<hsize_t> from = {static_cast<hsize_t>(begin)};
    std::vector<hsize_t> size = {static_cast<hsize_t>(rows)};
    for (const int64_t edge : schema.shape(i)) {
      from.push_back(0);
      size.push_back(static_cast<hsize_t>(edge));
    }
    column.resize(static_cast<size_t>(rows * bytes));
    {
      h5::Lock lock;
      INTERNODE_RETURN_IF_ERROR(ReadSlab(columns[static_cast<size_t>(i)],
                                         h5::MemoryType(type), from, size,
                                         column.data()));
    }
    for (int64_t row = 0; row < rows; ++row) {
      std::memcpy(window_bytes.data() + row * row_bytes + schema.offset(i),
                  column.data() + row * bytes, static_cast<size_t>(bytes));
    }
  }
  window = number;
  return absl::OkStatus();
}

absl::Status SegmentReader::Impl::ReadRecords(int64_t first, int64_t count,
                                              std::vector<uint8_t>* rows) {
  const int64_t row_bytes = description.spec.schema->record_bytes();
  if (row_bytes > 0 && count > kMostBytes / row_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat(count, " records are too many to be read at once"));
  }
  rows->clear();
  while (count > 0) {
    INTERNODE_RETURN_IF_ERROR(LoadWindow(first / window_rows));
    const int64_t at = first % window_rows;
    const int64_t piece = std::min(count, window_rows - at);
    const uint8_t* from = window_bytes.data() + at * row_bytes;
    rows->insert(rows->end(), from, from + piece * row_bytes);
    first += piece;
    count -= piece;
  }
  return absl::OkStatus();
}

// Checks that the records of the pixels follow each other; they are the
// `count` records from `first` on.
absl::Status SegmentReader::Impl::CheckIndex(const IndexBlock& index,
                                             int64_t* first,
                                             int64_t* count) const {
  *first = 0;
  *count = 0;
  for (size_t p = 0; p < index.counts.size(); ++p) {
    const int8_t status = index.statuses[p];
    const int64_t records = index.counts[p];
    const bool may_have_records =
        status != static_cast<int8_t>(core::PixelStatus::kFailed);
    if (records < 0 || (records > 0 && !may_have_records)) {
      return absl::DataLossError("its number of segments of a pixel is wrong");
    }
    if (status < 0 || status > 4) {
      return absl::DataLossError("its pixel_status has unknown values");
    }
    if (records == 0) continue;
    if (*count == 0) *first = index.firsts[p];
    if (*first < 0 || index.firsts[p] != *first + *count ||
        records > description.num_records - index.firsts[p]) {
      return absl::DataLossError("its segment_first is wrong");
    }
    *count += records;
  }
  return absl::OkStatus();
}

absl::Status SegmentReader::Impl::ReadSelection(
    const core::Selection& selection, core::BlockResult* result) {
  if (result->records().shared_schema() != description.spec.schema &&
      !SameSchema(result->records().schema(), *description.spec.schema)) {
    return absl::InvalidArgumentError(
        "the result to be read into is not of the file's schema");
  }
  result->Clear();
  INTERNODE_ASSIGN_OR_RETURN(const IndexBlock index, ReadIndex(selection));
  int64_t first = 0;
  int64_t count = 0;
  INTERNODE_RETURN_IF_ERROR(CheckIndex(index, &first, &count));
  std::vector<uint8_t> rows;
  INTERNODE_RETURN_IF_ERROR(ReadRecords(first, count, &rows));
  const auto row_bytes =
      static_cast<size_t>(description.spec.schema->record_bytes());
  const uint8_t* row = rows.data();
  for (size_t p = 0; p < index.counts.size(); ++p) {
    for (int16_t r = 0; r < index.counts[p]; ++r) {
      uint8_t* to = result->AddRecord();
      if (row_bytes > 0) std::memcpy(to, row, row_bytes);
      row += row_bytes;
    }
    const auto status = static_cast<core::PixelStatus>(index.statuses[p]);
    if (status == core::PixelStatus::kFailed) {
      result->FailPixel("");
    } else {
      result->FinishPixel(status);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<SegmentReader>> SegmentReader::Open(
    absl::string_view path) {
  auto impl = std::make_unique<Impl>();
  INTERNODE_ASSIGN_OR_RETURN(impl->file, OpenCubeFile(std::string(path)));
  INTERNODE_RETURN_IF_ERROR(impl->Open());
  return std::unique_ptr<SegmentReader>(new SegmentReader(std::move(impl)));
}

SegmentReader::SegmentReader(std::unique_ptr<Impl> impl)
    : impl_(std::move(impl)) {}
SegmentReader::~SegmentReader() = default;

const std::string& SegmentReader::path() const { return impl_->file->path; }
const SegmentFileSpec& SegmentReader::spec() const {
  return impl_->description.spec;
}
int64_t SegmentReader::num_records() const {
  return impl_->description.num_records;
}

absl::Status SegmentReader::ReadChunk(int64_t chunk,
                                      core::BlockResult* result) {
  const core::ChunkGrid& grid = spec().grid;
  if (chunk < 0 || chunk >= grid.num_chunks()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "there is no chunk ", chunk, "; there are ", grid.num_chunks()));
  }
  return impl_->InFile(impl_->ReadSelection(grid.Chunk(chunk), result));
}

absl::Status SegmentReader::ReadPixel(const std::vector<int64_t>& index,
                                      core::BlockResult* result) {
  const core::Dimensions& dims = spec().grid.dims();
  if (index.size() != dims.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a pixel is given by ", dims.size(), " numbers, not ", index.size()));
  }
  core::Selection selection;
  for (size_t d = 0; d < dims.size(); ++d) {
    if (index[d] < 0 || index[d] >= dims[d].size) {
      return absl::InvalidArgumentError(
          absl::StrCat("there is no pixel ", index[d], " along '", dims[d].name,
                       "', which has ", dims[d].size));
    }
    selection.extents.push_back(core::Extent::Index(index[d]));
  }
  return impl_->InFile(impl_->ReadSelection(selection, result));
}

absl::StatusOr<PixelStatusCounts> SegmentReader::CountPixels() {
  PixelStatusCounts counts = {};
  const core::ChunkGrid& grid = spec().grid;
  // Pieces of whole rows of the selected part.
  core::Selection all;
  for (const core::DimensionCut& cut : grid.cuts()) {
    all.extents.push_back(core::Extent::Range(cut.begin, cut.end));
  }
  if (all.num_pixels() == 0) return counts;
  const int64_t rows = all.extents.empty() ? 1 : all.extents[0].size();
  const int64_t width = all.num_pixels() / rows;
  const int64_t step = std::max<int64_t>(1, (int64_t{1} << 20) / width);
  for (int64_t row = 0; row < rows; row += step) {
    core::Selection piece = all;
    if (!piece.extents.empty()) {
      piece.extents[0].begin += row;
      piece.extents[0].end =
          std::min(piece.extents[0].end, piece.extents[0].begin + step);
    }
    const absl::StatusOr<IndexBlock> index = impl_->ReadIndex(piece);
    if (!index.ok()) return impl_->InFile(index.status());
    for (const int8_t status : index->statuses) {
      if (status < 0 || status > 4) {
        return impl_->InFile(
            absl::DataLossError("its pixel_status has unknown values"));
      }
      ++counts[static_cast<size_t>(status)];
    }
  }
  return counts;
}

}  // namespace internode::cube
