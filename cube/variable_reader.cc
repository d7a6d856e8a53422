#include "cube/variable_reader.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"

namespace internode::cube {
namespace {

using core::Extent;

using Sizes = std::array<hsize_t, H5S_MAX_RANK>;

int64_t CeilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace

PieceIterator::PieceIterator(const PlannedVariable& plan, const Box& box,
                             int64_t max_elements)
    : plan_(plan), box_(box), done_(IsEmpty(box)) {
  if (done_) return;
  int64_t elements = NumElements(box);
  for (size_t d = 0; d < box.size(); ++d) {
    const int64_t chunk = plan.axes[d].chunk;
    const int64_t chunks = (box[d].end - 1) / chunk - box[d].begin / chunk + 1;
    int64_t keep = chunks;
    if (elements > max_elements) {
      const int64_t others = elements / box[d].size();
      keep = std::max<int64_t>(max_elements / others / chunk, 1);
      keep = std::min(keep, chunks);
      elements = others * std::min(keep * chunk, box[d].size());
    }
    step_.push_back(keep * chunk);
  }
  piece_ = box;
  for (size_t d = 0; d < box.size(); ++d) SetEnd(d);
}

void PieceIterator::SetEnd(size_t d) {
  // Boundaries are counted from that of the storage chunk where the piece
  // begins, so that they lie on boundaries too.
  const int64_t chunk = plan_.axes[d].chunk;
  const int64_t boundary = piece_[d].begin / chunk * chunk;
  piece_[d].end = std::min(boundary + step_[d], box_[d].end);
}

void PieceIterator::Next() {
  for (size_t d = box_.size(); d-- > 0;) {
    piece_[d].begin = piece_[d].end;
    if (piece_[d].begin < box_[d].end) {
      SetEnd(d);
      return;
    }
    piece_[d].begin = box_[d].begin;
    SetEnd(d);
  }
  done_ = true;
}

absl::StatusOr<VariableReader> VariableReader::Open(
    const CubeFile& file, const core::CubeInfo& info,
    const PlannedVariable& plan) {
  VariableReader reader;
  reader.file_ = &file;
  reader.info_ = &info.variables[plan.variable];
  reader.stored_ = &file.variables[plan.variable];
  reader.plan_ = &plan;
  reader.memory_type_ = h5::MemoryType(reader.stored_->read_type);
  INTERNODE_RETURN_IF_ERROR(reader.OpenDataset(0));
  INTERNODE_RETURN_IF_ERROR(reader.LearnFill());
  return reader;
}

absl::Status VariableReader::OpenDataset(int64_t cache_bytes) {
  // The library keeps the cache of a dataset that is open already.
  dataset_.reset();
  h5::PropertyList access(H5Pcreate(H5P_DATASET_ACCESS));
  if (cache_bytes > 0) {
    int64_t chunk_bytes = plan_->element_bytes;
    for (const PlannedAxis& axis : plan_->axes) chunk_bytes *= axis.chunk;
    // As the library's manual advises: a hundred slots per chunk.
    const int64_t chunks = CeilDivide(cache_bytes, chunk_bytes);
    const int64_t slots = std::clamp<int64_t>(chunks * 100, 521, 1 << 20) | 1;
    // Storage chunks that have been read whole go first.
    H5Pset_chunk_cache(access.get(), static_cast<size_t>(slots),
                       static_cast<size_t>(cache_bytes), 1.0);
  }
  dataset_.reset(
      H5Dopen2(file_->file.get(), stored_->path.c_str(), access.get()));
  space_.reset(dataset_.valid() ? H5Dget_space(dataset_.get()) : -1);
  if (!space_.valid()) {
    return h5::Error(absl::StatusCode::kDataLoss,
                     absl::StrCat("cannot open variable '", info_->name,
                                  "' of '", file_->path, "'"));
  }
  cache_bytes_ = cache_bytes;
  return absl::OkStatus();
}

absl::Status VariableReader::CheckFilters(hid_t creation) {
  const int filters = H5Pget_nfilters(creation);
  for (int f = 0; f < filters; ++f) {
    unsigned flags = 0;
    unsigned config = 0;
    size_t count = 0;
    const H5Z_filter_t id =
        H5Pget_filter2(creation, static_cast<unsigned>(f), &flags, &count,
                       nullptr, 0, nullptr, &config);
    if (id >= 0 && H5Zfilter_avail(id) > 0) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        "variable '", info_->name, "' of '", file_->path,
        "' is stored with the filter ", info_->filters[static_cast<size_t>(f)],
        " (number ", id,
        "), which the HDF5 library of this machine lacks (install its plugin "
        "and set HDF5_PLUGIN_PATH; for a worker, --hdf5-plugins)"));
  }
  return absl::OkStatus();
}

