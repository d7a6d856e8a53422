#ifndef INTERNODE_SCHEDULER_ACCESS_GATE_H_
#define INTERNODE_SCHEDULER_ACCESS_GATE_H_

#include <grpcpp/security/auth_metadata_processor.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "base/mutex.h"
#include "scheduler/access/attempt_budget.h"
#include "scheduler/access/token_book.h"
#include "security/role.h"

namespace internode::scheduler {

// Who calls.
struct Caller {
  // "alice": of the token, or of the certificate; without either, the address.
  std::string name;
  security::Role role = security::Role::kAdmin;
  // Of the token; empty: none.
  std::string token_id;
  // "10.0.0.5:40312".
  std::string peer;
};

struct GateOptions {
  // Whose tokens let their bearers in; null: nobody's. Outlives the gate.
  TokenBook* tokens = nullptr;
  // A certificate that gRPC has verified lets its bearer in, as its subject
  // says: OU the role, CN the name.
  bool certificates = false;
};

// Lets calls in, or not. Every handler of a service asks Admit first; before a
// message is read gRPC asks guard(), which ends at once what Admit would refuse
// as soon as that happens often: failed attempts are looked at, and logged with
// their address, at a limited rate. Thread-safe.
class Gate {
 public:
  explicit Gate(const GateOptions& options);
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // Whether anybody is asked who he is. If not, everybody may do everything.
  bool asks() const { return tokens_ != nullptr || certificates_; }

  // Who calls `method`. Errors, which are logged: kUnauthenticated (nobody that
  // is known), kPermissionDenied (the role may not).
  absl::StatusOr<Caller> Admit(const grpc::CallbackServerContext& context,
                               absl::string_view method);

  // Whether the bearer of an HTTP request's "Authorization" may read. Errors:
  // as Admit.
  absl::Status AdmitReader(absl::string_view authorization,
                           absl::string_view peer);

  // How many attempts were refused.
  uint64_t refused() const { return refused_; }

  // For the server's credentials; null if nobody is asked. Outlived by this.
  std::shared_ptr<grpc::AuthMetadataProcessor> guard();

  // A stream of a caller: `close` is called, at most once, when the caller's
  // token is revoked or has expired, perhaps still when EndStream has returned:
  // it holds weak references.
  uint64_t BeginStream(const Caller& caller,
                       std::function<void(const absl::Status&)> close);
  void EndStream(uint64_t stream);

 private:
  class Guard;
  struct Stream {
    std::string token_id;
    std::function<void(const absl::Status&)> close;
  };

  absl::StatusOr<Caller> Identify(absl::string_view authorization,
                                  const grpc::AuthContext* context) const;
  absl::StatusOr<Caller> IdentifyToken(absl::string_view token) const;
  // Logs a failed attempt.
  void Tell(absl::string_view method, absl::string_view peer,
            const absl::Status& status);
  // Ends the streams of tokens that are no more.
  void Look();

  TokenBook* const tokens_;
  const bool certificates_;
  std::atomic<uint64_t> refused_ = 0;
  Mutex mu_;
  AttemptBudget budget_ ABSL_GUARDED_BY(mu_);
  uint64_t last_stream_ ABSL_GUARDED_BY(mu_) = 0;
  std::map<uint64_t, Stream> streams_ ABSL_GUARDED_BY(mu_);
};

// The token of "Bearer TOKEN", or of "Basic …", where it is the password: so
// browsers send it. Empty: neither.
std::string TokenOf(absl::string_view authorization);

// "10.0.0.5:40312" of gRPC's "ipv4:10.0.0.5:40312".
std::string PeerText(absl::string_view peer);

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_ACCESS_GATE_H_
