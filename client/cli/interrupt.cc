#include "client/cli/interrupt.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace internode::cli {
namespace {

constexpr unsigned kGraceSeconds = 2;

// A signal handler can reach nothing but this.
std::atomic<bool> g_flag = false;
std::atomic<int> g_signal = 0;
std::atomic<bool> g_at_once = false;
std::atomic<bool> g_ask = false;
// When the question was last asked, in seconds; 0: never.
std::atomic<int64_t> g_asked = 0;
char g_question[512] = "";
std::atomic<size_t> g_question_length = 0;
char g_partial_path[4096] = "";

static_assert(std::atomic<bool>::is_always_lock_free);
static_assert(std::atomic<int>::is_always_lock_free);
static_assert(std::atomic<int64_t>::is_always_lock_free);
static_assert(std::atomic<size_t>::is_always_lock_free);

constexpr int64_t kAskSeconds = 5;

// Whether the question was asked just now, and not answered by this signal.
bool AskedInstead(int signal) {
  if (!g_ask.load() || signal != SIGINT || g_question_length.load() == 0) {
    return false;
  }
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const int64_t asked = g_asked.load();
  if (asked != 0 && now.tv_sec - asked <= kAskSeconds) return false;
  g_asked = now.tv_sec;
  // Nothing can be done about a terminal that is gone.
  [[maybe_unused]] const ssize_t written =
      write(STDERR_FILENO, g_question, g_question_length.load());
  return true;
}

void EndNow() {
  if (g_partial_path[0] != '\0') unlink(g_partial_path);
  _exit(128 + g_signal.load());
}

extern "C" void OnSignal(int signal) {
  if (signal == SIGALRM || g_flag.load()) EndNow();
  if (AskedInstead(signal)) return;
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
  g_ask = mode == Mode::kAskFirst;
  g_asked = 0;
  g_question_length = 0;
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

void Interrupt::Ask(const std::string& question) {
  // The handler sees the length last.
  g_question_length = 0;
  const std::string line = "\n" + question + "\n";
  const size_t length = std::min(line.size(), sizeof(g_question));
  std::copy_n(line.data(), length, g_question);
  g_question_length = length;
}

const std::atomic<bool>* Interrupt::flag() { return &g_flag; }
int Interrupt::signal() { return g_signal.load(); }

}  // namespace internode::cli
