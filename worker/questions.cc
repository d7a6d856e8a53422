#include "worker/questions.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "base/status_macros.h"
#include "rpc/channel.h"
#include "rpc/job_proto.h"

namespace internode::worker {
namespace {

constexpr size_t kMostWaiting = 64;

absl::Status AnswerPlan(const Jobs& jobs, const v1::JobSpec& message,
                        v1::Answer* answer) {
  INTERNODE_ASSIGN_OR_RETURN(const core::JobSpec spec, rpc::FromProto(message));
  INTERNODE_ASSIGN_OR_RETURN(const core::PlannedJob job, jobs.Plan(spec));
  *answer->mutable_plan() = rpc::ToProto(job);
  return absl::OkStatus();
}

absl::Status AnswerDescribe(const Jobs& jobs,
                            const v1::Question::DescribeCube& message,
                            v1::Answer* answer) {
  std::vector<core::DimensionNames> names;
  names.reserve(static_cast<size_t>(message.dimension_names_size()));
  for (const auto& entry : message.dimension_names()) {
    names.push_back(
        {entry.variable(), {entry.names().begin(), entry.names().end()}});
  }
  INTERNODE_ASSIGN_OR_RETURN(
      const std::string json,
      jobs.Describe(message.path(), message.group(), names));
  answer->set_cube_json(json);
  return absl::OkStatus();
}

void SetError(const absl::Status& status, v1::Answer* answer) {
  answer->clear_plan();
  answer->clear_cube_json();
  answer->set_code(static_cast<int32_t>(status.code()));
  answer->set_message(std::string(status.message().substr(0, 4096)));
}

v1::Answer AnswerTo(const Jobs& jobs, const v1::Question& question) {
  v1::Answer answer;
  answer.set_question_id(question.question_id());
  absl::Status status =
      question.has_plan() ? AnswerPlan(jobs, question.plan(), &answer)
      : question.has_describe()
          ? AnswerDescribe(jobs, question.describe(), &answer)
          : absl::UnimplementedError(
                "this worker is older than the question that it was asked");
  if (status.ok()) status = rpc::CheckMessageBytes(answer.ByteSizeLong());
  if (!status.ok()) SetError(status, &answer);
  return answer;
}

}  // namespace

Questions::Questions(const Jobs* jobs, std::function<void(v1::Answer)> answer)
    : jobs_(jobs), answer_(std::move(answer)), thread_([this] { Run(); }) {}

Questions::~Questions() {
  {
    MutexLock lock(&mu_);
    stopping_ = true;
  }
  thread_.join();
}

void Questions::Ask(const v1::Question& question) {
  {
    MutexLock lock(&mu_);
    if (waiting_.size() < kMostWaiting) {
      waiting_.push_back(question);
      return;
    }
  }
  v1::Answer answer;
  answer.set_question_id(question.question_id());
  SetError(absl::ResourceExhaustedError("the worker has too many questions to "
                                        "answer; try again"),
           &answer);
  answer_(std::move(answer));
}

void Questions::Clear() {
  MutexLock lock(&mu_);
  waiting_.clear();
}

void Questions::Run() {
  for (;;) {
    v1::Question question;
    {
      MutexLock lock(&mu_);
      mu_.Await([this] {
        mu_.AssertHeld();
        return stopping_ || !waiting_.empty();
      });
      if (stopping_) return;
      question = std::move(waiting_.front());
      waiting_.pop_front();
    }
    answer_(AnswerTo(*jobs_, question));
  }
}

}  // namespace internode::worker
