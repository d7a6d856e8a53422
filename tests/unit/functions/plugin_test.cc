#include "functions/plugin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "functions/builtins.h"
#include "tests/unit/functions/test_data.h"

namespace internode::functions {
namespace {

namespace fs = std::filesystem;
using core::PixelStatus;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// What the test's run_block does; set by each test, read by the C call.
using Body = int32_t (*)(const internode_block*, const internode_result*);
Body g_body = nullptr;
using Declare = void (*)(const internode_inputs*, const internode_schema*);
Declare g_declare = nullptr;
int g_alive = 0;

void DeclareOneInt(const internode_inputs* /*inputs*/,
                   const internode_schema* schema) {
  schema->add_field(schema->context, "v", INTERNODE_INT32, nullptr, 0, nullptr,
                    nullptr, nullptr);
}

int32_t Prepare(const internode_inputs* inputs, const internode_schema* schema,
                void** prepared, char* /*error*/, size_t /*error_size*/) {
  g_declare(inputs, schema);
  ++g_alive;
  *prepared = &g_alive;
  return INTERNODE_OK;
}
void Destroy(void* /*object*/) { --g_alive; }
int32_t CreateKernel(void* prepared, void** kernel, char* /*error*/,
                     size_t /*error_size*/) {
  ++g_alive;
  *kernel = prepared;
  return INTERNODE_OK;
}
int32_t RunBlock(void* /*kernel*/, const internode_block* block,
                 const internode_result* result, char* error,
                 size_t error_size) {
  const int32_t code = g_body(block, result);
  if (code != INTERNODE_OK) std::snprintf(error, error_size, "code %d", code);
  return code;
}

internode_parameter Parameter() {
  internode_parameter parameter = {};
  parameter.name = "p";
  parameter.type = INTERNODE_PARAMETER_INT;
  parameter.default_value = "3";
  parameter.help = "help";
  parameter.min = 0;
  parameter.max = 10;
  return parameter;
}

internode_function_table Table() {
  internode_function_table table = {};
  table.abi_version = INTERNODE_FUNCTION_ABI_VERSION;
  table.struct_size = sizeof(table);
  table.name = "test";
  table.version = "1";
  table.summary = "summary";
  table.parameter_size = sizeof(internode_parameter);
  table.role_size = sizeof(internode_role);
  table.prepare = Prepare;
  table.destroy_prepared = Destroy;
  table.create_kernel = CreateKernel;
  table.destroy_kernel = Destroy;
  table.run_block = RunBlock;
  return table;
}

std::string TableError(const internode_function_table& table) {
  return std::string(MakePluginFunction(&table).status().message());
}

class PluginTest : public ::testing::Test {
 protected:
  PluginTest() {
    g_declare = DeclareOneInt;
    g_alive = 0;
  }
  ~PluginTest() override { EXPECT_EQ(g_alive, 0); }

