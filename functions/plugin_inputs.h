#ifndef INTERNODE_FUNCTIONS_PLUGIN_INPUTS_H_
#define INTERNODE_FUNCTIONS_PLUGIN_INPUTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "core/record_schema.h"
#include "functions/function.h"
#include "functions/internode_function.h"
#include "functions/parameter.h"

namespace internode::functions {

// Parameters and inputs as a shared library sees them. Keeps pointers into
// both, which must outlive it.
class PluginInputs {
 public:
  PluginInputs(const Parameters& parameters, const FunctionInputs& inputs);
  PluginInputs(const PluginInputs&) = delete;
  PluginInputs& operator=(const PluginInputs&) = delete;

  const internode_inputs& inputs() const { return face_; }

 private:
  std::vector<internode_parameter_value> parameters_;
  // The words of each parameter that is a list of words.
  std::vector<std::vector<const char*>> words_;
  std::vector<internode_series> series_;
  internode_inputs face_ = {};
};

// Receives the fields that a shared library declares.
class PluginSchema {
 public:
  PluginSchema() = default;
  PluginSchema(const PluginSchema&) = delete;
  PluginSchema& operator=(const PluginSchema&) = delete;

  // Valid as long as this.
  internode_schema Face();

  // What was declared, or what is wrong with it (kInvalidArgument).
  absl::StatusOr<core::RecordSchema> Create() const;

 private:
  int32_t AddDimension(const char* name, const char* const* labels,
                       size_t num_labels);
  int32_t AddField(const char* name, int32_t type, const char* const* dims,
                   size_t num_dims, const double* fill, const char* units,
                   const char* long_name);
  int32_t Fault(std::string text);

  std::vector<core::Field> fields_;
  std::vector<core::LabelledDimension> dims_;
  std::string fault_;
};

}  // namespace internode::functions

#endif  // INTERNODE_FUNCTIONS_PLUGIN_INPUTS_H_
