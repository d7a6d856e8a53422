#include "rpc/grpc_log.h"

#include <grpc/support/log.h>

#include "base/log.h"

namespace internode::rpc {

void SendGrpcLogToDebug() {
  gpr_set_log_function(
      [](gpr_log_func_args* args) { LogDebug("grpc: ", args->message); });
}

}  // namespace internode::rpc
