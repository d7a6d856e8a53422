#include "scheduler/access/permissions.h"

#include <google/protobuf/descriptor.h>

#include <map>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "internode/v1/client.pb.h"
#include "internode/v1/worker.pb.h"

namespace internode::scheduler {
namespace {

using security::Role;

constexpr Role kRoles[] = {Role::kRead, Role::kSubmit, Role::kAdmin,
                           Role::kWorker};

std::set<std::string> MethodsOf(const google::protobuf::FileDescriptor* file) {
  std::set<std::string> methods;
  for (int s = 0; s < file->service_count(); ++s) {
    const google::protobuf::ServiceDescriptor* const service = file->service(s);
    for (int m = 0; m < service->method_count(); ++m) {
      methods.insert(absl::StrCat("/", service->full_name(), "/",
                                  service->method(m)->name()));
    }
  }
  return methods;
}

std::set<std::string> ClientMethods() {
  return MethodsOf(v1::GetClusterRequest::descriptor()->file());
}

std::set<std::string> WorkerMethods() {
  return MethodsOf(v1::Hello::descriptor()->file());
}

// What each role is for, said a second time: a method that is added has to be
// thought about here too.
TEST(PermissionsTest, EveryMethodOfBothServicesForEveryRole) {
  const std::set<std::string> read = {
      "GetCluster",  "ListFunctions", "GetJob",  "ListJobs",   "WatchJob",
      "FetchFrames", "ListFailures",  "Explain", "ListWorkers"};
  const std::set<std::string> submit = {"DescribeCube", "PlanJob",
                                        "SubmitJob",    "CancelJob",
                                        "RetryJob",     "ForgetJob"};
  const std::set<std::string> admin = {"DrainWorker"};
  EXPECT_EQ(ClientMethods().size(), read.size() + submit.size() + admin.size());
  for (const std::string& method : ClientMethods()) {
    const std::string name = method.substr(method.rfind('/') + 1);
    const int least = read.count(name) > 0     ? 0
                      : submit.count(name) > 0 ? 1
                      : admin.count(name) > 0  ? 2
                                               : -1;
    ASSERT_GE(least, 0) << method;
    EXPECT_EQ(MayCall(Role::kRead, method), least <= 0) << method;
    EXPECT_EQ(MayCall(Role::kSubmit, method), least <= 1) << method;
    EXPECT_TRUE(MayCall(Role::kAdmin, method)) << method;
    EXPECT_FALSE(MayCall(Role::kWorker, method)) << method;
  }
  EXPECT_EQ(WorkerMethods().size(), 2u);
  for (const std::string& method : WorkerMethods()) {
    for (const Role role : kRoles) {
      EXPECT_EQ(MayCall(role, method), role == Role::kWorker) << method;
    }
  }
}

TEST(PermissionsTest, WhatIsNotKnownIsNobodys) {
  for (const char* method :
       {"", "/", "/internode.v1.ClientService/", "GetCluster",
        "/internode.v1.ClientService/getcluster",
        "/internode.v1.ClientService/GetCluster/",
        "/internode.v2.ClientService/GetCluster",
        "/grpc.channelz.v1.Channelz/GetServers"}) {
    for (const Role role : kRoles) EXPECT_FALSE(MayCall(role, method));
    EXPECT_FALSE(IsForEverybody(method)) << method;
    EXPECT_EQ(WhoMayCall(method), "nobody");
  }
}

TEST(PermissionsTest, HealthIsForEverybody) {
  for (const char* method :
       {"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"}) {
    EXPECT_TRUE(IsForEverybody(method));
    for (const Role role : kRoles) EXPECT_TRUE(MayCall(role, method));
  }
}

TEST(PermissionsTest, SaysWhoMay) {
  EXPECT_EQ(WhoMayCall("/internode.v1.ClientService/SubmitJob"),
            "submit or admin");
  EXPECT_EQ(WhoMayCall("/internode.v1.ClientService/GetJob"),
            "read, submit or admin");
  EXPECT_EQ(WhoMayCall("/internode.v1.ClientService/DrainWorker"), "admin");
  EXPECT_EQ(WhoMayCall("/internode.v1.WorkerService/Data"), "worker");
}

TEST(PermissionsTest, PagesAreNotForWorkers) {
  for (const Role role : kRoles) {
    EXPECT_EQ(MayRead(role), role != Role::kWorker);
  }
}

}  // namespace
}  // namespace internode::scheduler
