#include "client/cli/description.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"

namespace internode::cli {
namespace {

TEST(DescriptionTest, AnObjectIsParsed) {
  const absl::StatusOr<Json> json = ParseDescription(R"({"name":"noop"})");
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ((*json)["name"], "noop");
}

TEST(DescriptionTest, WhatIsNoObjectIsDamaged) {
  for (const char* text :
       {"", "{", "[1]", "3", "\"name\"", "{\"name\":\xff}"}) {
    EXPECT_EQ(ParseDescription(text).status().code(),
              absl::StatusCode::kDataLoss)
        << text;
  }
}

TEST(DescriptionTest, WhatLacksAMemberOrHasItInAnotherTypeIsDamaged) {
  const Json json = {{"name", 3}};
  const auto text_of = [&json](const char* member) {
    return DescriptionText([&] { return json.at(member).get<std::string>(); });
  };
  EXPECT_EQ(text_of("name").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(text_of("version").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(*DescriptionText([] { return std::string("text"); }), "text");
}

}  // namespace
}  // namespace internode::cli
