#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "functions/builtins.h"

namespace internode::functions {
namespace {

class NoopKernel final : public Kernel {
 public:
  explicit NoopKernel(int32_t records)
      : records_(static_cast<uint32_t>(records)) {
    for (int32_t r = 0; r < records; ++r) {
      rows_.resize(rows_.size() + sizeof(r));
      core::StoreField(rows_.data(), 0, r, r);
    }
  }

  absl::Status Run(const core::Block& block,
                   core::BlockResult* result) override {
    const core::PixelStatus status =
        records_ == 0 ? core::PixelStatus::kNoSegments : core::PixelStatus::kOk;
    for (int64_t p = 0; p < block.num_pixels(); ++p) {
      result->AppendPixels(status, records_, 1, rows_);
    }
    return absl::OkStatus();
  }

 private:
  const uint32_t records_;
  // Those of one pixel.
  std::vector<uint8_t> rows_;
};

class PreparedNoop final : public PreparedFunction {
 public:
  PreparedNoop(int32_t records,
               std::shared_ptr<const core::RecordSchema> schema)
      : records_(records), schema_(std::move(schema)) {}

  const std::shared_ptr<const core::RecordSchema>& schema() const override {
    return schema_;
  }
  absl::StatusOr<std::unique_ptr<Kernel>> NewKernel() const override {
    return std::make_unique<NoopKernel>(records_);
  }

 private:
  const int32_t records_;
  const std::shared_ptr<const core::RecordSchema> schema_;
};

FunctionInfo MakeNoopInfo() {
  FunctionInfo info;
  info.name = "noop";
  info.version = "1";
  info.summary = "Return constant records: measures everything else.";
  info.description =
      "Reads its variables, looks at nothing, and returns `records` records "
      "per pixel, each with its number within the pixel. The time that a run "
      "takes is that of everything else. With --variables bands=none nothing "
      "is read either.\n\n"
      "Status: ok; no_segments with records=0.";
  info.parameters = {{.name = "records",
                      .default_value = int64_t{1},
                      .help = "Records per pixel.",
                      .min = 0,
                      .max = 1'000'000,
                      .choices = {},
                      .aliases = {}}};
  info.roles = {{.name = "bands",
                 .help = "What to read.",
                 .required = false,
                 .repeated = true,
                 .codes = false,
                 .guesses = {}}};
  info.needs_time = false;
  info.usual_nodata = false;
  return info;
}

class Noop final : public Function {
 public:
  const FunctionInfo& info() const override { return info_; }

  absl::StatusOr<std::unique_ptr<const PreparedFunction>> Prepare(
      const Parameters& parameters,
      const FunctionInputs& /*inputs*/) const override {
    INTERNODE_ASSIGN_OR_RETURN(
        core::RecordSchema schema,
        core::RecordSchema::Create(
            {{.name = "record",
              .type = core::DataType::kInt32,
              .dims = {},
              .fill = std::nullopt,
              .attributes = {
                  {"long_name", std::string("number within the pixel")}}}}));
    return std::make_unique<PreparedNoop>(
        static_cast<int32_t>(parameters.GetInt("records")),
        std::make_shared<const core::RecordSchema>(std::move(schema)));
  }

 private:
  const FunctionInfo info_ = MakeNoopInfo();
};

}  // namespace

std::shared_ptr<const Function> MakeNoopFunction() {
  return std::make_shared<Noop>();
}

}  // namespace internode::functions
