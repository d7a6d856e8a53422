#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

#include "base/status_macros.h"
#include "functions/plugin.h"
#include "functions/plugin_inputs.h"

namespace internode::functions {
namespace {

// More of anything is taken for memory that was not filled in.
constexpr size_t kMaxEntries = 1000;
constexpr size_t kMaxText = 65536;
constexpr size_t kErrorBytes = 1024;

using Table = internode_function_table;

absl::Status NotFilledIn(absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("its table is not filled in: ", what));
}

absl::StatusOr<std::string> Text(const char* text, absl::string_view what) {
  if (text == nullptr) return NotFilledIn(absl::StrCat(what, " is null"));
  const size_t size = strnlen(text, kMaxText);
  if (size == kMaxText) {
    return NotFilledIn(
        absl::StrCat(what, " is longer than ", kMaxText, " bytes"));
  }
  return std::string(text, size);
}

// An array that ends in null.
absl::StatusOr<std::vector<std::string>> Texts(const char* const* texts,
                                               absl::string_view what) {
  std::vector<std::string> result;
  if (texts == nullptr) return result;
  for (; *texts != nullptr; ++texts) {
    if (result.size() == kMaxEntries) {
      return NotFilledIn(absl::StrCat(what, " does not end in null"));
    }
    INTERNODE_ASSIGN_OR_RETURN(result.emplace_back(), Text(*texts, what));
  }
  return result;
}

// Element `i` of an array whose elements have `size` bytes.
template <typename T>
const T& Element(const T* array, size_t i, size_t size) {
  return *reinterpret_cast<const T*>(
      reinterpret_cast<const unsigned char*>(array) + i * size);
}

template <typename T>
absl::Status CheckArray(const T* array, size_t count, size_t size,
                        absl::string_view what) {
  if (count == 0) return absl::OkStatus();
  if (array == nullptr) return NotFilledIn(absl::StrCat(what, "s is null"));
  if (count > kMaxEntries) {
    return NotFilledIn(absl::StrCat("it has ", count, " ", what, "s; at most ",
                                    kMaxEntries, " are allowed"));
  }
  if (size < sizeof(T) || size % alignof(T) != 0 || size > kMaxText) {
    return NotFilledIn(absl::StrCat(what, "_size is ", size,
                                    "; it must be at least ", sizeof(T)));
  }
  return absl::OkStatus();
}

absl::StatusOr<ParameterSpec> MakeParameter(const internode_parameter& from) {
  const std::array<ParameterValue, 6> empty = {false,
                                               int64_t{0},
                                               0.0,
                                               std::string(),
                                               std::vector<double>(),
                                               std::vector<std::string>()};
  ParameterSpec spec;
  INTERNODE_ASSIGN_OR_RETURN(spec.name, Text(from.name, "a parameter's name"));
  const std::string of = absl::StrCat("of parameter '", spec.name, "'");
  if (from.type < 0 || from.type >= static_cast<int32_t>(empty.size())) {
    return NotFilledIn(absl::StrCat("the type ", of, " is ", from.type));
  }
  spec.default_value = empty[static_cast<size_t>(from.type)];
  INTERNODE_ASSIGN_OR_RETURN(spec.help,
                             Text(from.help, absl::StrCat("the help ", of)));
  spec.min = from.min;
  spec.max = from.max;
  INTERNODE_ASSIGN_OR_RETURN(
      spec.choices, Texts(from.choices, absl::StrCat("a choice ", of)));
  INTERNODE_ASSIGN_OR_RETURN(
      spec.aliases, Texts(from.aliases, absl::StrCat("an alias ", of)));
  INTERNODE_ASSIGN_OR_RETURN(
      const std::string text,
      Text(from.default_value, absl::StrCat("the default ", of)));
  INTERNODE_ASSIGN_OR_RETURN(const Parameters parsed,
                             Parameters::Parse({spec}, {{spec.name, text}}));
  spec.default_value = parsed.values()[0].second;
  return spec;
}

absl::StatusOr<RoleSpec> MakeRole(const internode_role& from) {
  RoleSpec role;
  INTERNODE_ASSIGN_OR_RETURN(role.name, Text(from.name, "a role's name"));
  const std::string of = absl::StrCat("of role '", role.name, "'");
  INTERNODE_ASSIGN_OR_RETURN(role.help,
                             Text(from.help, absl::StrCat("the help ", of)));
  role.required = from.required != 0;
  role.repeated = from.repeated != 0;
  role.codes = from.codes != 0;
  INTERNODE_ASSIGN_OR_RETURN(role.guesses,
                             Texts(from.guesses, absl::StrCat("a guess ", of)));
  return role;
}

absl::Status CheckTable(const Table* table) {
  if (table == nullptr) {
    return absl::InvalidArgumentError(INTERNODE_FUNCTION_SYMBOL
                                      " returned no table");
  }
  // The two members that no version moves.
  if (table->abi_version != INTERNODE_FUNCTION_ABI_VERSION) {
    return absl::InvalidArgumentError(
        absl::StrCat("it has version ", table->abi_version,
                     " of the function interface; this program has version ",
                     INTERNODE_FUNCTION_ABI_VERSION));
  }
  if (table->struct_size < sizeof(Table)) {
    return NotFilledIn(absl::StrCat("struct_size is ", table->struct_size,
                                    "; it must be at least ", sizeof(Table)));
  }
  const std::pair<bool, absl::string_view> calls[] = {
      {table->prepare != nullptr, "prepare"},
      {table->destroy_prepared != nullptr, "destroy_prepared"},
      {table->create_kernel != nullptr, "create_kernel"},
      {table->destroy_kernel != nullptr, "destroy_kernel"},
      {table->run_block != nullptr, "run_block"}};
  for (const auto& [is_set, name] : calls) {
    if (!is_set) return NotFilledIn(absl::StrCat(name, " is null"));
  }
  return absl::OkStatus();
}

absl::StatusOr<FunctionInfo> MakeInfo(const Table& table) {
  FunctionInfo info;
  INTERNODE_ASSIGN_OR_RETURN(info.name, Text(table.name, "name"));
  INTERNODE_ASSIGN_OR_RETURN(info.version, Text(table.version, "version"));
  INTERNODE_ASSIGN_OR_RETURN(info.summary, Text(table.summary, "summary"));
  if (table.description != nullptr) {
    INTERNODE_ASSIGN_OR_RETURN(info.description,
                               Text(table.description, "description"));
  }
  info.needs_time = table.needs_time != 0;
  INTERNODE_RETURN_IF_ERROR(CheckArray(table.parameters, table.num_parameters,
                                       table.parameter_size, "parameter"));
  for (size_t i = 0; i < table.num_parameters; ++i) {
    INTERNODE_ASSIGN_OR_RETURN(
        info.parameters.emplace_back(),
        MakeParameter(Element(table.parameters, i, table.parameter_size)));
  }
  INTERNODE_RETURN_IF_ERROR(
      CheckArray(table.roles, table.num_roles, table.role_size, "role"));
  for (size_t i = 0; i < table.num_roles; ++i) {
    INTERNODE_ASSIGN_OR_RETURN(
        info.roles.emplace_back(),
        MakeRole(Element(table.roles, i, table.role_size)));
  }
  return info;
}

// Calls `call`, with a buffer for its message, and turns what it returns, or
// throws, into a status.
template <typename F>
absl::Status Call(absl::string_view name, F call) {
  char error[kErrorBytes] = "";
  int32_t code = INTERNODE_FAILED;
  try {
    code = call(error, sizeof(error));
  } catch (const std::exception& e) {
    return absl::InternalError(
        absl::StrCat(name, " threw an exception: ", e.what()));
  } catch (...) {
    return absl::InternalError(absl::StrCat(name, " threw an exception"));
  }
  if (code == INTERNODE_OK) return absl::OkStatus();
  std::string message(error, strnlen(error, sizeof(error)));
  message = absl::StrReplaceAll(message, {{"\n", " "}});
  if (message.empty()) message = absl::StrCat(name, " failed without a word");
  return code == INTERNODE_INVALID ? absl::InvalidArgumentError(message)
                                   : absl::InternalError(message);
}

// Nothing can be done about a destructor that throws.
template <typename F>
void Destroy(F* destroy, void* object) {
  try {
    destroy(object);
  } catch (...) {
    return;
  }
}

// Receives what run_block reports.
class ResultSink {
 public:
  ResultSink(int64_t num_pixels, core::BlockResult* result)
      : num_pixels_(num_pixels), result_(result) {}

