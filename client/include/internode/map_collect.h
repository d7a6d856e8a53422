#ifndef INTERNODE_CLIENT_INCLUDE_INTERNODE_MAP_COLLECT_H_
#define INTERNODE_CLIENT_INCLUDE_INTERNODE_MAP_COLLECT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "internode/data_array.h"
#include "internode/executor.h"
#include "internode/job.h"
#include "internode/pixel.h"
#include "internode/tasks.h"

// MapCollect1d runs a function of one pixel on every pixel of the data and
// returns all its records, whose number may differ from pixel to pixel, in one
// 1-D array, in the order of the pixels (row-major over the non-core
// dimensions, the last fastest).
//
//   struct Peak { int32_t y, x; float value; };
//   internode::CubeOptions cube;
//   cube.path = "cube.nc";
//   auto peaks = internode::MapCollect1d(
//       cube, [](const internode::PixelView& pixel) -> std::optional<Peak> {
//         …
//       });
//
// The function may be any callable that takes a `const PixelView&` and returns
// a record, a std::optional of one, or a container of them; or an
// absl::StatusOr of these, whose error fails the pixel. A record is any type
// that is trivially copyable. What else the function needs, it captures. It
// runs on several threads at once when the executor has several: what it
// captures must allow that.

namespace internode {

struct MapOptions {
  // Where it runs; null: in the calling thread. Not owned.
  Executor* executor = nullptr;
  // Ends the whole call at the first pixel that fails, with its error; else
  // failures are listed, and the other pixels' records are returned.
  bool stop_at_failure = false;
  // See RunOptions.
  const std::atomic<bool>* cancel = nullptr;
};

// A pixel that failed; or, where their data could not be read, `num_pixels` of
// one chunk, the first of which is at `index`.
struct MapFailure {
  std::vector<int64_t> index;
  int64_t num_pixels = 1;
  std::string message;
};

template <typename T>
struct Collected {
  std::vector<T> records;
  // How many of them each pixel gave; 0 for one that failed.
  std::vector<uint32_t> counts;
  // In the order of the pixels.
  std::vector<MapFailure> failures;
};

// What the templates below are made of.
namespace internal {

// Gives the pixels of one task, in order. Thread-compatible: one per thread.
class PixelReader {
 public:
  using Visitor = std::function<void(PixelView&)>;

  virtual ~PixelReader() = default;
  // An error (the data cannot be read) comes before the first visit, or not at
  // all.
  virtual absl::Status Read(int64_t task, const Visitor& visit) = 0;
};

// Data cut into tasks. Thread-safe after construction.
class PixelSource {
 public:
  virtual ~PixelSource() = default;
  virtual int64_t num_tasks() const = 0;
  virtual absl::StatusOr<std::unique_ptr<PixelReader>> NewReader() = 0;
  virtual int64_t num_pixels(int64_t task) const = 0;
  virtual std::vector<int64_t> first_index(int64_t task) const = 0;
  // "y=3, x=4".
  virtual std::string Place(const std::vector<int64_t>& index) const = 0;
};

absl::StatusOr<std::unique_ptr<PixelSource>> SourceOfArrays(
    const std::vector<std::string>& core_dims,
    absl::Span<const DataArray> arrays);
absl::StatusOr<std::unique_ptr<PixelSource>> SourceOfCube(
    const CubeOptions& options);

template <typename R>
struct IsStatusOr : std::false_type {};
template <typename R>
struct IsStatusOr<absl::StatusOr<R>> : std::true_type {};
template <typename R>
struct IsOptional : std::false_type {};
template <typename R>
struct IsOptional<std::optional<R>> : std::true_type {};
template <typename R>
concept Iterable = requires(R& r) {
  r.begin();
  r.end();
};

// The record type of a function that returns R.
template <typename R>
struct RecordOf {
  using type = R;
};
template <Iterable R>
struct RecordOf<R> {
  using type = std::decay_t<decltype(*std::declval<R&>().begin())>;
};
template <typename R>
requires(IsStatusOr<R>::value || IsOptional<R>::value) struct RecordOf<R> {
  using type = typename RecordOf<typename R::value_type>::type;
};
template <typename F>
using ResultOf = std::decay_t<std::invoke_result_t<F&, const PixelView&>>;
template <typename F>
using RecordOfFunction = typename RecordOf<ResultOf<F>>::type;

// Appends what a function returned to `records`.
template <typename T, typename R>
absl::Status AppendTo(std::vector<T>* records, R&& returned) {
  using Plain = std::decay_t<R>;
  if constexpr (IsStatusOr<Plain>::value) {
    if (!returned.ok()) return returned.status();
    return AppendTo(records, *std::forward<R>(returned));
  } else if constexpr (IsOptional<Plain>::value) {
    if (!returned.has_value()) return absl::OkStatus();
    return AppendTo(records, *std::forward<R>(returned));
  } else if constexpr (Iterable<Plain>) {
    records->insert(records->end(), returned.begin(), returned.end());
    return absl::OkStatus();
  } else {
    records->push_back(std::forward<R>(returned));
    return absl::OkStatus();
  }
}

template <typename T>
class MapResult : public TaskResult {
 public:
  int64_t bytes() const override {
    return static_cast<int64_t>(collected.records.size() * sizeof(T) +
                                collected.counts.size() * sizeof(uint32_t));
  }
  void Clear() {
    collected.records.clear();
    collected.counts.clear();
    collected.failures.clear();
  }

