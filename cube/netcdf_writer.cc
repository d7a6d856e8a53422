#include "cube/netcdf_writer.h"

#include <hdf5.h>
#include <libdeflate.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "base/status_macros.h"
#include "cube/h5.h"
#include "cube/netcdf_attributes.h"
#include "cube/output_file.h"
#include "cube/output_file_driver.h"

namespace internode::cube {
namespace {

// As a scale's NAME says it to the netCDF library.
std::string ScaleWithoutVariable(int64_t size) {
  return absl::StrFormat(
      "This is a netCDF dimension but not a netCDF variable.%10d", size);
}

}  // namespace

struct ChunkEncoder::Compressor {
  explicit Compressor(int level)
      : deflate(level == 0 ? nullptr : libdeflate_alloc_compressor(level)) {}
  ~Compressor() {
    if (deflate != nullptr) libdeflate_free_compressor(deflate);
  }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  libdeflate_compressor* const deflate;
};

ChunkEncoder::ChunkEncoder(int level)
    : compressor_(std::make_unique<Compressor>(level)) {}
ChunkEncoder::~ChunkEncoder() = default;

namespace {

// HDF5's shuffle: first the first bytes of all numbers, then the second, ….
void Shuffle(absl::Span<const uint8_t> raw, size_t number_bytes,
             std::vector<uint8_t>* shuffled) {
  shuffled->resize(raw.size());
  const size_t count = raw.size() / number_bytes;
  for (size_t b = 0; b < number_bytes; ++b) {
    uint8_t* to = shuffled->data() + b * count;
    const uint8_t* from = raw.data() + b;
    for (size_t i = 0; i < count; ++i) to[i] = from[i * number_bytes];
  }
}

}  // namespace

void ChunkEncoder::Encode(absl::Span<const uint8_t> raw, int64_t number_bytes,
                          std::vector<uint8_t>* encoded) {
  if (compressor_->deflate == nullptr) {
    encoded->assign(raw.begin(), raw.end());
    return;
  }
  if (number_bytes > 1) {
    Shuffle(raw, static_cast<size_t>(number_bytes), &shuffled_);
    raw = shuffled_;
  }
  encoded->resize(
      libdeflate_zlib_compress_bound(compressor_->deflate, raw.size()));
  encoded->resize(libdeflate_zlib_compress(compressor_->deflate, raw.data(),
                                           raw.size(), encoded->data(),
                                           encoded->size()));
}

struct NetcdfWriter::Impl {
  struct Variable {
    std::string name;
    h5::Dataset dataset;
    // Indices of `dims`.
    std::vector<size_t> dims;
    int64_t number_bytes = 0;
  };
  struct NamedDimension {
    std::string name;
    int64_t size = 0;
    bool unlimited = false;
  };

  explicit Impl(std::unique_ptr<OutputFile> output) : file(std::move(output)) {}

  // The error of an HDF5 call that failed, or of a write before it.
  absl::Status Check(bool succeeded, absl::string_view what) const {
    if (!file->status().ok()) return file->status();
    if (succeeded) return absl::OkStatus();
    return absl::InternalError(absl::StrCat("cannot write '", file->path(),
                                            "': the HDF5 library failed to ",
                                            what));
  }

  absl::Status CreateFile() ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  absl::Status AddDim(absl::string_view name, int64_t size, bool unlimited);
  absl::StatusOr<size_t> FindDim(absl::string_view name) const;
  absl::StatusOr<h5::PropertyList> CreationProperties(
      const NetcdfVariable& variable) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  absl::StatusOr<h5::Space> MakeSpace(const Variable& variable) const;
  absl::Status CreateDataset(hid_t type, hid_t properties, Variable* variable)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  absl::Status MakeScales() ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  absl::Status MakeScale(size_t dim, std::vector<hobj_ref_t>* scales)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  absl::Status AttachScales(const std::vector<hobj_ref_t>& scales)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  absl::Status WriteDimensionList(const Variable& variable,
                                  const std::vector<hobj_ref_t>& scales)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  absl::Status WriteReferenceList(size_t dim)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(h5::LibraryMutex());
  // The variable that is the coordinate of `dim`, or null.
  const Variable* CoordinateOf(size_t dim) const;

