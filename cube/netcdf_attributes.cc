#include "cube/netcdf_attributes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"

#include "cube/h5.h"

namespace internode::cube {
namespace {

// Attributes whose type CF ties to that of the data.
constexpr std::array<absl::string_view, 8> kTypedAttributes = {
    "_FillValue",  "missing_value", "valid_min",  "valid_max",
    "valid_range", "flag_values",   "flag_masks", "actual_range"};

herr_t WriteAttribute(hid_t object, const std::string& name, hid_t type,
                      hid_t space, const void* data) {
  const h5::Attribute attribute(
      H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT));
  if (!attribute.valid()) return -1;
  return data == nullptr ? 0 : H5Awrite(attribute.get(), type, data);
}

herr_t WriteText(hid_t object, const std::string& name,
                 const std::string& text) {
  const h5::Type type(H5Tcopy(H5T_C_S1));
  const bool ascii = std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isascii(static_cast<unsigned char>(c));
  });
  if (!ascii) H5Tset_cset(type.get(), H5T_CSET_UTF8);
  // HDF5 has no strings of length 0; the netCDF library writes no element.
  const h5::Space space(H5Screate(text.empty() ? H5S_NULL : H5S_SCALAR));
  if (!text.empty()) H5Tset_size(type.get(), text.size());
  return WriteAttribute(object, name, type.get(), space.get(),
                        text.empty() ? nullptr : text.data());
}

// `value` as a T, at the nearest T where it does not fit.
template <typename T, typename From>
T Narrow(From value) {
  if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(value);
  } else if constexpr (std::is_integral_v<From>) {
    if (std::in_range<T>(value)) return static_cast<T>(value);
    return value < 0 ? std::numeric_limits<T>::min()
                     : std::numeric_limits<T>::max();
  } else {
    if (std::isnan(value)) return 0;
    if (value <= static_cast<double>(std::numeric_limits<T>::min())) {
      return std::numeric_limits<T>::min();
    }
    if (value >= static_cast<double>(std::numeric_limits<T>::max())) {
      return std::numeric_limits<T>::max();
    }
    return static_cast<T>(value);
  }
}

template <typename From>
herr_t WriteNumbers(hid_t object, const std::string& name,
                    const std::vector<From>& numbers, core::DataType type)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  const hsize_t count = numbers.size();
  const h5::Space space(count == 0 ? H5Screate(H5S_NULL)
                                   : H5Screate_simple(1, &count, nullptr));
  const hid_t stored = h5::LittleEndianType(type);
  return core::VisitDataType(type, [&](auto zero) -> herr_t {
    using T = decltype(zero);
    std::vector<T> narrow;
    narrow.reserve(numbers.size());
    for (const From number : numbers) narrow.push_back(Narrow<T>(number));
    return WriteAttribute(object, name, stored, space.get(),
                          narrow.empty() ? nullptr : narrow.data());
  });
}

core::DataType TypeOf(const std::vector<int64_t>& numbers) {
  const bool fits = std::all_of(numbers.begin(), numbers.end(), [](int64_t n) {
    return std::in_range<int32_t>(n);
  });
  return fits ? core::DataType::kInt32 : core::DataType::kInt64;
}

herr_t WriteOne(hid_t object, const core::Attribute& attribute,
                std::optional<core::DataType> type)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  if (const auto* text = std::get_if<std::string>(&attribute.value)) {
    return WriteText(object, attribute.name, *text);
  }
  if (std::find(kTypedAttributes.begin(), kTypedAttributes.end(),
                attribute.name) == kTypedAttributes.end()) {
    type.reset();
  }
  if (const auto* integers =
          std::get_if<std::vector<int64_t>>(&attribute.value)) {
    return WriteNumbers(object, attribute.name, *integers,
                        type.value_or(TypeOf(*integers)));
  }
  return WriteNumbers(object, attribute.name,
                      std::get<std::vector<double>>(attribute.value),
                      type.value_or(core::DataType::kFloat64));
}

}  // namespace

herr_t SetFillValue(hid_t properties, core::DataType type, double fill) {
  const hid_t stored = h5::LittleEndianType(type);
  return core::VisitDataType(type, [&](auto zero) -> herr_t {
    const auto value = Narrow<decltype(zero)>(fill);
    return H5Pset_fill_value(properties, stored, &value);
  });
}

herr_t WriteAttributes(hid_t object, const core::Attributes& attributes,
                       std::optional<core::DataType> type) {
  for (const core::Attribute& attribute : attributes) {
    if (WriteOne(object, attribute, type) < 0) return -1;
  }
  return 0;
}

herr_t WriteScaleAttributes(hid_t dataset, const std::string& name,
                            int32_t id) {
  const h5::Space scalar(H5Screate(H5S_SCALAR));
  // With the terminating zero, as H5DSset_scale writes them.
  for (const auto& [attribute, text] :
       {std::pair<std::string, std::string>("CLASS", "DIMENSION_SCALE"),
        std::pair<std::string, std::string>("NAME", name)}) {
    const h5::Type type(H5Tcopy(H5T_C_S1));
    if (H5Tset_size(type.get(), text.size() + 1) < 0 ||
        WriteAttribute(dataset, attribute, type.get(), scalar.get(),
                       text.c_str()) < 0) {
      return -1;
    }
  }
  return WriteAttribute(dataset, "_Netcdf4Dimid", H5T_STD_I32LE, scalar.get(),
                        &id);
}

herr_t WriteDimensionList(hid_t dataset,
                          std::vector<std::vector<hobj_ref_t>> scales) {
  std::vector<hvl_t> lists;
  lists.reserve(scales.size());
  for (std::vector<hobj_ref_t>& axis : scales) {
    lists.push_back({axis.size(), axis.data()});
  }
  const hsize_t count = lists.size();
  const h5::Space space(H5Screate_simple(1, &count, nullptr));
  const h5::Type type(H5Tvlen_create(H5T_STD_REF_OBJ));
  return WriteAttribute(dataset, "DIMENSION_LIST", type.get(), space.get(),
                        lists.data());
}

herr_t WriteReferenceList(hid_t scale, const std::vector<ScaleUse>& uses) {
  const hsize_t count = uses.size();
  const h5::Space space(H5Screate_simple(1, &count, nullptr));
  const h5::Type type(H5Tcreate(H5T_COMPOUND, sizeof(ScaleUse)));
  if (H5Tinsert(type.get(), "dataset", offsetof(ScaleUse, dataset),
                H5T_STD_REF_OBJ) < 0 ||
      H5Tinsert(type.get(), "dimension", offsetof(ScaleUse, axis),
                H5T_STD_U32LE) < 0) {
    return -1;
  }
  return WriteAttribute(scale, "REFERENCE_LIST", type.get(), space.get(),
                        uses.data());
}

}  // namespace internode::cube