  Collected<T> collected;
};

// Runs `function` on the pixels of `source`.
template <typename T, typename F>
class MapTasks : public TaskList {
 public:
  MapTasks(PixelSource* source, F& function, bool stop_at_failure)
      : source_(source),
        function_(function),
        stop_at_failure_(stop_at_failure) {}

  int64_t num_tasks() const override { return source_->num_tasks(); }
  std::unique_ptr<TaskResult> NewResult() override {
    return std::make_unique<MapResult<T>>();
  }
  absl::StatusOr<std::unique_ptr<TaskRunner>> NewRunner() override {
    absl::StatusOr<std::unique_ptr<PixelReader>> reader = source_->NewReader();
    if (!reader.ok()) return reader.status();
    return std::make_unique<Runner>(this, *std::move(reader));
  }
  absl::Status Deliver(int64_t, const TaskResult& result) override {
    const Collected<T>& part =
        static_cast<const MapResult<T>&>(result).collected;
    collected.records.insert(collected.records.end(), part.records.begin(),
                             part.records.end());
    collected.counts.insert(collected.counts.end(), part.counts.begin(),
                            part.counts.end());
    collected.failures.insert(collected.failures.end(), part.failures.begin(),
                              part.failures.end());
    return absl::OkStatus();
  }

  Collected<T> collected;

 private:
  class Runner : public TaskRunner {
   public:
    Runner(MapTasks* tasks, std::unique_ptr<PixelReader> reader)
        : tasks_(tasks), reader_(std::move(reader)) {}

    absl::Status Run(int64_t task, TaskResult* result) override {
      auto* typed = static_cast<MapResult<T>*>(result);
      typed->Clear();
      Collected<T>* out = &typed->collected;
      const absl::Status read = reader_->Read(
          task, [this, out](PixelView& pixel) { RunPixel(pixel, out); });
      if (!read.ok()) {
        const int64_t pixels = tasks_->source_->num_pixels(task);
        out->counts.assign(static_cast<size_t>(pixels), 0);
        out->failures.push_back({tasks_->source_->first_index(task), pixels,
                                 std::string(read.message())});
      }
      if (!tasks_->stop_at_failure_ || out->failures.empty()) {
        return absl::OkStatus();
      }
      const MapFailure& failure = out->failures.front();
      return absl::Status(
          read.ok() ? absl::StatusCode::kFailedPrecondition : read.code(),
          "pixel " + tasks_->source_->Place(failure.index) + ": " +
              failure.message);
    }

