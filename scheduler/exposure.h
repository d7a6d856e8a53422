#ifndef INTERNODE_SCHEDULER_EXPOSURE_H_
#define INTERNODE_SCHEDULER_EXPOSURE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "scheduler/config.h"

namespace internode::scheduler {

// Whether gRPC, and HTTP, ask who connects, …
bool AsksClients(const Config& config);
bool AsksReaders(const Config& config);
// … whether HTTP is spoken through TLS: beyond loopback, when there is a
// certificate, …
bool HttpsServed(const Config& config);
// … and whether strangers may connect to either: only with --insecure.
bool OpenToStrangers(const Config& config);

// Errors (kInvalidArgument), which name the flags: what reaches beyond this
// machine and is not protected, unless --insecure allows it; flags that miss
// one another; tokens that would travel where others can read them.
absl::Status CheckExposure(const Config& config);

}  // namespace internode::scheduler

#endif  // INTERNODE_SCHEDULER_EXPOSURE_H_
