#ifndef INTERNODE_RPC_SERVER_H_
#define INTERNODE_RPC_SERVER_H_

#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "base/mutex.h"
#include "rpc/channel.h"

namespace internode::rpc {

// How many bytes gRPC may hold of what arrives, for all connections of a server
// together. gRPC checks the size of a message only when it has all of it, so
// that this alone bounds what one peer can make it hold; beyond it, streams are
// ended, whosever they are. Thread-safe.
class BufferQuota {
 public:
  explicit BufferQuota(int64_t bytes);

  // Raises or lowers it: a stream of large messages was opened, or has ended.
  void Add(int64_t bytes);

  const grpc::ResourceQuota& quota() const { return quota_; }

 private:
  grpc::ResourceQuota quota_;
  Mutex mu_;
  int64_t bytes_ ABSL_GUARDED_BY(mu_);
};

inline constexpr int64_t kDefaultBufferBytes = int64_t{128} << 20;

struct ServerOptions {
  std::string host = "127.0.0.1";
  // 0: any free port.
  int port = 0;
  // Server reflection, for grpcurl and the like.
  bool reflection = false;
  // Null: without TLS, and nobody is asked who connects.
  std::shared_ptr<grpc::ServerCredentials> credentials;
  // Calls that a connection may have open at a time.
  int max_streams = 1000;
  // A message may have so many bytes.
  int max_message_bytes = kMaxMessageBytes;
  // Null: none. Outlives the server.
  const BufferQuota* buffers = nullptr;
};

// A listening gRPC server with the health service. Thread-compatible.
class Server {
 public:
  // `services` outlive the server. Errors (kFailedPrecondition): the address
  // is taken or cannot be bound.
  static absl::StatusOr<std::unique_ptr<Server>> Start(
      const ServerOptions& options,
      const std::vector<grpc::Service*>& services);
  // Stops at once.
  ~Server();

  // "127.0.0.1:41234", with the port that was bound.
  const std::string& address() const { return address_; }
  int port() const { return port_; }

  // What the health service answers.
  void SetServing(bool serving);

  // Refuses new calls, cancels open streams at `deadline`, and returns when
  // the last has ended. Idempotent.
  void Stop(absl::Time deadline);

 private:
  Server(std::unique_ptr<grpc::Server> server, std::string address, int port);

  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  int port_ = 0;
};

}  // namespace internode::rpc

#endif  // INTERNODE_RPC_SERVER_H_
