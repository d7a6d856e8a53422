#include "worker/rpc/connection.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"

#include "base/log.h"
#include "rpc/byte_field.h"
#include "rpc/channel.h"
#include "rpc/peer.h"
#include "rpc/status.h"
#include "worker/engine/monotonic_clock.h"

namespace internode::worker {
namespace {

constexpr char kDataMethod[] = "/internode.v1.WorkerService/Data";

// A connection that lived so long begins the back-off anew.
constexpr int64_t kStableNs = 5'000'000'000;

// Before the Welcome: what no further attempt can change.
bool IsFinal(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kUnimplemented:
      return true;
    default:
      return false;
  }
}

}  // namespace

Connection::Connection(EventLoop* loop, const ConnectionOptions& options,
                       ConnectionUser* user)
    : loop_(loop),
      options_(options),
      user_(user),
      lost_since_ns_(NowNanos()),
      random_(std::random_device{}()) {}

Connection::~Connection() = default;

void Connection::Start() { Attempt(); }

template <class Session>
std::shared_ptr<Session> Connection::NewSession() {
  Streams& streams = streams_[attempt_];
  ++streams.open;
  ++streams.alive;
  // The channel must not be dropped on gRPC's thread, where a session may end
  // its life: it is dropped here, after the session.
  return std::shared_ptr<Session>(
      std::make_unique<Session>().release(),
      [this, attempt = attempt_](Session* session) {
        std::unique_ptr<Session>(session).reset();
        loop_->Post([this, attempt] { OnDestroyed(attempt); });
      });
}

void Connection::Attempt() {
  if (closing_) return;
  const absl::StatusOr<std::string> address = options_.address();
  if (!address.ok()) {
    Retry(address.status());
    return;
  }
  if (const absl::Status status = options_.credentials->CheckAddress(*address);
      !status.ok()) {
    Retry(status);
    return;
  }
  address_ = *address;
  ++attempt_;
  welcomed_ = false;
  cancelled_ = false;
  reason_.reset();
  OpenControl();
  timer_ =
      loop_->PostAfter(options_.welcome_timeout, [this, attempt = attempt_] {
        if (attempt != attempt_ || welcomed_) return;
        reason_ = absl::UnavailableError("it does not answer");
        streams_[attempt].control->Cancel();
      });
}

void Connection::OpenControl() {
  Streams& streams = streams_[attempt_];
  streams.control_channel = rpc::NewChannel(address_, *options_.credentials);
  streams.control_stub = v1::WorkerService::NewStub(streams.control_channel);
  streams.control = NewSession<Control>();
  const uint64_t attempt = attempt_;
  streams.control->Start(
      {.on_message =
           [this, attempt](v1::SchedulerMessage&& message) {
             loop_->Post([this, attempt, message = std::move(message)] {
               OnMessage(attempt, message);
             });
           },
       .on_closed =
           [this, attempt](const grpc::Status& status) {
             loop_->Post([this, attempt, ended = rpc::FromGrpc(status)] {
               OnClosed(attempt, true, ended);
             });
           }},
      [&streams](grpc::ClientContext* context, Control* reactor) {
        streams.control_stub->async()->Control(context, reactor);
      });
  v1::WorkerMessage message;
  *message.mutable_hello() = user_->MakeHello();
  streams.control->Send(std::move(message));
}

void Connection::OpenData(const v1::Welcome& welcome) {
  Streams& streams = streams_[attempt_];
  streams.data_channel = rpc::NewChannel(address_, *options_.credentials);
  streams.data_stub = std::make_unique<DataStub>(streams.data_channel);
  streams.data = NewSession<Data>();
  const uint64_t attempt = attempt_;
  streams.data->Start(
      {.on_message =
           [this, attempt](v1::FrameAck&& ack) {
             loop_->Post([this, attempt, sequence = ack.sequence()] {
               if (attempt == attempt_ && connected_) user_->OnAck(sequence);
             });
           },
       .on_closed =
           [this, attempt](const grpc::Status& status) {
             loop_->Post([this, attempt, ended = rpc::FromGrpc(status)] {
               OnClosed(attempt, false, ended);
             });
           }},
      [&streams](grpc::ClientContext* context, Data* reactor) {
        streams.data_stub->PrepareBidiStreamingCall(context, kDataMethod, {},
                                                    reactor);
      });
  v1::FrameMessage attach;
  attach.mutable_attach()->set_session(welcome.session());
  streams.data->Send(rpc::ToByteBuffer(attach));
}

void Connection::OnMessage(uint64_t attempt,
                           const v1::SchedulerMessage& message) {
  if (attempt != attempt_ || reason_.has_value() || closing_) return;
  if (!message.has_welcome()) {
    if (connected_) user_->OnMessage(message);
    return;
  }
  if (welcomed_) return;
  const absl::Status peer =
      rpc::CheckPeer(message.welcome().peer(), "scheduler");
  if (!peer.ok()) {
    reason_ = peer;
    streams_[attempt].control->Cancel();
    return;
  }
  Welcomed(message.welcome());
}

