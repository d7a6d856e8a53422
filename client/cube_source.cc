#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "base/status_macros.h"
#include "client/job_data.h"
#include "core/block.h"
#include "cube/block_reader.h"
#include "functions/task_runner.h"
#include "internode/map_collect.h"

namespace internode::internal {
namespace {

// The pixels of a cube's blocks. The plan is that of `noop`, which takes every
// variable and does nothing: the callable does the rest.
class CubeSource : public PixelSource {
 public:
  CubeSource(std::shared_ptr<const client::JobData> state,
             std::unique_ptr<cube::BlockReader> reader)
      : state_(std::move(state)), reader_(std::move(reader)) {}

  int64_t num_tasks() const override { return state_->planned.num_tasks(); }
  int64_t num_pixels(int64_t task) const override {
    return state_->planned.Task(task).num_pixels();
  }
  std::vector<int64_t> first_index(int64_t task) const override {
    return client::PixelIndex(state_->planned.Task(task), 0);
  }
  std::string Place(const std::vector<int64_t>& index) const override {
    core::Selection selection;
    for (const int64_t i : index) {
      selection.extents.push_back(core::Extent::Index(i));
    }
    return functions::SelectionText(selection, state_->planned.dim_names());
  }
  absl::StatusOr<std::unique_ptr<PixelReader>> NewReader() override {
    return std::make_unique<Reader>(this);
  }

 private:
  class Reader : public PixelReader {
   public:
    explicit Reader(const CubeSource* source) : source_(source) {
      const functions::FunctionInputs& inputs =
          source->state_->local->plan.inputs;
      for (const functions::InputSeries& series : inputs.series) {
        pixel_.AddSeries(series.label, static_cast<NumberType>(series.type),
                         {inputs.count});
      }
      pixel_.SetDays(inputs.days);
    }

    absl::Status Read(int64_t task, const Visitor& visit) override {
      const core::Selection selection = source_->state_->planned.Task(task);
      INTERNODE_RETURN_IF_ERROR(source_->reader_->Read(selection, &block_));
      const std::vector<core::SeriesLayout>& layout = block_.layout().series;
      for (int64_t p = 0; p < block_.num_pixels(); ++p) {
        pixel_.SetIndex(client::PixelIndex(selection, p));
        for (size_t s = 0; s < layout.size(); ++s) {
          pixel_.SetData(s, block_.pixel(p) + layout[s].offset);
        }
        visit(pixel_);
      }
      return absl::OkStatus();
    }

   private:
    const CubeSource* const source_;
    core::Block block_;
    PixelView pixel_;
  };

  const std::shared_ptr<const client::JobData> state_;
  // Thread-safe.
  const std::unique_ptr<cube::BlockReader> reader_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<PixelSource>> SourceOfCube(
    const CubeOptions& options) {
  JobOptions job;
  job.function = "noop";
  job.cube = options;
  INTERNODE_ASSIGN_OR_RETURN(std::shared_ptr<const client::JobData> state,
                             client::PlanLocally(job));
  INTERNODE_ASSIGN_OR_RETURN(
      std::unique_ptr<cube::BlockReader> reader,
      cube::NewBlockReader(state->local->cube, state->local->plan.request));
  return std::make_unique<CubeSource>(std::move(state), std::move(reader));
}

}  // namespace internode::internal
