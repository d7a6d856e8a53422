#include "cube/storage_plan.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/quantity.h"
#include "cube/dataset_list.h"

namespace internode::cube {
namespace {

// Larger ones are rare, and each takes twice its size while it is decoded.
constexpr int64_t kLargestChunkBytes = int64_t{1} << 30;

std::string FilterReason(H5Z_filter_t id, const std::string& name) {
  const std::string number = absl::StrCat("filter ", id);
  return name == number ? number : absl::StrCat(number, " (", name, ")");
}

// Adds the filters of `creation` to `plan`.
void PlanFilters(hid_t creation, const StoredDataset& stored, StoragePlan* plan)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  std::vector<ChunkFilter>* const filters = &plan->pipeline.filters;
  for (size_t f = 0; f < stored.filters.size(); ++f) {
    std::array<unsigned, 1> value{};
    size_t count = value.size();
    unsigned flags = 0;
    unsigned config = 0;
    const H5Z_filter_t id =
        H5Pget_filter2(creation, static_cast<unsigned>(f), &flags, &count,
                       value.data(), 0, nullptr, &config);
    switch (id) {
      case H5Z_FILTER_DEFLATE:
        if (std::find(filters->begin(), filters->end(),
                      ChunkFilter::kDeflate) != filters->end()) {
          plan->library_reason = "deflated twice";
        }
        filters->push_back(ChunkFilter::kDeflate);
        break;
      case H5Z_FILTER_SHUFFLE:
        if (count == 0 || value[0] != plan->pipeline.element_bytes) {
          plan->library_reason = absl::StrCat(
              "shuffle of ", count == 0 ? 0 : value[0], "-byte elements");
        }
        filters->push_back(ChunkFilter::kShuffle);
        break;
      case H5Z_FILTER_FLETCHER32:
        filters->push_back(ChunkFilter::kFletcher32);
        break;
      default:
        plan->library_reason = FilterReason(id, stored.filters[f]);
    }
    if (!plan->library_reason.empty()) return;
  }
}

// Sets pipeline.chunk_bytes, or a reason.
void PlanChunk(const StoredDataset& stored, StoragePlan* plan) {
  auto bytes = static_cast<int64_t>(plan->pipeline.element_bytes);
  for (const int64_t chunk : stored.storage_chunks) {
    if (chunk < 1 || chunk > kLargestChunkBytes ||
        bytes > kLargestChunkBytes / chunk) {
      plan->library_reason = absl::StrCat("storage chunks of more than ",
                                          FormatBytes(kLargestChunkBytes));
      return;
    }
    bytes *= chunk;
  }
  plan->pipeline.chunk_bytes = static_cast<size_t>(bytes);
}

void PlanExtents(hid_t dataset, const StoredDataset& stored, StoragePlan* plan)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  const h5::Space space(H5Dget_space(dataset));
  std::array<hsize_t, H5S_MAX_RANK> largest{};
  if (!space.valid() ||
      H5Sget_simple_extent_dims(space.get(), nullptr, largest.data()) < 0) {
    plan->library_reason = "dimensions that cannot be read";
    return;
  }
  for (size_t d = 0; d < stored.shape.size(); ++d) {
    const bool unlimited = largest[d] > hsize_t{INT64_MAX};
    plan->request.max_extents.push_back(unlimited
                                            ? DatasetStorageRequest::kUnlimited
                                            : static_cast<int64_t>(largest[d]));
  }
}

void PlanFill(hid_t creation, const StoredDataset& stored, StoragePlan* plan)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  plan->fill.assign(plan->pipeline.element_bytes, std::byte{0});
  H5D_fill_value_t defined = H5D_FILL_VALUE_ERROR;
  const bool good = H5Pfill_value_defined(creation, &defined) >= 0 &&
                    (defined == H5D_FILL_VALUE_UNDEFINED ||
                     H5Pget_fill_value(creation, h5::MemoryType(*stored.type),
                                       plan->fill.data()) >= 0);
  if (!good) plan->library_reason = "a fill value that cannot be read";
}

// What the layout says against reading without the library.
std::string LayoutReason(const StoredDataset& stored) {
  if (stored.storage == "virtual") return "virtual dataset";
  if (stored.storage == "external") return "external files";
  if (stored.shape.empty()) return "a single number";
  if (std::endian::native != std::endian::little) {
    return "a big-endian processor";
  }
  return "";
}

}  // namespace

std::string LibraryReasonOfFile(hid_t file) {
  const h5::PropertyList access(H5Fget_access_plist(file));
  const h5::PropertyList creation(H5Fget_create_plist(file));
  unsigned intent = 0;
  size_t address_bytes = 0;
  size_t length_bytes = 0;
  if (!access.valid() || !creation.valid() ||
      H5Fget_intent(file, &intent) < 0 ||
      H5Pget_sizes(creation.get(), &address_bytes, &length_bytes) < 0) {
    return "a file that does not tell how it is read";
  }
  if (H5Pget_driver(access.get()) != H5FD_SEC2) return "a driver of HDF5";
  if (intent != H5F_ACC_RDONLY) return "a file that may be written";
  if (address_bytes != 8 || length_bytes != 8) {
    return absl::StrCat("addresses of ", address_bytes, " bytes");
  }
  return "";
}

StoragePlan PlanStorage(hid_t dataset, hid_t creation,
                        const StoredDataset& stored) {
  StoragePlan plan;
  plan.library_reason = LayoutReason(stored);
  if (!plan.library_reason.empty()) return plan;
  plan.pipeline.element_bytes =
      static_cast<size_t>(core::DataTypeBytes(*stored.type));
  plan.pipeline.swapped = stored.big_endian;
  PlanFilters(creation, stored, &plan);
  if (!plan.library_reason.empty()) return plan;
  PlanChunk(stored, &plan);
  if (!plan.library_reason.empty()) return plan;
  PlanExtents(dataset, stored, &plan);
  PlanFill(creation, stored, &plan);
  plan.request.object_address = stored.address;
  plan.request.extents = stored.shape;
  plan.request.chunk = stored.storage_chunks;
  plan.request.element_bytes =
      static_cast<int64_t>(plan.pipeline.element_bytes);
  plan.request.filtered = !stored.filters.empty();
  return plan;
}

}  // namespace internode::cube
