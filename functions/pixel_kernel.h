#ifndef INTERNODE_FUNCTIONS_PIXEL_KERNEL_H_
#define INTERNODE_FUNCTIONS_PIXEL_KERNEL_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

#include "core/block.h"
#include "core/block_result.h"
#include "functions/function.h"

namespace internode::functions {

// One pixel of a block. Valid while its block is.
class PixelView {
 public:
  PixelView(const core::Block* block, int64_t pixel)
      : block_(block), pixel_(pixel) {}

  const core::Block& block() const { return *block_; }
  // Within the block.
  int64_t pixel() const { return pixel_; }

  // The numbers of series `s`. T is the series' C++ type.
  template <typename T>
  absl::Span<const T> Series(size_t s) const {
    return block_->Series<T>(pixel_, s);
  }

  // The pixel's index in the cube along non-core dimension `dim` of the
  // selection.
  int64_t Index(size_t dim) const {
    const auto& extents = block_->selection().extents;
    int64_t rest = pixel_;
    for (size_t d = extents.size() - 1; d > dim; --d) rest /= extents[d].size();
    return extents[dim].begin + rest % extents[dim].size();
  }

 private:
  const core::Block* block_;
  int64_t pixel_;
};

// Makes a kernel of a callable that handles one pixel:
//
//   absl::StatusOr<core::PixelStatus> f(const PixelView& pixel,
//                                       core::BlockResult* result)
//
// It adds the pixel's records to `result` and returns what became of it; it
// does not finish the pixel. An error, or a std::exception that leaves it,
// fails that pixel with its message, drops the pixel's records, and goes on
// with the next.
template <typename F>
class PixelKernel final : public Kernel {
 public:
  explicit PixelKernel(F f) : f_(std::move(f)) {}

  absl::Status Run(const core::Block& block,
                   core::BlockResult* result) override {
    for (int64_t p = 0; p < block.num_pixels(); ++p) {
      const absl::StatusOr<core::PixelStatus> status =
          Call(PixelView(&block, p), result);
      if (status.ok()) {
        result->FinishPixel(*status);
      } else {
        result->FailPixel(status.status().message());
      }
    }
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<core::PixelStatus> Call(const PixelView& pixel,
                                         core::BlockResult* result) {
    try {
      return f_(pixel, result);
    } catch (const std::exception& e) {
      return absl::InternalError(absl::StrCat("exception: ", e.what()));
    }
  }

  F f_;
};

template <typename F>
std::unique_ptr<Kernel> MakePixelKernel(F f) {
  return std::make_unique<PixelKernel<F>>(std::move(f));
}

}  // namespace internode::functions

#endif  // INTERNODE_FUNCTIONS_PIXEL_KERNEL_H_
