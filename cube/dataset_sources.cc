#include "cube/dataset_sources.h"

#include <unistd.h>

#include <cstdlib>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "base/status_macros.h"

namespace internode::cube {
namespace {

// A mosaic of more files is no cube.
constexpr size_t kMaxSources = 100'000;

struct Source {
  std::string file;
  // In that file; empty: raw bytes.
  std::string dataset;
};

absl::Status Refused(absl::string_view why) {
  return absl::PermissionDeniedError(why);
}

std::string FolderAndSlash(const std::string& file) {
  const size_t slash = file.rfind('/');
  return slash == std::string::npos ? "" : file.substr(0, slash + 1);
}

// Where the library looks for a file `name` that a file in `folder` names, with
// the prefix in the environment that counts.
std::vector<std::string> PlacesOf(const std::string& name,
                                  const std::string& folder,
                                  const char* prefix_variable) {
  const std::string leaf = name.substr(name.rfind('/') + 1);
  const bool absolute = !name.empty() && name[0] == '/';
  std::vector<std::string> places = {absolute ? name : folder + name,
                                     folder + leaf};
  // The current folder of a daemon holds nothing, as a rule, and is not where
  // it may read.
  if (!absolute && access(name.c_str(), F_OK) == 0) places.push_back(name);
  const char* const prefix = std::getenv(prefix_variable);
  if (prefix != nullptr && *prefix != '\0') {
    places.push_back(absl::StrCat(prefix, "/", name));
    places.push_back(absl::StrCat(prefix, "/", leaf));
  }
  return places;
}

// A name out of two calls of the library: the length, then the text.
template <class Get>
std::string TextOf(const Get& get) {
  const ssize_t length = get(nullptr, 0);
  if (length <= 0) return "";
  std::string text(static_cast<size_t>(length), '\0');
  get(text.data(), text.size() + 1);
  return text;
}

absl::StatusOr<std::vector<Source>> VirtualSources(hid_t creation)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  size_t count = 0;
  if (H5Pget_virtual_count(creation, &count) < 0 || count > kMaxSources) {
    return Refused("its list of sources cannot be read");
  }
  std::vector<Source> sources;
  for (size_t i = 0; i < count; ++i) {
    Source source;
    source.file = TextOf([&](char* text, size_t size) {
      return H5Pget_virtual_filename(creation, i, text, size);
    });
    source.dataset = TextOf([&](char* text, size_t size) {
      return H5Pget_virtual_dsetname(creation, i, text, size);
    });
    // "." is the file itself.
    if (source.file != ".") sources.push_back(std::move(source));
  }
  return sources;
}

absl::StatusOr<std::vector<Source>> ExternalFiles(hid_t creation)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  const int count = H5Pget_external_count(creation);
  if (count < 0 || static_cast<size_t>(count) > kMaxSources) {
    return Refused("its list of files cannot be read");
  }
  std::vector<Source> files;
  for (int i = 0; i < count; ++i) {
    // Longer than any path that can be opened.
    std::string name(8192, '\0');
    off_t offset = 0;
    hsize_t size = 0;
    if (H5Pget_external(creation, static_cast<unsigned>(i), name.size() - 1,
                        name.data(), &offset, &size) < 0) {
      return Refused("its list of files cannot be read");
    }
    files.push_back({std::string(name.c_str()), ""});
  }
  return files;
}

absl::StatusOr<std::vector<Source>> SourcesOf(hid_t dataset)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  const h5::PropertyList creation(H5Dget_create_plist(dataset));
  if (!creation.valid()) return Refused("its storage cannot be examined");
  if (H5Pget_layout(creation.get()) == H5D_VIRTUAL) {
    return VirtualSources(creation.get());
  }
  return ExternalFiles(creation.get());
}

// Whether the source's dataset holds its elements itself. What cannot be opened
// gives no elements either.
absl::Status CheckPlain(const std::string& path, const Source& source)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex()) {
  const absl::StatusOr<h5::File> file = h5::OpenForReading(path);
  if (!file.ok()) return absl::OkStatus();
  bool met = false;
  const h5::PropertyList staying = StayingInFile(&met);
  const h5::Dataset dataset(
      H5Dopen2(file->get(), source.dataset.c_str(), staying.get()));
  if (met) {
    return Refused(absl::StrCat("it takes its data from '", source.file,
                                "', which links to another file"));
  }
  if (!dataset.valid()) return absl::OkStatus();
  INTERNODE_ASSIGN_OR_RETURN(const std::vector<Source> further,
                             SourcesOf(dataset.get()));
  if (further.empty()) return absl::OkStatus();
  return Refused(absl::StrCat("it takes its data from '", source.file,
                              "', which takes it from further files"));
}

herr_t MeetExternalLink(const char* /*parent_file*/, const char* /*group*/,
                        const char* /*file*/, const char* /*object*/,
                        unsigned* /*flags*/, hid_t /*access*/, void* met) {
  *static_cast<bool*>(met) = true;
  return -1;
}

}  // namespace

absl::Status CheckDatasetSources(hid_t dataset, const std::string& file,
                                 const MayReadFile& may_read) {
  INTERNODE_ASSIGN_OR_RETURN(const std::vector<Source> sources,
                             SourcesOf(dataset));
  const std::string folder = FolderAndSlash(file);
  // Many pieces may come of one file.
  std::set<std::pair<std::string, std::string>> seen;
  for (const Source& source : sources) {
    if (!seen.insert({source.file, source.dataset}).second) continue;
    if (absl::StrContains(source.file, '%')) {
      return Refused(
          absl::StrCat("it takes its data from files named by the pattern '",
                       source.file, "'"));
    }
    const bool raw = source.dataset.empty();
    for (const std::string& place :
         PlacesOf(source.file, folder,
                  raw ? "HDF5_EXTFILE_PREFIX" : "HDF5_VDS_PREFIX")) {
      const absl::Status allowed = may_read(place);
      if (absl::IsNotFound(allowed)) continue;
      if (!allowed.ok()) {
        return Refused(absl::StrCat("it takes its data from '", source.file,
                                    "': ", allowed.message()));
      }
      if (!raw) INTERNODE_RETURN_IF_ERROR(CheckPlain(place, source));
    }
  }
  return absl::OkStatus();
}

h5::PropertyList StayingInFile(bool* met) {
  // Opening a dataset takes no other class; for other objects it is as good as
  // H5P_LINK_ACCESS, which it is derived from.
  h5::PropertyList access(H5Pcreate(H5P_DATASET_ACCESS));
  if (access.valid()) H5Pset_elink_cb(access.get(), &MeetExternalLink, met);
  return access;
}

}  // namespace internode::cube
