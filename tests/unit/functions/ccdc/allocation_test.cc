// No memory is allocated per pixel once a workspace has seen the largest. A
// program of its own, for tests/support/allocations.h.

#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "functions/ccdc/detect.h"
#include "tests/support/allocations.h"
#include "tests/support/shared_data.h"
#include "tests/unit/functions/ccdc/golden.h"

namespace internode::functions::ccdc {
namespace {

TEST(AllocationTest, CountsAllocations) {
  const int64_t before = internode::testing::Allocations();
  std::vector<int> some(100);
  some.push_back(1);
  EXPECT_GE(internode::testing::Allocations() - before, 1);
}

// All pixels that pyccd gives a result for, once to grow and once to count.
TEST(AllocationTest, NoneInSteadyState) {
  int pixels = 0;
  for (const char* file : {"real", "synth", "edge"}) {
    const std::string name = std::string("ccdc-golden/dev/") + file + ".h5";
    INTERNODE_NEEDS_SHARED_DATA(name);
    Workspace workspace;
    std::vector<testing::GoldenPixel> golden =
        testing::ReadGolden(internode::testing::SharedDataPath(name));
    struct Case {
      const testing::GoldenPixel* pixel;
      Model model;
      DateTable dates;
      std::vector<BandSeries> bands;
    };
    std::vector<Case> cases;
    for (const testing::GoldenPixel& pixel : golden) {
      if (pixel.raised) continue;
      Model model =
          Model::Make(testing::GoldenParameters(pixel.bitpacked)).value();
      DateTable dates = DateTable::Make(model, pixel.Days()).value();
      cases.push_back(
          {&pixel, std::move(model), std::move(dates), pixel.Bands()});
    }
    const auto run = [&workspace](const Case& one) {
      DetectSegments(one.model, one.dates, {one.bands, one.pixel->Qa()},
                     workspace);
    };
    for (const Case& one : cases) run(one);
    for (const Case& one : cases) {
      const int64_t before = internode::testing::Allocations();
      run(one);
      EXPECT_EQ(internode::testing::Allocations() - before, 0)
          << one.pixel->name;
      ++pixels;
    }
  }
  EXPECT_GT(pixels, 300);
}

}  // namespace
}  // namespace internode::functions::ccdc
