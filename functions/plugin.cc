#include "functions/plugin.h"

#include <dlfcn.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "base/status_macros.h"
#include "functions/library_file.h"

namespace internode::functions {
namespace {

namespace fs = std::filesystem;

absl::Status Refused(const std::string& path, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", path, "' is not a function library: ", why));
}

std::string OneLine(absl::string_view text) {
  return absl::StrReplaceAll(absl::StripAsciiWhitespace(text), {{"\n", "; "}});
}

std::string LoaderError() {
  const char* error = dlerror();  // NOLINT(concurrency-mt-unsafe)
  return error == nullptr ? "unknown reason" : OneLine(error);
}

// Closes a library that was refused.
class Library {
 public:
  explicit Library(void* handle) : handle_(handle) {}
  ~Library() {
    if (handle_ != nullptr) dlclose(handle_);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  void* Symbol(const char* name) const { return dlsym(handle_, name); }
  void KeepForever() { handle_ = nullptr; }

 private:
  void* handle_;
};

absl::StatusOr<const internode_function_table*> CallEntry(
    const std::string& path, void* symbol) {
  using Entry = const internode_function_table* (*)();
  try {
    return reinterpret_cast<Entry>(symbol)();
  } catch (const std::exception& e) {
    return Refused(path, absl::StrCat(INTERNODE_FUNCTION_SYMBOL,
                                      " threw an exception: ", e.what()));
  } catch (...) {
    return Refused(path, INTERNODE_FUNCTION_SYMBOL " threw an exception");
  }
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Function>> LoadPlugin(
    const std::string& path) {
  std::error_code error;
  // With a slash in it, so that the loader does not search for it.
  const fs::path file = fs::canonical(path, error);
  if (error) {
    return absl::NotFoundError(absl::StrCat("cannot find function library '",
                                            path, "': ", error.message()));
  }
  if (!fs::is_regular_file(file, error)) {
    return Refused(path, "not a file");
  }
  if (const absl::Status whole = CheckLibraryIsWhole(file.string());
      !whole.ok()) {
    return Refused(path, whole.message());
  }
  void* const handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return Refused(path, LoaderError());
  Library library(handle);
  void* const symbol = library.Symbol(INTERNODE_FUNCTION_SYMBOL);
  if (symbol == nullptr) {
    return Refused(path, "it does not export " INTERNODE_FUNCTION_SYMBOL);
  }
  INTERNODE_ASSIGN_OR_RETURN(const internode_function_table* table,
                             CallEntry(path, symbol));
  absl::StatusOr<std::shared_ptr<const Function>> function =
      MakePluginFunction(table);
  if (!function.ok()) return Refused(path, function.status().message());
  library.KeepForever();
  return function;
}

absl::Status LoadPluginDirectory(const std::string& directory,
                                 Registry* registry) {
  std::error_code error;
  std::vector<std::string> paths;
  fs::directory_iterator entries(directory, error);
  for (; !error && entries != fs::directory_iterator();
       entries.increment(error)) {
    if (entries->path().extension() == ".so") {
      paths.push_back(entries->path().string());
    }
  }
  if (error) {
    return absl::NotFoundError(absl::StrCat("cannot list function directory '",
                                            directory, "': ", error.message()));
  }
  std::sort(paths.begin(), paths.end());
  for (const std::string& path : paths) {
    INTERNODE_ASSIGN_OR_RETURN(std::shared_ptr<const Function> function,
                               LoadPlugin(path));
    if (const absl::Status status = registry->Add(std::move(function));
        !status.ok()) {
      return absl::Status(status.code(), absl::StrCat("cannot register '", path,
                                                      "': ", status.message()));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Registry> LoadRegistry(
    const std::vector<std::string>& function_path) {
  Registry registry = Registry::WithBuiltins();
  for (const std::string& directory : function_path) {
    INTERNODE_RETURN_IF_ERROR(LoadPluginDirectory(directory, &registry));
  }
  return registry;
}

}  // namespace internode::functions
