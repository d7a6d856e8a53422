#ifndef INTERNODE_BASE_SERVICE_MANAGER_H_
#define INTERNODE_BASE_SERVICE_MANAGER_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace internode {

// What a daemon tells the service manager that started it: systemd's protocol
// of sd_notify(3), lines of NAME=VALUE in a datagram to the socket that
// $NOTIFY_SOCKET names. Without one, nothing is sent. Thread-safe.
class ServiceManager {
 public:
  // Of this process, by its environment: $NOTIFY_SOCKET, $WATCHDOG_USEC and
  // $WATCHDOG_PID.
  static ServiceManager FromEnvironment();

  // `socket`: a path, or a name in the abstract namespace after an @; empty:
  // none. `watchdog`: the daemon is killed when nothing was heard of it for so
  // long.
  explicit ServiceManager(absl::string_view socket,
                          absl::Duration watchdog = absl::InfiniteDuration())
      : socket_(socket), watchdog_(watchdog) {}

  // It serves. `status` is for people, one line.
  void Ready(absl::string_view status) const;
  void Status(absl::string_view status) const;
  // It ends of its own will, and takes up to `most` for it.
  void Stopping(absl::Duration most) const;
  // It lives: to be said by what does the work, not by a timer alone.
  void Alive() const;

  // How often Alive is to be said: a third of what is waited for. Infinite
  // where nobody listens.
  absl::Duration AliveEvery() const;

 private:
  // Errors are logged: a manager that does not listen is no reason to end.
  void Send(absl::string_view lines) const;

  std::string socket_;
  absl::Duration watchdog_;
};

}  // namespace internode

#endif  // INTERNODE_BASE_SERVICE_MANAGER_H_