  std::unique_ptr<OutputFile> file;
  OutputFileDriver driver;
  h5::File h5_file;
  std::vector<NamedDimension> dims;
  std::vector<Variable> variables;
  // Dimensions without a coordinate.
  std::vector<std::pair<size_t, h5::Dataset>> bare_scales;
};

absl::Status NetcdfWriter::Impl::CreateFile() {
  INTERNODE_ASSIGN_OR_RETURN(h5::PropertyList creation, h5::FileCreation());
  h5::PropertyList access(H5Pcreate(H5P_FILE_ACCESS));
  driver = UseOutputFile(access.get(), file.get());
  // The oldest format with creation order, which all readers in use know.
  const bool ready =
      driver.valid() &&
      H5Pset_libver_bounds(access.get(), H5F_LIBVER_V18, H5F_LIBVER_V18) >= 0;
  if (ready) {
    h5_file.reset(H5Fcreate(file->path().c_str(), H5F_ACC_TRUNC, creation.get(),
                            access.get()));
  }
  return Check(h5_file.valid(), "create the file");
}

absl::Status NetcdfWriter::Impl::AddDim(absl::string_view name, int64_t size,
                                        bool unlimited) {
  for (const NamedDimension& dim : dims) {
    if (dim.name == name) {
      return absl::InvalidArgumentError(
          absl::StrCat("dimension '", name, "' is given twice"));
    }
  }
  if (size < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("dimension '", name, "' has the negative size ", size));
  }
  dims.push_back({std::string(name), size, unlimited});
  return absl::OkStatus();
}

absl::StatusOr<size_t> NetcdfWriter::Impl::FindDim(
    absl::string_view name) const {
  for (size_t d = 0; d < dims.size(); ++d) {
    if (dims[d].name == name) return d;
  }
  return absl::InternalError(
      absl::StrCat("dimension '", name, "' was not added"));
}

absl::StatusOr<h5::PropertyList> NetcdfWriter::Impl::CreationProperties(
    const NetcdfVariable& variable) const {
  INTERNODE_ASSIGN_OR_RETURN(h5::PropertyList properties,
                             h5::DatasetCreation());
  bool ok = true;
  if (!variable.storage_chunks.empty()) {
    const std::vector<hsize_t> chunks(variable.storage_chunks.begin(),
                                      variable.storage_chunks.end());
    ok = H5Pset_chunk(properties.get(), static_cast<int>(chunks.size()),
                      chunks.data()) >= 0;
    if (ok && variable.deflate > 0) {
      ok = (core::DataTypeBytes(variable.type) == 1 ||
            H5Pset_shuffle(properties.get()) >= 0) &&
           H5Pset_deflate(properties.get(), static_cast<unsigned>(std::min(
                                                variable.deflate, 9))) >= 0;
    }
  }
  if (ok && variable.fill.has_value()) {
    ok = SetFillValue(properties.get(), variable.type, *variable.fill) >= 0;
  }
  INTERNODE_RETURN_IF_ERROR(
      Check(ok, absl::StrCat("describe the variable ", variable.name)));
  return properties;
}

absl::StatusOr<h5::Space> NetcdfWriter::Impl::MakeSpace(
    const Variable& variable) const {
  std::vector<hsize_t> sizes;
  std::vector<hsize_t> most;
  for (const size_t d : variable.dims) {
    sizes.push_back(static_cast<hsize_t>(dims[d].size));
    most.push_back(dims[d].unlimited ? H5S_UNLIMITED : sizes.back());
  }
  h5::Space space(sizes.empty()
                      ? H5Screate(H5S_SCALAR)
                      : H5Screate_simple(static_cast<int>(sizes.size()),
                                         sizes.data(), most.data()));
  INTERNODE_RETURN_IF_ERROR(
      Check(space.valid(), absl::StrCat("shape the variable ", variable.name)));
  return space;
}

