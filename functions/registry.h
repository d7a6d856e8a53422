#ifndef INTERNODE_FUNCTIONS_REGISTRY_H_
#define INTERNODE_FUNCTIONS_REGISTRY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "functions/function.h"

namespace internode::functions {

// The functions that a process can run, by name. A value built at start;
// thread-safe once built.
class Registry {
 public:
  // An empty registry.
  Registry() = default;
  // The built-in functions: ccdc, harmonic, noop, stats.
  static Registry WithBuiltins();

  // Errors: kAlreadyExists for a name that is taken; kInvalidArgument for a
  // function whose declarations contradict themselves.
  absl::Status Add(std::shared_ptr<const Function> function);

  // The function called `name`, or kNotFound with the nearest name.
  absl::StatusOr<std::shared_ptr<const Function>> Find(
      absl::string_view name) const;

  // Sorted by name.
  std::vector<std::shared_ptr<const Function>> All() const;

 private:
  std::vector<std::shared_ptr<const Function>> functions_;
};

}  // namespace internode::functions

#endif  // INTERNODE_FUNCTIONS_REGISTRY_H_
