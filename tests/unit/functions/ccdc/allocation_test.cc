// No memory is allocated per pixel once a workspace has seen the largest. A
// program of its own: it replaces operator new.

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "functions/ccdc/detect.h"
#include "tests/support/shared_data.h"
#include "tests/unit/functions/ccdc/golden.h"

namespace {

std::atomic<int64_t> allocations{0};

void* Allocate(size_t size, size_t alignment) {
  ++allocations;
  const size_t rounded = (size + alignment - 1) / alignment * alignment;
  void* p = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}

}  // namespace

[[gnu::noinline]] void* operator new(size_t size) { return Allocate(size, 16); }
[[gnu::noinline]] void* operator new[](size_t size) {
  return Allocate(size, 16);
}
[[gnu::noinline]] void* operator new(size_t size, std::align_val_t alignment) {
  return Allocate(size, static_cast<size_t>(alignment));
}
[[gnu::noinline]] void* operator new[](size_t size,
                                       std::align_val_t alignment) {
  return Allocate(size, static_cast<size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, size_t) noexcept {
  std::free(p);
}
[[gnu::noinline]] void operator delete[](void* p, size_t) noexcept {
  std::free(p);
}
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept {
  std::free(p);
}
[[gnu::noinline]] void operator delete[](void* p, std::align_val_t) noexcept {
  std::free(p);
}
[[gnu::noinline]] void operator delete(void* p, size_t,
                                       std::align_val_t) noexcept {
  std::free(p);
}
[[gnu::noinline]] void operator delete[](void* p, size_t,
                                         std::align_val_t) noexcept {
  std::free(p);
}

namespace internode::functions::ccdc {
namespace {

TEST(AllocationTest, CountsAllocations) {
  const int64_t before = allocations;
  std::vector<int> some(100);
  some.push_back(1);
  EXPECT_GE(allocations - before, 1);
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
      const int64_t before = allocations;
      run(one);
      EXPECT_EQ(allocations - before, 0) << one.pixel->name;
      ++pixels;
    }
  }
  EXPECT_GT(pixels, 300);
}

}  // namespace
}  // namespace internode::functions::ccdc
