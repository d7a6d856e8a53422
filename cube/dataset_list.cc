#include "cube/dataset_list.h"

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "cube/h5_attributes.h"
#include "cube/h5_links.h"

namespace internode::cube {
namespace {

using core::DataType;

constexpr size_t kMaxObjects = 100000;
constexpr char kLinkOut[] =
    "it is a link to another file, which is not followed";

constexpr absl::string_view kBareDimension =
    "This is a netCDF dimension but not a netCDF variable";

absl::Status DataLoss(absl::string_view path)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  return h5::Error(absl::StatusCode::kDataLoss,
                   absl::StrCat("cannot read the description of '", path, "'"));
}

struct StandardType {
  hid_t little;
  hid_t big;
  DataType type;
};

std::array<StandardType, 10> StandardTypes()
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  return {{{H5T_STD_I8LE, H5T_STD_I8BE, DataType::kInt8},
           {H5T_STD_I16LE, H5T_STD_I16BE, DataType::kInt16},
           {H5T_STD_I32LE, H5T_STD_I32BE, DataType::kInt32},
           {H5T_STD_I64LE, H5T_STD_I64BE, DataType::kInt64},
           {H5T_STD_U8LE, H5T_STD_U8BE, DataType::kUInt8},
           {H5T_STD_U16LE, H5T_STD_U16BE, DataType::kUInt16},
           {H5T_STD_U32LE, H5T_STD_U32BE, DataType::kUInt32},
           {H5T_STD_U64LE, H5T_STD_U64BE, DataType::kUInt64},
           {H5T_IEEE_F32LE, H5T_IEEE_F32BE, DataType::kFloat32},
           {H5T_IEEE_F64LE, H5T_IEEE_F64BE, DataType::kFloat64}}};
}

std::string UnsupportedType(hid_t type)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      return absl::StrCat("its numbers are ", H5Tget_precision(type),
                          "-bit integers in ", H5Tget_size(type) * 8, " bits");
    case H5T_FLOAT:
      return absl::StrCat("its numbers are ", H5Tget_precision(type),
                          "-bit floats that are not IEEE float32 or float64");
    case H5T_STRING:
      return "it holds text, not numbers";
    case H5T_ENUM:
      return "it holds an enumeration, not numbers";
    case H5T_COMPOUND:
      return "it holds compounds, not numbers";
    case H5T_VLEN:
      return "it holds lists, not numbers";
    case H5T_ARRAY:
      return "it holds arrays, not numbers";
    default:
      return "it does not hold numbers";
  }
}

absl::Status DescribeType(hid_t dataset, StoredDataset* stored)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  h5::Type type(H5Dget_type(dataset));
  if (!type.valid()) return DataLoss(stored->path);
  for (const StandardType& standard : StandardTypes()) {
    const bool little = H5Tequal(type.get(), standard.little) > 0;
    if (little || H5Tequal(type.get(), standard.big) > 0) {
      stored->type = standard.type;
      // Bytes have no order.
      stored->big_endian = !little;
      return absl::OkStatus();
    }
  }
  stored->is_text = H5Tget_class(type.get()) == H5T_STRING;
  stored->type_reason = UnsupportedType(type.get());
  return absl::OkStatus();
}

absl::Status DescribeShape(hid_t dataset, StoredDataset* stored)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  h5::Space space(H5Dget_space(dataset));
  const int rank = space.valid() ? H5Sget_simple_extent_ndims(space.get()) : -1;
  if (rank < 0) return DataLoss(stored->path);
  std::array<hsize_t, H5S_MAX_RANK> shape{};
  std::array<hsize_t, H5S_MAX_RANK> largest{};
  H5Sget_simple_extent_dims(space.get(), shape.data(), largest.data());
  for (size_t d = 0; d < static_cast<size_t>(rank); ++d) {
    if (shape[d] > hsize_t{std::numeric_limits<int64_t>::max()}) {
      return absl::DataLossError(absl::StrCat(
          "'", stored->path, "' has a dimension of ", shape[d], " elements"));
    }
    stored->shape.push_back(static_cast<int64_t>(shape[d]));
    stored->unlimited.push_back(largest[d] == H5S_UNLIMITED);
  }
  if (H5Sget_simple_extent_type(space.get()) == H5S_NULL && stored->type) {
    stored->type.reset();
    stored->type_reason = "it holds nothing";
  }
  return absl::OkStatus();
}

std::string FilterName(H5Z_filter_t id, absl::Span<const unsigned> values) {
  switch (id) {
    case H5Z_FILTER_DEFLATE:
      return values.empty() ? "deflate" : absl::StrCat("deflate ", values[0]);
    case H5Z_FILTER_SHUFFLE:
      return "shuffle";
    case H5Z_FILTER_FLETCHER32:
      return "fletcher32";
    case H5Z_FILTER_SZIP:
      return "szip";
    case H5Z_FILTER_NBIT:
      return "nbit";
    case H5Z_FILTER_SCALEOFFSET:
      return "scaleoffset";
    case 32000:
      return "lzf";
    case 32001:
      return "blosc";
    case 32004:
      return "lz4";
    case 32015:
      return "zstd";
    default:
      return absl::StrCat("filter ", id);
  }
}