  // Runs `body` as the function's run_block, over two pixels.
  absl::StatusOr<core::BlockResult> Run(Body body) {
    g_body = body;
    const internode_function_table table = Table();
    const auto function = MakePluginFunction(&table);
    if (!function.ok()) return function.status();
    const TestBlock<int16_t> block({{{1, 2}}, {{3, 4}}});
    return RunOn(**function, {},
                 TestInputs({{"bands", "a"}}, core::DataType::kInt16, {0, 1}),
                 block.block());
  }
  std::string RunError(Body body) {
    return std::string(Run(body).status().message());
  }
  std::string SchemaError(Declare declare) {
    g_declare = declare;
    return RunError(
        [](const internode_block*, const internode_result*) -> int32_t {
          return INTERNODE_OK;
        });
  }
};

TEST_F(PluginTest, RunsBlocks) {
  const auto result = Run(
      [](const internode_block* block, const internode_result* out) -> int32_t {
        for (int64_t p = 0; p < block->num_pixels; ++p) {
          const auto* values = reinterpret_cast<const int16_t*>(
              block->data + p * block->pixel_stride + block->series[0].offset);
          if (p == 1) {
            out->fail_pixel(out->context, "bad pixel");
            continue;
          }
          const int32_t sum = values[0] + values[1];
          out->add_record(out->context, &sum, sizeof(sum));
          out->finish_pixel(out->context, INTERNODE_PIXEL_OK);
        }
        return INTERNODE_OK;
      });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Column<int32_t>(*result, "v", 0), 3);
  EXPECT_THAT(result->statuses(),
              ElementsAre(PixelStatus::kOk, PixelStatus::kFailed));
  EXPECT_THAT(result->failures(),
              ElementsAre(core::BlockResult::Failure{1, "bad pixel"}));
}

TEST_F(PluginTest, PassesErrorsOn) {
  EXPECT_EQ(
      RunError([](const internode_block*, const internode_result*) -> int32_t {
        return INTERNODE_FAILED;
      }),
      "code 2");
  EXPECT_EQ(Run([](const internode_block*, const internode_result*) -> int32_t {
              return INTERNODE_INVALID;
            })
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(PluginTest, CatchesExceptions) {
  EXPECT_EQ(
      RunError([](const internode_block*, const internode_result*) -> int32_t {
        throw std::runtime_error("thrown");
      }),
      "run_block threw an exception: thrown");
  EXPECT_EQ(RunError([](const internode_block*,
                        const internode_result*) -> int32_t { throw 1; }),
            "run_block threw an exception");
}

TEST_F(PluginTest, RefusesMorePixelsThanThereAre) {
  EXPECT_EQ(RunError([](const internode_block*,
                        const internode_result* out) -> int32_t {
              for (int p = 0; p < 3; ++p) {
                out->finish_pixel(out->context, INTERNODE_PIXEL_OK);
              }
              return INTERNODE_OK;
            }),
            "the function went on after the last of 2 pixels");
  EXPECT_EQ(RunError([](const internode_block*,
                        const internode_result* out) -> int32_t {
              for (int p = 0; p < 3; ++p) out->fail_pixel(out->context, "x");
              return INTERNODE_OK;
            }),
            "the function went on after the last of 2 pixels");
}

TEST_F(PluginTest, RefusesRecordsOfAnotherSize) {
  EXPECT_EQ(RunError([](const internode_block*,
                        const internode_result* out) -> int32_t {
              const int64_t value = 0;
              out->add_record(out->context, &value, sizeof(value));
              return INTERNODE_OK;
            }),
            "the function added a record of 8 bytes; its fields have 4");
  EXPECT_EQ(RunError([](const internode_block*,
                        const internode_result* out) -> int32_t {
              out->add_record(out->context, nullptr, 4);
              return INTERNODE_OK;
            }),
            "the function added a record of 0 bytes; its fields have 4");
}

TEST_F(PluginTest, RefusesAStatusThatDoesNotExist) {
  EXPECT_EQ(RunError([](const internode_block*,
                        const internode_result* out) -> int32_t {
              out->finish_pixel(out->context, 9);
              return INTERNODE_OK;
            }),
            "the function finished a pixel with status 9, which does not "
            "exist");
}

TEST_F(PluginTest, RefusesBadSchemas) {
  EXPECT_EQ(
      SchemaError([](const internode_inputs*, const internode_schema* schema) {
        schema->add_field(schema->context, "a b", INTERNODE_INT8, nullptr, 0,
                          nullptr, nullptr, nullptr);
      }),
      "record field 'a b' is not a name; use letters, digits and '_', "
      "and no digit first");
  EXPECT_EQ(
      SchemaError([](const internode_inputs*, const internode_schema* schema) {
        schema->add_field(schema->context, "a", 77, nullptr, 0, nullptr,
                          nullptr, nullptr);
      }),
      "record field 'a' has the type 77, which does not exist");
  EXPECT_EQ(
      SchemaError([](const internode_inputs*, const internode_schema* schema) {
        schema->add_field(schema->context, nullptr, INTERNODE_INT8, nullptr, 0,
                          nullptr, nullptr, nullptr);
      }),
      "a record field has no name");
  EXPECT_EQ(
      SchemaError([](const internode_inputs*, const internode_schema* schema) {
        const char* dims[] = {"band"};
        schema->add_field(schema->context, "a", INTERNODE_INT8, dims, 1,
                          nullptr, nullptr, nullptr);
      }),
      "record field 'a' has an unknown dimension 'band'; there are none");
  EXPECT_EQ(
      SchemaError([](const internode_inputs*, const internode_schema* schema) {
        schema->add_dimension(schema->context, "band", nullptr, 3);
      }),
      "record dimension 'band' has 3 labels, and they are null");
}

TEST_F(PluginTest, RefusesTablesThatAreNotFilledIn) {
  EXPECT_EQ(MakePluginFunction(nullptr).status().message(),
            "internode_function returned no table");
  internode_function_table table = Table();
  table.abi_version = 7;
  EXPECT_EQ(TableError(table),
            "it has version 7 of the function interface; this program has "
            "version 1");
  table = Table();
  table.struct_size = 8;
  EXPECT_THAT(TableError(table),
              StartsWith("its table is not filled in: struct_size is 8; it "
                         "must be at least "));
  table = Table();
  table.run_block = nullptr;
  EXPECT_EQ(TableError(table), "its table is not filled in: run_block is null");
  table = Table();
  table.name = nullptr;
  EXPECT_EQ(TableError(table), "its table is not filled in: name is null");
  table = Table();
  table.num_parameters = 1;
  EXPECT_EQ(TableError(table),
            "its table is not filled in: parameters is null");
  table.num_parameters = 0;
  table.num_roles = 1;
  EXPECT_EQ(TableError(table), "its table is not filled in: roles is null");
}

TEST_F(PluginTest, RefusesBadParameters) {
  internode_parameter parameter = Parameter();
  internode_function_table table = Table();
  table.parameters = &parameter;
  table.num_parameters = 1;
  EXPECT_TRUE(MakePluginFunction(&table).ok());
  parameter.type = 6;
  EXPECT_EQ(TableError(table),
            "its table is not filled in: the type of parameter 'p' is 6");
  parameter = Parameter();
  parameter.default_value = "x";
  EXPECT_EQ(TableError(table), "parameter 'p' is 'x'; it must be int");
  parameter = Parameter();
  parameter.help = nullptr;
  EXPECT_EQ(TableError(table),
            "its table is not filled in: the help of parameter 'p' is null");
  table.num_parameters = 1 << 20;
  EXPECT_EQ(TableError(table),
            "its table is not filled in: it has 1048576 parameters; at most "
            "1000 are allowed");
  table.num_parameters = 1;
  table.parameter_size = 4;
  EXPECT_THAT(TableError(table),
              StartsWith("its table is not filled in: parameter_size is 4"));
}

TEST_F(PluginTest, PassesParametersAndInputs) {
  static std::string seen;
  g_declare = [](const internode_inputs* inputs,
                 const internode_schema* schema) {
    const internode_parameter_value& value = inputs->parameters[0];
    const internode_series& series = inputs->series[0];
    seen = absl::StrCat(value.name, "=", value.integer, " ", value.is_given,
                        " ", series.role, " ", series.label, " ", series.type,
                        " ", series.missing[0], " ", inputs->count, " ",
                        inputs->days[1], " ", inputs->calendar);
    DeclareOneInt(inputs, schema);
  };
  const internode_parameter parameter = Parameter();
  internode_function_table table = Table();
  table.parameters = &parameter;
  table.num_parameters = 1;
  const auto function = MakePluginFunction(&table);
  ASSERT_TRUE(function.ok()) << function.status();
  FunctionInputs inputs =
      TestInputs({{"bands", "a"}}, core::DataType::kInt16, {0, 16});
  inputs.series[0].missing = {-9999};
  const auto parameters =
      Parameters::Parse((*function)->info().parameters, {{"p", "5"}});
  ASSERT_TRUE(parameters.ok());
  EXPECT_TRUE((*function)->Prepare(*parameters, inputs).ok());
  EXPECT_EQ(seen, "p=5 1 bands a 2 -9999 2 16 standard");
}

// A folder of its own, gone at the end.
class PluginDirectoryTest : public ::testing::Test {
 protected:
  PluginDirectoryTest()
      : directory_(
            fs::path(::testing::TempDir()) /
            ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(directory_);
    fs::create_directories(directory_);
  }
  ~PluginDirectoryTest() override { fs::remove_all(directory_); }

  std::string Path(const std::string& name) const {
    return (directory_ / name).string();
  }

  const fs::path directory_;
};

TEST_F(PluginDirectoryTest, RefusesWhatIsNoFunctionLibrary) {
  const absl::Status missing = LoadPlugin(Path("none.so")).status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(missing.message(),
            absl::StrCat("cannot find function library '", Path("none.so"),
                         "': No such file or directory"));
  EXPECT_EQ(LoadPlugin(directory_.string()).status().message(),
            absl::StrCat("'", directory_.string(),
                         "' is not a function library: not a file"));
  std::ofstream(Path("text.so")) << "not a library";
  const std::string text(LoadPlugin(Path("text.so")).status().message());
  EXPECT_THAT(text, StartsWith(absl::StrCat("'", Path("text.so"),
                                            "' is not a function library: ")));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("\n")));
}

TEST_F(PluginDirectoryTest, RefusesALibraryThatIsCutOff) {
  const uintmax_t size = fs::file_size(INTERNODE_PLUGIN_ABOVE);
  for (uintmax_t left = size / 2; left > 0; left -= std::min(left, size / 64)) {
    fs::remove(Path("cut.so"));
    fs::copy_file(INTERNODE_PLUGIN_ABOVE, Path("cut.so"));
    fs::resize_file(Path("cut.so"), left);
    const absl::Status status = LoadPlugin(Path("cut.so")).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()),
                StartsWith(absl::StrCat("'", Path("cut.so"),
                                        "' is not a function library: ")));
    if (left == size / 2) {
      EXPECT_THAT(std::string(status.message()),
                  ::testing::EndsWith(
                      absl::StrCat("it is cut off after ", left, " bytes")));
    }
  }
}

