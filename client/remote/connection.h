#ifndef INTERNODE_CLIENT_REMOTE_CONNECTION_H_
#define INTERNODE_CLIENT_REMOTE_CONNECTION_H_

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "base/mutex.h"
#include "internode/v1/client.grpc.pb.h"
#include "rpc/channel.h"
#include "rpc/credentials.h"

namespace internode::client {

// How long, and for whom, a call goes on.
struct CallLimits {
  absl::Time deadline = absl::InfiniteFuture();
  // Ends the call with kCancelled when it becomes true.
  const std::atomic<bool>* cancel = nullptr;
};

// A client's way to one scheduler. While the scheduler is away, calls are sent
// again, with back-off and jitter, until `patience` has passed. All calls run
// in the caller's thread. Thread-safe.
class Connection {
 public:
  struct Options {
    // As rpc::ParseAddress takes it.
    std::string address;
    rpc::ConnectionSecurity security;
    // How long the first call may take.
    absl::Duration connect_timeout = absl::Seconds(5);
    // How long a scheduler that went away is waited for.
    absl::Duration patience = absl::Minutes(10);
    // Asked while a call waits; an error ends the call: the local cluster's
    // daemons are watched with it. May be null.
    std::function<absl::Status()> check;
  };

  // Connects and shakes hands. Errors: kInvalidArgument (not an address; a file
  // of `security`), kUnavailable (nothing answers), kFailedPrecondition
  // (another version, or no scheduler), kUnauthenticated and kPermissionDenied
  // (TLS fails, and why; no token, or not one for this).
  static absl::StatusOr<std::shared_ptr<Connection>> Open(Options options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  using Stub = v1::ClientService::Stub;
  template <class Request, class Response>
  using Method = std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> (
      Stub::*)(grpc::ClientContext*, const Request&, grpc::CompletionQueue*);

  // Calls `method`, &Stub::PrepareAsync…, again while the scheduler is away:
  // for calls that may be made twice. Errors: the scheduler's; kInvalidArgument
  // (the request is larger than a message can be); kUnavailable
  // when patience ended; kDeadlineExceeded; kCancelled; kFailedPrecondition
  // after Close.
  template <class Request, class Response>
  absl::Status Call(Method<Request, Response> method, const Request& request,
                    Response* response, const CallLimits& limits = {}) {
    if (absl::Status fits = rpc::CheckMessageBytes(request.ByteSizeLong());
        !fits.ok()) {
      return fits;
    }
    Retry retry(this, limits);
    while (true) {
      if (absl::Status end = Interrupted(limits); !end.ok()) return end;
      absl::Status status = retry.Ended(Once(
          [&](grpc::ClientContext* context, grpc::CompletionQueue* queue,
              grpc::Status* result) {
            auto call = (stub_.get()->*method)(context, request, queue);
            call->StartCall();
            call->Finish(response, result, context);
            return call;
          },
          retry.AttemptDeadline(), limits.cancel));
      if (!retry.again()) return status;
    }
  }

  // The attempts of one call or stream.
  class Retry {
   public:
    Retry(Connection* connection, const CallLimits& limits);
    absl::Time AttemptDeadline() const;
    // Takes the status of an attempt. When another is due it waits until then,
    // and again() is true; else the status is what the caller is told.
    absl::Status Ended(const absl::Status& status);
    bool again() const { return again_; }
    // Something arrived: the scheduler is there.
    void Progressed();

   private:
    Connection* const connection_;
    const CallLimits limits_;
    bool again_ = false;
    int attempts_ = 0;
    // When the scheduler was last known to be there.
    absl::Time heard_;
  };

  // What ends a wait: closing, cancelling, the deadline, or `check`.
  absl::Status Interrupted(const CallLimits& limits) const;

  // Waits for `duration`, in the caller's thread.
  void Pause(absl::Duration duration);

  // What a call ended with; kUnavailable if it can be made again.
  static absl::Status StatusOf(const grpc::Status& status);

  Stub* stub() { return stub_.get(); }
  const std::string& address() const { return options_.address; }

  // Later calls are refused, and waiting ones end. Idempotent.
  void Close();

 private:
  Connection(Options options,
             std::shared_ptr<const rpc::Credentials> credentials);
  absl::Status Handshake();
  // Waits for at most `duration`, and lets the channel connect meanwhile, which
  // it does only while somebody waits for it; whether it has.
  bool Reconnected(absl::Duration duration);
  // A delay of attempt `attempts`, with jitter.
  absl::Duration BackOff(int attempts);
  // The scheduler is away, in one line; looks why.
  absl::Status Away(const absl::Status& status) const;

  // One attempt: `start` begins a call with the tag of its context.
  template <class Start>
  absl::Status Once(const Start& start, absl::Time deadline,
                    const std::atomic<bool>* cancel) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(deadline));
    grpc::CompletionQueue queue;
    grpc::Status status;
    const auto call = start(&context, &queue, &status);
    Await(&context, &queue, cancel);
    return StatusOf(status);
  }
  // Waits for the queue's one event, and shuts it down.
  void Await(grpc::ClientContext* context, grpc::CompletionQueue* queue,
             const std::atomic<bool>* cancel) const;

  // Constant after construction.
  const Options options_;
  const std::shared_ptr<const rpc::Credentials> credentials_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<Stub> stub_;

  std::atomic<bool> closed_ = false;
  // The first call was answered.
  std::atomic<bool> shaken_ = false;
  mutable Mutex mu_;
  std::minstd_rand random_ ABSL_GUARDED_BY(mu_);
};

// "connection refused", out of gRPC's long account of it.
std::string ShortReason(absl::string_view message);

}  // namespace internode::client

#endif  // INTERNODE_CLIENT_REMOTE_CONNECTION_H_