  internode_result Face() {
    return {sizeof(internode_result), this, &AddRecord, &FinishPixel,
            &FailPixel};
  }
  // What was against the rules, first.
  const std::string& fault() const { return fault_; }

 private:
  static ResultSink* Self(void* context) {
    return static_cast<ResultSink*>(context);
  }
  static int32_t AddRecord(void* context, const void* record, size_t bytes) {
    return Self(context)->Add(record, bytes);
  }
  static int32_t FinishPixel(void* context, int32_t status) {
    return Self(context)->Finish(status);
  }
  static int32_t FailPixel(void* context, const char* message) {
    ResultSink* sink = Self(context);
    if (!sink->HasPixel()) return INTERNODE_FAILED;
    sink->result_->FailPixel(
        message == nullptr
            ? absl::string_view("no reason given")
            : absl::string_view(message, strnlen(message, kErrorBytes)));
    return INTERNODE_OK;
  }

  int32_t Fault(std::string text) {
    if (fault_.empty()) fault_ = std::move(text);
    return INTERNODE_FAILED;
  }
  bool HasPixel() {
    if (!fault_.empty()) return false;
    if (result_->num_pixels() < num_pixels_) return true;
    Fault(absl::StrCat("the function went on after the last of ", num_pixels_,
                       " pixels"));
    return false;
  }
  int32_t Add(const void* record, size_t bytes) {
    if (!HasPixel()) return INTERNODE_FAILED;
    const auto expected =
        static_cast<size_t>(result_->records().schema().record_bytes());
    if (record == nullptr || bytes != expected) {
      return Fault(absl::StrCat("the function added a record of ",
                                record == nullptr ? 0 : bytes,
                                " bytes; its fields have ", expected));
    }
    if (bytes == 0) {
      result_->AddRecord();
    } else {
      std::memcpy(result_->AddRecord(), record, bytes);
    }
    return INTERNODE_OK;
  }
  int32_t Finish(int32_t status) {
    if (!HasPixel()) return INTERNODE_FAILED;
    if (status < INTERNODE_PIXEL_OK ||
        status > INTERNODE_PIXEL_TOO_FEW_OBSERVATIONS) {
      return Fault(absl::StrCat("the function finished a pixel with status ",
                                status, ", which does not exist"));
    }
    result_->FinishPixel(static_cast<core::PixelStatus>(status));
    return INTERNODE_OK;
  }

