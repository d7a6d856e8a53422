#ifndef INTERNODE_RPC_SESSION_H_
#define INTERNODE_RPC_SESSION_H_

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/client_callback.h>
#include <grpcpp/support/server_callback.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "base/mutex.h"

// Both ends of a bidirectional stream over gRPC's callback API. What gRPC asks
// for is kept here and nowhere else: one read and one write in flight, Finish
// exactly once and never under a pending write, nothing deleted before OnDone,
// no blocking in a reaction.
//
// Handlers run on gRPC's threads, one at a time for a session, and hand over:
// they never block and never call back into a lock that is held round Send.

namespace internode::rpc {

// The server's end. Lives from the method's handler until OnDone; owners hold
// a shared_ptr and may outlive the stream or drop it early. Thread-safe.
template <class In, class Out>
class ServerSession
    : public grpc::ServerBidiReactor<In, Out>,
      public std::enable_shared_from_this<ServerSession<In, Out>> {
 public:
  struct Handler {
    std::function<void(In&&)> on_message;
    // The last call; nothing follows.
    std::function<void()> on_closed;
  };

  // Once, before the method's handler returns.
  void Start(Handler handler) {
    handler_ = std::move(handler);
    self_ = this->shared_from_this();
    this->StartRead(&in_);
  }

  // Queues `message`. False once the stream is closing: it is not sent.
  bool Send(Out message) {
    MutexLock lock(&mu_);
    if (closing_) return false;
    queue_.push_back(std::move(message));
    if (queue_.size() == 1) this->StartWrite(&queue_.front());
    return true;
  }

  // Ends the stream with `status`. What is queued is dropped; a write in
  // flight is awaited.
  void Close(grpc::Status status) {
    MutexLock lock(&mu_);
    CloseLocked(std::move(status));
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) {
      // A half-close, a cancelled call or a broken connection.
      Close(grpc::Status::OK);
      return;
    }
    handler_.on_message(std::move(in_));
    in_.Clear();
    // After Finish this completes at once, with ok = false.
    this->StartRead(&in_);
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(&mu_);
    queue_.pop_front();
    if (!ok) {
      CloseLocked(
          grpc::Status(grpc::StatusCode::UNAVAILABLE, "the peer is gone"));
    }
    if (closing_) {
      if (!finished_) FinishLocked();
    } else if (!queue_.empty()) {
      this->StartWrite(&queue_.front());
    }
  }

  void OnCancel() override { Close(grpc::Status::CANCELLED); }

  void OnDone() override {
    handler_.on_closed();
    handler_ = {};
    // May delete this.
    self_.reset();
  }

  void CloseLocked(grpc::Status status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (closing_) return;
    closing_ = true;
    status_ = std::move(status);
    if (queue_.empty()) {
      FinishLocked();
    } else {
      // The front is in flight; OnWriteDone finishes.
      queue_.erase(queue_.begin() + 1, queue_.end());
    }
  }

  void FinishLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    finished_ = true;
    this->Finish(status_);
  }

  // Read chain only.
  Handler handler_;
  In in_;
  std::shared_ptr<ServerSession> self_;

  Mutex mu_;
  // The front is in flight.
  std::deque<Out> queue_ ABSL_GUARDED_BY(mu_);
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  grpc::Status status_ ABSL_GUARDED_BY(mu_);
};

// The client's end. Keeps itself alive until OnDone, which only notifies: the
// last reference to a channel must not be dropped on a gRPC thread, so the
// channel belongs to the owner. Thread-safe.
template <class Out, class In>
class ClientSession
    : public grpc::ClientBidiReactor<Out, In>,
      public std::enable_shared_from_this<ClientSession<Out, In>> {
 public:
  struct Handler {
    std::function<void(In&&)> on_message;
    // The last call; nothing follows.
    std::function<void(const grpc::Status&)> on_closed;
  };

  // `bind(context, this)` calls stub->async()->Method(context, this).
  template <class Bind>
  void Start(Handler handler, Bind bind) {
    handler_ = std::move(handler);
    self_ = this->shared_from_this();
    bind(&context_, this);
    // Writes come from outside the reactions.
    this->AddHold();
    this->StartRead(&in_);
    this->StartCall();
  }

  // Queues `message`. False once the stream is closing: it is not sent.
  bool Send(Out message) {
    MutexLock lock(&mu_);
    if (closing_) return false;
    queue_.push_back(std::move(message));
    if (queue_.size() == 1) this->StartWrite(&queue_.front());
    return true;
  }

  // Sends what is queued, then closes this direction; the server's status
  // ends the call.
  void WritesDone() {
    MutexLock lock(&mu_);
    if (closing_) return;
    closing_ = true;
    if (queue_.empty()) HalfCloseLocked();
  }

  void Cancel() { context_.TryCancel(); }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) {
      WritesDone();
      return;
    }
    handler_.on_message(std::move(in_));
    in_.Clear();
    this->StartRead(&in_);
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(&mu_);
    queue_.pop_front();
    if (!ok) {
      queue_.clear();
      closing_ = true;
    }
    if (!queue_.empty()) {
      this->StartWrite(&queue_.front());
    } else if (closing_ && !half_closed_) {
      HalfCloseLocked();
    }
  }

  void OnDone(const grpc::Status& status) override {
    handler_.on_closed(status);
    handler_ = {};
    self_.reset();
  }

  void HalfCloseLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    half_closed_ = true;
    this->StartWritesDone();
    this->RemoveHold();
  }

  grpc::ClientContext context_;
  // Read chain only.
  Handler handler_;
  In in_;
  std::shared_ptr<ClientSession> self_;

  Mutex mu_;
  // The front is in flight.
  std::deque<Out> queue_ ABSL_GUARDED_BY(mu_);
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
  bool half_closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace internode::rpc

#endif  // INTERNODE_RPC_SESSION_H_