TEST_F(PluginDirectoryTest, RefusesALibraryWithoutTheSymbol) {
  const std::string path = INTERNODE_PLUGIN_WITHOUT_SYMBOL;
  EXPECT_EQ(LoadPlugin(path).status().message(),
            absl::StrCat("'", path,
                         "' is not a function library: it does not export "
                         "internode_function"));
}

TEST_F(PluginDirectoryTest, RefusesAnotherVersion) {
  const std::string path = INTERNODE_PLUGIN_OTHER_VERSION;
  EXPECT_EQ(LoadPlugin(path).status().message(),
            absl::StrCat("'", path,
                         "' is not a function library: it has version 2 of "
                         "the function interface; this program has version "
                         "1"));
}

TEST_F(PluginDirectoryTest, LoadsADirectory) {
  fs::copy_file(INTERNODE_PLUGIN_ABOVE, Path("b.so"));
  std::ofstream(Path("README")) << "no library";
  Registry registry;
  const absl::Status status =
      LoadPluginDirectory(directory_.string(), &registry);
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_TRUE(registry.Find("above").ok());
  EXPECT_THAT(LoadPluginDirectory(directory_.string(), &registry).message(),
              absl::StrCat("cannot register '", Path("b.so"),
                           "': there is already a function 'above', version "
                           "1"));
  const absl::Status missing = LoadPluginDirectory(Path("no"), &registry);
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(missing.message(),
            absl::StrCat("cannot list function directory '", Path("no"),
                         "': No such file or directory"));
}

