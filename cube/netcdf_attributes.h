#ifndef INTERNODE_CUBE_NETCDF_ATTRIBUTES_H_
#define INTERNODE_CUBE_NETCDF_ATTRIBUTES_H_

#include <hdf5.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/attribute.h"
#include "core/data_type.h"
#include "cube/h5.h"

// The attributes of a NetCDF-4 file, in the forms that the netCDF library
// gives them. All functions return a negative number on failure, as HDF5's do,
// and are called under h5::Lock.
namespace internode::cube {

// Sets the fill value of creation properties, rounded to `type`.
herr_t SetFillValue(hid_t properties, core::DataType type, double fill)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

// Writes all of `attributes` to `object`. Those that CF wants in the type of
// the data (_FillValue, flag_values, valid_range, …) are given `type`, if
// there is one; else integers become int32 where they fit, or int64.
herr_t WriteAttributes(hid_t object, const core::Attributes& attributes,
                       std::optional<core::DataType> type)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

// Makes `dataset` a dimension scale called `name`, number `id` of the file's
// dimensions.
herr_t WriteScaleAttributes(hid_t dataset, const std::string& name, int32_t id)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

// What H5DSattach_scale writes, but in one go and without the memory's
// garbage in the padding: the file would differ from run to run.
struct ScaleUse {
  hobj_ref_t dataset = 0;
  uint32_t axis = 0;
  uint32_t padding = 0;
};
// The scales of each axis, mostly one.
herr_t WriteDimensionList(hid_t dataset,
                          std::vector<std::vector<hobj_ref_t>> scales)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
herr_t WriteReferenceList(hid_t scale, const std::vector<ScaleUse>& uses)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_NETCDF_ATTRIBUTES_H_
