#include "cube/cube_copy.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "cube/cube_file.h"
#include "cube/h5.h"
#include "cube/h5_attributes.h"
#include "cube/h5_links.h"
#include "cube/netcdf_attributes.h"
#include "cube/object_copy.h"
#include "cube/output_file.h"
#include "cube/output_file_driver.h"

namespace internode::cube {
namespace {

using Sizes = std::array<hsize_t, H5S_MAX_RANK>;

}  // namespace

struct CubeCopy::Impl {
  struct CopiedVariable {
    h5::Dataset dataset;
    std::vector<int64_t> chunk_sizes;
    std::vector<uint8_t> fill;
  };

  // A dataset whose dimensions have scales: their addresses in the old file.
  struct ScaledDataset {
    std::string path;
    std::vector<std::vector<uint64_t>> scales;
  };

  Impl(std::shared_ptr<const Cube> source, std::unique_ptr<OutputFile> output)
      : cube(std::move(source)), file(std::move(output)) {}

  absl::Status CreateFile() ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  absl::Status CopyObjects() ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  absl::Status CopyGroup(const std::string& path)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  absl::Status CopyLink(hid_t group, const Link& link, const std::string& path)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  absl::Status CopyPathLink(hid_t group, const Link& link,
                            const std::string& path)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  absl::Status CopyObject(const std::string& path)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  absl::Status CopyDataset(hid_t dataset, const std::string& path)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  absl::Status CreateVariable(hid_t from, size_t variable,
                              const std::string& path)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  absl::StatusOr<h5::PropertyList> VariableStorage(hid_t from, size_t variable,
                                                   CopiedVariable* copied)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  absl::Status AttachScales() ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  absl::StatusOr<hobj_ref_t> ReferenceTo(const std::string& path)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());

  // An error of the old file, with its name; of a write before, where there
  // was one.
  absl::Status Named(const absl::Status& status) const {
    if (status.ok() || !file->status().ok()) return file->status();
    return absl::Status(status.code(), absl::StrCat("'", cube->info().path,
                                                    "': ", status.message()));
  }
  absl::Status Check(bool succeeded, absl::string_view what) const {
    if (!file->status().ok()) return file->status();
    if (succeeded) return absl::OkStatus();
    return absl::InternalError(absl::StrCat("cannot write '", file->path(),
                                            "': the HDF5 library failed to ",
                                            what));
  }

  const std::shared_ptr<const Cube> cube;
  const std::unique_ptr<OutputFile> file;
  core::Dimensions storage_chunks;
  int deflate = 0;
  OutputFileDriver driver;
  h5::File copy;
  std::unique_ptr<ObjectCopier> copier;
  // By their paths, places in CubeInfo::variables.
  std::map<std::string, size_t> variable_paths;
  std::vector<CopiedVariable> variables;
  // Paths in both files by address in the old one.
  std::map<uint64_t, std::string> copied;
  // Groups whose links are copied next.
  std::vector<std::string> groups;
  std::vector<ScaledDataset> scaled;
};

absl::Status CubeCopy::Impl::CreateFile() {
  INTERNODE_ASSIGN_OR_RETURN(h5::PropertyList creation, h5::FileCreation());
  h5::PropertyList access(H5Pcreate(H5P_FILE_ACCESS));
  driver = UseOutputFile(access.get(), file.get());
  // The oldest format with creation order, which all readers in use know.
  if (driver.valid() &&
      H5Pset_libver_bounds(access.get(), H5F_LIBVER_V18, H5F_LIBVER_V18) >= 0) {
    copy.reset(H5Fcreate(file->path().c_str(), H5F_ACC_TRUNC, creation.get(),
                         access.get()));
  }
  return Check(copy.valid(), "create the file");
}

absl::Status CubeCopy::Impl::CopyObjects() {
  const std::vector<StoredVariable>& stored = cube->file().variables;
  for (size_t v = 0; v < stored.size(); ++v) {
    variable_paths[stored[v].path] = v;
  }
  variables.resize(stored.size());
  copier = std::make_unique<ObjectCopier>(cube->file().file.get(), copy.get());
  H5O_info_t info{};
  if (H5Oget_info2(cube->file().file.get(), &info, H5O_INFO_BASIC) >= 0) {
    copied[info.addr] = "/";
  }
  groups.push_back("/");
  for (size_t g = 0; g < groups.size(); ++g) {
    // A copy: the list grows.
    const std::string path = groups[g];
    INTERNODE_RETURN_IF_ERROR(CopyGroup(path));
  }
  return absl::OkStatus();
}

