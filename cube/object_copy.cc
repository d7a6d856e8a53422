#include "cube/object_copy.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <optional>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "cube/h5_attributes.h"
#include "cube/h5_variable_length.h"
#include "cube/rechunk_plan.h"

namespace internode::cube {
namespace {

constexpr int64_t kPieceBytes = int64_t{16} << 20;

using Sizes = std::array<hsize_t, H5S_MAX_RANK>;

absl::Status Unreadable(absl::string_view what)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  return h5::Error(absl::StatusCode::kDataLoss,
                   absl::StrCat("cannot read ", what));
}

absl::Status Unwritable(absl::string_view what)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  return h5::Error(absl::StatusCode::kInternal,
                   absl::StrCat("cannot write ", what));
}

// How the values of a type can be copied.
enum class Copying { kBytes, kVariableText, kLists, kNot };

bool HasVariableParts(hid_t type)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  switch (H5Tget_class(type)) {
    case H5T_STRING:
      return H5Tis_variable_str(type) > 0;
    case H5T_VLEN:
      return true;
    case H5T_ARRAY: {
      const h5::Type element(H5Tget_super(type));
      return element.valid() && HasVariableParts(element.get());
    }
    case H5T_COMPOUND: {
      const int members = H5Tget_nmembers(type);
      for (int m = 0; m < members; ++m) {
        const h5::Type member(
            H5Tget_member_type(type, static_cast<unsigned>(m)));
        if (member.valid() && HasVariableParts(member.get())) return true;
      }
      return false;
    }
    default:
      return false;
  }
}

Copying CopyingOf(hid_t type)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  if (H5Tdetect_class(type, H5T_REFERENCE) != 0) return Copying::kNot;
  if (!HasVariableParts(type)) return Copying::kBytes;
  if (H5Tis_variable_str(type) > 0) return Copying::kVariableText;
  if (H5Tget_class(type) != H5T_VLEN) return Copying::kNot;
  const h5::Type item(H5Tget_super(type));
  return item.valid() && !HasVariableParts(item.get()) ? Copying::kLists
                                                       : Copying::kNot;
}

// Texts or lists, in the form in which libhdf5 takes them. The library reads
// them safely only through h5::ReadVariableLength.
class VariableValues {
 public:
  VariableValues(std::vector<std::string> values, bool texts, size_t item_bytes)
      : values_(std::move(values)) {
    for (std::string& value : values_) {
      texts_.push_back(value.c_str());
      lists_.push_back({value.size() / item_bytes, value.data()});
    }
    data_ = texts ? static_cast<const void*>(texts_.data())
                  : static_cast<const void*>(lists_.data());
  }

  const void* data() const { return data_; }

 private:
  std::vector<std::string> values_;
  std::vector<const char*> texts_;
  std::vector<hvl_t> lists_;
  const void* data_ = nullptr;
};

std::optional<VariableValues> ReadVariable(const h5::ElementSource& source,
                                           hid_t type, Copying copying,
                                           size_t count)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  size_t item_bytes = 1;
  if (copying == Copying::kLists) {
    const h5::Type item(H5Tget_super(type));
    item_bytes = item.valid() ? H5Tget_size(item.get()) : 0;
  }
  if (item_bytes == 0) return std::nullopt;
  std::optional<std::vector<std::string>> values =
      h5::ReadVariableLength(source, type, item_bytes, count);
  if (!values.has_value()) return std::nullopt;
  return VariableValues(*std::move(values), copying == Copying::kVariableText,
                        item_bytes);
}

// How the copy of a dataset with the properties `from` is stored.
absl::StatusOr<h5::PropertyList> Storage(hid_t from, hid_t type)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  const H5D_layout_t layout = H5Pget_layout(from);
  if (layout != H5D_VIRTUAL && H5Pget_external_count(from) == 0) {
    INTERNODE_ASSIGN_OR_RETURN(
        h5::PropertyList copy,
        h5::Own<h5::PropertyList>(H5Pcopy(from), "copy a description"));
    INTERNODE_RETURN_IF_ERROR(h5::Check(
        H5Pset_obj_track_times(copy.get(), false), "leave out the times"));
    return copy;
  }
  INTERNODE_ASSIGN_OR_RETURN(h5::PropertyList own, h5::DatasetCreation());
  H5D_fill_value_t defined = H5D_FILL_VALUE_ERROR;
  std::vector<std::byte> fill(H5Tget_size(type));
  if (H5Pfill_value_defined(from, &defined) >= 0 &&
      defined == H5D_FILL_VALUE_USER_DEFINED &&
      H5Pget_fill_value(from, type, fill.data()) >= 0) {
    INTERNODE_RETURN_IF_ERROR(h5::Check(
        H5Pset_fill_value(own.get(), type, fill.data()), "set a fill value"));
  }
  return own;
}

