#include <gtest/gtest.h>

#include "eval/oracle/fake_task.h"
#include "kw/base/file.h"
#include "kw/eval/oracle.h"

namespace kw::eval {
namespace {

struct NpyFile {
  std::string header, data;
};
NpyFile ReadNpy(const std::string& path) {
  const std::string file = ReadFile(path).value_or("");
  if (file.size() < 10 || file.substr(0, 8) != std::string("\x93NUMPY\x01\x00", 8)) return {};
  const size_t length = static_cast<unsigned char>(file[8]) |
                        static_cast<size_t>(static_cast<unsigned char>(file[9])) << 8;
  EXPECT_EQ((10 + length) % 64, 0u);
  return {file.substr(10, length), file.substr(10 + length)};
}
std::vector<double> DoublesOf(const std::string& bytes) {
  std::vector<double> values(bytes.size() / 8);
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(values.data()));
  return values;
}

class DumpTest : public testing::Test {
 protected:
  void Dump(const std::vector<std::string>& outputs) {
    inputs_ = *GenerateInputs(task_, case_);
    CallOutcome outcome;
    outcome.outputs = outputs;
    const auto dumped =
        DumpCall(task_, case_, inputs_, outcome, reference_, scratch_.path() + "/new/folder");
    ASSERT_TRUE(dumped) << dumped.error().ToString();
  }
  std::string Path(const std::string& name) { return scratch_.path() + "/new/folder/" + name; }

  Task task_ = DoubleTask();
  Case case_ = CaseOf({{"rows", 2}, {"cols", 3}});
  FakeReference reference_;
  ScratchDirectory scratch_ = *ScratchDirectory::Make("dump");
  CaseInputs inputs_;
};

TEST_F(DumpTest, WritesInputsOutputsExpectedValuesAndErrors) {
  Dump({BytesOf({1, 2, 3, 4, 5, 6})});
  const NpyFile x = ReadNpy(Path("input_x.npy")), y = ReadNpy(Path("output_y.npy")),
                expected = ReadNpy(Path("expected_y.npy")), error = ReadNpy(Path("error_y.npy"));
  EXPECT_EQ(x.header.substr(0, x.header.find('}') + 1),
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2,3,), }");
  EXPECT_EQ(x.header.back(), '\n');
  EXPECT_EQ(x.data, inputs_.tensors[0]);
  EXPECT_EQ(FloatsOf(y.data), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_NE(expected.header.find("<f8"), std::string::npos);
  const std::vector<float> in = FloatsOf(x.data);
  const std::vector<double> wanted = DoublesOf(expected.data), off = DoublesOf(error.data);
  ASSERT_EQ(wanted.size(), 6u);
  ASSERT_EQ(off.size(), 6u);
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(wanted[i], 2.0 * in[i]);
    EXPECT_EQ(off[i], static_cast<double>(i + 1) - wanted[i]);
  }
}

TEST_F(DumpTest, LeavesOutWhatDidNotCome) {
  Dump({});
  EXPECT_TRUE(FileExists(Path("input_x.npy")));
  EXPECT_TRUE(FileExists(Path("expected_y.npy")));
  EXPECT_FALSE(FileExists(Path("output_y.npy")));
  EXPECT_FALSE(FileExists(Path("error_y.npy")));
}

TEST_F(DumpTest, WidensWhatNumpyHasNoTypeFor) {
  task_.inputs[0].dtype = DType::kBFloat16;
  // bfloat16 inputs are half as many bytes; the fake reference would read them as float32.
  task_.outputs.clear();
  Dump({});
  const NpyFile x = ReadNpy(Path("input_x.npy"));
  EXPECT_NE(x.header.find("<f4"), std::string::npos);
  EXPECT_EQ(x.data.size(), 6u * 4);
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(x.data.substr(4 * i, 2), std::string(2, '\0'));
    EXPECT_EQ(x.data.substr(4 * i + 2, 2), inputs_.tensors[0].substr(2 * i, 2));
  }
}

}  // namespace
}  // namespace kw::eval
