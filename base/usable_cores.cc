#include "base/usable_cores.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <thread>

namespace internode {
namespace {

int AffinityCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
  // More processors than a cpu_set_t holds.
  return static_cast<int>(std::thread::hardware_concurrency());
}

// The quota of one cpu.max file ("max 100000" or "150000 100000") in cores, or
// infinity.
double QuotaOf(const std::string& file) {
  std::ifstream in(file);
  std::string quota;
  double period = 0;
  if (!(in >> quota >> period) || quota == "max" || period <= 0) {
    return HUGE_VAL;
  }
  try {
    return std::stod(quota) / period;
  } catch (const std::exception&) {
    return HUGE_VAL;
  }
}

// The process's path in the unified hierarchy, "" when there is none.
std::string ControlGroup() {
  std::ifstream in("/proc/self/cgroup");
  std::string line;
  while (std::getline(in, line)) {
    if (line.rfind("0::", 0) == 0) return line.substr(3);
  }
  return "";
}

// The smallest quota of the control group and of those above it.
double QuotaCores() {
  const std::string root = "/sys/fs/cgroup";
  std::string group = ControlGroup();
  double cores = QuotaOf(root + "/cpu.max");
  while (group.size() > 1) {
    cores = std::min(cores, QuotaOf(root + group + "/cpu.max"));
    group.resize(group.rfind('/'));
  }
  // The first version of control groups, as containers see it.
  std::ifstream quota_file(root + "/cpu/cpu.cfs_quota_us");
  std::ifstream period_file(root + "/cpu/cpu.cfs_period_us");
  double quota = 0;
  double period = 0;
  if (quota_file >> quota && period_file >> period && quota > 0 && period > 0) {
    cores = std::min(cores, quota / period);
  }
  return cores;
}

}  // namespace

int UsableCores() {
  const double quota = std::ceil(QuotaCores());
  const int affinity = std::max(1, AffinityCores());
  return quota < affinity ? std::max(1, static_cast<int>(quota)) : affinity;
}

}  // namespace internode
