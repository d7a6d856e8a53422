#ifndef INTERNODE_CLIENT_INCLUDE_INTERNODE_JOB_H_
#define INTERNODE_CLIENT_INCLUDE_INTERNODE_JOB_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "internode/chunks.h"
#include "internode/records.h"

// A job: a registered function on every pixel of a cube.

namespace internode::core {
class BlockResult;
}
namespace internode::client {
struct JobData;
}

namespace internode {

class Executor;

// Whole multiples of the cube's storage chunks, of at most 64 MiB of raw data.
struct AutoChunks {};
using ChunkChoice = std::variant<AutoChunks, NoChunks, int64_t, ChunkMapping>;

// A variable, or a band's label, that takes a role of the function; role ""
// is the function's main one. The variable "none" leaves a role empty.
struct VariableChoice {
  std::string role;
  std::string variable;
};

// Part of a non-core dimension: begin <= index < end; an open end is -1.
struct DimensionRange {
  std::string dim;
  int64_t begin = 0;
  int64_t end = -1;
};

// Names for the dimensions of a plain HDF5 file, in storage order; for one
// variable, or, with variable "", for all that the file does not name.
struct DimensionNames {
  std::string variable;
  std::vector<std::string> names;
};

// Where a cube is and what of it is used.
struct CubeOptions {
  std::string path;
  // Path of the group that holds the cube; "": the root.
  std::string group;
  std::vector<DimensionNames> dimension_names;
  // None: the dimension of time and that of the bands.
  std::optional<std::vector<std::string>> core_dims;
  // Empty: the function chooses among all.
  std::vector<VariableChoice> variables;
  std::vector<DimensionRange> select;
  // The packed value that means "no data", beside what the file declares.
  // Absent: -9999 in variables whose file declares none.
  std::optional<double> nodata;
  ChunkChoice chunks = AutoChunks();
  // The tasks, one by one, instead of `chunks` and `select`: at most
  // 1,000,000, each with one extent per non-core dimension, in any order. A
  // job of them gives records, but no segment file, whose rows are a grid's.
  std::vector<Selection> selections;
};

struct JobOptions {
  std::string function;
  // Values as text: a number, true or false, a word, or a list a,b,c.
  std::vector<std::pair<std::string, std::string>> parameters;
  CubeOptions cube;
  // A job without a cube: `cube` has no path then, and the function, which
  // must do without data (noop does), is run on every element of these.
  std::vector<Dimension> shape;
  // Folders of shared libraries with functions beside the built-in ones.
  std::vector<std::string> function_path;
};

// A job checked against its cube and its function. A value; thread-safe.
class Job {
 public:
  // Errors, each in one line that names what exists instead: kNotFound,
  // kInvalidArgument, kFailedPrecondition, kDataLoss.
  static absl::StatusOr<Job> Open(const JobOptions& options);
  // The same, checked where `executor` runs its jobs: by a worker for an
  // executor outside of this process, which then need not see the cube. Null:
  // in this process. Either way gives the same records, and the same bytes of
  // a segment file. Paths are made absolute; the workers see them like that.
  static absl::StatusOr<Job> Open(const JobOptions& options,
                                  Executor* executor);

  // The chunks of the grid: task i of the job is chunk i. Of a job of explicit
  // selections, the dimensions alone are of use: see selection().
  Chunks chunks() const;
  // What task `i`, 0 <= i < num_chunks(), selects.
  Selection selection(int64_t i) const;
  int64_t num_chunks() const;
  int64_t num_pixels() const;
  Schema schema() const;
  // What was guessed or chosen, one sentence each.
  const std::vector<std::string>& notes() const;
  // The command that makes the same segment file, without what its bytes do
  // not depend on.
  const std::string& canonical_command() const;

  // For this library.
  explicit Job(std::shared_ptr<const client::JobData> state);
  const client::JobData& state() const { return *state_; }

 private:
  std::shared_ptr<const client::JobData> state_;
};

struct PixelFailure {
  // One number per non-core dimension, counted from the cube's first.
  std::vector<int64_t> index;
  std::string message;
};

// What became of one chunk. A view: valid during JobSink::OnChunk.
class ChunkResult {
 public:
  ChunkResult(const Job& job, int64_t chunk, const core::BlockResult& result,
              const absl::Status& error)
      : job_(job), chunk_(chunk), result_(result), error_(error) {}

  int64_t chunk() const { return chunk_; }
  Selection selection() const;
  int64_t num_pixels() const;
  int64_t num_records() const;
  // The records, in the order of the pixels: num_records() rows of the job's
  // schema.
  absl::Span<const uint8_t> bytes() const;
  // Of pixel `p` of the selection, in row-major order.
  int64_t record_count(int64_t p) const;
  PixelStatus status(int64_t p) const;
  // Why none of the chunk's pixels could be processed (its data cannot be
  // read, say), or OK. All of them are failed then.
  const absl::Status& error() const { return error_; }
  // The pixels that failed each for themselves, in order.
  std::vector<PixelFailure> failures() const;

  // For this library.
  const core::BlockResult& result() const { return result_; }

 private:
  const Job& job_;
  const int64_t chunk_;
  const core::BlockResult& result_;
  const absl::Status& error_;
};

// Takes a job's results, chunk by chunk in order, one call at a time, on any
// thread. An error ends the job.
class JobSink {
 public:
  virtual ~JobSink() = default;
  virtual absl::Status OnChunk(const ChunkResult& result) = 0;
};

// What became of the pixels of a job, or of a part of it.
struct JobSummary {
  // How many failures are kept with their place, and how many different
  // messages are counted.
  static constexpr size_t kMaxFailures = 10;

  // Indexed by PixelStatus.
  std::array<int64_t, 5> pixels = {};
  int64_t records = 0;
  int64_t chunks = 0;
  int64_t failed_chunks = 0;
  std::vector<PixelFailure> first_failures;
  // Messages and how many pixels failed with each, in order of appearance.
  std::vector<std::pair<std::string, int64_t>> messages;

  int64_t num_pixels() const;
  int64_t failed_pixels() const {
    return pixels[static_cast<size_t>(PixelStatus::kFailed)];
  }
  void Add(const ChunkResult& result);
};

}  // namespace internode

#endif  // INTERNODE_CLIENT_INCLUDE_INTERNODE_JOB_H_
