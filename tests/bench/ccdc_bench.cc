// CCDC on the real pixels of the reference data, and on made-up series of
// growing length. Time is per pixel. Needs the shared data for the first.
//
//   taskset -c 0 internode_ccdc_bench --benchmark_format=json

#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "benchmark/benchmark.h"
#include "hwy/targets.h"

#include "functions/ccdc/detect.h"
#include "tests/support/shared_data.h"
#include "tests/unit/functions/ccdc/golden.h"

namespace internode::functions::ccdc {
namespace {

// A pixel with all that it needs.
struct Case {
  explicit Case(testing::GoldenPixel golden)
      : pixel(std::move(golden)),
        model(Model::Make(testing::GoldenParameters(pixel.bitpacked)).value()),
        dates(DateTable::Make(model, pixel.Days()).value()),
        bands(pixel.Bands()) {}

  void Run(Workspace& workspace) const {
    DetectSegments(model, dates, {bands, pixel.Qa()}, workspace);
  }

  testing::GoldenPixel pixel;
  Model model;
  DateTable dates;
  std::vector<BandSeries> bands;
};

using Cases = std::vector<std::unique_ptr<const Case>>;

const Cases& RealPixels() {
  static const auto* cases = [] {
    auto* made = new Cases;
    const std::string name = "ccdc-golden/dev/real.h5";
    if (internode::testing::SharedDataExists(name)) {
      for (testing::GoldenPixel& pixel :
           testing::ReadGolden(internode::testing::SharedDataPath(name))) {
        made->push_back(std::make_unique<Case>(std::move(pixel)));
      }
    }
    return made;
  }();
  return *cases;
}

void RunAll(benchmark::State& state, const Cases& cases) {
  if (cases.empty()) {
    state.SkipWithError("no pixels: set INTERNODE_SHARED_DATA");
    return;
  }
  Workspace workspace;
  for (const auto& one : cases) one->Run(workspace);
  for (auto _ : state) {
    for (const auto& one : cases) one->Run(workspace);
  }
  const auto pixels = state.iterations() * static_cast<int64_t>(cases.size());
  state.SetItemsProcessed(pixels);
  state.counters["seconds_per_pixel"] = benchmark::Counter(
      static_cast<double>(pixels), benchmark::Counter::kIsRate |
                                       benchmark::Counter::kInvert |
                                       benchmark::Counter::kAvgThreads);
}

void BM_RealPixelsMean(benchmark::State& state) { RunAll(state, RealPixels()); }
BENCHMARK(BM_RealPixelsMean)
    ->Threads(1)
    ->Threads(2)
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

struct Seconds {
  double wall = 0;
  double cpu = 0;  // of one thread, in the mean
};

double Clock(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// All pixels, some times over, in each of `threads` threads.
Seconds RunInThreads(int threads, const Cases& cases) {
  constexpr int kRounds = 10;
  std::vector<double> cpu(static_cast<size_t>(threads));
  const double start = Clock(CLOCK_MONOTONIC);
  {
    std::vector<std::jthread> running;
    running.reserve(cpu.size());
    for (double& mine : cpu) {
      running.emplace_back([&cases, &mine] {
        Workspace workspace;
        const double begin = Clock(CLOCK_THREAD_CPUTIME_ID);
        for (int round = 0; round < kRounds; ++round) {
          for (const auto& one : cases) one->Run(workspace);
        }
        mine = Clock(CLOCK_THREAD_CPUTIME_ID) - begin;
      });
    }
  }
  Seconds spent;
  spent.wall = Clock(CLOCK_MONOTONIC) - start;
  for (const double one : cpu) spent.cpu += one / threads;
  return spent;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Pixels per second of two threads over those of one, taken in turn: by the
// clock, and by the CPU time of the threads, which other programs disturb less.
void BM_TwoThreads(benchmark::State& state) {
  const Cases& cases = RealPixels();
  if (cases.empty()) {
    state.SkipWithError("no pixels: set INTERNODE_SHARED_DATA");
    return;
  }
  std::vector<double> by_clock;
  std::vector<double> by_cpu;
  for (auto _ : state) {
    const Seconds one = RunInThreads(1, cases);
    const Seconds two = RunInThreads(2, cases);
    by_clock.push_back(2 * one.wall / two.wall);
    by_cpu.push_back(2 * one.cpu / two.cpu);
  }
  state.counters["ratio_by_clock"] = Median(by_clock);
  state.counters["ratio_by_cpu_time"] = Median(by_cpu);
}
BENCHMARK(BM_TwoThreads)
    ->UseRealTime()
    ->Iterations(9)
    ->Unit(benchmark::kMillisecond);

void BM_RealPixel(benchmark::State& state) {
  const Cases& cases = RealPixels();
  const auto i = static_cast<size_t>(state.range(0));
  if (i >= cases.size()) {
    state.SkipWithError("no such pixel: set INTERNODE_SHARED_DATA");
    return;
  }
  state.SetLabel(cases[i]->pixel.name);
  Workspace workspace;
  for (auto _ : state) cases[i]->Run(workspace);
}
BENCHMARK(BM_RealPixel)->DenseRange(0, 17)->Unit(benchmark::kMicrosecond);

// The least CPU time of each pixel, of many rounds, in the mean of the pixels;
// each instruction set in turn, so that what disturbs one disturbs the others.
void BM_InstructionSets(benchmark::State& state) {
  const Cases& cases = RealPixels();
  if (cases.empty()) {
    state.SkipWithError("no pixels: set INTERNODE_SHARED_DATA");
    return;
  }
  std::vector<int64_t> targets;
  for (int64_t rest =
           hwy::SupportedTargets() & (HWY_AVX3 | HWY_AVX2 | HWY_NEON);
       rest != 0; rest &= rest - 1) {
    targets.push_back(rest & -rest);
  }
  std::vector<std::vector<double>> least(
      targets.size(), std::vector<double>(cases.size(), HUGE_VAL));
  Workspace workspace;
  for (auto _ : state) {
    for (size_t t = 0; t < targets.size(); ++t) {
      hwy::SetSupportedTargetsForTest(targets[t]);
      for (size_t i = 0; i < cases.size(); ++i) {
        cases[i]->Run(workspace);
        const double begin = Clock(CLOCK_THREAD_CPUTIME_ID);
        cases[i]->Run(workspace);
        const double spent = Clock(CLOCK_THREAD_CPUTIME_ID) - begin;
        least[t][i] = std::min(least[t][i], spent);
      }
    }
  }
  hwy::SetSupportedTargetsForTest(0);
  for (size_t t = 0; t < targets.size(); ++t) {
    double sum = 0;
    for (const double one : least[t]) sum += one;
    state.counters[std::string(hwy::TargetName(targets[t])) + "_us"] =
        1e6 * sum / static_cast<double>(cases.size());
  }
}
BENCHMARK(BM_InstructionSets)->Iterations(150)->Unit(benchmark::kMillisecond);

// Harmonic series with noise and a step every 1,200 days, all clear, one
// observation in 8 days.
testing::GoldenPixel MadeUp(int observations) {
  testing::GoldenPixel pixel;
  uint32_t random = 1;
  const auto noise = [&random] {
    random = random * 1664525u + 1013904223u;
    return static_cast<double>(random >> 8) / (1 << 24) - 0.5;
  };
  const auto n = static_cast<size_t>(observations);
  for (int i = 0; i < observations; ++i) {
    pixel.ordinals.push_back(700000 + 8 * i);
  }
  pixel.qa.assign(n, 0);
  for (int band = 0; band < testing::kGoldenBands; ++band) {
    for (int i = 0; i < observations; ++i) {
      const double t = 8 * i;
      const double level = 1500 + 400 * ((8 * i / 1200) % 2);
      const double value = band == 6 ? 2900 + 100 * std::cos(t * 0.0172)
                                     : level + 300 * std::cos(t * 0.0172);
      pixel.spectra.push_back(static_cast<int16_t>(value + 150 * noise()));
    }
  }
  return pixel;
}

void BM_Observations(benchmark::State& state) {
  const Case made(MadeUp(static_cast<int>(state.range(0))));
  Workspace workspace;
  for (auto _ : state) made.Run(workspace);
  state.counters["segments"] = workspace.segments().size();
  state.SetComplexityN(state.range(0));
}
BENCHMARK(BM_Observations)
    ->RangeMultiplier(2)
    ->Range(250, 16000)
    ->Unit(benchmark::kMicrosecond)
    ->Complexity(benchmark::oN);

void BM_DateTable(benchmark::State& state) {
  const Model model = Model::Make(testing::GoldenParameters(false)).value();
  const auto days = MadeUp(static_cast<int>(state.range(0))).Days();
  for (auto _ : state) {
    benchmark::DoNotOptimize(DateTable::Make(model, days));
  }
}
BENCHMARK(BM_DateTable)->Arg(1500)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace internode::functions::ccdc
