#ifndef INTERNODE_WORKER_RPC_CONNECTION_H_
#define INTERNODE_WORKER_RPC_CONNECTION_H_

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "internode/v1/worker.grpc.pb.h"
#include "rpc/credentials.h"
#include "rpc/session.h"
#include "worker/rpc/event_loop.h"

namespace internode::worker {

struct ConnectionOptions {
  // Asked before each attempt: a scheduler that was started again may have
  // another one.
  std::function<absl::StatusOr<std::string>()> address;
  // What it shows to the scheduler. Not null.
  std::shared_ptr<const rpc::Credentials> credentials =
      rpc::Credentials::None();
  // Open a Data stream too.
  bool data = true;
  // Says what happens only to those who want to know all.
  bool quiet = false;
  // Between attempts: the first comes so soon, each further one after twice as
  // long, with jitter.
  absl::Duration first_backoff = absl::Milliseconds(50);
  absl::Duration last_backoff = absl::Seconds(5);
  // A scheduler that says nothing for so long is tried anew.
  absl::Duration welcome_timeout = absl::Seconds(10);
};

// What a connection asks and tells. All on the event loop.
class ConnectionUser {
 public:
  virtual ~ConnectionUser() = default;

  virtual v1::Hello MakeHello() = 0;
  virtual v1::Heartbeat MakeHeartbeat() = 0;
  // From here until OnLost messages may be sent.
  virtual void OnWelcome(const v1::Welcome& welcome) = 0;
  virtual void OnMessage(const v1::SchedulerMessage& message) = 0;
  virtual void OnAck(uint64_t sequence) = 0;
  // The next attempt is on its way.
  virtual void OnLost() = 0;
  // The scheduler will never take this worker: it is of another version. The
  // connection has ended for good.
  virtual void OnRefused(const absl::Status& status) = 0;
};

// A worker's connection to the scheduler, made again and again: Control and
// Data, each on a TCP connection of its own. Thread-compatible: everything on
// the event loop.
class Connection {
 public:
  // All outlive it, and so does what is posted to `loop`.
  Connection(EventLoop* loop, const ConnectionOptions& options,
             ConnectionUser* user);
  // After Close's callback.
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Start();

  bool connected() const { return connected_; }
  // Since when there is no connection.
  int64_t lost_since_ns() const { return lost_since_ns_; }

  // Dropped when not connected.
  void Send(v1::WorkerMessage message);
  void SendFrame(v1::Frame header, std::shared_ptr<const std::string> bytes);

  // Ends the connection after what was sent, and calls `closed` when nothing of
  // it is left. It is not made again.
  void Close(std::function<void()> closed);

 private:
  using Control = rpc::ClientSession<v1::WorkerMessage, v1::SchedulerMessage>;
  // What it sends is serialized here, so that frames need not be copied.
  using Data = rpc::ClientSession<grpc::ByteBuffer, v1::FrameAck>;
  using DataStub = grpc::TemplatedGenericStub<grpc::ByteBuffer, v1::FrameAck>;

  // Channels and stubs outlive their sessions.
  struct Streams {
    std::shared_ptr<grpc::Channel> control_channel;
    std::shared_ptr<grpc::Channel> data_channel;
    std::unique_ptr<v1::WorkerService::Stub> control_stub;
    std::unique_ptr<DataStub> data_stub;
    std::shared_ptr<Control> control;
    std::shared_ptr<Data> data;
    // Sessions that have not ended, and that are not destroyed.
    int open = 0;
    int alive = 0;
  };

  void Attempt();
  void OpenControl();
  void OpenData(const v1::Welcome& welcome);
  void OnMessage(uint64_t attempt, const v1::SchedulerMessage& message);
  void Welcomed(const v1::Welcome& welcome);
  void OnClosed(uint64_t attempt, bool control, const absl::Status& status);
  void OnDestroyed(uint64_t attempt);
  void Ended(const absl::Status& status);
  void Retry(absl::Status status);
  void ScheduleHeartbeat();
  void FinishClosing();
  template <class Session>
  std::shared_ptr<Session> NewSession();

  EventLoop* const loop_;
  const ConnectionOptions options_;
  ConnectionUser* const user_;

  std::string address_;
  uint64_t attempt_ = 0;
  std::map<uint64_t, Streams> streams_;
  bool connected_ = false;
  bool welcomed_ = false;
  bool cancelled_ = false;
  bool refused_ = false;
  // Why the first session of the attempt ended.
  std::optional<absl::Status> reason_;
  int failures_ = 0;
  int64_t connected_since_ns_ = 0;
  int64_t lost_since_ns_ = 0;
  absl::Duration heartbeat_interval_;
  EventLoop::TimerId timer_;
  std::minstd_rand random_;
  bool closing_ = false;
  std::function<void()> closed_;
};

}  // namespace internode::worker

#endif  // INTERNODE_WORKER_RPC_CONNECTION_H_