absl::Status CubeCopy::Impl::CopyGroup(const std::string& path) {
  const h5::Group from(
      H5Gopen2(cube->file().file.get(), path.c_str(), H5P_DEFAULT));
  const h5::Group to(H5Gopen2(copy.get(), path.c_str(), H5P_DEFAULT));
  if (!from.valid()) {
    return h5::Error(absl::StatusCode::kDataLoss,
                     absl::StrCat("cannot open group '", path, "'"));
  }
  INTERNODE_RETURN_IF_ERROR(
      Check(to.valid(), absl::StrCat("open group ", path)));
  INTERNODE_RETURN_IF_ERROR(copier->CopyAttributes(from.get(), to.get(), path));
  INTERNODE_ASSIGN_OR_RETURN(const std::vector<Link> links,
                             ListLinks(from.get(), path));
  for (const Link& link : links) {
    INTERNODE_RETURN_IF_ERROR(
        CopyLink(from.get(), link,
                 absl::StrCat(path == "/" ? "" : path, "/", link.name)));
  }
  return absl::OkStatus();
}

absl::Status CubeCopy::Impl::CopyLink(hid_t group, const Link& link,
                                      const std::string& path) {
  if (link.type != H5L_TYPE_HARD) return CopyPathLink(group, link, path);
  H5O_info_t info{};
  if (H5Oget_info_by_name2(group, link.name.c_str(), &info, H5O_INFO_BASIC,
                           H5P_DEFAULT) < 0) {
    return h5::Error(absl::StatusCode::kDataLoss,
                     absl::StrCat("cannot open '", path, "'"));
  }
  const auto [at, is_new] = copied.emplace(info.addr, path);
  if (is_new) return CopyObject(path);
  // Another name of the same object.
  return Check(H5Lcreate_hard(copy.get(), at->second.c_str(), copy.get(),
                              path.c_str(), H5P_DEFAULT, H5P_DEFAULT) >= 0,
               absl::StrCat("link ", path));
}

absl::Status CubeCopy::Impl::CopyPathLink(hid_t group, const Link& link,
                                          const std::string& path) {
  H5L_info_t info{};
  std::vector<char> value;
  if (H5Lget_info(group, link.name.c_str(), &info, H5P_DEFAULT) >= 0) {
    value.resize(info.u.val_size + 1, '\0');
  }
  if (value.empty() || H5Lget_val(group, link.name.c_str(), value.data(),
                                  value.size(), H5P_DEFAULT) < 0) {
    return h5::Error(absl::StatusCode::kDataLoss,
                     absl::StrCat("cannot read the link '", path, "'"));
  }
  herr_t made = -1;
  if (link.type == H5L_TYPE_SOFT) {
    made = H5Lcreate_soft(value.data(), copy.get(), path.c_str(), H5P_DEFAULT,
                          H5P_DEFAULT);
  } else if (link.type == H5L_TYPE_EXTERNAL) {
    unsigned flags = 0;
    const char* target_file = nullptr;
    const char* target = nullptr;
    made = H5Lunpack_elink_val(value.data(), info.u.val_size, &flags,
                               &target_file, &target);
    if (made >= 0) {
      made = H5Lcreate_external(target_file, target, copy.get(), path.c_str(),
                                H5P_DEFAULT, H5P_DEFAULT);
    }
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("the link '", path, "' is of a kind of its own"));
  }
  return Check(made >= 0, absl::StrCat("link ", path));
}

absl::Status CubeCopy::Impl::CopyObject(const std::string& path) {
  const h5::Object object(
      H5Oopen(cube->file().file.get(), path.c_str(), H5P_DEFAULT));
  switch (object.valid() ? H5Iget_type(object.get()) : H5I_BADID) {
    case H5I_GROUP: {
      INTERNODE_ASSIGN_OR_RETURN(h5::PropertyList creation,
                                 h5::GroupCreation());
      const h5::Group group(H5Gcreate2(copy.get(), path.c_str(), H5P_DEFAULT,
                                       creation.get(), H5P_DEFAULT));
      groups.push_back(path);
      return Check(group.valid(), absl::StrCat("create group ", path));
    }
    case H5I_DATASET:
      return CopyDataset(object.get(), path);
    case H5I_DATATYPE:
      return copier->CopyNamedType(object.get(), path);
    default:
      return h5::Error(absl::StatusCode::kDataLoss,
                       absl::StrCat("cannot open '", path, "'"));
  }
}

