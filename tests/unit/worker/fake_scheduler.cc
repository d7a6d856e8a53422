#include "tests/unit/worker/fake_scheduler.h"

#include <deque>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

#include "core/frame.h"
#include "rpc/peer.h"

namespace internode::worker {
namespace {

using ControlEnd = rpc::ServerSession<v1::WorkerMessage, v1::SchedulerMessage>;
using DataEnd = rpc::ServerSession<v1::FrameMessage, v1::FrameAck>;

constexpr absl::Duration kPatience = absl::Seconds(60);

}  // namespace

struct FakeScheduler::Connection {
  Worker worker;
  std::shared_ptr<ControlEnd> control;
  std::shared_ptr<DataEnd> data;
  v1::Frame partial;
};

class FakeScheduler::Service final : public v1::WorkerService::CallbackService {
 public:
  grpc::ServerBidiReactor<v1::WorkerMessage, v1::SchedulerMessage>* Control(
      grpc::CallbackServerContext* /*context*/) override {
    auto session = std::make_shared<ControlEnd>();
    // The number of the connection, once it said Hello.
    auto number = std::make_shared<size_t>(0);
    session->Start({.on_message =
                        [this, session, number](v1::WorkerMessage&& message) {
                          if (message.has_hello()) {
                            OnHello(session, message.hello(), number.get());
                            return;
                          }
                          MutexLock lock(&mu_);
                          if (*number > 0) {
                            connections_[*number - 1].worker.messages.push_back(
                                std::move(message));
                          }
                        },
                    .on_closed =
                        [this, number] {
                          MutexLock lock(&mu_);
                          if (*number > 0) {
                            connections_[*number - 1].worker.gone = true;
                            connections_[*number - 1].control = nullptr;
                          }
                        }});
    return session.get();
  }

  grpc::ServerBidiReactor<v1::FrameMessage, v1::FrameAck>* Data(
      grpc::CallbackServerContext* /*context*/) override {
    auto session = std::make_shared<DataEnd>();
    auto number = std::make_shared<size_t>(0);
    session->Start(
        {.on_message =
             [this, session, number](v1::FrameMessage&& message) {
               MutexLock lock(&mu_);
               if (message.has_attach()) {
                 Attach(session, message.attach().session(), number.get());
               } else if (*number > 0) {
                 TakePiece(message.frame(), &connections_[*number - 1]);
               }
             },
         .on_closed =
             [this, number] {
               MutexLock lock(&mu_);
               if (*number > 0) connections_[*number - 1].data = nullptr;
             }});
    return session.get();
  }

  void OnHello(const std::shared_ptr<ControlEnd>& session,
               const v1::Hello& hello, size_t* number) {
    v1::SchedulerMessage message;
    v1::Welcome* const welcome = message.mutable_welcome();
    {
      MutexLock lock(&mu_);
      ++hellos_;
      if (refusal_.has_value()) {
        session->Close(*refusal_);
        return;
      }
      Connection connection;
      connection.control = session;
      connection.worker.hello = hello;
      connection.worker.session = 1000 + connections_.size();
      *welcome->mutable_peer() = peer_;
      welcome->set_worker_id(absl::StrCat("w", connections_.size()));
      welcome->set_session(connection.worker.session);
      connections_.push_back(std::move(connection));
      *number = connections_.size();
    }
    welcome->set_heartbeat_interval_ns(20'000'000);
    welcome->set_window_bytes(int64_t{4} << 20);
    session->Send(std::move(message));
  }

  void Attach(const std::shared_ptr<DataEnd>& session, uint64_t id,
              size_t* number) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    for (size_t i = 0; i < connections_.size(); ++i) {
      if (connections_[i].worker.session != id) continue;
      connections_[i].data = session;
      connections_[i].worker.attached = true;
      *number = i + 1;
    }
  }