TEST_F(PluginDirectoryTest, RunsTheExampleInC) {
  const auto function = LoadPlugin(INTERNODE_PLUGIN_ABOVE);
  ASSERT_TRUE(function.ok()) << function.status();
  const TestBlock<int16_t> block({{{1, 2, 3, -9}}, {{-9, -9, -9, -9}}});
  FunctionInputs inputs =
      TestInputs({{"bands", "a"}}, core::DataType::kInt16, {0, 1, 2, 3});
  inputs.series[0].missing = {-9};
  const auto result =
      RunOn(**function, {{"threshold", "1.5"}}, inputs, block.block());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_DOUBLE_EQ(Column<double>(*result, "above", 0), 2.0 / 3);
  EXPECT_THAT(result->statuses(),
              ElementsAre(PixelStatus::kOk, PixelStatus::kTooFewObservations));
}

TEST_F(PluginDirectoryTest, RunsTheExampleInCpp) {
  const auto function = LoadPlugin(INTERNODE_PLUGIN_GREENEST);
  ASSERT_TRUE(function.ok()) << function.status();
  const TestBlock<int16_t> block({{{1, 7, 3, 2}}, {{-9, -9, -9, -9}}});
  FunctionInputs inputs =
      TestInputs({{"band", "nir"}}, core::DataType::kInt16, {10, 20, 30, 40});
  inputs.series[0].missing = {-9};
  const auto result = RunOn(**function, {}, inputs, block.block());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(Column<int32_t>(*result, "day", 0), 20);
  EXPECT_EQ(Column<float>(*result, "value", 0), 7);
  EXPECT_THAT(result->record_counts(), ElementsAre(1, 0));
  inputs.series[0].type = core::DataType::kFloat32;
  EXPECT_EQ(RunOn(**function, {}, inputs, block.block()).status().message(),
            "variable 'nir' must have the type int16");
}

}  // namespace
}  // namespace internode::functions
