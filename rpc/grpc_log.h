#ifndef INTERNODE_RPC_GRPC_LOG_H_
#define INTERNODE_RPC_GRPC_LOG_H_

namespace internode::rpc {

// Lets what gRPC writes to stderr by itself go to the log, at debug level: what
// matters of it is in the status of calls. For the main of programs that are
// clients.
void SendGrpcLogToDebug();

}  // namespace internode::rpc

#endif  // INTERNODE_RPC_GRPC_LOG_H_