// Storage chunks of `dataset`, as axes that keep their layout.
std::vector<RechunkAxis> AxesOf(hid_t dataset, hid_t space)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  Sizes shape{};
  Sizes chunk{};
  chunk.fill(1);
  const int rank = H5Sget_simple_extent_dims(space, shape.data(), nullptr);
  const h5::PropertyList creation(H5Dget_create_plist(dataset));
  if (H5Pget_layout(creation.get()) == H5D_CHUNKED) {
    H5Pget_chunk(creation.get(), H5S_MAX_RANK, chunk.data());
  }
  std::vector<RechunkAxis> axes;
  for (size_t d = 0; d < static_cast<size_t>(std::max(rank, 0)); ++d) {
    const auto size = static_cast<int64_t>(chunk[d]);
    axes.push_back({static_cast<int64_t>(shape[d]), size, size});
  }
  return axes;
}

}  // namespace

absl::StatusOr<h5::Type> ObjectCopier::TypeInCopy(hid_t type) {
  H5O_info_t info{};
  if (H5Tcommitted(type) > 0 &&
      H5Oget_info2(type, &info, H5O_INFO_BASIC) >= 0) {
    const auto found = named_types_.find(info.addr);
    if (found != named_types_.end()) {
      return h5::Own<h5::Type>(
          H5Topen2(to_, found->second.c_str(), H5P_DEFAULT),
          absl::StrCat("open type ", found->second));
    }
  }
  return h5::Own<h5::Type>(H5Tcopy(type), "copy a type");
}

absl::Status ObjectCopier::CopyNamedType(hid_t from, const std::string& path) {
  H5O_info_t info{};
  const h5::Type type(H5Tcopy(from));
  if (!type.valid() || H5Oget_info2(from, &info, H5O_INFO_BASIC) < 0) {
    return Unreadable(absl::StrCat("type '", path, "'"));
  }
  if (H5Tcommit2(to_, path.c_str(), type.get(), H5P_DEFAULT, H5P_DEFAULT,
                 H5P_DEFAULT) < 0) {
    return Unwritable(absl::StrCat("type '", path, "'"));
  }
  named_types_[info.addr] = path;
  const h5::Type copy(H5Topen2(to_, path.c_str(), H5P_DEFAULT));
  return CopyAttributes(from, copy.get(), path);
}

absl::Status ObjectCopier::CopyAttributes(hid_t from, hid_t to,
                                          const std::string& path) {
  INTERNODE_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                             ListAttributes(from));
  for (const std::string& name : names) {
    if (name == "_NCProperties" || name == "DIMENSION_LIST" ||
        name == "REFERENCE_LIST") {
      continue;
    }
    INTERNODE_RETURN_IF_ERROR(CopyAttribute(from, to, name, path));
  }
  return absl::OkStatus();
}

absl::Status ObjectCopier::CopyAttribute(hid_t from, hid_t to,
                                         const std::string& name,
                                         const std::string& path) {
  const std::string what =
      absl::StrCat("attribute '", name, "' of '", path, "'");
  const h5::Attribute attribute(H5Aopen(from, name.c_str(), H5P_DEFAULT));
  const h5::Type stored(attribute.valid() ? H5Aget_type(attribute.get()) : -1);
  const h5::Space space(attribute.valid() ? H5Aget_space(attribute.get()) : -1);
  const hssize_t points =
      space.valid() ? H5Sget_simple_extent_npoints(space.get()) : -1;
  if (!stored.valid() || points < 0) return Unreadable(what);
  const Copying copying = CopyingOf(stored.get());
  if (copying == Copying::kNot) {
    notes_.push_back(
        absl::StrCat(what, " is left out: it refers to places in the file"));
    return absl::OkStatus();
  }
  INTERNODE_ASSIGN_OR_RETURN(const h5::Type type, TypeInCopy(stored.get()));
  const h5::Type memory(H5Tcopy(stored.get()));
  const h5::Attribute copy(H5Acreate2(to, name.c_str(), type.get(), space.get(),
                                      H5P_DEFAULT, H5P_DEFAULT));
  if (!copy.valid()) return Unwritable(what);
  if (points == 0) return absl::OkStatus();
  const auto count = static_cast<size_t>(points);
  herr_t written = -1;
  if (copying == Copying::kBytes) {
    std::vector<std::byte> bytes(count * H5Tget_size(memory.get()));
    if (H5Aread(attribute.get(), memory.get(), bytes.data()) < 0) {
      return Unreadable(what);
    }
    written = H5Awrite(copy.get(), memory.get(), bytes.data());
  } else {
    const auto values =
        ReadVariable({attribute.get(), false}, stored.get(), copying, count);
    if (!values.has_value()) return Unreadable(what);
    written = H5Awrite(copy.get(), memory.get(), values->data());
  }
  return written < 0 ? Unwritable(what) : absl::OkStatus();
}

