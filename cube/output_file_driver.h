#ifndef INTERNODE_CUBE_OUTPUT_FILE_DRIVER_H_
#define INTERNODE_CUBE_OUTPUT_FILE_DRIVER_H_

#include <hdf5.h>

#include "cube/h5.h"
#include "cube/output_file.h"

namespace internode::cube {

// The driver's registration with the library. It must outlive the files that
// use the driver: libhdf5 calls it after it has given up its own reference.
using OutputFileDriver = h5::Handle<H5FDunregister>;

// Makes files that are created with the file access properties `fapl` be
// written through `file`, whatever their name. `file` must outlive the HDF5
// file. Not valid() on failure.
//
// A write that fails looks to the library as if it had succeeded, because it
// could not close the file else; OutputFile remembers the failure.
OutputFileDriver UseOutputFile(hid_t fapl, OutputFile* file)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_OUTPUT_FILE_DRIVER_H_
