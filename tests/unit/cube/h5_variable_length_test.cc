#include "cube/h5_variable_length.h"

#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace internode::cube::h5 {
namespace {

using testing::ElementsAreArray;
using testing::Optional;

std::string TestPath() {
  const auto* info = testing::UnitTest::GetInstance()->current_test_info();
  return testing::TempDir() + "/internode_" + info->name() + "_" +
         std::to_string(getpid()) + ".h5";
}

class VariableLengthTest : public testing::Test {
 protected:
  ~VariableLengthTest() override { unlink(path_.c_str()); }

  // Writes `texts` as the dataset and the attribute "texts" of a file that
  // begins with `user_bytes` bytes of others.
  void Write(const std::vector<std::string>& texts, hsize_t user_bytes = 0) {
    Lock lock;
    const PropertyList creation(H5Pcreate(H5P_FILE_CREATE));
    ASSERT_GE(H5Pset_userblock(creation.get(), user_bytes), 0);
    const File file(
        H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, creation.get(), H5P_DEFAULT));
    const Type type(H5Tcopy(H5T_C_S1));
    H5Tset_size(type.get(), H5T_VARIABLE);
    const hsize_t count = texts.size();
    const Space space(H5Screate_simple(1, &count, nullptr));
    std::vector<const char*> pointers;
    for (const std::string& text : texts) pointers.push_back(text.c_str());
    const Dataset dataset(H5Dcreate2(file.get(), "texts", type.get(),
                                     space.get(), H5P_DEFAULT, H5P_DEFAULT,
                                     H5P_DEFAULT));
    ASSERT_GE(H5Dwrite(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT,
                       pointers.data()),
              0);
    const Attribute attribute(H5Acreate2(dataset.get(), "texts", type.get(),
                                         space.get(), H5P_DEFAULT,
                                         H5P_DEFAULT));
    ASSERT_GE(H5Awrite(attribute.get(), type.get(), pointers.data()), 0);
  }

  std::optional<std::vector<std::string>> Read(bool is_dataset, size_t count) {
    Lock lock;
    const File file(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
    const Dataset dataset(H5Dopen2(file.get(), "texts", H5P_DEFAULT));
    const Type type(H5Dget_type(dataset.get()));
    const Attribute attribute(H5Aopen(dataset.get(), "texts", H5P_DEFAULT));
    return ReadVariableLength(
        {is_dataset ? dataset.get() : attribute.get(), is_dataset}, type.get(),
        1, count);
  }

  std::string Bytes() const {
    std::ifstream in(path_, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }

  void SetBytes(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary) << bytes;
  }

  const std::string path_ = TestPath();
};

TEST_F(VariableLengthTest, ReadsTheElementsOfDatasetsAndAttributes) {
  const std::vector<std::string> texts = {"red", "near infrared", "red"};
  Write(texts);
  EXPECT_THAT(Read(true, 3), Optional(ElementsAreArray(texts)));
  EXPECT_THAT(Read(false, 3), Optional(ElementsAreArray(texts)));
}

TEST_F(VariableLengthTest, ReadsFromManyCollections) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < 300; ++i) {
    texts.emplace_back(i * 37 % 5000 + 1, static_cast<char>('a' + i % 26));
  }
  Write(texts);
  EXPECT_THAT(Read(true, texts.size()), Optional(ElementsAreArray(texts)));
}

TEST_F(VariableLengthTest, ReadsBehindAUserBlock) {
  const std::vector<std::string> texts = {"red", "green"};
  Write(texts, 2048);
  EXPECT_THAT(Read(true, 2), Optional(ElementsAreArray(texts)));
}

TEST_F(VariableLengthTest, LeavesNoConversionInTheLibrary) {
  Write({"red"});
  ASSERT_TRUE(Read(true, 1).has_value());
  Lock lock;
  const Type text(H5Tcopy(H5T_C_S1));
  H5Tset_size(text.get(), H5T_VARIABLE);
  const Type opaque(H5Tcreate(H5T_OPAQUE, H5Tget_size(text.get())));
  H5T_cdata_t* data = nullptr;
  EXPECT_EQ(H5Tfind(text.get(), opaque.get(), &data), nullptr);
}

// Any byte of the heap may be wrong: the elements are read, or nothing is.
TEST_F(VariableLengthTest, SurvivesDamagedHeaps) {
  const std::vector<std::string> texts = {"red", "near infrared", "green"};
  Write(texts);
  const std::string bytes = Bytes();
  const size_t heap = bytes.find("GCOL");
  ASSERT_NE(heap, std::string::npos);
  int unread = 0;
  for (size_t at = heap; at < heap + 16 + 3 * 32; ++at) {
    for (const char value : {'\0', '\x7f', '\xff'}) {
      std::string damaged = bytes;
      damaged[at] = value;
      SetBytes(damaged);
      const auto read = Read(true, texts.size());
      if (!read.has_value()) {
        ++unread;
      } else {
        EXPECT_EQ(read->size(), texts.size());
      }
    }
  }
  EXPECT_GT(unread, 0);
}

TEST_F(VariableLengthTest, ReadsNothingFromAHeapThatIsCutOff) {
  Write({"red"});
  const std::string bytes = Bytes();
  std::string damaged = bytes;
  // The size of the collection, in its header.
  damaged[bytes.find("GCOL") + 12] = '\x01';
  SetBytes(damaged);
  EXPECT_EQ(Read(true, 1), std::nullopt);
}

}  // namespace
}  // namespace internode::cube::h5
