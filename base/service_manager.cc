#include "base/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "base/log.h"

namespace internode {
namespace {

absl::string_view Variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? absl::string_view() : absl::string_view(value);
}

// The watchdog's time, if it is for this process.
absl::Duration WatchdogOfEnvironment() {
  int64_t pid = 0;
  if (absl::SimpleAtoi(Variable("WATCHDOG_PID"), &pid) && pid != getpid()) {
    return absl::InfiniteDuration();
  }
  int64_t micros = 0;
  if (!absl::SimpleAtoi(Variable("WATCHDOG_USEC"), &micros) || micros <= 0) {
    return absl::InfiniteDuration();
  }
  return absl::Microseconds(micros);
}

// A value is one line.
std::string OneLine(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"\n", " "}});
}

}  // namespace

ServiceManager ServiceManager::FromEnvironment() {
  return ServiceManager(Variable("NOTIFY_SOCKET"), WatchdogOfEnvironment());
}

void ServiceManager::Ready(absl::string_view status) const {
  Send(absl::StrCat("READY=1\nSTATUS=", OneLine(status)));
}

void ServiceManager::Status(absl::string_view status) const {
  Send(absl::StrCat("STATUS=", OneLine(status)));
}

void ServiceManager::Stopping(absl::Duration most) const {
  Send(absl::StrCat("STOPPING=1\nSTATUS=stopping\nEXTEND_TIMEOUT_USEC=",
                    absl::ToInt64Microseconds(most)));
}

void ServiceManager::Alive() const { Send("WATCHDOG=1"); }

absl::Duration ServiceManager::AliveEvery() const {
  return socket_.empty() ? absl::InfiniteDuration() : watchdog_ / 3;
}

void ServiceManager::Send(absl::string_view lines) const {
  if (socket_.empty()) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const bool abstract = socket_.front() == '@';
  if ((!abstract && socket_.front() != '/') ||
      socket_.size() >= sizeof(address.sun_path)) {
    LogWarning("$NOTIFY_SOCKET '", socket_, "' is no socket's name");
    return;
  }
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (abstract) address.sun_path[0] = '\0';
  const auto size =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || sendto(fd, lines.data(), lines.size(), MSG_NOSIGNAL,
                       reinterpret_cast<const sockaddr*>(&address), size) < 0) {
    LogWarning("cannot tell the service manager at ", socket_, ": ",
               std::strerror(errno));
  }
  if (fd >= 0) close(fd);
}

}  // namespace internode
