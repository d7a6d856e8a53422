#include "client/cli/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <string>

namespace internode::cli {
namespace {

constexpr unsigned kGraceSeconds = 2;

// A signal handler can reach nothing but this.
std::atomic<bool> g_flag = false;
std::atomic<int> g_signal = 0;
std::atomic<bool> g_at_once = false;
char g_partial_path[4096] = "";

static_assert(std::atomic<bool>::is_always_lock_free);
static_assert(std::atomic<int>::is_always_lock_free);

void EndNow() {
  if (g_partial_path[0] != '\0') unlink(g_partial_path);
  _exit(128 + g_signal.load());
}

extern "C" void OnSignal(int signal) {
  if (signal == SIGALRM || g_flag.load()) EndNow();
  g_signal = signal;
  if (g_at_once.load()) EndNow();
  g_flag = true;
  alarm(kGraceSeconds);
}

void Handle(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

}  // namespace

Interrupt::Interrupt(const std::string& partial_path, Mode mode) {
  g_flag = false;
  g_at_once = mode == Mode::kAtOnce;
  g_signal = 0;
  // A path that does not fit could not be opened either.
  const size_t length =
      std::min(partial_path.size(), sizeof(g_partial_path) - 1);
  std::copy_n(partial_path.data(), length, g_partial_path);
  g_partial_path[length] = '\0';
  for (const int signal : {SIGINT, SIGTERM, SIGALRM}) Handle(signal, OnSignal);
}

Interrupt::~Interrupt() {
  alarm(0);
  for (const int signal : {SIGINT, SIGTERM, SIGALRM}) Handle(signal, SIG_DFL);
}

const std::atomic<bool>* Interrupt::flag() { return &g_flag; }
int Interrupt::signal() { return g_signal.load(); }

}  // namespace internode::cli