  void TakePiece(const v1::Frame& piece, Connection* connection)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    v1::Frame& frame = connection->partial;
    const std::string before = frame.frame();
    frame = piece;
    frame.set_frame(before + piece.frame());
    if (piece.continues()) return;
    Worker& worker = connection->worker;
    const auto view = core::FrameView::Parse(frame.frame());
    if (view.ok()) worker.done.Add(view->tasks());
    worker.frames.push_back(std::exchange(frame, {}));
    if (!acknowledge_ || connection->data == nullptr) return;
    v1::FrameAck ack;
    ack.set_sequence(piece.sequence());
    connection->data->Send(std::move(ack));
  }

  Mutex mu_;
  std::deque<Connection> connections_ ABSL_GUARDED_BY(mu_);
  std::optional<grpc::Status> refusal_ ABSL_GUARDED_BY(mu_);
  v1::Peer peer_ ABSL_GUARDED_BY(mu_) = rpc::LocalPeer();
  bool acknowledge_ ABSL_GUARDED_BY(mu_) = true;
  int hellos_ ABSL_GUARDED_BY(mu_) = 0;
};

namespace {

rpc::ServerOptions OnPort(int port) {
  rpc::ServerOptions options;
  options.port = port;
  return options;
}

}  // namespace

FakeScheduler::FakeScheduler(int port)
    : service_(std::make_unique<Service>()),
      server_(*rpc::Server::Start(OnPort(port), {service_.get()})) {}

FakeScheduler::~FakeScheduler() = default;

const std::string& FakeScheduler::address() const { return server_->address(); }

int FakeScheduler::port() const { return server_->port(); }

void FakeScheduler::Refuse(grpc::Status status) {
  MutexLock lock(&service_->mu_);
  service_->refusal_ = std::move(status);
}

void FakeScheduler::SetPeer(const v1::Peer& peer) {
  MutexLock lock(&service_->mu_);
  service_->peer_ = peer;
}

void FakeScheduler::set_acknowledge(bool acknowledge) {
  MutexLock lock(&service_->mu_);
  service_->acknowledge_ = acknowledge;
}

int FakeScheduler::AwaitWorker(
    const std::function<bool(const Worker&)>& condition) {
  int found = -1;
  MutexLock lock(&service_->mu_);
  service_->mu_.AwaitWithDeadline(
      [&] {
        service_->mu_.AssertHeld();
        for (size_t i = 0; i < service_->connections_.size(); ++i) {
          const Worker& worker = service_->connections_[i].worker;
          if (worker.hello.slots() == 0 || !condition(worker)) continue;
          found = static_cast<int>(i);
          return true;
        }
        return false;
      },
      absl::Now() + kPatience);
  return found;
}

int FakeScheduler::AwaitSupervisor(
    const std::function<bool(const Worker&)>& condition) {
  int found = -1;
  MutexLock lock(&service_->mu_);
  service_->mu_.AwaitWithDeadline(
      [&] {
        service_->mu_.AssertHeld();
        for (size_t i = 0; i < service_->connections_.size(); ++i) {
          const Worker& worker = service_->connections_[i].worker;
          if (worker.hello.slots() > 0 || !condition(worker)) continue;
          found = static_cast<int>(i);
          return true;
        }
        return false;
      },
      absl::Now() + kPatience);
  return found;
}

int FakeScheduler::num_hellos() {
  MutexLock lock(&service_->mu_);
  return service_->hellos_;
}

bool FakeScheduler::AwaitHellos(int count) {
  MutexLock lock(&service_->mu_);
  return service_->mu_.AwaitWithDeadline(
      [&] {
        service_->mu_.AssertHeld();
        return service_->hellos_ >= count;
      },
      absl::Now() + kPatience);
}

void FakeScheduler::Send(int worker, v1::SchedulerMessage message) {
  MutexLock lock(&service_->mu_);
  auto& connection = service_->connections_[static_cast<size_t>(worker)];
  if (connection.control != nullptr) {
    connection.control->Send(std::move(message));
  }
}

void FakeScheduler::Acknowledge(int worker, uint64_t sequence) {
  MutexLock lock(&service_->mu_);
  v1::FrameAck ack;
  ack.set_sequence(sequence);
  auto& connection = service_->connections_[static_cast<size_t>(worker)];
  if (connection.data != nullptr) connection.data->Send(std::move(ack));
}

void FakeScheduler::Close(int worker) {
  MutexLock lock(&service_->mu_);
  auto& connection = service_->connections_[static_cast<size_t>(worker)];
  if (connection.control != nullptr) {
    connection.control->Close(
        grpc::Status(grpc::StatusCode::ABORTED, "the test closes it"));
  }
}

FakeScheduler::Worker FakeScheduler::Get(int worker) {
  MutexLock lock(&service_->mu_);
  return service_->connections_[static_cast<size_t>(worker)].worker;
}

}  // namespace internode::worker
