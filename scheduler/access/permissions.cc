#include "scheduler/access/permissions.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace internode::scheduler {
namespace {

using security::Role;

constexpr unsigned Bit(Role role) { return 1U << static_cast<unsigned>(role); }

constexpr unsigned kAdmin = Bit(Role::kAdmin);
constexpr unsigned kSubmit = kAdmin | Bit(Role::kSubmit);
constexpr unsigned kRead = kSubmit | Bit(Role::kRead);
constexpr unsigned kWorker = Bit(Role::kWorker);

struct Permission {
  absl::string_view method;
  unsigned roles;
};

constexpr Permission kPermissions[] = {
    {"/internode.v1.ClientService/GetCluster", kRead},
    {"/internode.v1.ClientService/ListFunctions", kRead},
    // Lets a worker open a file of the caller's choice.
    {"/internode.v1.ClientService/DescribeCube", kSubmit},
    {"/internode.v1.ClientService/PlanJob", kSubmit},
    {"/internode.v1.ClientService/SubmitJob", kSubmit},
    {"/internode.v1.ClientService/GetJob", kRead},
    {"/internode.v1.ClientService/ListJobs", kRead},
    {"/internode.v1.ClientService/WatchJob", kRead},
    {"/internode.v1.ClientService/FetchFrames", kRead},
    {"/internode.v1.ClientService/ListFailures", kRead},
    {"/internode.v1.ClientService/CancelJob", kSubmit},
    {"/internode.v1.ClientService/RetryJob", kSubmit},
    {"/internode.v1.ClientService/ForgetJob", kSubmit},
    {"/internode.v1.ClientService/Explain", kRead},
    {"/internode.v1.ClientService/ListWorkers", kRead},
    {"/internode.v1.ClientService/DrainWorker", kAdmin},
    {"/internode.v1.WorkerService/Control", kWorker},
    {"/internode.v1.WorkerService/Data", kWorker},
    {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", kRead},
};

unsigned RolesOf(absl::string_view method) {
  const auto* const found =
      std::find_if(std::begin(kPermissions), std::end(kPermissions),
                   [&](const Permission& one) { return one.method == method; });
  return found == std::end(kPermissions) ? 0 : found->roles;
}

}  // namespace

bool IsForEverybody(absl::string_view method) {
  return method == "/grpc.health.v1.Health/Check" ||
         method == "/grpc.health.v1.Health/Watch";
}

bool MayCall(Role role, absl::string_view method) {
  return IsForEverybody(method) || (RolesOf(method) & Bit(role)) != 0;
}

std::string WhoMayCall(absl::string_view method) {
  std::vector<absl::string_view> names;
  for (const Role role :
       {Role::kRead, Role::kSubmit, Role::kAdmin, Role::kWorker}) {
    if (MayCall(role, method)) names.push_back(RoleName(role));
  }
  if (names.empty()) return "nobody";
  const absl::string_view last = names.back();
  names.pop_back();
  return names.empty() ? std::string(last)
                       : absl::StrCat(absl::StrJoin(names, ", "), " or ", last);
}

bool MayRead(Role role) { return (kRead & Bit(role)) != 0; }

}  // namespace internode::scheduler
