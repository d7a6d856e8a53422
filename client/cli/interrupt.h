#ifndef INTERNODE_CLIENT_CLI_INTERRUPT_H_
#define INTERNODE_CLIENT_CLI_INTERRUPT_H_

#include <atomic>
#include <string>

namespace internode::cli {

// Turns SIGINT and SIGTERM into a flag as long as it lives: the work stops at
// the next task. When that takes longer than two seconds, or at a second
// signal, the partial file is removed and the process ends at once. One at a
// time in a process.
class Interrupt {
 public:
  enum class Mode {
    // The work looks at flag().
    kCooperative,
    // It does not: the first signal ends the process at once.
    kAtOnce,
    // As kCooperative, but the first Ctrl-C only prints the question of Ask;
    // a second one within five seconds counts. SIGTERM counts at once.
    kAskFirst,
  };
  // What the first Ctrl-C prints; one line. Before it is set there is nothing
  // to ask, and the first Ctrl-C counts.
  static void Ask(const std::string& question);
  // `partial_path` is what is removed; "" for nothing.
  explicit Interrupt(const std::string& partial_path,
                     Mode mode = Mode::kCooperative);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  static const std::atomic<bool>* flag();
  // The signal that arrived, or 0. The exit code is then 128 + signal.
  static int signal();
};

}  // namespace internode::cli

#endif  // INTERNODE_CLIENT_CLI_INTERRUPT_H_