   private:
    void RunPixel(PixelView& pixel, Collected<T>* out) {
      const size_t before = out->records.size();
      absl::Status status;
      try {
        status =
            AppendTo(&out->records, tasks_->function_(std::as_const(pixel)));
      } catch (const std::exception& e) {
        status = absl::InternalError(e.what());
      }
      std::string error = pixel.TakeError();
      if (!status.ok()) error = std::string(status.message());
      if (!error.empty()) {
        out->records.erase(
            out->records.begin() + static_cast<std::ptrdiff_t>(before),
            out->records.end());
        out->failures.push_back(
            {{pixel.index().begin(), pixel.index().end()}, 1, error});
      }
      out->counts.push_back(
          static_cast<uint32_t>(out->records.size() - before));
    }

    MapTasks* const tasks_;
    const std::unique_ptr<PixelReader> reader_;
  };

  PixelSource* const source_;
  F& function_;
  const bool stop_at_failure_;
};

template <typename F>
absl::StatusOr<Collected<RecordOfFunction<F>>> MapSource(
    absl::StatusOr<std::unique_ptr<PixelSource>> source, F& function,
    const MapOptions& options) {
  using T = RecordOfFunction<F>;
  static_assert(std::is_trivially_copyable_v<T>,
                "records are trivially copyable");
  if (!source.ok()) return source.status();
  MapTasks<T, F> tasks(source->get(), function, options.stop_at_failure);
  std::unique_ptr<Executor> sync;
  Executor* executor = options.executor;
  if (executor == nullptr) {
    sync = Executor::Sync();
    executor = sync.get();
  }
  RunOptions run;
  run.cancel = options.cancel;
  if (absl::Status status = executor->RunTasks(&tasks, run); !status.ok()) {
    return status;
  }
  return std::move(tasks.collected);
}

}  // namespace internal

// Runs `function` on every pixel of `arrays`, the data arguments: pixel[i] is
// arrays[i] at the pixel. The non-core dimensions are those of the first
// array, in its order, then the further ones of the second, and so on. Each
// array is selected by the dimensions that it has; those that arrays share
// must have equal sizes and coordinates. Errors (kInvalidArgument): those of
// DataArray::Check; unequal dimensions; a core dimension that no array has;
// no arrays.
template <typename F>
absl::StatusOr<Collected<internal::RecordOfFunction<F>>> MapCollect1d(
    const std::vector<std::string>& core_dims,
    const std::vector<DataArray>& arrays, F&& function,
    const MapOptions& options = {}) {
  return internal::MapSource(internal::SourceOfArrays(core_dims, arrays),
                             function, options);
}
template <typename F>
absl::StatusOr<Collected<internal::RecordOfFunction<F>>> MapCollect1d(
    const std::vector<std::string>& core_dims, const DataArray& array,
    F&& function, const MapOptions& options = {}) {
  return internal::MapSource(
      internal::SourceOfArrays(core_dims,
                               absl::Span<const DataArray>(&array, 1)),
      function, options);
}

// Runs `function` on every pixel of a cube file, read block by block: one
// series per variable or band that `cube.variables` names, or per each that
// has the core dimensions. Errors: those of Job::Open.
template <typename F>
absl::StatusOr<Collected<internal::RecordOfFunction<F>>> MapCollect1d(
    const CubeOptions& cube, F&& function, const MapOptions& options = {}) {
  return internal::MapSource(internal::SourceOfCube(cube), function, options);
}

// A job's records, all in memory.
struct CollectedJob {
  Records records;
  // Per pixel, in chunk order, then row-major in the chunk.
  std::vector<uint32_t> counts;
  std::vector<PixelStatus> statuses;
  JobSummary summary;
};

// Runs a registered function on every pixel of a cube. Records that might not
// fit in memory go to a file: WriteSegmentFile (internode/segment_file.h). Of
// `options`, stop_at_failure ends the call with the error of the first pixel
// or chunk that failed.
absl::StatusOr<CollectedJob> MapCollect1d(const JobOptions& job,
                                          const MapOptions& options = {});

}  // namespace internode

#endif  // INTERNODE_CLIENT_INCLUDE_INTERNODE_MAP_COLLECT_H_
