#ifndef INTERNODE_FUNCTIONS_PLUGIN_H_
#define INTERNODE_FUNCTIONS_PLUGIN_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "functions/function.h"
#include "functions/internode_function.h"
#include "functions/registry.h"

// Functions from shared libraries, through the C interface of
// functions/internode_function.h. A library runs in the process with all its
// rights: what it says is checked, what it does is not. Exceptions that leave
// it are caught.

namespace internode::functions {

// Loads the function of the shared library `path`; the library stays loaded
// for the life of the process. Errors: kNotFound for a missing file;
// kInvalidArgument, naming the file, for one that is no shared library, is
// cut off, lacks the symbol, has another ABI version or a table that is not
// filled in.
absl::StatusOr<std::shared_ptr<const Function>> LoadPlugin(
    const std::string& path);

// Loads every `*.so` of `directory`, in the order of their names, into
// `registry`. Errors: as LoadPlugin, as Registry::Add, naming the file;
// kNotFound for a missing directory. Those before the error stay registered.
absl::Status LoadPluginDirectory(const std::string& directory,
                                 Registry* registry);

// The built-in functions, and those of the libraries in `function_path`.
// Errors: as LoadPluginDirectory.
absl::StatusOr<Registry> LoadRegistry(
    const std::vector<std::string>& function_path);

// The function that `table` describes; it must stay valid. Errors
// (kInvalidArgument): another ABI version, a table that is not filled in.
absl::StatusOr<std::shared_ptr<const Function>> MakePluginFunction(
    const internode_function_table* table);

}  // namespace internode::functions

#endif  // INTERNODE_FUNCTIONS_PLUGIN_H_
