#include "client/remote/fetch.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "base/status_macros.h"
#include "client/job_data.h"
#include "client/remote/stream_reader.h"
#include "core/block_result.h"
#include "core/frame.h"
#include "core/frame_reader.h"

namespace internode::client {
namespace {

using Reader = StreamReader<v1::FetchFramesResponse>;

constexpr absl::Duration kFetchInterval = absl::Milliseconds(50);

// Turns the messages of a stream into chunks, in order and without gaps.
class ChunkFeed {
 public:
  ChunkFeed(const std::string& id, const Job& job, const FetchRange& range,
            JobSink* sink)
      : id_(id),
        job_(job),
        planned_(job.state().planned),
        one_pixel_(planned_.selections.empty() &&
                   planned_.grid.max_chunk_pixels() == 1),
        end_(range.end_task),
        sink_(sink),
        next_(range.first_task),
        result_(planned_.schema) {}

  int64_t next() const { return next_; }

  // A new stream begins at next().
  void StartStream() {
    pieces_.clear();
    in_pieces_ = false;
  }

  // Errors of the sink, and kDataLoss for what cannot be this job's.
  absl::Status Add(const v1::FetchFramesResponse& message) {
    const core::Interval tasks = {message.tasks().begin(),
                                  message.tasks().end()};
    if (tasks.begin != next_ || tasks.end <= tasks.begin || tasks.end > end_) {
      return Damaged(absl::StrCat("tasks ", tasks.begin, " to ", tasks.end,
                                  " came instead of those from ", next_));
    }
    if (message.has_failure()) return Fail(tasks, message.failure());
    if (!in_pieces_ && !message.continues()) {
      return Deliver(tasks, message.frame());
    }
    if (static_cast<int64_t>(pieces_.size() + message.frame().size()) >
        core::kMaxFrameBytes) {
      return Damaged("a frame is larger than frames can be");
    }
    pieces_.append(message.frame());
    in_pieces_ = message.continues();
    if (in_pieces_) return absl::OkStatus();
    absl::Status status = Deliver(tasks, pieces_);
    pieces_.clear();
    return status;
  }

 private:
  absl::Status Damaged(absl::string_view what) const {
    return absl::DataLossError(
        absl::StrCat("the results of job ", id_, " do not fit it: ", what));
  }

  int64_t Pixels(int64_t task) const {
    return one_pixel_ ? 1 : planned_.Task(task).num_pixels();
  }

  // Tasks without any result.
  absl::Status Fail(core::Interval tasks, const v1::TaskFailure& failure) {
    const absl::Status error(failure.poisonous()
                                 ? absl::StatusCode::kAborted
                                 : absl::StatusCode::kFailedPrecondition,
                             failure.message());
    for (int64_t task = tasks.begin; task < tasks.end; ++task) {
      INTERNODE_RETURN_IF_ERROR(FailChunk(task, error));
    }
    return absl::OkStatus();
  }

  absl::Status FailChunk(int64_t task, const absl::Status& error) {
    result_.Clear();
    result_.AppendPixels(core::PixelStatus::kFailed, 0, Pixels(task), {});
    INTERNODE_RETURN_IF_ERROR(
        sink_->OnChunk(ChunkResult(job_, task, result_, error)));
    next_ = task + 1;
    return absl::OkStatus();
  }

  absl::Status Deliver(core::Interval tasks, absl::string_view bytes) {
    absl::StatusOr<core::FrameView> frame = core::FrameView::Parse(bytes);
    if (!frame.ok()) return Damaged(frame.status().message());
    if (frame->tasks() != tasks) {
      return Damaged("a frame holds other tasks than it was announced with");
    }
    if (frame->num_records() > 0 &&
        frame->record_bytes() != planned_.schema->record_bytes()) {
      return Damaged(absl::StrCat("records of ", frame->record_bytes(),
                                  " bytes came, and its schema ", "has ",
                                  planned_.schema->record_bytes()));
    }
    core::FrameReader reader(*frame);
    while (reader.Next()) INTERNODE_RETURN_IF_ERROR(DeliverTask(reader));
    return next_ == tasks.end ? absl::OkStatus()
                              : Damaged("a frame ends before its last task");
  }

