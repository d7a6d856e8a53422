#ifndef INTERNODE_TESTS_UNIT_FUNCTIONS_TEST_DATA_H_
#define INTERNODE_TESTS_UNIT_FUNCTIONS_TEST_DATA_H_

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/block.h"
#include "core/block_result.h"
#include "core/cube_info.h"
#include "functions/function.h"
#include "functions/parameter.h"

// Cubes and blocks without files, for tests of functions.

namespace internode::functions {

// Variables of int16 named `names` over `dims`, in storage chunks of the whole.
inline core::VariableInfo TestVariable(const std::string& name,
                                       const core::Dimensions& dims) {
  core::VariableInfo variable;
  variable.name = name;
  variable.dims = dims;
  for (const core::Dimension& dim : dims) {
    variable.storage_chunks.push_back(dim.size);
  }
  variable.storage = "chunked";
  return variable;
}

// time=4, y=3, x=5: blue, red, cfmask over all; truth over y and x. Dates are
// 0, 16, 32, 48.
inline core::CubeInfo TestCube() {
  const core::Dimensions dims = {{"time", 4}, {"y", 3}, {"x", 5}};
  core::CubeInfo cube;
  cube.path = "cube.nc";
  cube.dims = dims;
  for (const char* name : {"blue", "red", "cfmask"}) {
    cube.variables.push_back(TestVariable(name, dims));
  }
  cube.variables.push_back(TestVariable("truth", {dims[1], dims[2]}));
  cube.time = core::TimeAxis{.dim = "time",
                             .units = "days since 1970-01-01",
                             .calendar = "standard",
                             .days = {0, 16, 32, 48}};
  return cube;
}

// image over time=4, band=3 (blue, red, nir), y=3, x=5; qa over time, y, x.
inline core::CubeInfo TestBandCube() {
  core::CubeInfo cube = TestCube();
  cube.dims = {{"time", 4}, {"band", 3}, {"y", 3}, {"x", 5}};
  cube.variables = {TestVariable("image", cube.dims),
                    TestVariable("qa", {{"time", 4}, {"y", 3}, {"x", 5}})};
  cube.band_dim = "band";
  core::CoordinateInfo band;
  band.dim = "band";
  band.labels = {"blue", "red", "nir"};
  cube.coordinates = {band};
  return cube;
}

// Inputs of `count` numbers per series: those of `roles` (role, label), all of
// `type`.
inline FunctionInputs TestInputs(
    const std::vector<std::pair<std::string, std::string>>& roles,
    core::DataType type, std::vector<double> days) {
  FunctionInputs inputs;
  for (const auto& [role, label] : roles) {
    InputSeries series;
    series.role = role;
    series.label = label;
    series.type = type;
    inputs.series.push_back(std::move(series));
  }
  inputs.count = static_cast<int64_t>(days.size());
  inputs.days = std::move(days);
  return inputs;
}

// A block of pixels along one non-core dimension, from index 0:
// pixels[p][s][i] is number i of series s of pixel p, as a T.
template <typename T>
class TestBlock {
 public:
  explicit TestBlock(const std::vector<std::vector<std::vector<T>>>& pixels) {
    int64_t offset = 0;
    for (const std::vector<T>& series : pixels.at(0)) {
      const auto count = static_cast<int64_t>(series.size());
      layout_.series.push_back({core::DataTypeOf<T>(), offset, count});
      offset += count * static_cast<int64_t>(sizeof(T));
    }
    layout_.pixel_stride = (offset + 7) / 8 * 8;
    core::Selection selection;
    selection.extents.push_back(
        core::Extent::Range(0, static_cast<int64_t>(pixels.size())));
    block_.Reset(&layout_, selection);
    for (size_t p = 0; p < pixels.size(); ++p) {
      for (size_t s = 0; s < pixels[p].size(); ++s) {
        if (pixels[p][s].empty()) continue;
        std::memcpy(block_.mutable_pixel(static_cast<int64_t>(p)) +
                        layout_.series[s].offset,
                    pixels[p][s].data(), pixels[p][s].size() * sizeof(T));
      }
    }
  }
  TestBlock(const TestBlock&) = delete;
  TestBlock& operator=(const TestBlock&) = delete;

  const core::Block& block() const { return block_; }

 private:
  core::BlockLayout layout_;
  core::Block block_;
};

// A function of any declarations, whose records have no fields and whose
// kernel says ok of every pixel.
class FakeFunction final : public Function {
 public:
  explicit FakeFunction(FunctionInfo info) : info_(std::move(info)) {}

  const FunctionInfo& info() const override { return info_; }
  absl::StatusOr<std::unique_ptr<const PreparedFunction>> Prepare(
      const Parameters& /*parameters*/,
      const FunctionInputs& /*inputs*/) const override {
    return std::make_unique<Prepared>();
  }

 private:
  class FakeKernel final : public Kernel {
    absl::Status Run(const core::Block& block,
                     core::BlockResult* result) override {
      for (int64_t p = 0; p < block.num_pixels(); ++p) {
        result->FinishPixel(core::PixelStatus::kOk);
      }
      return absl::OkStatus();
    }
  };
  class Prepared final : public PreparedFunction {
    const std::shared_ptr<const core::RecordSchema>& schema() const override {
      return schema_;
    }
    absl::StatusOr<std::unique_ptr<Kernel>> NewKernel() const override {
      return std::make_unique<FakeKernel>();
    }
    std::vector<std::string> notes() const override { return {"a choice"}; }
    const std::shared_ptr<const core::RecordSchema> schema_ =
        std::make_shared<const core::RecordSchema>();
  };
  const FunctionInfo info_;
};

// Prepares `function` with parameters given as text and runs it on `block`.
inline absl::StatusOr<core::BlockResult> RunOn(
    const Function& function,
    const std::vector<std::pair<std::string, std::string>>& parameters,
    const FunctionInputs& inputs, const core::Block& block) {
  absl::StatusOr<Parameters> parsed =
      Parameters::Parse(function.info().parameters, parameters);
  if (!parsed.ok()) return parsed.status();
  absl::StatusOr<std::unique_ptr<const PreparedFunction>> prepared =
      function.Prepare(*parsed, inputs);
  if (!prepared.ok()) return prepared.status();
  absl::StatusOr<std::unique_ptr<Kernel>> kernel = (*prepared)->NewKernel();
  if (!kernel.ok()) return kernel.status();
  core::BlockResult result((*prepared)->schema());
  const absl::Status status = (*kernel)->Run(block, &result);
  if (!status.ok()) return status;
  return result;
}

// Element `k` of field `name` of record `i`.
template <typename T>
T Column(const core::BlockResult& result, const std::string& name, int64_t i,
         int64_t k = 0) {
  const core::RecordBatch& records = result.records();
  return records.Get<T>(i, records.schema().FieldIndex(name), k);
}

}  // namespace internode::functions

#endif  // INTERNODE_TESTS_UNIT_FUNCTIONS_TEST_DATA_H_