absl::Status NetcdfWriter::Impl::CreateDataset(hid_t type, hid_t properties,
                                               Variable* variable) {
  INTERNODE_ASSIGN_OR_RETURN(h5::Space space, MakeSpace(*variable));
  h5::PropertyList access(H5Pcreate(H5P_DATASET_ACCESS));
  // Chunks are written past the cache.
  H5Pset_chunk_cache(access.get(), 1, 0, 0);
  variable->dataset = h5::Dataset(
      H5Dcreate2(h5_file.get(), variable->name.c_str(), type, space.get(),
                 H5P_DEFAULT, properties, access.get()));
  return Check(variable->dataset.valid(),
               absl::StrCat("create the variable ", variable->name));
}

const NetcdfWriter::Impl::Variable* NetcdfWriter::Impl::CoordinateOf(
    size_t dim) const {
  for (const Variable& variable : variables) {
    if (variable.name == dims[dim].name && variable.dims.size() == 1 &&
        variable.dims[0] == dim) {
      return &variable;
    }
  }
  return nullptr;
}

absl::StatusOr<std::unique_ptr<NetcdfWriter>> NetcdfWriter::Create(
    absl::string_view path, bool overwrite) {
  INTERNODE_ASSIGN_OR_RETURN(std::unique_ptr<OutputFile> file,
                             OutputFile::Create(path, overwrite));
  h5::Lock lock;
  auto impl = std::make_unique<Impl>(std::move(file));
  INTERNODE_RETURN_IF_ERROR(impl->CreateFile());
  return std::unique_ptr<NetcdfWriter>(new NetcdfWriter(std::move(impl)));
}

NetcdfWriter::NetcdfWriter(std::unique_ptr<Impl> impl)
    : impl_(std::move(impl)) {}

NetcdfWriter::~NetcdfWriter() {
  h5::Lock lock;
  impl_.reset();
}

absl::Status NetcdfWriter::AddDimension(absl::string_view name, int64_t size) {
  return impl_->AddDim(name, size, false);
}

absl::Status NetcdfWriter::AddUnlimitedDimension(absl::string_view name) {
  return impl_->AddDim(name, 0, true);
}

absl::StatusOr<int> NetcdfWriter::AddVariable(const NetcdfVariable& variable) {
  h5::Lock lock;
  Impl::Variable added;
  added.name = variable.name;
  added.number_bytes = core::DataTypeBytes(variable.type);
  for (const std::string& name : variable.dims) {
    INTERNODE_ASSIGN_OR_RETURN(const size_t dim, impl_->FindDim(name));
    added.dims.push_back(dim);
  }
  INTERNODE_ASSIGN_OR_RETURN(h5::PropertyList properties,
                             impl_->CreationProperties(variable));
  INTERNODE_RETURN_IF_ERROR(impl_->CreateDataset(
      h5::LittleEndianType(variable.type), properties.get(), &added));
  core::Attributes attributes;
  if (variable.fill.has_value() && variable.fill_is_missing) {
    attributes.push_back({"_FillValue", std::vector<double>{*variable.fill}});
  }
  attributes.insert(attributes.end(), variable.attributes.begin(),
                    variable.attributes.end());
  INTERNODE_RETURN_IF_ERROR(impl_->Check(
      WriteAttributes(added.dataset.get(), attributes, variable.type) >= 0,
      absl::StrCat("write the attributes of ", variable.name)));
  impl_->variables.push_back(std::move(added));
  return static_cast<int>(impl_->variables.size()) - 1;
}