void Connection::Welcomed(const v1::Welcome& welcome) {
  loop_->Cancel(timer_);
  welcomed_ = true;
  connected_ = true;
  connected_since_ns_ = NowNanos();
  heartbeat_interval_ =
      std::clamp(absl::Nanoseconds(welcome.heartbeat_interval_ns()),
                 absl::Milliseconds(10), absl::Seconds(60));
  Log(options_.quiet ? LogLevel::kDebug : LogLevel::kInfo,
      absl::StrCat("connected to the scheduler at ", address_, " as ",
                   welcome.worker_id()));
  if (options_.data) OpenData(welcome);
  user_->OnWelcome(welcome);
  ScheduleHeartbeat();
}

void Connection::ScheduleHeartbeat() {
  timer_ = loop_->PostAfter(heartbeat_interval_, [this, attempt = attempt_] {
    if (attempt != attempt_ || !connected_) return;
    v1::WorkerMessage message;
    *message.mutable_heartbeat() = user_->MakeHeartbeat();
    Send(std::move(message));
    ScheduleHeartbeat();
  });
}

void Connection::Send(v1::WorkerMessage message) {
  if (connected_) streams_[attempt_].control->Send(std::move(message));
}

void Connection::SendFrame(v1::Frame header,
                           std::shared_ptr<const std::string> bytes) {
  if (!connected_ || streams_[attempt_].data == nullptr) return;
  const absl::string_view all = *bytes;
  grpc::Slice rest = rpc::SharedSlice(std::move(bytes), all);
  do {
    const size_t size =
        std::min(rest.size(), static_cast<size_t>(rpc::kPieceBytes));
    const grpc::Slice piece = rest.sub(0, size);
    rest = rest.sub(size, rest.size());
    header.set_continues(rest.size() > 0);
    streams_[attempt_].data->Send(rpc::AsMessageField(
        v1::FrameMessage::kFrameFieldNumber,
        rpc::WithByteField(header, v1::Frame::kFrameFieldNumber, piece)));
  } while (rest.size() > 0);
}

void Connection::OnClosed(uint64_t attempt, bool control,
                          const absl::Status& status) {
  Streams& streams = streams_[attempt];
  --streams.open;
  if (!reason_.has_value()) reason_ = status;
  if (streams.open > 0) {
    // Both streams make a connection. At its end Data may close first, while
    // Control still sends.
    if (!closing_) streams.control->Cancel();
    if (!closing_ || control) streams.data->Cancel();
    return;
  }
  // The last references but gRPC's; the channels stay until OnDestroyed.
  streams.control = nullptr;
  streams.data = nullptr;
  Ended(*reason_);
}

void Connection::OnDestroyed(uint64_t attempt) {
  const auto it = streams_.find(attempt);
  if (--it->second.alive == 0) streams_.erase(it);
  FinishClosing();
}

void Connection::Ended(const absl::Status& status) {
  loop_->Cancel(timer_);
  if (connected_) {
    connected_ = false;
    lost_since_ns_ = NowNanos();
    if (lost_since_ns_ - connected_since_ns_ > kStableNs) failures_ = 0;
    user_->OnLost();
  }
  if (closing_) {
    FinishClosing();
    return;
  }
  if (!welcomed_ && IsFinal(status.code())) {
    refused_ = true;
    closing_ = true;
    user_->OnRefused(status);
    return;
  }
  Retry(status);
}

void Connection::Retry(absl::Status status) {
  const absl::Duration longest =
      std::min(options_.last_backoff,
               options_.first_backoff * std::exp2(std::min(failures_, 20)));
  // The whole herd of a scheduler's workers does not come back at one instant.
  std::uniform_real_distribution<double> jitter(0.5, 1);
  const absl::Duration wait = longest * jitter(random_);
  // Once in a while, not at every attempt.
  const bool tell = !options_.quiet && (welcomed_ || failures_ % 16 == 0);
  if (tell && !welcomed_ && !address_.empty()) {
    status = options_.credentials->Explain(address_, status);
  }
  const absl::string_view reason =
      status.ok() ? absl::string_view("it closed the connection")
                  : status.message();
  const std::string line = absl::StrCat(
      welcomed_ ? "lost the scheduler" : "cannot reach the scheduler",
      address_.empty() ? "" : absl::StrCat(" at ", address_), ": ", reason,
      "; trying again");
  Log(tell ? LogLevel::kWarning : LogLevel::kDebug, line);
  ++failures_;
  welcomed_ = false;
  timer_ = loop_->PostAfter(wait, [this] { Attempt(); });
}

void Connection::Close(std::function<void()> closed) {
  closing_ = true;
  closed_ = std::move(closed);
  loop_->Cancel(timer_);
  const auto it = streams_.find(attempt_);
  if (it != streams_.end() && it->second.open > 0) {
    if (it->second.data != nullptr) it->second.data->WritesDone();
    if (connected_) {
      it->second.control->WritesDone();
    } else {
      it->second.control->Cancel();
    }
    timer_ = loop_->PostAfter(options_.first_backoff * 20, [this] {
      const auto late = streams_.find(attempt_);
      if (late == streams_.end() || late->second.open == 0) return;
      late->second.control->Cancel();
      if (late->second.data != nullptr) late->second.data->Cancel();
    });
  }
  loop_->Post([this] { FinishClosing(); });
}

void Connection::FinishClosing() {
  if (!closing_ || !streams_.empty() || closed_ == nullptr) return;
  loop_->Cancel(timer_);
  const std::function<void()> closed = std::exchange(closed_, nullptr);
  closed();
}

}  // namespace internode::worker