  const int64_t num_pixels_;
  core::BlockResult* const result_;
  std::string fault_;
};

class PluginKernel final : public Kernel {
 public:
  PluginKernel(const Table* table, void* kernel)
      : table_(table), kernel_(kernel) {}
  ~PluginKernel() override { Destroy(table_->destroy_kernel, kernel_); }
  PluginKernel(const PluginKernel&) = delete;
  PluginKernel& operator=(const PluginKernel&) = delete;

  absl::Status Run(const core::Block& block,
                   core::BlockResult* result) override {
    const internode_block face = Describe(block);
    ResultSink sink(block.num_pixels(), result);
    const internode_result result_face = sink.Face();
    absl::Status status = Call("run_block", [&](char* error,
                                                size_t error_size) {
      return table_->run_block(kernel_, &face, &result_face, error, error_size);
    });
    if (!sink.fault().empty()) return absl::InternalError(sink.fault());
    return status;
  }

 private:
  internode_block Describe(const core::Block& block) {
    series_.clear();
    for (const core::SeriesLayout& series : block.layout().series) {
      series_.push_back(
          {static_cast<int32_t>(series.type), 0, series.offset, series.count});
    }
    begin_.clear();
    size_.clear();
    for (const core::Extent& extent : block.selection().extents) {
      begin_.push_back(extent.begin);
      size_.push_back(extent.size());
    }
    internode_block face = {};
    face.struct_size = sizeof(face);
    face.num_pixels = block.num_pixels();
    face.pixel_stride = block.layout().pixel_stride;
    face.data = reinterpret_cast<const unsigned char*>(block.pixel(0));
    face.series = series_.data();
    face.num_series = series_.size();
    face.num_dims = begin_.size();
    face.begin = begin_.data();
    face.size = size_.data();
    return face;
  }

