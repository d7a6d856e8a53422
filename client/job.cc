#include "internode/job.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "client/convert.h"
#include "client/job_data.h"
#include "core/block_result.h"
#include "internode/executor.h"

namespace internode {

Job::Job(std::shared_ptr<const client::JobData> state)
    : state_(std::move(state)) {}

absl::StatusOr<Job> Job::Open(const JobOptions& options) {
  INTERNODE_ASSIGN_OR_RETURN(std::shared_ptr<const client::JobData> state,
                             client::PlanLocally(options));
  return Job(std::move(state));
}

absl::StatusOr<Job> Job::Open(const JobOptions& options, Executor* executor) {
  return executor == nullptr ? Open(options) : executor->OpenJob(options);
}

Chunks Job::chunks() const {
  // Keeps the job's state as long as the range.
  return Chunks(
      std::shared_ptr<const core::ChunkGrid>(state_, &state_->planned.grid));
}

Selection Job::selection(int64_t i) const {
  return client::FromCore(state_->planned.Task(i));
}
int64_t Job::num_chunks() const { return state_->planned.num_tasks(); }
int64_t Job::num_pixels() const { return state_->planned.num_pixels(); }
Schema Job::schema() const { return Schema(state_->planned.schema); }
const std::vector<std::string>& Job::notes() const {
  return state_->planned.notes;
}
const std::string& Job::canonical_command() const {
  return state_->canonical_command;
}

Selection ChunkResult::selection() const { return job_.selection(chunk_); }
int64_t ChunkResult::num_pixels() const { return result_.num_pixels(); }
int64_t ChunkResult::num_records() const {
  return result_.records().num_records();
}
absl::Span<const uint8_t> ChunkResult::bytes() const {
  return result_.records().bytes();
}
int64_t ChunkResult::record_count(int64_t p) const {
  return result_.record_counts()[static_cast<size_t>(p)];
}
PixelStatus ChunkResult::status(int64_t p) const {
  return static_cast<PixelStatus>(result_.statuses()[static_cast<size_t>(p)]);
}

std::vector<PixelFailure> ChunkResult::failures() const {
  const core::Selection selection = job_.state().planned.Task(chunk_);
  std::vector<PixelFailure> failures;
  for (const core::BlockResult::Failure& failure : result_.failures()) {
    failures.push_back(
        {client::PixelIndex(selection, failure.pixel), failure.message});
  }
  return failures;
}

int64_t JobSummary::num_pixels() const {
  return std::accumulate(pixels.begin(), pixels.end(), int64_t{0});
}

namespace {

void CountMessage(const std::string& message, int64_t count,
                  std::vector<std::pair<std::string, int64_t>>* messages) {
  const auto found =
      std::find_if(messages->begin(), messages->end(),
                   [&](const auto& entry) { return entry.first == message; });
  if (found != messages->end()) {
    found->second += count;
  } else if (messages->size() < JobSummary::kMaxFailures) {
    messages->emplace_back(message, count);
  }
}

}  // namespace

void JobSummary::Add(const ChunkResult& result) {
  ++chunks;
  records += result.num_records();
  for (const core::PixelStatus status : result.result().statuses()) {
    ++pixels[static_cast<size_t>(status)];
  }
  if (!result.error().ok()) {
    ++failed_chunks;
    const std::string message(result.error().message());
    CountMessage(message, result.num_pixels(), &messages);
    if (first_failures.size() < kMaxFailures) {
      std::vector<int64_t> index;
      for (const Extent& extent : result.selection()) {
        index.push_back(extent.begin);
      }
      first_failures.push_back({std::move(index), message});
    }
    return;
  }
  if (result.result().failures().empty()) return;
  for (PixelFailure& failure : result.failures()) {
    CountMessage(failure.message, 1, &messages);
    if (first_failures.size() < kMaxFailures) {
      first_failures.push_back(std::move(failure));
    }
  }
}

}  // namespace internode
