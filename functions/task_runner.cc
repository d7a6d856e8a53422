#include "functions/task_runner.h"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"

namespace internode::functions {
namespace {

// A kernel may come from a shared library: it is not believed.
absl::Status CheckResult(const core::Block& block,
                         const core::BlockResult& result) {
  if (result.num_pixels() != block.num_pixels()) {
    return absl::InternalError(absl::StrCat("the function finished ",
                                            result.num_pixels(), " of ",
                                            block.num_pixels(), " pixels"));
  }
  const std::vector<uint32_t>& counts = result.record_counts();
  const int64_t finished =
      std::accumulate(counts.begin(), counts.end(), int64_t{0});
  if (finished != result.records().num_records()) {
    return absl::InternalError(absl::StrCat(
        "the function added ", result.records().num_records() - finished,
        " records after the last pixel"));
  }
  return absl::OkStatus();
}

}  // namespace

ReadBlock ReadNothing() {
  return [layout = std::make_shared<const core::BlockLayout>()](
             const core::Selection& selection, core::Block* block) {
    block->Reset(layout.get(), selection);
    return absl::OkStatus();
  };
}

TaskRunner::TaskRunner(ReadBlock read, std::unique_ptr<Kernel> kernel,
                       std::vector<std::string> dim_names)
    : read_(std::move(read)),
      kernel_(std::move(kernel)),
      dim_names_(std::move(dim_names)) {}

absl::Status TaskRunner::Run(const core::Selection& selection,
                             core::Block* block, core::BlockResult* result) {
  result->Clear();
  if (const absl::Status status = read_(selection, block); !status.ok()) {
    return In(selection, status);
  }
  if (block->selection() != selection) {
    return In(selection, absl::InternalError("another block was read"));
  }
  return RunKernel(*block, result);
}

absl::Status TaskRunner::RunKernel(const core::Block& block,
                                   core::BlockResult* result) {
  result->Clear();
  absl::Status status;
  try {
    status = kernel_->Run(block, result);
  } catch (const std::exception& e) {
    status = absl::InternalError(
        absl::StrCat("the function threw an exception: ", e.what()));
  } catch (...) {
    status = absl::InternalError("the function threw an exception");
  }
  if (status.ok()) status = CheckResult(block, *result);
  if (status.ok()) return status;
  result->Clear();
  return In(block.selection(), status);
}

absl::Status TaskRunner::In(const core::Selection& selection,
                            const absl::Status& status) const {
  if (selection.extents.empty()) return status;
  return absl::Status(status.code(),
                      absl::StrCat(status.message(), ", in ",
                                   SelectionText(selection, dim_names_)));
}

std::string SelectionText(const core::Selection& selection,
                          const std::vector<std::string>& dim_names) {
  std::string text;
  for (size_t d = 0; d < selection.extents.size(); ++d) {
    const core::Extent& extent = selection.extents[d];
    absl::StrAppend(&text, d == 0 ? "" : ", ",
                    d < dim_names.size() ? dim_names[d] : absl::StrCat("#", d),
                    "=", extent.begin);
    if (!extent.is_index) absl::StrAppend(&text, ":", extent.end);
  }
  return text;
}

}  // namespace internode::functions