  absl::Status DeliverTask(const core::FrameReader& reader) {
    const int64_t task = reader.task();
    if (task != next_ || reader.num_pixels() != Pixels(task)) {
      return Damaged(
          absl::StrCat("task ", task, " has ", reader.num_pixels(), " pixels"));
    }
    if (reader.failed()) {
      return FailChunk(task, absl::DataLossError(reader.failure()));
    }
    INTERNODE_RETURN_IF_ERROR(reader.CopyTo(&result_));
    INTERNODE_RETURN_IF_ERROR(
        sink_->OnChunk(ChunkResult(job_, task, result_, absl::OkStatus())));
    next_ = task + 1;
    return absl::OkStatus();
  }

  const std::string& id_;
  const Job& job_;
  const core::PlannedJob& planned_;
  const bool one_pixel_;
  const int64_t end_;
  JobSink* const sink_;
  int64_t next_;
  std::string pieces_;
  bool in_pieces_ = false;
  core::BlockResult result_;
};

v1::FetchFramesRequest RequestOf(const std::string& id, int64_t from,
                                 const FetchRange& range) {
  v1::FetchFramesRequest request;
  request.set_job_id(id);
  request.set_from_task(from);
  request.set_end_task(range.end_task);
  request.set_done_only(range.done_only);
  return request;
}

// Reads one stream to its end. `feed_status` is the feed's own error.
absl::Status ReadStream(Connection* connection, Reader* reader,
                        const CallLimits& limits, ChunkFeed* feed,
                        Connection::Retry* retry, absl::Status* feed_status) {
  v1::FetchFramesResponse message;
  while (true) {
    switch (reader->Next(absl::Now() + kFetchInterval, &message)) {
      case Reader::Event::kMessage:
        retry->Progressed();
        *feed_status = feed->Add(message);
        if (!feed_status->ok()) return *feed_status;
        // A fast stream is looked at as often as a quiet one needs it.
        if (limits.cancel == nullptr || !limits.cancel->load()) break;
        *feed_status = connection->Interrupted(limits);
        return *feed_status;
      case Reader::Event::kTimeout:
        *feed_status = connection->Interrupted(limits);
        if (!feed_status->ok()) return *feed_status;
        break;
      case Reader::Event::kEnd:
        return Connection::StatusOf(reader->status());
    }
  }
}

// Why the stream of a job ended before its last task.
absl::Status EndedEarly(Connection* connection, const std::string& id,
                        int64_t next, const CallLimits& limits) {
  v1::GetJobRequest request;
  request.set_job_id(id);
  v1::GetJobResponse response;
  INTERNODE_RETURN_IF_ERROR(connection->Call(
      &Connection::Stub::PrepareAsyncGetJob, request, &response, limits));
  const v1::JobInfo& info = response.job();
  const std::string why =
      info.message().empty() ? "" : absl::StrCat(": ", info.message());
  if (info.state() == v1::JOB_STATE_CANCELLED) {
    return absl::CancelledError(
        absl::StrCat("job ", id, " was cancelled", why));
  }
  if (info.state() == v1::JOB_STATE_FAILED) {
    return absl::FailedPreconditionError(
        absl::StrCat("job ", id, " failed", why));
  }
  return absl::UnavailableError(
      absl::StrCat("the results of job ", id, " ended before task ", next));
}

}  // namespace

absl::StatusOr<int64_t> FetchChunks(Connection* connection,
                                    const std::string& id, const Job& job,
                                    const FetchRange& range,
                                    const CallLimits& limits, JobSink* sink) {
  ChunkFeed feed(id, job, range, sink);
  Connection::Retry retry(connection, limits);
  while (feed.next() < range.end_task) {
    INTERNODE_RETURN_IF_ERROR(connection->Interrupted(limits));
    absl::Status feed_status;
    absl::Status status;
    {
      const v1::FetchFramesRequest request = RequestOf(id, feed.next(), range);
      Reader reader(
          [&](grpc::ClientContext* context, grpc::CompletionQueue* queue) {
            return connection->stub()->PrepareAsyncFetchFrames(context, request,
                                                               queue);
          });
      feed.StartStream();
      status =
          ReadStream(connection, &reader, limits, &feed, &retry, &feed_status);
    }
    INTERNODE_RETURN_IF_ERROR(feed_status);
    const bool short_of_end = feed.next() < range.end_task;
    if (status.ok() && short_of_end && range.done_only) break;
    // A job that was stopped says by whom and why.
    if (short_of_end && (status.ok() || absl::IsFailedPrecondition(status))) {
      const absl::Status why = EndedEarly(connection, id, feed.next(), limits);
      if (status.ok() || !absl::IsUnavailable(why)) status = why;
    }
    if (status.ok()) break;
    status = retry.Ended(status);
    if (!retry.again()) return status;
  }
  return feed.next();
}

}  // namespace internode::client
