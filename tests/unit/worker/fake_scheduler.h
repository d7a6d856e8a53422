#ifndef INTERNODE_TESTS_UNIT_WORKER_FAKE_SCHEDULER_H_
#define INTERNODE_TESTS_UNIT_WORKER_FAKE_SCHEDULER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "base/mutex.h"
#include "core/interval_set.h"
#include "internode/v1/worker.grpc.pb.h"
#include "rpc/server.h"
#include "rpc/session.h"

namespace internode::worker {

// A WorkerService that is a test: remembers what workers said, and says what it
// is told to. Thread-safe.
class FakeScheduler {
 public:
  // One that is started anew at `port`; 0: any.
  explicit FakeScheduler(int port = 0);
  ~FakeScheduler();

  const std::string& address() const;
  int port() const;

  // A Control stream that said Hello.
  struct Worker {
    v1::Hello hello;
    uint64_t session = 0;
    bool attached = false;
    bool gone = false;
    std::vector<v1::WorkerMessage> messages;
    // Whole ones.
    std::vector<v1::Frame> frames;
    core::IntervalSet done;
  };

  // Answers the next Hellos by this status, instead of a Welcome.
  void Refuse(grpc::Status status);
  // Says Welcome as this peer.
  void SetPeer(const v1::Peer& peer);
  void set_acknowledge(bool acknowledge);

  // Waits until `condition` holds of a worker with slots, or of a supervisor;
  // returns its number, or -1.
  int AwaitWorker(const std::function<bool(const Worker&)>& condition);
  int AwaitSupervisor(const std::function<bool(const Worker&)>& condition);
  // The number of Hellos so far, refused ones too.
  int num_hellos();
  bool AwaitHellos(int count);

  void Send(int worker, v1::SchedulerMessage message);
  void Acknowledge(int worker, uint64_t sequence);
  // Ends the worker's streams.
  void Close(int worker);
  Worker Get(int worker);

 private:
  class Service;
  struct Connection;

  std::unique_ptr<Service> service_;
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace internode::worker

#endif  // INTERNODE_TESTS_UNIT_WORKER_FAKE_SCHEDULER_H_