  const Table* const table_;
  void* const kernel_;
  std::vector<internode_series_layout> series_;
  std::vector<int64_t> begin_;
  std::vector<int64_t> size_;
};

class PreparedPlugin final : public PreparedFunction {
 public:
  PreparedPlugin(const Table* table, void* prepared,
                 std::shared_ptr<const core::RecordSchema> schema)
      : table_(table), prepared_(prepared), schema_(std::move(schema)) {}
  ~PreparedPlugin() override { Destroy(table_->destroy_prepared, prepared_); }
  PreparedPlugin(const PreparedPlugin&) = delete;
  PreparedPlugin& operator=(const PreparedPlugin&) = delete;

  const std::shared_ptr<const core::RecordSchema>& schema() const override {
    return schema_;
  }
  absl::StatusOr<std::unique_ptr<Kernel>> NewKernel() const override {
    void* kernel = nullptr;
    INTERNODE_RETURN_IF_ERROR(
        Call("create_kernel", [&](char* error, size_t error_size) {
          return table_->create_kernel(prepared_, &kernel, error, error_size);
        }));
    return std::make_unique<PluginKernel>(table_, kernel);
  }

 private:
  const Table* const table_;
  void* const prepared_;
  const std::shared_ptr<const core::RecordSchema> schema_;
};

class PluginFunction final : public Function {
 public:
  PluginFunction(const Table* table, FunctionInfo info)
      : table_(table), info_(std::move(info)) {}

  const FunctionInfo& info() const override { return info_; }

  absl::StatusOr<std::unique_ptr<const PreparedFunction>> Prepare(
      const Parameters& parameters,
      const FunctionInputs& inputs) const override {
    const PluginInputs face(parameters, inputs);
    PluginSchema schema;
    const internode_schema schema_face = schema.Face();
    void* prepared = nullptr;
    INTERNODE_RETURN_IF_ERROR(
        Call("prepare", [&](char* error, size_t error_size) {
          return table_->prepare(&face.inputs(), &schema_face, &prepared, error,
                                 error_size);
        }));
    absl::StatusOr<core::RecordSchema> created = schema.Create();
    if (!created.ok()) {
      Destroy(table_->destroy_prepared, prepared);
      return created.status();
    }
    return std::make_unique<PreparedPlugin>(
        table_, prepared,
        std::make_shared<const core::RecordSchema>(*std::move(created)));
  }

 private:
  const Table* const table_;
  const FunctionInfo info_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const Function>> MakePluginFunction(
    const internode_function_table* table) {
  INTERNODE_RETURN_IF_ERROR(CheckTable(table));
  INTERNODE_ASSIGN_OR_RETURN(FunctionInfo info, MakeInfo(*table));
  return std::make_shared<PluginFunction>(table, std::move(info));
}

}  // namespace internode::functions
