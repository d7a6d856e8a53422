#include "internode/describe.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "client/job_data.h"
#include "client/remote/connection.h"
#include "client/remote/wire.h"
#include "cube/cube_json.h"
#include "functions/function_json.h"
#include "functions/registry.h"
#include "rpc/job_proto.h"

namespace internode {
namespace {

using client::Connection;
using Stub = Connection::Stub;

std::shared_ptr<Connection> ConnectionOrNull(const Executor* executor) {
  return executor == nullptr ? nullptr : executor->connection();
}

}  // namespace

absl::StatusOr<std::string> DescribeCube(Executor* executor,
                                         const CubeOptions& cube) {
  const std::shared_ptr<Connection> connection = ConnectionOrNull(executor);
  if (connection == nullptr) {
    INTERNODE_ASSIGN_OR_RETURN(const std::shared_ptr<const cube::Cube> opened,
                               client::OpenCube(cube));
    return cube::CubeText(opened->info());
  }
  client::TellIfWorkersLack(*executor);
  JobOptions options;
  options.cube.path = cube.path;
  options.cube.group = cube.group;
  options.cube.dimension_names = cube.dimension_names;
  INTERNODE_ASSIGN_OR_RETURN(const core::JobSpec spec, client::SpecOf(options));
  const v1::JobSpec message = rpc::ToProto(spec);
  v1::DescribeCubeRequest request;
  request.set_path(message.cube_path());
  request.set_group(message.cube_group());
  *request.mutable_dimension_names() = message.dimension_names();
  v1::DescribeCubeResponse response;
  INTERNODE_RETURN_IF_ERROR(
      connection->Call(&Stub::PrepareAsyncDescribeCube, request, &response));
  return std::move(*response.mutable_cube_json());
}

absl::StatusOr<std::vector<std::string>> ListFunctions(Executor* executor) {
  const std::shared_ptr<Connection> connection = ConnectionOrNull(executor);
  std::vector<std::string> texts;
  if (connection == nullptr) {
    INTERNODE_ASSIGN_OR_RETURN(const functions::Registry registry,
                               client::LoadRegistry({}));
    for (const auto& function : registry.All()) {
      texts.push_back(functions::FunctionText(function->info()));
    }
    return texts;
  }
  v1::ListFunctionsResponse response;
  INTERNODE_RETURN_IF_ERROR(connection->Call(
      &Stub::PrepareAsyncListFunctions, v1::ListFunctionsRequest(), &response));
  texts.assign(response.functions_json().begin(),
               response.functions_json().end());
  return texts;
}

}  // namespace internode
