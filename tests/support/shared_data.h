#ifndef INTERNODE_TESTS_SUPPORT_SHARED_DATA_H_
#define INTERNODE_TESTS_SUPPORT_SHARED_DATA_H_

#include <string>

#include "gtest/gtest.h"

// Reference data that lies beside the repository, not in it: the folder that
// INTERNODE_SHARED_DATA names, by default ../shared/data from the root of the
// repository. tests/support/shared_data.py is the same for Python.

namespace internode::testing {

// The path of `name` in the shared data, whether or not it exists.
std::string SharedDataPath(const std::string& name);

bool SharedDataExists(const std::string& name);

// Whether missing data is an error: the environment variable CI is set.
bool SharedDataIsRequired();

}  // namespace internode::testing

// Leaves the test when `name` is missing: failed in CI, skipped elsewhere.
#define INTERNODE_NEEDS_SHARED_DATA(name)                                 \
  do {                                                                    \
    if (!::internode::testing::SharedDataExists(name)) {                  \
      if (::internode::testing::SharedDataIsRequired()) {                 \
        FAIL() << "shared data is missing: "                              \
               << ::internode::testing::SharedDataPath(name)              \
               << " (set INTERNODE_SHARED_DATA to its folder)";           \
      }                                                                   \
      GTEST_SKIP() << "shared data is missing: "                          \
                   << ::internode::testing::SharedDataPath(name)          \
                   << " (set INTERNODE_SHARED_DATA to its folder to run " \
                      "this test)";                                       \
    }                                                                     \
  } while (false)

#endif  // INTERNODE_TESTS_SUPPORT_SHARED_DATA_H_
