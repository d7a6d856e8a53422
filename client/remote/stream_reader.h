#ifndef INTERNODE_CLIENT_REMOTE_STREAM_READER_H_
#define INTERNODE_CLIENT_REMOTE_STREAM_READER_H_

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/async_stream.h>

#include <memory>
#include <utility>

#include "absl/time/time.h"

namespace internode::client {

// One server stream, read in the caller's thread with a deadline per message:
// no thread of its own, no reaction on another's. The next message is asked
// for before the last one is handed out. Thread-compatible.
template <class Response>
class StreamReader {
 public:
  enum class Event { kMessage, kTimeout, kEnd };

  // `prepare(context, queue)` is the stub's PrepareAsync… method. The stub
  // must outlive the reader.
  template <class Prepare>
  explicit StreamReader(const Prepare& prepare)
      : reader_(prepare(&context_, &queue_)) {
    reader_->StartCall(this);
  }
  // Cancels what still runs.
  ~StreamReader() {
    if (step_ == Step::kEnded) return;
    context_.TryCancel();
    Response dropped;
    while (Next(absl::InfiniteFuture(), &dropped) != Event::kEnd) {
    }
  }
  StreamReader(const StreamReader&) = delete;
  StreamReader& operator=(const StreamReader&) = delete;

  // Waits for the next message. After kEnd status() is valid.
  Event Next(absl::Time deadline, Response* message) {
    while (step_ != Step::kEnded) {
      void* tag = nullptr;
      bool ok = false;
      if (queue_.AsyncNext(&tag, &ok, absl::ToChronoTime(deadline)) ==
          grpc::CompletionQueue::TIMEOUT) {
        return Event::kTimeout;
      }
      if (Advance(ok, message)) return Event::kMessage;
    }
    return Event::kEnd;
  }

  const grpc::Status& status() const { return status_; }

 private:
  enum class Step { kStarting, kReading, kFinishing, kEnded };

  // Whether `message` was filled.
  bool Advance(bool ok, Response* message) {
    if (step_ == Step::kFinishing) {
      step_ = Step::kEnded;
      queue_.Shutdown();
      void* tag = nullptr;
      while (queue_.Next(&tag, &ok)) {
      }
      return false;
    }
    if (!ok) {
      step_ = Step::kFinishing;
      reader_->Finish(&status_, this);
      return false;
    }
    const bool filled = step_ == Step::kReading;
    if (filled) std::swap(*message, next_);
    step_ = Step::kReading;
    reader_->Read(&next_, this);
    return filled;
  }

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::ClientAsyncReader<Response>> reader_;
  Step step_ = Step::kStarting;
  Response next_;
  grpc::Status status_;
};

}  // namespace internode::client

#endif  // INTERNODE_CLIENT_REMOTE_STREAM_READER_H_