std::string StorageName(hid_t creation)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  if (H5Pget_external_count(creation) > 0) return "external";
  switch (H5Pget_layout(creation)) {
    case H5D_CHUNKED:
      return "chunked";
    case H5D_COMPACT:
      return "compact";
    case H5D_VIRTUAL:
      return "virtual";
    default:
      return "contiguous";
  }
}

absl::Status DescribeStorage(hid_t dataset, StoredDataset* stored)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  h5::PropertyList creation(H5Dget_create_plist(dataset));
  if (!creation.valid()) return DataLoss(stored->path);
  stored->storage = StorageName(creation.get());
  if (stored->storage == "chunked") {
    std::array<hsize_t, H5S_MAX_RANK> chunk{};
    const int rank = H5Pget_chunk(creation.get(), H5S_MAX_RANK, chunk.data());
    if (rank != static_cast<int>(stored->shape.size())) {
      return DataLoss(stored->path);
    }
    for (size_t d = 0; d < stored->shape.size(); ++d) {
      stored->storage_chunks.push_back(static_cast<int64_t>(chunk[d]));
    }
  }
  const int filters = H5Pget_nfilters(creation.get());
  for (int f = 0; f < filters; ++f) {
    std::array<unsigned, 16> values{};
    size_t count = values.size();
    unsigned flags = 0;
    unsigned config = 0;
    const H5Z_filter_t id =
        H5Pget_filter2(creation.get(), static_cast<unsigned>(f), &flags, &count,
                       values.data(), 0, nullptr, &config);
    if (id < 0) return DataLoss(stored->path);
    stored->filters.push_back(
        FilterName(id, absl::MakeConstSpan(values).subspan(
                           0, std::min(count, values.size()))));
  }
  if (stored->type.has_value()) {
    stored->plan = PlanStorage(dataset, creation.get(), *stored);
  }
  return absl::OkStatus();
}

void DescribeScales(hid_t dataset, StoredDataset* stored)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  stored->is_scale =
      ReadTextAttribute(dataset, "CLASS").value_or("") == "DIMENSION_SCALE";
  if (stored->is_scale) {
    const std::string name = ReadTextAttribute(dataset, "NAME").value_or("");
    stored->is_bare_dimension = absl::StartsWith(name, kBareDimension);
  }
  const std::vector<int64_t> id =
      ReadIntegerAttribute(dataset, "_Netcdf4Dimid");
  if (id.size() == 1) stored->netcdf_dim_id = id[0];
  stored->netcdf_coordinates =
      ReadIntegerAttribute(dataset, "_Netcdf4Coordinates");
  for (const std::vector<uint64_t>& scales :
       ReadScaleLists(dataset, stored->shape.size())) {
    stored->scales.push_back(scales.empty() ? 0 : scales[0]);
  }
  stored->labels = ReadTextListAttribute(dataset, "DIMENSION_LABELS");
  stored->labels.resize(stored->shape.size());
}

absl::StatusOr<StoredDataset> Describe(hid_t dataset, std::string path,
                                       uint64_t address)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  StoredDataset stored;
  stored.path = std::move(path);
  stored.address = address;
  INTERNODE_RETURN_IF_ERROR(DescribeType(dataset, &stored));
  INTERNODE_RETURN_IF_ERROR(DescribeShape(dataset, &stored));
  INTERNODE_RETURN_IF_ERROR(DescribeStorage(dataset, &stored));
  DescribeScales(dataset, &stored);
  INTERNODE_ASSIGN_OR_RETURN(stored.attributes, ReadAttributes(dataset));
  return stored;
}