absl::Status CubeCopy::Impl::CopyDataset(hid_t dataset,
                                         const std::string& path) {
  const h5::Space space(H5Dget_space(dataset));
  const int rank = space.valid() ? H5Sget_simple_extent_ndims(space.get()) : -1;
  if (rank < 0) {
    return h5::Error(absl::StatusCode::kDataLoss,
                     absl::StrCat("cannot read the shape of '", path, "'"));
  }
  ScaledDataset scales = {path,
                          ReadScaleLists(dataset, static_cast<size_t>(rank))};
  const bool has_scales =
      std::any_of(scales.scales.begin(), scales.scales.end(),
                  [](const auto& axis) { return !axis.empty(); });
  if (has_scales) scaled.push_back(std::move(scales));
  const auto variable = variable_paths.find(path);
  if (variable == variable_paths.end()) {
    return copier->CopyDataset(dataset, path);
  }
  return CreateVariable(dataset, variable->second, path);
}

absl::StatusOr<h5::PropertyList> CubeCopy::Impl::VariableStorage(
    hid_t from, size_t variable, CopiedVariable* copied_variable) {
  const core::VariableInfo& info = cube->info().variables[variable];
  const core::DataType type = cube->file().variables[variable].read_type;
  const h5::PropertyList old(H5Dget_create_plist(from));
  INTERNODE_ASSIGN_OR_RETURN(h5::PropertyList creation, h5::DatasetCreation());
  copied_variable->fill.assign(static_cast<size_t>(core::DataTypeBytes(type)),
                               0);
  H5D_fill_value_t defined = H5D_FILL_VALUE_ERROR;
  bool ok = old.valid() && H5Pfill_value_defined(old.get(), &defined) >= 0 &&
            (defined != H5D_FILL_VALUE_USER_DEFINED ||
             (H5Pget_fill_value(old.get(), h5::MemoryType(type),
                                copied_variable->fill.data()) >= 0 &&
              H5Pset_fill_value(creation.get(), h5::MemoryType(type),
                                copied_variable->fill.data()) >= 0));
  std::vector<hsize_t> chunks;
  for (const core::Dimension& dim : info.dims) {
    for (const core::Dimension& chunk : storage_chunks) {
      if (chunk.name != dim.name) continue;
      copied_variable->chunk_sizes.push_back(chunk.size);
      chunks.push_back(static_cast<hsize_t>(chunk.size));
    }
  }
  Sizes most{};
  const h5::Space space(H5Dget_space(from));
  ok = ok && H5Sget_simple_extent_dims(space.get(), nullptr, most.data()) >= 0;
  // A dimension that stays empty has no chunks.
  bool chunked = true;
  for (size_t d = 0; d < chunks.size(); ++d) {
    chunked = chunked && (most[d] == H5S_UNLIMITED || chunks[d] <= most[d]);
  }
  if (ok && chunked) {
    ok = H5Pset_chunk(creation.get(), static_cast<int>(chunks.size()),
                      chunks.data()) >= 0;
    if (ok && deflate > 0) {
      ok = (core::DataTypeBytes(type) == 1 ||
            H5Pset_shuffle(creation.get()) >= 0) &&
           H5Pset_deflate(creation.get(),
                          static_cast<unsigned>(std::min(deflate, 9))) >= 0;
    }
  }
  INTERNODE_RETURN_IF_ERROR(
      Check(ok, absl::StrCat("describe the variable ", info.name)));
  return creation;
}

absl::Status CubeCopy::Impl::CreateVariable(hid_t from, size_t variable,
                                            const std::string& path) {
  CopiedVariable* const made = &variables[variable];
  INTERNODE_ASSIGN_OR_RETURN(const h5::PropertyList creation,
                             VariableStorage(from, variable, made));
  const h5::Space space(H5Dget_space(from));
  const h5::PropertyList access(H5Pcreate(H5P_DATASET_ACCESS));
  // Chunks are written past the cache.
  H5Pset_chunk_cache(access.get(), 1, 0, 0);
  made->dataset.reset(H5Dcreate2(
      copy.get(), path.c_str(),
      h5::LittleEndianType(cube->file().variables[variable].read_type),
      space.get(), H5P_DEFAULT, creation.get(), access.get()));
  INTERNODE_RETURN_IF_ERROR(
      Check(made->dataset.valid(), absl::StrCat("create the variable ", path)));
  return copier->CopyAttributes(from, made->dataset.get(), path);
}

