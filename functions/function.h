#ifndef INTERNODE_FUNCTIONS_FUNCTION_H_
#define INTERNODE_FUNCTIONS_FUNCTION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "core/attribute.h"
#include "core/block.h"
#include "core/block_result.h"
#include "core/cube_info.h"
#include "core/record_schema.h"
#include "functions/parameter.h"

// A pixel function, in three stages:
//
//   Function          what it is: declared once, shared by all. Immutable.
//   PreparedFunction  one job's function: parameters and inputs are known,
//                     and so is the schema of its records. Immutable.
//   Kernel            one thread's working memory, run block by block.
//
// A function sees blocks, not pixels, so that it can share between pixels what
// depends on the dates alone, and use SIMD across them.

namespace internode::functions {

// What a variable is used for.
struct RoleSpec {
  // "bands", "qa", "nir", …
  std::string name;
  std::string help;
  bool required = true;
  // Takes any number of variables, and is what `--variables a,b` without a
  // role fills. At most one role of a function is repeated.
  bool repeated = false;
  // Repeated and left unnamed, it takes all variables that no other role took.
  bool takes_rest = true;
  // Its values are codes, not measurements: a job's "no data" value is not
  // looked for among them.
  bool codes = false;
  // Names of variables and band labels that are taken for this role when the
  // user names none, in order of preference; letters' case is ignored.
  std::vector<std::string> guesses;
};

struct FunctionInfo {
  std::string name;
  // Of the algorithm: recorded in the output.
  std::string version;
  // One line.
  std::string summary;
  // Some paragraphs: the formula, its source, what the statuses mean.
  std::string description;
  std::vector<ParameterSpec> parameters;
  std::vector<RoleSpec> roles;
  // Needs the dates of its observations: a decoded time axis that is the only
  // core dimension beside the bands.
  bool needs_time = true;
  // -9999 is no data in a variable that declares no such value itself, unless
  // the user names another. A function that judges values by ranges of its own
  // says no.
  bool usual_nodata = true;
};

// One series that a job hands to its function: entry i of the inputs is
// series i of every block.
struct InputSeries {
  std::string role;
  core::SeriesRequest source;
  // The band's label, or the variable's name: what columns are named after.
  std::string label;
  core::DataType type = core::DataType::kInt16;
  // Packed values that mean "no data": what the file declares, and --nodata.
  std::vector<double> missing;
  std::optional<double> valid_min;
  std::optional<double> valid_max;
  double scale_factor = 1;
  double add_offset = 0;
  std::string units;
  // All of the variable's attributes: flag_values, flag_meanings, …
  core::Attributes attributes;

  // Whether the packed value `v` is an observation at all: finite, not
  // missing, and within the valid range.
  bool IsValid(double v) const;
};

// Everything about the data that is the same for all blocks of a job.
struct FunctionInputs {
  // Those of one role lie together, in the order of the roles.
  std::vector<InputSeries> series;
  // Numbers per series and pixel.
  int64_t count = 0;
  // Days since 1970-01-01, one per number; empty when the job has no decoded
  // time axis. In file order: may be unsorted, may repeat.
  std::vector<double> days;
  // CF name of the calendar of `days`: "standard", or "noleap", "all_leap",
  // "360_day".
  std::string calendar = "standard";

  // Indices into `series` of those with this role.
  std::vector<size_t> WithRole(absl::string_view role) const;
};

// Thread-compatible: one per thread.
class Kernel {
 public:
  virtual ~Kernel() = default;

  // Runs the function on every pixel of `block`, in order, and finishes each
  // in `result`, which is empty before. A pixel that fails is reported there
  // and does not fail its block; an error is one of the whole block.
  virtual absl::Status Run(const core::Block& block,
                           core::BlockResult* result) = 0;
};

// Thread-safe: immutable.
class PreparedFunction {
 public:
  virtual ~PreparedFunction() = default;

  virtual const std::shared_ptr<const core::RecordSchema>& schema() const = 0;
  virtual absl::StatusOr<std::unique_ptr<Kernel>> NewKernel() const = 0;

  // What the output says of the whole: origin of time, angular frequency, …
  virtual core::Attributes attributes() const { return {}; }
  // Choices the function made by itself, one sentence each, for the user.
  virtual std::vector<std::string> notes() const { return {}; }
};

// Thread-safe: immutable.
class Function {
 public:
  virtual ~Function() = default;

  virtual const FunctionInfo& info() const = 0;

  // Errors (kInvalidArgument) when the parameters and inputs do not fit each
  // other.
  virtual absl::StatusOr<std::unique_ptr<const PreparedFunction>> Prepare(
      const Parameters& parameters, const FunctionInputs& inputs) const = 0;
};

}  // namespace internode::functions

#endif  // INTERNODE_FUNCTIONS_FUNCTION_H_
