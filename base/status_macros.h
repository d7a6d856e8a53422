#ifndef INTERNODE_BASE_STATUS_MACROS_H_
#define INTERNODE_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns the status of `expr` from the enclosing function unless it is OK.
#define INTERNODE_RETURN_IF_ERROR(expr)                                       \
  do {                                                                        \
    if (::absl::Status internode_status_ = (expr); !internode_status_.ok()) { \
      return internode_status_;                                               \
    }                                                                         \
  } while (false)

// Assigns the value of the StatusOr `expr` to `lhs`, which may be a
// declaration, or returns its status from the enclosing function.
#define INTERNODE_ASSIGN_OR_RETURN(lhs, expr) \
  INTERNODE_ASSIGN_OR_RETURN_(                \
      INTERNODE_CONCAT_(internode_status_or_, __LINE__), lhs, expr)

#define INTERNODE_ASSIGN_OR_RETURN_(statusor, lhs, expr) \
  auto statusor = (expr);                                \
  if (!statusor.ok()) return statusor.status();          \
  lhs = *std::move(statusor)

#define INTERNODE_CONCAT_(a, b) INTERNODE_CONCAT_INNER_(a, b)
#define INTERNODE_CONCAT_INNER_(a, b) a##b

#endif  // INTERNODE_BASE_STATUS_MACROS_H_
