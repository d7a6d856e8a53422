#ifndef INTERNODE_CUBE_OUTPUT_FILE_DRIVER_H_
#define INTERNODE_CUBE_OUTPUT_FILE_DRIVER_H_

#include <hdf5.h>

#include "cube/output_file.h"

namespace internode::cube {

// Makes files that are created with the file access properties `fapl` be
// written through `file`, whatever their name. `file` must outlive the HDF5
// file. Negative on failure, as HDF5's functions.
//
// A write that fails looks to the library as if it had succeeded, because it
// could not close the file else; OutputFile remembers the failure.
herr_t UseOutputFile(hid_t fapl, OutputFile* file);

}  // namespace internode::cube

#endif  // INTERNODE_CUBE_OUTPUT_FILE_DRIVER_H_