absl::StatusOr<hobj_ref_t> CubeCopy::Impl::ReferenceTo(
    const std::string& path) {
  hobj_ref_t reference = 0;
  INTERNODE_RETURN_IF_ERROR(Check(
      H5Rcreate(&reference, copy.get(), path.c_str(), H5R_OBJECT, -1) >= 0,
      absl::StrCat("refer to ", path)));
  return reference;
}

absl::Status CubeCopy::Impl::AttachScales() {
  std::map<std::string, std::vector<ScaleUse>> uses;
  // In the order of their first use, which does not depend on addresses.
  std::vector<std::string> used;
  for (const ScaledDataset& dataset : scaled) {
    INTERNODE_ASSIGN_OR_RETURN(const hobj_ref_t own, ReferenceTo(dataset.path));
    std::vector<std::vector<hobj_ref_t>> scales(dataset.scales.size());
    for (size_t d = 0; d < scales.size(); ++d) {
      for (const uint64_t address : dataset.scales[d]) {
        const auto scale = copied.find(address);
        // A scale that is not in the file.
        if (scale == copied.end()) continue;
        INTERNODE_ASSIGN_OR_RETURN(const hobj_ref_t reference,
                                   ReferenceTo(scale->second));
        scales[d].push_back(reference);
        std::vector<ScaleUse>& list = uses[scale->second];
        if (list.empty()) used.push_back(scale->second);
        list.push_back({.dataset = own, .axis = static_cast<uint32_t>(d)});
      }
    }
    const h5::Object object(
        H5Oopen(copy.get(), dataset.path.c_str(), H5P_DEFAULT));
    INTERNODE_RETURN_IF_ERROR(
        Check(WriteDimensionList(object.get(), std::move(scales)) >= 0,
              absl::StrCat("name the dimensions of ", dataset.path)));
  }
  for (const std::string& path : used) {
    const h5::Object object(H5Oopen(copy.get(), path.c_str(), H5P_DEFAULT));
    INTERNODE_RETURN_IF_ERROR(
        Check(WriteReferenceList(object.get(), uses[path]) >= 0,
              absl::StrCat("list the variables over ", path)));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<CubeCopy>> CubeCopy::Create(
    std::shared_ptr<const Cube> cube, const core::Dimensions& storage_chunks,
    int deflate, absl::string_view path, bool overwrite) {
  INTERNODE_ASSIGN_OR_RETURN(std::unique_ptr<OutputFile> file,
                             OutputFile::Create(path, overwrite));
  auto impl = std::make_unique<Impl>(std::move(cube), std::move(file));
  impl->storage_chunks = storage_chunks;
  impl->deflate = deflate;
  // Its destructor takes the lock, after this scope has given it back.
  std::unique_ptr<CubeCopy> made(new CubeCopy(std::move(impl)));
  h5::Lock lock;
  INTERNODE_RETURN_IF_ERROR(made->impl_->CreateFile());
  const absl::Status copied = made->impl_->CopyObjects();
  INTERNODE_RETURN_IF_ERROR(made->impl_->Named(copied));
  return made;
}

CubeCopy::CubeCopy(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

CubeCopy::~CubeCopy() {
  // Closed, where this is its last use, after the lock has been given back.
  const std::shared_ptr<const Cube> cube = impl_->cube;
  h5::Lock lock;
  impl_.reset();
}

const std::vector<std::string>& CubeCopy::notes() const {
  return impl_->copier->notes();
}

const std::vector<int64_t>& CubeCopy::chunk_sizes(size_t variable) const {
  return impl_->variables[variable].chunk_sizes;
}

absl::Span<const uint8_t> CubeCopy::fill(size_t variable) const {
  return impl_->variables[variable].fill;
}

absl::Status CubeCopy::WriteChunk(size_t variable,
                                  const std::vector<int64_t>& offset,
                                  absl::Span<const uint8_t> encoded) {
  h5::Lock lock;
  const std::vector<hsize_t> start(offset.begin(), offset.end());
  return impl_->Check(
      H5Dwrite_chunk(impl_->variables[variable].dataset.get(), H5P_DEFAULT, 0,
                     start.data(), encoded.size(), encoded.data()) >= 0,
      absl::StrCat("write a storage chunk of ",
                   impl_->cube->info().variables[variable].name));
}

absl::Status CubeCopy::Finish() {
  h5::Lock lock;
  INTERNODE_RETURN_IF_ERROR(impl_->AttachScales());
  impl_->variables.clear();
  INTERNODE_RETURN_IF_ERROR(
      impl_->Check(H5Fclose(impl_->copy.release()) >= 0, "close the file"));
  return impl_->file->Commit();
}

}  // namespace internode::cube
