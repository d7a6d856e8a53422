#include "base/service_manager.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"

namespace internode {
namespace {

// A service manager's end of the protocol, in the abstract namespace or at a
// path.
class Listener {
 public:
  explicit Listener(const std::string& name) : name_(name) {
    fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name.front() == '@') address.sun_path[0] = '\0';
    EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&address),
                   static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) +
                                          name.size())),
              0)
        << std::strerror(errno);
  }
  ~Listener() {
    close(fd_);
    if (name_.front() == '/') unlink(name_.c_str());
  }

  // What was sent, or "" where nothing was.
  std::string Next() const {
    char text[1024];
    const ssize_t size = recv(fd_, text, sizeof(text), 0);
    return size < 0 ? "" : std::string(text, static_cast<size_t>(size));
  }

 private:
  const std::string name_;
  int fd_ = -1;
};

std::string AbstractName() {
  return absl::StrCat("@internode_service_manager_test_", getpid());
}

TEST(ServiceManagerTest, SaysWhatTheProtocolWants) {
  const Listener listener(AbstractName());
  const ServiceManager manager(AbstractName(), absl::Seconds(30));
  manager.Ready("listens on 127.0.0.1:8786");
  EXPECT_EQ(listener.Next(), "READY=1\nSTATUS=listens on 127.0.0.1:8786");
  manager.Alive();
  EXPECT_EQ(listener.Next(), "WATCHDOG=1");
  manager.Status("two\nlines");
  EXPECT_EQ(listener.Next(), "STATUS=two lines");
  manager.Stopping(absl::Seconds(45));
  EXPECT_EQ(listener.Next(),
            "STOPPING=1\nSTATUS=stopping\nEXTEND_TIMEOUT_USEC=45000000");
  EXPECT_EQ(listener.Next(), "");
  EXPECT_EQ(manager.AliveEvery(), absl::Seconds(10));
}

TEST(ServiceManagerTest, TakesAPath) {
  const std::string path =
      absl::StrCat(::testing::TempDir(), "/notify_", getpid());
  const Listener listener(path);
  ServiceManager(path).Alive();
  EXPECT_EQ(listener.Next(), "WATCHDOG=1");
}

TEST(ServiceManagerTest, WithoutOneNothingIsSentOrAskedFor) {
  const ServiceManager none("", absl::Seconds(30));
  none.Ready("");
  none.Stopping(absl::Seconds(1));
  EXPECT_EQ(none.AliveEvery(), absl::InfiniteDuration());
  EXPECT_EQ(ServiceManager("@x").AliveEvery(), absl::InfiniteDuration());
}

TEST(ServiceManagerTest, NamesThatAreNoneDoNoHarm) {
  ServiceManager("relative").Alive();
  ServiceManager("vsock:2:1").Alive();
  ServiceManager(std::string(4096, '/')).Alive();
  ServiceManager(absl::StrCat(AbstractName(), "_of_nobody")).Alive();
  ServiceManager("@").Alive();
}

class EnvironmentTest : public ::testing::Test {
 protected:
  ~EnvironmentTest() override {
    for (const char* name :
         {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
      unsetenv(name);
    }
  }
};

TEST_F(EnvironmentTest, NamesTheManager) {
  const Listener listener(AbstractName());
  setenv("NOTIFY_SOCKET", AbstractName().c_str(), 1);
  setenv("WATCHDOG_USEC", "3000000", 1);
  EXPECT_EQ(ServiceManager::FromEnvironment().AliveEvery(), absl::Seconds(1));
  setenv("WATCHDOG_PID", absl::StrCat(getpid()).c_str(), 1);
  const ServiceManager manager = ServiceManager::FromEnvironment();
  EXPECT_EQ(manager.AliveEvery(), absl::Seconds(1));
  manager.Alive();
  EXPECT_EQ(listener.Next(), "WATCHDOG=1");
}

TEST_F(EnvironmentTest, AWatchdogOfAnotherProcessOrNonsenseIsNone) {
  setenv("NOTIFY_SOCKET", AbstractName().c_str(), 1);
  for (const char* micros : {"", "0", "-5", "soon", "99999999999999999999"}) {
    setenv("WATCHDOG_USEC", micros, 1);
    EXPECT_EQ(ServiceManager::FromEnvironment().AliveEvery(),
              absl::InfiniteDuration())
        << micros;
  }
  setenv("WATCHDOG_USEC", "3000000", 1);
  setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(ServiceManager::FromEnvironment().AliveEvery(),
            absl::InfiniteDuration());
}

}  // namespace
}  // namespace internode
