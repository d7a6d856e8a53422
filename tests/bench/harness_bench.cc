#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/status/status.h"

#include "core/block.h"
#include "core/block_result.h"
#include "functions/builtins.h"
#include "functions/task_runner.h"

// What the harness costs per pixel, on one thread: `noop` on data that is in
// memory. The argument is the number of pixels of a task.

namespace internode::functions {
namespace {

// One series of 100 int16 per pixel, copied from a block that was read before.
class WarmReader {
 public:
  WarmReader() : layout_{.series = {{.count = 100}}, .pixel_stride = 200} {}

  absl::Status operator()(const core::Selection& selection,
                          core::Block* block) {
    if (cache_.num_pixels() != selection.num_pixels()) {
      cache_.Reset(&layout_, selection);
      std::memset(cache_.mutable_pixel(0), 1, Bytes(cache_));
    }
    block->Reset(&layout_, selection);
    std::memcpy(block->mutable_pixel(0), cache_.pixel(0), Bytes(cache_));
    return absl::OkStatus();
  }

 private:
  static size_t Bytes(const core::Block& block) {
    return static_cast<size_t>(block.num_pixels() *
                               block.layout().pixel_stride);
  }

  core::BlockLayout layout_;
  core::Block cache_;
};

void BM_Harness(benchmark::State& state) {
  const auto function = MakeNoopFunction();
  const auto parameters = Parameters::Parse(function->info().parameters, {});
  const auto prepared = function->Prepare(*parameters, {});
  auto kernel = (*prepared)->NewKernel();
  auto reader = std::make_shared<WarmReader>();
  TaskRunner runner(
      [reader](const core::Selection& selection, core::Block* block) {
        return (*reader)(selection, block);
      },
      *std::move(kernel), {"pixel"});
  core::BlockResult result((*prepared)->schema());
  core::Block block;
  core::Selection selection;
  selection.extents = {core::Extent::Range(0, state.range(0))};
  for (auto _ : state) {
    if (const absl::Status status = runner.Run(selection, &block, &result);
        !status.ok()) {
      state.SkipWithError(status.ToString().c_str());
      break;
    }
    benchmark::DoNotOptimize(result.records().bytes().data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["s_per_pixel"] = benchmark::Counter(
      static_cast<double>(state.iterations() * state.range(0)),
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(BM_Harness)->Arg(1)->Arg(100)->Arg(10'000);

}  // namespace
}  // namespace internode::functions