// Elements from a file that is missing would read as the fill value.
absl::Status VariableReader::CheckSources(hid_t creation) {
  if (H5Pget_layout(creation) != H5D_VIRTUAL) return absl::OkStatus();
  size_t count = 0;
  H5Pget_virtual_count(creation, &count);
  for (size_t i = 0; i < count; ++i) {
    const ssize_t length = H5Pget_virtual_filename(creation, i, nullptr, 0);
    if (length <= 0) continue;
    std::string name(static_cast<size_t>(length), '\0');
    H5Pget_virtual_filename(creation, i, name.data(), name.size() + 1);
    // "." is the file itself; a name with %b stands for several.
    if (name == "." || absl::StrContains(name, '%')) continue;
    std::string beside = name;
    const size_t slash = file_->path.rfind('/');
    if (name[0] != '/' && slash != std::string::npos) {
      beside = file_->path.substr(0, slash + 1) + name;
    }
    if (access(beside.c_str(), R_OK) == 0 || access(name.c_str(), R_OK) == 0) {
      continue;
    }
    return absl::FailedPreconditionError(absl::StrCat(
        "variable '", info_->name, "' of '", file_->path,
        "' takes its data from '", name, "', which cannot be read"));
  }
  return absl::OkStatus();
}

absl::Status VariableReader::LearnFill() {
  h5::PropertyList creation(H5Dget_create_plist(dataset_.get()));
  H5D_fill_value_t defined = H5D_FILL_VALUE_ERROR;
  H5D_fill_time_t time = H5D_FILL_TIME_ERROR;
  H5D_space_status_t space = H5D_SPACE_STATUS_ERROR;
  if (!creation.valid() ||
      H5Pfill_value_defined(creation.get(), &defined) < 0 ||
      H5Pget_fill_time(creation.get(), &time) < 0 ||
      H5Dget_space_status(dataset_.get(), &space) < 0) {
    return h5::Error(absl::StatusCode::kDataLoss,
                     absl::StrCat("cannot read the properties of variable '",
                                  info_->name, "' of '", file_->path, "'"));
  }
  INTERNODE_RETURN_IF_ERROR(CheckFilters(creation.get()));
  INTERNODE_RETURN_IF_ERROR(CheckSources(creation.get()));
  fill_.assign(static_cast<size_t>(plan_->element_bytes), std::byte{0});
  if (defined != H5D_FILL_VALUE_UNDEFINED) {
    INTERNODE_RETURN_IF_ERROR(h5::Check(
        H5Pget_fill_value(creation.get(), memory_type_, fill_.data()),
        absl::StrCat("read the fill value of variable '", info_->name, "'")));
  }
  fill_first_ =
      defined == H5D_FILL_VALUE_UNDEFINED || time == H5D_FILL_TIME_NEVER;
  never_written_ =
      fill_first_ && space == H5D_SPACE_STATUS_NOT_ALLOCATED &&
      (info_->storage == "contiguous" || info_->storage == "chunked");
  return absl::OkStatus();
}

