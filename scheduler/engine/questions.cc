#include "scheduler/engine/questions.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace internode::scheduler {

void Questions::Ask(v1::Question question, absl::Time deadline, Reply reply) {
  if (!closed_.ok()) return reply(closed_);
  if (pending_.size() >= kMostQuestions) {
    reply(absl::ResourceExhaustedError(
        absl::StrCat("the workers have ", pending_.size(),
                     " questions to answer; try again")));
    return;
  }
  const uint64_t id = next_id_++;
  question.set_question_id(id);
  Pending& pending = pending_[id];
  pending.question = std::move(question);
  pending.deadline = deadline;
  pending.reply = std::move(reply);
  Assign(&pending);
}

void Questions::Assign(Pending* pending) {
  const auto fewest = std::min_element(
      workers_.begin(), workers_.end(),
      [](const auto& a, const auto& b) { return a.second < b.second; });
  pending->worker = core::WorkerId();
  if (fewest == workers_.end()) return;
  ++fewest->second;
  pending->worker = fewest->first;
  send_(fewest->first, pending->question);
}

void Questions::AddWorker(core::WorkerId worker) {
  if (!workers_.emplace(worker, 0).second) return;
  for (auto& [id, pending] : pending_) {
    if (pending.worker == core::WorkerId()) Assign(&pending);
  }
}

void Questions::RemoveWorker(core::WorkerId worker) {
  if (workers_.erase(worker) == 0) return;
  std::vector<uint64_t> given_up;
  for (auto& [id, pending] : pending_) {
    if (pending.worker != worker) continue;
    if (++pending.losses < kMostLosses) {
      Assign(&pending);
    } else {
      given_up.push_back(id);
    }
  }
  for (const uint64_t id : given_up) {
    Finish(id, absl::UnavailableError(absl::StrCat(
                   kMostLosses, " workers were lost while they answered")));
  }
}

void Questions::Answered(core::WorkerId worker, v1::Answer answer) {
  const uint64_t id = answer.question_id();
  const auto it = pending_.find(id);
  if (it == pending_.end() || it->second.worker != worker) return;
  if (answer.code() == 0) {
    Finish(id, std::move(answer));
    return;
  }
  const auto code = static_cast<absl::StatusCode>(answer.code());
  Finish(id, absl::Status(code, answer.message()));
}

void Questions::Finish(uint64_t id, absl::StatusOr<v1::Answer> answer) {
  const auto it = pending_.find(id);
  Pending pending = std::move(it->second);
  pending_.erase(it);
  const auto worker = workers_.find(pending.worker);
  if (worker != workers_.end()) --worker->second;
  pending.reply(std::move(answer));
}

void Questions::Close(const absl::Status& status) {
  closed_ = status;
  while (!pending_.empty()) Finish(pending_.begin()->first, status);
}

void Questions::Expire(absl::Time now) {
  std::vector<uint64_t> due;
  for (const auto& [id, pending] : pending_) {
    if (pending.deadline <= now) due.push_back(id);
  }
  for (const uint64_t id : due) {
    const bool asked = pending_.at(id).worker != core::WorkerId();
    Finish(id, asked ? absl::DeadlineExceededError(
                           "the worker did not answer in time")
                     : absl::UnavailableError("no worker is connected"));
  }
}

absl::Time Questions::NextDeadline() const {
  absl::Time next = absl::InfiniteFuture();
  for (const auto& [id, pending] : pending_) {
    next = std::min(next, pending.deadline);
  }
  return next;
}

}  // namespace internode::scheduler