// Lists groups breadth first, each object once.
class Lister {
 public:
  Lister(hid_t file, const std::string& path, const MayReadFile& may_read)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex())
      : file_(file),
        path_(path),
        may_read_(may_read),
        library_reason_(LibraryReasonOfFile(file)) {}

  absl::StatusOr<DatasetList> Run()
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
    H5O_info_t info{};
    if (H5Oget_info2(file_, &info, H5O_INFO_BASIC) < 0) return DataLoss("/");
    seen_.insert(info.addr);
    list_.groups.push_back("/");
    INTERNODE_RETURN_IF_ERROR(ListGroups());
    // Objects are known by their own names where they have one in the file.
    for (size_t l = 0; l < soft_links_.size(); ++l) {
      const std::string path = soft_links_[l];
      INTERNODE_RETURN_IF_ERROR(ListObject(path, /*is_soft=*/true));
      INTERNODE_RETURN_IF_ERROR(ListGroups());
    }
    return std::move(list_);
  }

 private:
  absl::Status ListGroups() ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
    for (; next_group_ < list_.groups.size(); ++next_group_) {
      // A copy: the list grows.
      const std::string path = list_.groups[next_group_];
      INTERNODE_RETURN_IF_ERROR(ListGroup(path));
    }
    return absl::OkStatus();
  }

  absl::Status ListGroup(const std::string& path)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
    h5::Group group(H5Gopen2(file_, path.c_str(), H5P_DEFAULT));
    if (!group.valid()) return DataLoss(path);
    INTERNODE_ASSIGN_OR_RETURN(const std::vector<Link> links,
                               ListLinks(group.get(), path));
    for (const Link& link : links) {
      std::string child = absl::StrCat(path == "/" ? "" : path, "/", link.name);
      if (link.type == H5L_TYPE_HARD) {
        INTERNODE_RETURN_IF_ERROR(ListObject(child, /*is_soft=*/false));
      } else if (link.type == H5L_TYPE_SOFT) {
        soft_links_.push_back(std::move(child));
      } else {
        LeaveOut(child, kLinkOut);
      }
    }
    return absl::OkStatus();
  }

  absl::Status ListObject(const std::string& path, bool is_soft)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
    bool leads_out = false;
    const h5::PropertyList staying = StayingInFile(&leads_out);
    h5::Object object(H5Oopen(file_, path.c_str(), staying.get()));
    // A soft link may lead through an external one, …
    if (leads_out) {
      LeaveOut(path, kLinkOut);
      return absl::OkStatus();
    }
    // … or point to nothing.
    if (!object.valid() && is_soft) return absl::OkStatus();
    if (!object.valid()) return CannotOpen(path);
    H5O_info_t info{};
    if (H5Oget_info2(object.get(), &info, H5O_INFO_BASIC) < 0) {
      return DataLoss(path);
    }
    // Mounted, or by a link of a kind that a user defined.
    if (!IsInFile(object.get())) {
      LeaveOut(path, kLinkOut);
      return absl::OkStatus();
    }
    if (!seen_.insert(info.addr).second) return absl::OkStatus();
    if (seen_.size() > kMaxObjects) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "the file has more than ", kMaxObjects, " groups and datasets"));
    }
    if (info.type == H5O_TYPE_GROUP) {
      list_.groups.push_back(path);
    } else if (info.type == H5O_TYPE_DATASET) {
      const absl::Status sources =
          may_read_ == nullptr
              ? absl::OkStatus()
              : CheckDatasetSources(object.get(), path_, may_read_);
      if (!sources.ok()) {
        LeaveOut(path, sources.message());
        return absl::OkStatus();
      }
      INTERNODE_ASSIGN_OR_RETURN(StoredDataset stored,
                                 Describe(object.get(), path, info.addr));
      if (!library_reason_.empty()) {
        stored.plan.library_reason = library_reason_;
      }
      list_.by_address[stored.address] = list_.datasets.size();
      list_.by_path[stored.path] = list_.datasets.size();
      list_.datasets.push_back(std::move(stored));
    }
    return absl::OkStatus();
  }

  // What a later library wrote keeps nobody from the rest of the file.
  absl::Status CannotOpen(const std::string& path)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
    absl::Status status = DataLoss(path);
    if (!absl::StrContains(status.message(), "bad version number")) {
      return status;
    }
    LeaveOut(path, absl::StrCat("it may be newer than this HDF5 library: ",
                                status.message()));
    return absl::OkStatus();
  }

  bool IsInFile(hid_t object)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
    H5O_info_t info{};
    H5O_info_t root{};
    return H5Oget_info2(object, &info, H5O_INFO_BASIC) >= 0 &&
           H5Oget_info2(file_, &root, H5O_INFO_BASIC) >= 0 &&
           info.fileno == root.fileno;
  }

  void LeaveOut(const std::string& path, absl::string_view reason) {
    list_.left_out.push_back({path, std::string(reason)});
  }

  const hid_t file_;
  const std::string& path_;
  const MayReadFile& may_read_;
  const std::string library_reason_;
  std::set<uint64_t> seen_;
  // Of list_.groups, the first that is not listed yet.
  size_t next_group_ = 0;
  // Absolute paths.
  std::vector<std::string> soft_links_;
  DatasetList list_;
};

}  // namespace

const StoredDataset* DatasetList::Find(uint64_t address) const {
  const auto found = by_address.find(address);
  return found == by_address.end() ? nullptr : &datasets[found->second];
}

const StoredDataset* DatasetList::FindPath(const std::string& path) const {
  const auto found = by_path.find(path);
  return found == by_path.end() ? nullptr : &datasets[found->second];
}

absl::StatusOr<DatasetList> ListDatasets(hid_t file, const std::string& path,
                                         const MayReadFile& may_read) {
  return Lister(file, path, may_read).Run();
}

}  // namespace internode::cube