absl::Status ObjectCopier::CopyDataset(hid_t from, const std::string& path) {
  const std::string what = absl::StrCat("'", path, "'");
  const h5::Type stored(H5Dget_type(from));
  const h5::Space space(H5Dget_space(from));
  const h5::PropertyList creation(H5Dget_create_plist(from));
  if (!stored.valid() || !space.valid() || !creation.valid()) {
    return Unreadable(what);
  }
  INTERNODE_ASSIGN_OR_RETURN(const h5::Type type, TypeInCopy(stored.get()));
  INTERNODE_ASSIGN_OR_RETURN(const h5::PropertyList storage,
                             Storage(creation.get(), stored.get()));
  const h5::Dataset copy(H5Dcreate2(to_, path.c_str(), type.get(), space.get(),
                                    H5P_DEFAULT, storage.get(), H5P_DEFAULT));
  if (!copy.valid()) return Unwritable(what);
  INTERNODE_RETURN_IF_ERROR(CopyAttributes(from, copy.get(), path));
  H5D_space_status_t status = H5D_SPACE_STATUS_ERROR;
  const bool own = H5Pget_layout(creation.get()) != H5D_VIRTUAL &&
                   H5Pget_external_count(creation.get()) == 0;
  // What was never written needs no room in the copy either.
  if (own && H5Dget_space_status(from, &status) >= 0 &&
      status == H5D_SPACE_STATUS_NOT_ALLOCATED) {
    return absl::OkStatus();
  }
  return CopyData(from, copy.get(), stored.get(), path);
}

absl::Status ObjectCopier::CopyData(hid_t from, hid_t to, hid_t type,
                                    const std::string& path) {
  const std::string what = absl::StrCat("'", path, "'");
  const h5::Space space(H5Dget_space(from));
  const hssize_t points = H5Sget_simple_extent_npoints(space.get());
  if (points < 0) return Unreadable(what);
  if (points == 0) return absl::OkStatus();
  const Copying copying = CopyingOf(type);
  if (copying == Copying::kNot) {
    notes_.push_back(
        absl::StrCat("the data of ", what,
                     " are left out: they refer to places in the file"));
    return absl::OkStatus();
  }
  const h5::Type memory(H5Tcopy(type));
  if (copying != Copying::kBytes) {
    const auto values =
        ReadVariable({from, true}, type, copying, static_cast<size_t>(points));
    if (!values.has_value()) return Unreadable(what);
    return H5Dwrite(to, memory.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT,
                    values->data()) < 0
               ? Unwritable(what)
               : absl::OkStatus();
  }
  const std::vector<RechunkAxis> axes = AxesOf(from, space.get());
  const auto number_bytes = static_cast<int64_t>(H5Tget_size(memory.get()));
  const std::vector<int64_t> step =
      PlanRechunk(axes, number_bytes, {.block_bytes = kPieceBytes}).block;
  const int64_t piece_bytes = SaturatedElements(step) * number_bytes;
  // Set to zero: elements that were never written may be left as they are.
  const std::unique_ptr<std::byte[]> bytes(
      new (std::nothrow) std::byte[static_cast<size_t>(piece_bytes)]());
  if (bytes == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no memory for ", piece_bytes, " bytes of ", what));
  }
  const core::ChunkGrid pieces = CutBox(WholeBox(axes), step);
  for (int64_t i = 0; i < pieces.num_chunks(); ++i) {
    const core::Selection piece = pieces.Chunk(i);
    Sizes start{};
    Sizes count{};
    for (size_t d = 0; d < piece.extents.size(); ++d) {
      start[d] = static_cast<hsize_t>(piece.extents[d].begin);
      count[d] = static_cast<hsize_t>(piece.extents[d].size());
    }
    const auto elements = static_cast<hsize_t>(piece.num_pixels());
    const h5::Space room(H5Screate_simple(1, &elements, nullptr));
    if (!axes.empty()) {
      H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr,
                          count.data(), nullptr);
    }
    if (H5Dread(from, memory.get(), room.get(), space.get(), H5P_DEFAULT,
                bytes.get()) < 0) {
      return Unreadable(what);
    }
    if (H5Dwrite(to, memory.get(), room.get(), space.get(), H5P_DEFAULT,
                 bytes.get()) < 0) {
      return Unwritable(what);
    }
  }
  return absl::OkStatus();
}

}  // namespace internode::cube
