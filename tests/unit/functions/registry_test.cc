#include "functions/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "tests/unit/functions/test_data.h"

namespace internode::functions {
namespace {

FunctionInfo Info(const std::string& name) {
  FunctionInfo info;
  info.name = name;
  info.version = "1";
  return info;
}

absl::Status AddTo(Registry* registry, const FunctionInfo& info) {
  return registry->Add(std::make_shared<FakeFunction>(info));
}

std::string AddError(const FunctionInfo& info) {
  Registry registry;
  return std::string(AddTo(&registry, info).message());
}

TEST(RegistryTest, BuiltinsAreSortedAndSound) {
  Registry again;
  std::string previous;
  for (const auto& function : Registry::WithBuiltins().All()) {
    EXPECT_LT(previous, function->info().name);
    previous = function->info().name;
    EXPECT_TRUE(again.Add(function).ok()) << again.Add(function);
    EXPECT_FALSE(function->info().summary.empty());
    EXPECT_FALSE(function->info().description.empty());
    for (const ParameterSpec& spec : function->info().parameters) {
      EXPECT_FALSE(spec.help.empty()) << spec.name;
    }
  }
  for (const char* name : {"harmonic", "noop", "stats"}) {
    EXPECT_TRUE(again.Find(name).ok()) << name;
  }
}

TEST(RegistryTest, FindsByName) {
  Registry registry;
  ASSERT_TRUE(AddTo(&registry, Info("b")).ok());
  ASSERT_TRUE(AddTo(&registry, Info("a")).ok());
  EXPECT_EQ(registry.All()[0]->info().name, "a");
  ASSERT_TRUE(registry.Find("b").ok());
  EXPECT_EQ((*registry.Find("b"))->info().name, "b");
}

TEST(RegistryTest, RefusesANameThatIsTaken) {
  Registry registry;
  ASSERT_TRUE(AddTo(&registry, Info("a")).ok());
  const absl::Status status = AddTo(&registry, Info("a"));
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(status.message(), "there is already a function 'a', version 1");
}

TEST(RegistryTest, RefusesContradictoryDeclarations) {
  EXPECT_EQ(Registry().Add(nullptr).message(),
            "there is no function to register");
  EXPECT_EQ(AddError(Info("9lives")),
            "function '9lives' is not a name; use letters, digits, '_', '-' "
            "and '.', and a letter first");
  FunctionInfo info = Info("f");
  info.version = "";
  EXPECT_EQ(AddError(info), "function 'f': it has no version");

  info = Info("f");
  info.parameters.resize(2);
  info.parameters[0].name = "p";
  info.parameters[1].name = "q";
  info.parameters[1].aliases = {"p"};
  EXPECT_EQ(AddError(info), "function 'f': parameter 'p' is declared twice");

  info.parameters.resize(1);
  info.parameters[0].default_value = int64_t{5};
  info.parameters[0].max = 3;
  EXPECT_EQ(AddError(info),
            "function 'f': a default contradicts its declaration: parameter "
            "'p' is 5; it must be at most 3");
  info.parameters[0].min = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(AddError(info),
            "function 'f': parameter 'p' has the range nan to 3");
  info.parameters[0] = ParameterSpec{};
  info.parameters[0].name = "p";
  info.parameters[0].default_value = std::string("c");
  info.parameters[0].choices = {"a", "b"};
  EXPECT_EQ(AddError(info),
            "function 'f': a default contradicts its declaration: parameter "
            "'p' is 'c'; it can be a, b (did you mean 'a'?)");

  info = Info("f");
  info.roles.resize(2);
  info.roles[0].name = "r";
  info.roles[1].name = "r";
  EXPECT_EQ(AddError(info), "function 'f': role 'r' is declared twice");
  info.roles[1].name = "s";
  info.roles[0].repeated = true;
  info.roles[1].repeated = true;
  EXPECT_EQ(AddError(info),
            "function 'f': roles 'r' and 's' are both repeated; at most one "
            "can be");
}

}  // namespace
}  // namespace internode::functions
