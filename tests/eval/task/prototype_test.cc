#include "sample.h"

namespace kw::eval {
namespace {

TEST(Prototype, InputsOutputsAxesStream) {
  const Task task = Loaded(Sample());
  EXPECT_EQ(Prototype(task),
            "extern \"C\" void run(const float* x, const int32_t* index, float scale, float* y, "
            "int64_t* where, int64_t rows, int64_t picked, cudaStream_t stream)");
  EXPECT_EQ(ReferencePrototype(task),
            "extern \"C\" void reference(const double* x, const int64_t* index, double scale, "
            "double* y, int64_t* where, int64_t rows, int64_t picked)");
}

TEST(Prototype, ParametersSayWhatTheyAre) {
  using Role = Parameter::Role;
  const std::vector<Parameter> parameters = CandidateParameters(Loaded(Sample()));
  ASSERT_EQ(parameters.size(), 8u);
  const Role roles[] = {Role::kInput,  Role::kInput, Role::kScalar, Role::kOutput,
                        Role::kOutput, Role::kAxis,  Role::kAxis,   Role::kStream};
  for (size_t i = 0; i < 8; ++i) EXPECT_EQ(parameters[i].role, roles[i]) << i;
  EXPECT_EQ(parameters[1].dtype, DType::kInt32);
}

// {dtype, device pointer, by value, reference pointer, reference by value}
TEST(Prototype, SpellsEveryDType) {
  const std::vector<std::vector<std::string>> spellings = {
      {"float64", "double", "double", "double", "double"},
      {"float32", "float", "float", "double", "double"},
      {"float16", "__half", "float", "double", "double"},
      {"bfloat16", "__nv_bfloat16", "float", "double", "double"},
      {"float8_e4m3fn", "__nv_fp8_e4m3", "float", "double", "double"},
      {"float8_e5m2", "__nv_fp8_e5m2", "float", "double", "double"},
      {"int64", "int64_t", "int64_t", "int64_t", "int64_t"},
      {"int32", "int32_t", "int32_t", "int64_t", "int64_t"},
      {"int16", "int16_t", "int16_t", "int64_t", "int64_t"},
      {"int8", "int8_t", "int8_t", "int64_t", "int64_t"},
      {"uint8", "uint8_t", "uint8_t", "int64_t", "int64_t"},
      {"bool", "bool", "bool", "int64_t", "bool"},
  };
  for (const auto& s : spellings) {
    Files files = WithFile("definition.json",
                           R"({"name": "a", "op_type": "a", "axes": {"n": {"type": "var"}},
                               "inputs": {"x": {"shape": ["n"], "dtype": ")" +
                               s[0] + R"("}, "v": {"shape": null, "dtype": ")" + s[0] +
                               R"("}}, "outputs": {"y": {"shape": [], "dtype": ")" + s[0] +
                               R"("}}, "reference": "def run(x, v):\n  return x\n"})");
    files["workloads.jsonl"] = R"({"uuid": "a", "axes": {"n": 1}})";
    files.erase("task.toml");
    const Task task = Loaded(files);
    EXPECT_EQ(Prototype(task), "extern \"C\" void run(const " + s[1] + "* x, " + s[2] + " v, " +
                                   s[1] + "* y, int64_t n, cudaStream_t stream)");
    EXPECT_EQ(ReferencePrototype(task), "extern \"C\" void reference(const " + s[3] + "* x, " +
                                            s[4] + " v, " + s[3] + "* y, int64_t n)");
  }
}

TEST(Prototype, NamesThatCannotBeParametersGetAnUnderscore) {
  Files files = WithFile("definition.json",
                         R"({"name": "a", "op_type": "a", "axes": {"int": {"type": "var"},
                             "x": {"type": "var"}},
                             "inputs": {"x": {"shape": ["int", "x"], "dtype": "float32"},
                                        "run": {"shape": ["x"], "dtype": "float32"}},
                             "outputs": {"stream": {"shape": ["int"], "dtype": "float32"}},
                             "reference": "def run(x, y):\n  return x\n"})");
  files["workloads.jsonl"] = R"({"uuid": "a", "axes": {"int": 1, "x": 2}})";
  files.erase("task.toml");
  EXPECT_EQ(Prototype(Loaded(files)),
            "extern \"C\" void run(const float* x, const float* run_, float* stream, int64_t int_, "
            "int64_t x_, cudaStream_t stream_)");
}

}  // namespace
}  // namespace kw::eval
