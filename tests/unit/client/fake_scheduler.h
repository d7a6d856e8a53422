#ifndef INTERNODE_TESTS_UNIT_CLIENT_FAKE_SCHEDULER_H_
#define INTERNODE_TESTS_UNIT_CLIENT_FAKE_SCHEDULER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "internode/v1/client.grpc.pb.h"
#include "rpc/peer.h"
#include "rpc/server.h"

namespace internode::client {

// A scheduler of one job, "j000001", that does what its test says.
// Thread-safe.
class FakeScheduler final : public v1::ClientService::Service {
 public:
  // One FetchFrames call: writes what it likes, and ends as it likes.
  using Fetch =
      std::function<grpc::Status(const v1::FetchFramesRequest&,
                                 grpc::ServerWriter<v1::FetchFramesResponse>*)>;

  FakeScheduler() : server_(*rpc::Server::Start({}, {this})) {
    peer = rpc::LocalPeer();
    job.set_id("j000001");
  }

  const std::string& address() const { return server_->address(); }
  // As a scheduler that is killed.
  void Stop() { server_->Stop(absl::Now()); }

  // The behaviour; set before the first call that it is for.
  v1::Peer peer;
  // Submissions that fail with kUnavailable before one succeeds.
  int refuse_submissions = 0;
  // Called for each submission, and decides what becomes of it if it fails.
  std::function<grpc::Status(size_t attempt)> on_submit;
  // What the n-th fetch, or the last, does.
  std::vector<Fetch> fetches;
  v1::JobInfo job;
  v1::JobPlan plan;
  // States that the n-th watch, or the last, sends before it breaks.
  std::vector<std::vector<v1::JobState>> watches;

  std::vector<std::string> request_ids() {
    MutexLock lock(&mu_);
    return request_ids_;
  }
  std::vector<std::string> cancelled() {
    MutexLock lock(&mu_);
    return cancelled_;
  }
  std::vector<int64_t> fetched_from() {
    MutexLock lock(&mu_);
    return fetched_from_;
  }

 private:
  grpc::Status GetCluster(grpc::ServerContext*, const v1::GetClusterRequest*,
                          v1::GetClusterResponse* response) override {
    *response->mutable_scheduler() = peer;
    response->set_address(address());
    return grpc::Status::OK;
  }
  grpc::Status SubmitJob(grpc::ServerContext*,
                         const v1::SubmitJobRequest* request,
                         v1::SubmitJobResponse* response) override {
    size_t attempt = 0;
    {
      MutexLock lock(&mu_);
      attempt = request_ids_.size();
      request_ids_.push_back(request->request_id());
    }
    if (on_submit) {
      if (grpc::Status status = on_submit(attempt); !status.ok()) return status;
    }
    MutexLock lock(&mu_);
    if (refuse_submissions-- > 0) {
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "try again");
    }
    response->set_job_id(job.id());
    return grpc::Status::OK;
  }
  grpc::Status CancelJob(grpc::ServerContext*,
                         const v1::CancelJobRequest* request,
                         v1::CancelJobResponse*) override {
    MutexLock lock(&mu_);
    cancelled_.push_back(request->job_id());
    return grpc::Status::OK;
  }
  grpc::Status GetJob(grpc::ServerContext*, const v1::GetJobRequest* request,
                      v1::GetJobResponse* response) override {
    if (request->job_id() != job.id()) {
      return grpc::Status(grpc::StatusCode::NOT_FOUND, "there is no such job");
    }
    *response->mutable_job() = job;
    if (request->with_plan()) *response->mutable_plan() = plan;
    return grpc::Status::OK;
  }
  grpc::Status FetchFrames(
      grpc::ServerContext*, const v1::FetchFramesRequest* request,
      grpc::ServerWriter<v1::FetchFramesResponse>* writer) override {
    Fetch fetch;
    {
      MutexLock lock(&mu_);
      fetch = fetches[std::min(fetched_from_.size(), fetches.size() - 1)];
      fetched_from_.push_back(request->from_task());
    }
    return fetch(*request, writer);
  }
  grpc::Status WatchJob(grpc::ServerContext*, const v1::WatchJobRequest*,
                        grpc::ServerWriter<v1::JobInfo>* writer) override {
    std::vector<v1::JobState> states;
    {
      MutexLock lock(&mu_);
      states = watches[std::min(watched_++, watches.size() - 1)];
    }
    v1::JobInfo info = job;
    for (const v1::JobState state : states) {
      info.set_state(state);
      writer->Write(info);
    }
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "broken");
  }

  Mutex mu_;
  std::vector<std::string> request_ids_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> cancelled_ ABSL_GUARDED_BY(mu_);
  std::vector<int64_t> fetched_from_ ABSL_GUARDED_BY(mu_);
  size_t watched_ ABSL_GUARDED_BY(mu_) = 0;
  // Last: stopped before what it calls is gone.
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace internode::client

#endif  // INTERNODE_TESTS_UNIT_CLIENT_FAKE_SCHEDULER_H_
