#include "rpc/job_proto.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <utility>

namespace internode::rpc {
namespace {

using ::testing::HasSubstr;

core::JobSpec Spec() {
  core::JobSpec spec;
  spec.function = "ccdc";
  spec.parameters = {{"lambda", "20"}, {"bands", "a,b"}};
  spec.cube_path = "/data/cube.nc";
  spec.cube_group = "g";
  spec.dimension_names = {{"", {"t", "y", "x"}}, {"qa", {"y", "x"}}};
  spec.core_dims = {"band", "time"};
  spec.variables = {{"", "red"}, {"qa", "none"}};
  spec.nodata = -9999.5;
  return spec;
}

core::PlannedJob Job() {
  core::PlannedJob job;
  job.spec = Spec();
  job.grid = *core::ChunkGrid::Create(
      {{"y", 30}, {"x", 50}},
      std::vector<core::DimensionCut>{{3, 20, 7, 0}, {0, 50, 10, 0}});
  core::Field field;
  field.name = "coefs";
  field.type = core::DataType::kFloat32;
  field.dims = {"band"};
  field.fill = -1;
  field.attributes = {{"units", "1"},
                      {"flag_values", std::vector<int64_t>{1, 2}},
                      {"range", std::vector<double>{0.5, 1.5}}};
  job.schema = std::make_shared<const core::RecordSchema>(
      *core::RecordSchema::Create({field}, {{"band", {"red", "nir"}}}));
  job.fingerprint = 0xfedcba9876543210;
  job.notes = {"qa: cfmask (guessed)"};
  job.attributes = {{"title", "Segments of ccdc"}};
  core::CoordinateInfo y;
  y.dim = "y";
  y.values = {1.5, 2.5};
  y.type = core::DataType::kInt16;
  y.labels = {"a"};
  y.attributes = {{"units", "m"}};
  job.coordinates = {y};
  job.grid_mapping = core::GridMappingInfo{"crs", {{"epsg", "1"}}};
  return job;
}

TEST(JobSpecProtoTest, ComesBackAsItWas) {
  for (const core::ChunkChoice& chunks :
       {core::ChunkChoice(core::AutoChunks()), core::ChunkChoice(int64_t{7}),
        core::ChunkChoice(core::NoChunks()),
        core::ChunkChoice(core::ChunkMapping{{"y", 3}})}) {
    core::JobSpec spec = Spec();
    spec.chunks = chunks;
    spec.select = {{"y", 2, -1}};
    spec.default_core_dims = true;
    const absl::StatusOr<core::JobSpec> back = FromProto(ToProto(spec));
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(*back, spec);
  }
  core::JobSpec listed = Spec();
  listed.nodata.reset();
  core::Selection selection;
  selection.extents = {core::Extent::Index(3), core::Extent::Range(1, 9)};
  listed.selections = {selection};
  listed.shape = {{"i", 5}};
  EXPECT_EQ(*FromProto(ToProto(listed)), listed);
}

TEST(JobSpecProtoTest, RefusesTooManyParameters) {
  core::JobSpec spec = Spec();
  spec.parameters = {{"a", std::string(kMaxParameterBytes, 'x')}};
  EXPECT_THAT(std::string(FromProto(ToProto(spec)).status().message()),
              HasSubstr("the parameters take 1048577 bytes"));
}

TEST(JobSpecProtoTest, RefusesWhatIsNotASelection) {
  for (const auto& [begin, end, is_index] :
       {std::tuple<int64_t, int64_t, bool>{2, 2, false},
        {-1, 2, false},
        {1, 3, true},
        {std::numeric_limits<int64_t>::min(),
         std::numeric_limits<int64_t>::max(), false}}) {
    v1::JobSpec message = ToProto(Spec());
    v1::Selection::Extent* extent = message.add_selections()->add_extents();
    extent->set_begin(begin);
    extent->set_end(end);
    extent->set_is_index(is_index);
    EXPECT_THAT(std::string(FromProto(message).status().message()),
                HasSubstr("selection 0"));
  }
}

TEST(JobSpecProtoTest, RefusesAKindOfChunksItDoesNotKnow) {
  v1::JobSpec message;
  message.set_chunk_kind(static_cast<v1::JobSpec::ChunkKind>(17));
  EXPECT_THAT(std::string(FromProto(message).status().message()),
              HasSubstr("chunk kind 17"));
}

TEST(JobPlanProtoTest, ComesBackAsItWas) {
  const core::PlannedJob job = Job();
  const absl::StatusOr<core::PlannedJob> back = FromProto(ToProto(job));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->spec, job.spec);
  EXPECT_EQ(back->grid, job.grid);
  EXPECT_EQ(*back->schema, *job.schema);
  EXPECT_EQ(back->fingerprint, job.fingerprint);
  EXPECT_EQ(back->notes, job.notes);
  EXPECT_EQ(back->attributes, job.attributes);
  ASSERT_EQ(back->coordinates.size(), 1);
  EXPECT_EQ(back->coordinates[0].dim, "y");
  EXPECT_EQ(back->coordinates[0].values, job.coordinates[0].values);
  EXPECT_EQ(back->coordinates[0].labels, job.coordinates[0].labels);
  EXPECT_EQ(back->coordinates[0].type, core::DataType::kInt16);
  EXPECT_EQ(back->coordinates[0].attributes, job.coordinates[0].attributes);
  ASSERT_TRUE(back->grid_mapping.has_value());
  EXPECT_EQ(back->grid_mapping->name, "crs");
  EXPECT_EQ(back->grid_mapping->attributes, job.grid_mapping->attributes);
  // Equal jobs are equal bytes, in whichever process they are made.
  EXPECT_EQ(ToProto(*back).SerializeAsString(),
            ToProto(job).SerializeAsString());
}

TEST(JobPlanProtoTest, RefusesAGridThatOverflows) {
  v1::JobPlan message = ToProto(Job());
  for (v1::Dimension& dim : *message.mutable_grid()->mutable_dims()) {
    dim.set_size(std::numeric_limits<int64_t>::max());
  }
  for (v1::DimensionCut& cut : *message.mutable_grid()->mutable_cuts()) {
    cut.set_begin(0);
    cut.set_origin(0);
    cut.set_end(std::numeric_limits<int64_t>::max());
    cut.set_chunk(1);
  }
  EXPECT_EQ(FromProto(message).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(JobPlanProtoTest, RefusesSelectionsOutsideOfTheGrid) {
  core::PlannedJob job = Job();
  core::Selection selection;
  selection.extents = {core::Extent::Index(3), core::Extent::Range(1, 51)};
  job.selections = {selection};
  EXPECT_THAT(std::string(FromProto(ToProto(job)).status().message()),
              HasSubstr("selection 0 is not within the grid's dimensions"));
}

TEST(JobPlanProtoTest, RefusesAnEmptyAttributeAndAnUnknownType) {
  v1::JobPlan message = ToProto(Job());
  message.mutable_output()->add_attributes()->set_name("bare");
  EXPECT_THAT(std::string(FromProto(message).status().message()),
              HasSubstr("'bare' has no value"));
  message = ToProto(Job());
  message.mutable_schema()->mutable_fields(0)->set_type("float16");
  EXPECT_THAT(std::string(FromProto(message).status().message()),
              HasSubstr("float16"));
}

}  // namespace
}  // namespace internode::rpc