absl::Status VariableReader::KeepShared(const Box& box, int64_t max_bytes) {
  if (info_->storage_chunks.empty() || IsEmpty(box)) return absl::OkStatus();
  bool shared = false;
  // In floating point, for the product of numbers from the file.
  double bytes = static_cast<double>(plan_->element_bytes);
  for (size_t d = 0; d < box.size(); ++d) {
    const int64_t chunk = plan_->axes[d].chunk;
    const Extent& extent = box[d];
    shared = shared || extent.begin % chunk != 0 ||
             (extent.end % chunk != 0 && extent.end < stored_->extents[d]);
    const int64_t chunks = (extent.end - 1) / chunk - extent.begin / chunk + 1;
    bytes *= static_cast<double>(chunks) * static_cast<double>(chunk);
  }
  if (!shared || bytes <= static_cast<double>(cache_bytes_) ||
      bytes > static_cast<double>(max_bytes)) {
    return absl::OkStatus();
  }
  return OpenDataset(static_cast<int64_t>(bytes));
}

void VariableReader::Fill(int64_t elements, std::byte* target) const {
  const size_t bytes = static_cast<size_t>(elements) * fill_.size();
  if (bytes == 0) return;
  std::memcpy(target, fill_.data(), fill_.size());
  for (size_t done = fill_.size(); done < bytes;) {
    const size_t more = std::min(done, bytes - done);
    std::memcpy(target + done, target, more);
    done += more;
  }
}

absl::Status VariableReader::Read(const Box& box, std::byte* target) {
  Box inside = box;
  bool whole = true;
  for (size_t d = 0; d < box.size(); ++d) {
    inside[d].end = std::min(box[d].end, stored_->extents[d]);
    whole = whole && inside[d].end == box[d].end;
  }
  if (fill_first_ || !whole) Fill(NumElements(box), target);
  if (never_written_ || IsEmpty(inside)) return absl::OkStatus();
  if (ReadElements(inside, box, target)) return absl::OkStatus();
  return ReadError(inside, box, target);
}

bool VariableReader::ReadElements(const Box& inside, const Box& box,
                                  std::byte* target) {
  Sizes start{};
  Sizes count{};
  Sizes room{};
  Sizes zero{};
  for (size_t d = 0; d < box.size(); ++d) {
    start[d] = static_cast<hsize_t>(inside[d].begin);
    count[d] = static_cast<hsize_t>(inside[d].size());
    room[d] = static_cast<hsize_t>(box[d].size());
  }
  const h5::Space memory(
      H5Screate_simple(static_cast<int>(box.size()), room.data(), nullptr));
  return memory.valid() &&
         H5Sselect_hyperslab(memory.get(), H5S_SELECT_SET, zero.data(), nullptr,
                             count.data(), nullptr) >= 0 &&
         H5Sselect_hyperslab(space_.get(), H5S_SELECT_SET, start.data(),
                             nullptr, count.data(), nullptr) >= 0 &&
         H5Dread(dataset_.get(), memory_type_, memory.get(), space_.get(),
                 H5P_DEFAULT, target) >= 0;
}

// Reads again, storage chunk by storage chunk, to name the one that fails.
absl::Status VariableReader::ReadError(const Box& inside, const Box& box,
                                       std::byte* target) {
  const std::string reason = h5::ErrorText();
  const auto error = [&](const Box& place, absl::string_view why) {
    return absl::DataLossError(
        absl::StrCat("cannot read variable '", info_->name, "' of '",
                     file_->path, "' at ", BoxText(*info_, place), ": ", why));
  };
  if (info_->storage_chunks.empty()) return error(inside, reason);
  for (PieceIterator it(*plan_, inside, 1); !it.done(); it.Next()) {
    if (ReadElements(it.piece(), box, target)) continue;
    const std::string own = h5::ErrorText();
    Box chunk = it.piece();
    for (size_t d = 0; d < chunk.size(); ++d) {
      const int64_t size = plan_->axes[d].chunk;
      chunk[d].begin = chunk[d].begin / size * size;
      chunk[d].end = std::min(chunk[d].begin + size, stored_->extents[d]);
    }
    return error(chunk, absl::StrCat("corrupt storage chunk: ", own));
  }
  return error(inside, reason);
}

}  // namespace internode::cube
