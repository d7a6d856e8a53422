#include "functions/clear_codes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace internode::functions {
namespace {

using Given = std::vector<std::pair<std::string, std::string>>;

ClearCodes Choose(const Given& given, const InputSeries& series) {
  const auto parameters = Parameters::Parse(ClearParameters(), given);
  EXPECT_TRUE(parameters.ok()) << parameters.status();
  const auto clear = ChooseClearCodes(*parameters, series);
  EXPECT_TRUE(clear.ok()) << clear.status();
  return clear.value_or(ClearCodes());
}

InputSeries Named(const std::string& name) {
  InputSeries series;
  series.source.variable = name;
  return series;
}

TEST(ClearCodesTest, CodesAreCompared) {
  const ClearCodes clear = {.codes = {0, 1}, .any_of_bits = 0};
  EXPECT_TRUE(clear.IsClear(0));
  EXPECT_TRUE(clear.IsClear(1));
  EXPECT_FALSE(clear.IsClear(2));
  EXPECT_EQ(clear.Text(), "codes 0, 1");
}

TEST(ClearCodesTest, AnyOfTheBitsWillDo) {
  const ClearCodes clear = {.codes = {}, .any_of_bits = 0b110};
  EXPECT_TRUE(clear.IsClear(66));
  EXPECT_TRUE(clear.IsClear(4));
  EXPECT_FALSE(clear.IsClear(0));
  EXPECT_FALSE(clear.IsClear(64));
  // 16 bits read as a negative number keep their bits.
  EXPECT_TRUE(clear.IsClear(-32766));
  EXPECT_FALSE(clear.IsClear(1e300));
  EXPECT_EQ(clear.Text(), "bits 1, 2");
}

TEST(ClearCodesTest, ParametersDecideFirst) {
  EXPECT_EQ(Choose({{"clear", "5"}}, Named("QA_PIXEL")), (ClearCodes{{5}, 0}));
  EXPECT_EQ(Choose({{"clear_bits", "0,3"}}, Named("cfmask")),
            (ClearCodes{{}, 0b1001}));
}

TEST(ClearCodesTest, FlagsDecideNext) {
  InputSeries series = Named("pixel_qa");
  series.attributes = {
      {"flag_values", std::vector<int64_t>{10, 11, 12, 13}},
      {"flag_meanings", std::string("cloud Clear snow water")}};
  EXPECT_EQ(Choose({}, series), (ClearCodes{{11, 13}, 0}));
  series.attributes = {{"flag_masks", std::vector<int64_t>{1, 2, 4}},
                       {"flag_meanings", std::string("fill clear water")}};
  EXPECT_EQ(Choose({}, series), (ClearCodes{{}, 6}));
  // Nothing about clear observations: the name decides.
  series.attributes = {{"flag_masks", std::vector<int64_t>{1}},
                       {"flag_meanings", std::string("cloud")}};
  EXPECT_EQ(Choose({}, series), (ClearCodes{{}, 6}));
}

TEST(ClearCodesTest, NamesDecideLast) {
  EXPECT_EQ(Choose({}, Named("cfmask")), (ClearCodes{{0, 1}, 0}));
  EXPECT_EQ(Choose({}, Named("pixel_qa")), (ClearCodes{{}, 0b110}));
  EXPECT_EQ(Choose({}, Named("group/QA_PIXEL")), (ClearCodes{{}, 0b11000000}));
}

TEST(ClearCodesTest, KeepsOnlyWhatIsClear) {
  std::vector<uint8_t> valid = {1, 1, 0, 1};
  KeepClear({{0}, 0}, std::vector<double>{0, 4, 0, 0}, absl::MakeSpan(valid));
  EXPECT_THAT(valid, ::testing::ElementsAre(1, 0, 0, 1));
}

TEST(ClearCodesTest, BitsHaveARange) {
  EXPECT_EQ(Parameters::Parse(ClearParameters(), {{"clear_bits", "53"}})
                .status()
                .message(),
            "parameter 'clear_bits' is 53; it must be from 0 to 52");
}

}  // namespace
}  // namespace internode::functions