absl::Status NetcdfWriter::AddLabels(absl::string_view name,
                                     absl::string_view dim,
                                     const std::vector<std::string>& labels,
                                     const core::Attributes& attributes) {
  h5::Lock lock;
  Impl::Variable added;
  added.name = std::string(name);
  INTERNODE_ASSIGN_OR_RETURN(const size_t d, impl_->FindDim(dim));
  added.dims.push_back(d);
  if (impl_->dims[d].size != static_cast<int64_t>(labels.size())) {
    return absl::InternalError(
        absl::StrCat("dimension '", dim, "' of ", impl_->dims[d].size,
                     " elements was given ", labels.size(), " labels"));
  }
  h5::Type type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.get(), H5T_VARIABLE);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  INTERNODE_ASSIGN_OR_RETURN(h5::PropertyList properties,
                             impl_->CreationProperties({}));
  INTERNODE_RETURN_IF_ERROR(
      impl_->CreateDataset(type.get(), properties.get(), &added));
  std::vector<const char*> texts;
  texts.reserve(labels.size());
  for (const std::string& label : labels) texts.push_back(label.c_str());
  const bool ok =
      (texts.empty() || H5Dwrite(added.dataset.get(), type.get(), H5S_ALL,
                                 H5S_ALL, H5P_DEFAULT, texts.data()) >= 0) &&
      WriteAttributes(added.dataset.get(), attributes, std::nullopt) >= 0;
  INTERNODE_RETURN_IF_ERROR(
      impl_->Check(ok, absl::StrCat("write the labels ", name)));
  impl_->variables.push_back(std::move(added));
  return absl::OkStatus();
}

absl::Status NetcdfWriter::AddAttributes(const core::Attributes& attributes) {
  h5::Lock lock;
  return impl_->Check(
      WriteAttributes(impl_->h5_file.get(), attributes, std::nullopt) >= 0,
      "write the attributes of the file");
}

absl::Status NetcdfWriter::Grow(absl::string_view dim, int64_t size) {
  h5::Lock lock;
  INTERNODE_ASSIGN_OR_RETURN(const size_t d, impl_->FindDim(dim));
  impl_->dims[d].size = size;
  for (const Impl::Variable& variable : impl_->variables) {
    if (std::find(variable.dims.begin(), variable.dims.end(), d) ==
        variable.dims.end()) {
      continue;
    }
    std::vector<hsize_t> sizes;
    for (const size_t e : variable.dims) {
      sizes.push_back(static_cast<hsize_t>(impl_->dims[e].size));
    }
    INTERNODE_RETURN_IF_ERROR(
        impl_->Check(H5Dset_extent(variable.dataset.get(), sizes.data()) >= 0,
                     absl::StrCat("extend the variable ", variable.name)));
  }
  return absl::OkStatus();
}

absl::Status NetcdfWriter::WriteAll(int variable,
                                    absl::Span<const uint8_t> bytes) {
  h5::Lock lock;
  const Impl::Variable& to = impl_->variables[static_cast<size_t>(variable)];
  int64_t size = to.number_bytes;
  for (const size_t d : to.dims) size *= impl_->dims[d].size;
  if (static_cast<int64_t>(bytes.size()) != size) {
    return absl::InternalError(absl::StrCat("variable '", to.name, "' of ",
                                            size, " bytes was given ",
                                            bytes.size()));
  }
  if (size == 0) return absl::OkStatus();
  h5::Type type(H5Dget_type(to.dataset.get()));
  return impl_->Check(H5Dwrite(to.dataset.get(), type.get(), H5S_ALL, H5S_ALL,
                               H5P_DEFAULT, bytes.data()) >= 0,
                      absl::StrCat("write the variable ", to.name));
}

absl::Status NetcdfWriter::WriteChunk(int variable,
                                      const std::vector<int64_t>& offset,
                                      absl::Span<const uint8_t> encoded) {
  h5::Lock lock;
  const Impl::Variable& to = impl_->variables[static_cast<size_t>(variable)];
  if (offset.size() != to.dims.size()) {
    return absl::InternalError(
        absl::StrCat("variable '", to.name, "' of ", to.dims.size(),
                     " dimensions was given ", offset.size(), " offsets"));
  }
  const std::vector<hsize_t> start(offset.begin(), offset.end());
  return impl_->Check(
      H5Dwrite_chunk(to.dataset.get(), H5P_DEFAULT, 0, start.data(),
                     encoded.size(), encoded.data()) >= 0,
      absl::StrCat("write a storage chunk of ", to.name));
}

absl::Status NetcdfWriter::Finish() {
  h5::Lock lock;
  INTERNODE_RETURN_IF_ERROR(impl_->MakeScales());
  impl_->variables.clear();
  impl_->bare_scales.clear();
  INTERNODE_RETURN_IF_ERROR(
      impl_->Check(H5Fclose(impl_->h5_file.release()) >= 0, "close the file"));
  return impl_->file->Commit();
}

