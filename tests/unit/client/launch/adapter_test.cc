#include "client/launch/adapter.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace internode::launch {
namespace {

const absl::Time kBegin = absl::FromUnixSeconds(1'000'000);

AdaptRule Rule() {
  AdaptRule rule;
  rule.least = 1;
  rule.most = 4;
  rule.tasks_per_worker = 8;
  return rule;
}

SlurmJob Job(const std::string& id, bool pending,
             absl::Duration left = absl::Hours(1)) {
  return {id, pending, left};
}

TEST(AdapterTest, AsManyWorkersAsThereIsWorkFor) {
  EXPECT_EQ(Adapter(Rule()).Next(kBegin, 0, 0, {}).submit, 1);
  EXPECT_EQ(Adapter(Rule()).Next(kBegin, 1, 0, {}).submit, 1);
  EXPECT_EQ(Adapter(Rule()).Next(kBegin, 17, 0, {}).submit, 3);
  EXPECT_EQ(Adapter(Rule()).Next(kBegin, 1'000'000, 0, {}).submit, 4);
  EXPECT_EQ(Adapter(Rule())
                .Next(kBegin, 1'000'000, 0, {Job("1", false), Job("2", true)})
                .submit,
            2);
}

TEST(AdapterTest, OneThatEndsSoonIsReplacedBeforeItHas) {
  const AdaptStep step = Adapter(Rule()).Next(
      kBegin, 1000, 0,
      {Job("1", false, absl::Seconds(50)), Job("2", false),
       Job("3", true, absl::Seconds(50)), Job("4", false)});
  EXPECT_EQ(step.submit, 1);
  EXPECT_TRUE(step.cancel.empty());
  EXPECT_TRUE(step.drain.empty());
}

TEST(AdapterTest, AtTheEndThoseInTheQueueGoAndThoseThatRunStay) {
  const AdaptStep step = Adapter(Rule()).Next(
      kBegin, 3, 0, {Job("1", false), Job("2", false), Job("3", true)});
  EXPECT_EQ(step.cancel, std::vector<std::string>{"3"});
  EXPECT_TRUE(step.drain.empty());
  EXPECT_EQ(step.submit, 0);
}

TEST(AdapterTest, WithoutWorkForLongTheyGoDownToTheLeast) {
  Adapter adapter(Rule());
  const std::vector<SlurmJob> jobs = {Job("1", false), Job("2", false),
                                      Job("3", true)};
  EXPECT_TRUE(adapter.Next(kBegin, 100, 0, jobs).drain.empty());
  EXPECT_TRUE(
      adapter.Next(kBegin + absl::Minutes(4), 0, 100, jobs).drain.empty());
  const AdaptStep step = adapter.Next(kBegin + absl::Minutes(5), 0, 100, jobs);
  EXPECT_EQ(step.cancel, std::vector<std::string>{"3"});
  EXPECT_EQ(step.drain, std::vector<std::string>{"2"});
}

TEST(AdapterTest, WorkersThatDieAtOnceAreNotSentForEver) {
  Adapter adapter(Rule());
  absl::Time now = kBegin;
  int submitted = 0;
  for (int round = 0; round < 240; ++round) {
    const AdaptStep step = adapter.Next(now, 100, 7, {});
    submitted += step.submit;
    EXPECT_TRUE(step.submit > 0 || !step.waits.empty());
    now += absl::Seconds(30);
  }
  // Two hours: after 1, 2, 4, 8, 16, 30, 30 minutes, four each.
  EXPECT_LE(submitted, 9 * 4);
  EXPECT_GE(submitted, 6 * 4);
}

TEST(AdapterTest, ATaskDoneEndsTheCaution) {
  Adapter adapter(Rule());
  EXPECT_EQ(adapter.Next(kBegin, 100, 0, {}).submit, 4);
  EXPECT_EQ(adapter.Next(kBegin + absl::Seconds(30), 100, 0, {}).submit, 0);
  const absl::Time later = kBegin + absl::Minutes(2);
  EXPECT_EQ(adapter.Next(later, 100, 0, {}).submit, 4);
  EXPECT_EQ(adapter.Next(later + absl::Seconds(30), 90, 10, {}).submit, 4);
}

TEST(AdapterTest, NeverMoreThanTheMostNorFewerThanTheLeast) {
  std::mt19937 random(7);
  const auto draw = [&random](int most) {
    return static_cast<int>(random() % static_cast<unsigned>(most + 1));
  };
  for (int round = 0; round < 20'000; ++round) {
    AdaptRule rule = Rule();
    rule.least = draw(5);
    rule.most = rule.least + draw(5);
    if (rule.most == 0) rule.most = 1;
    std::vector<SlurmJob> jobs;
    int staying = 0;
    for (int i = draw(12); i > 0; --i) {
      jobs.push_back(
          Job(absl::StrCat(i), draw(1) == 0, absl::Seconds(draw(200))));
      staying += jobs.back().pending || jobs.back().left > rule.lead ? 1 : 0;
    }
    const int64_t tasks = draw(1) == 0 ? 0 : draw(100);
    Adapter adapter(rule);
    adapter.Next(kBegin, tasks, 0, jobs);
    const AdaptStep step =
        adapter.Next(kBegin + absl::Minutes(draw(10)), tasks, 1, jobs);
    const int gone = static_cast<int>(step.cancel.size() + step.drain.size());
    EXPECT_TRUE(step.submit == 0 || gone == 0);
    if (step.submit > 0) {
      EXPECT_LE(staying + step.submit, rule.most);
    }
    EXPECT_GE(staying + step.submit - gone,
              std::min(rule.least, staying + step.submit));
    if (tasks > 0) {
      EXPECT_TRUE(step.drain.empty());
    }
  }
}

}  // namespace
}  // namespace internode::launch