absl::Status NetcdfWriter::Impl::MakeScales() {
  std::vector<hobj_ref_t> scales(dims.size());
  for (size_t d = 0; d < dims.size(); ++d) {
    INTERNODE_RETURN_IF_ERROR(MakeScale(d, &scales));
  }
  return AttachScales(scales);
}

absl::Status NetcdfWriter::Impl::MakeScale(size_t dim,
                                           std::vector<hobj_ref_t>* scales) {
  const NamedDimension& named = dims[dim];
  const Variable* coordinate = CoordinateOf(dim);
  hid_t dataset = -1;
  std::string name = named.name;
  if (coordinate != nullptr) {
    dataset = coordinate->dataset.get();
  } else {
    Variable bare;
    bare.name = named.name;
    bare.dims = {dim};
    NetcdfVariable described;
    described.name = named.name;
    if (named.unlimited) described.storage_chunks = {1024};
    INTERNODE_ASSIGN_OR_RETURN(h5::PropertyList properties,
                               CreationProperties(described));
    INTERNODE_RETURN_IF_ERROR(
        CreateDataset(H5T_IEEE_F32BE, properties.get(), &bare));
    dataset = bare.dataset.get();
    bare_scales.emplace_back(dim, std::move(bare.dataset));
    name = ScaleWithoutVariable(named.size);
  }
  const bool ok =
      WriteScaleAttributes(dataset, name, static_cast<int32_t>(dim)) >= 0 &&
      H5Rcreate(&(*scales)[dim], h5_file.get(), named.name.c_str(), H5R_OBJECT,
                -1) >= 0;
  return Check(ok, absl::StrCat("make the dimension ", named.name));
}

absl::Status NetcdfWriter::Impl::AttachScales(
    const std::vector<hobj_ref_t>& scales) {
  for (const Variable& variable : variables) {
    INTERNODE_RETURN_IF_ERROR(WriteDimensionList(variable, scales));
  }
  for (size_t d = 0; d < dims.size(); ++d) {
    INTERNODE_RETURN_IF_ERROR(WriteReferenceList(d));
  }
  return absl::OkStatus();
}

absl::Status NetcdfWriter::Impl::WriteDimensionList(
    const Variable& variable, const std::vector<hobj_ref_t>& scales) {
  // A coordinate is its dimension's scale, and has none itself.
  if (variable.dims.empty() || (variable.dims.size() == 1 &&
                                CoordinateOf(variable.dims[0]) == &variable)) {
    return absl::OkStatus();
  }
  std::vector<std::vector<hobj_ref_t>> references;
  for (const size_t d : variable.dims) references.push_back({scales[d]});
  return Check(cube::WriteDimensionList(variable.dataset.get(),
                                        std::move(references)) >= 0,
               absl::StrCat("name the dimensions of ", variable.name));
}

absl::Status NetcdfWriter::Impl::WriteReferenceList(size_t dim) {
  std::vector<ScaleUse> uses;
  for (const Variable& variable : variables) {
    if (&variable == CoordinateOf(dim)) continue;
    for (size_t k = 0; k < variable.dims.size(); ++k) {
      if (variable.dims[k] != dim) continue;
      ScaleUse use;
      use.axis = static_cast<uint32_t>(k);
      if (H5Rcreate(&use.dataset, h5_file.get(), variable.name.c_str(),
                    H5R_OBJECT, -1) < 0) {
        return Check(false, absl::StrCat("refer to ", variable.name));
      }
      uses.push_back(use);
    }
  }
  if (uses.empty()) return absl::OkStatus();
  const Variable* coordinate = CoordinateOf(dim);
  hid_t dataset = coordinate == nullptr ? -1 : coordinate->dataset.get();
  for (const auto& [bare_dim, bare] : bare_scales) {
    if (bare_dim == dim) dataset = bare.get();
  }
  return Check(cube::WriteReferenceList(dataset, uses) >= 0,
               absl::StrCat("list the variables over ", dims[dim].name));
}

}  // namespace internode::cube
