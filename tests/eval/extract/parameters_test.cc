// Parameters against the task's prototype: plainly wrong ones are named, the rest passes.
#include <map>
#include <vector>

#include "sample.h"

namespace kw::eval {
namespace {

// x: float16, index: int32, flags: bool, scale: a float16 scalar, count: an int64 scalar, on: bool.
const Task& Mixed() {
  static const Task task = [] {
    const std::map<std::string, std::string> files = {
        {"definition.json", R"({"name": "mixed", "op_type": "mixed",
            "axes": {"n": {"type": "var"}},
            "inputs": {"x": {"shape": ["n"], "dtype": "float16"},
                       "index": {"shape": ["n"], "dtype": "int32"},
                       "flags": {"shape": ["n"], "dtype": "bool"},
                       "scale": {"shape": null, "dtype": "float16"},
                       "count": {"shape": null, "dtype": "int64"},
                       "on": {"shape": null, "dtype": "bool"}},
            "outputs": {"y": {"shape": ["n"], "dtype": "float64"}},
            "reference": "def run(x, index, flags, scale, count, on):\n    return x"})"},
        {"workloads.jsonl", R"({"uuid": "a", "axes": {"n": 4}, "inputs": {}})"},
        {"baseline.cu", "// none\n"}};
    Result<Task> loaded = LoadTaskFiles(files, "mixed");
    EXPECT_TRUE(loaded) << loaded.error().ToString();
    return loaded ? *std::move(loaded) : Task{};
  }();
  return task;
}

Extraction Check(const std::string& parameters, const Task& task) {
  return PrecheckSource("__global__ void k() {}\nextern \"C\" void run(" + parameters + ") {}\n",
                        task);
}

struct Case {
  const char* parameters;
  const char* told;  // nullptr: passes
};

TEST(Parameters, OfSoftmax) {
  const std::vector<Case> cases = {
      {"", "`run` has 0 parameters, the task gives 5"},
      {"void", "`run` has 0 parameters, the task gives 5"},
      {"const float* x", "`run` has 1 parameter, the task gives 5"},
      {"const float* x, float* y, int64_t rows, int64_t cols", "has 4 parameters"},
      {"const float* x, float* y, int64_t rows, int64_t cols, int64_t z, cudaStream_t s",
       "has 6 parameters"},
      {"const float* x, float* y, int64_t rows, cudaStream_t s", "has 4 parameters"},
      {"torch::Tensor x", "has 1 parameter"},
      {"const double* x, float* y, int64_t r, int64_t c, cudaStream_t s",
       "parameter 1 of `run` is `const double* x`"},
      {"const half* x, float* y, int64_t r, int64_t c, cudaStream_t s", "parameter 1"},
      {"const int* x, float* y, int64_t r, int64_t c, cudaStream_t s", "parameter 1"},
      {"float x, float* y, int64_t r, int64_t c, cudaStream_t s", "parameter 1"},
      {"const float** x, float* y, int64_t r, int64_t c, cudaStream_t s", "parameter 1"},
      {"const float& x, float* y, int64_t r, int64_t c, cudaStream_t s", "parameter 1"},
      {"float* y, const float* x, int64_t r, int64_t c, cudaStream_t s",
       "parameter 2 of `run` is `const float* x`, where the task gives `float* y`"},
      {"const float* x, float const* y, int64_t r, int64_t c, cudaStream_t s", "parameter 2"},
      {"const float* x, __nv_bfloat16* y, int64_t r, int64_t c, cudaStream_t s", "parameter 2"},
      {"const float* x, float* y, float r, int64_t c, cudaStream_t s", "parameter 3"},
      {"const float* x, float* y, int64_t* r, int64_t c, cudaStream_t s", "parameter 3"},
      {"const float* x, float* y, const int64_t& r, int64_t c, cudaStream_t s", "parameter 3"},
      {"const float* x, float* y, int64_t r, double c, cudaStream_t s", "parameter 4"},
      {"const float* x, float* y, int64_t r, cudaStream_t s, int64_t c", "parameter 4"},
      {"const float* x, float* y, int64_t r, int64_t c, int s", "parameter 5"},
      {"const float* x, float* y, int64_t r, int64_t c, float* s", "parameter 5"},
      {"const float* x, float* y, int64_t r, int64_t c, cudaStream_t* s", "parameter 5"},
      {"cudaStream_t s, const float* x, float* y, int64_t r, int64_t c", "parameter 1"},
      {"Pointer<const float> x, Pointer<float> y, Index<1, 2> r, Index<3> c, Stream s", nullptr},
      {"Bundle<4>", nullptr},
      {"ARGUMENTS", nullptr},
      {"const float* x, ...", nullptr},
      {"const float* x, float* y, decltype(1 < 2) r, int64_t c, cudaStream_t s", nullptr},
      {"const float *x , float *y , signed long r , long signed int c , cudaStream_t s", nullptr},
      {"volatile const float* x, volatile float* y, int64_t r, int64_t c, cudaStream_t s", nullptr},
      {"const float (*x), float* y, int64_t r, int64_t c, cudaStream_t s", nullptr},
  };
  for (const Case& one : cases) {
    const Extraction checked = Check(one.parameters, Softmax());
    if (one.told == nullptr) {
      EXPECT_TRUE(checked.ok) << one.parameters << ": " << checked.feedback;
      continue;
    }
    EXPECT_EQ(checked.reason, "wrong_parameters") << one.parameters << ": " << checked.feedback;
    EXPECT_EQ(checked.line, 2) << one.parameters;
    EXPECT_NE(checked.feedback.find(one.told), std::string::npos) << checked.feedback;
    EXPECT_NE(checked.feedback.find(Prototype(Softmax())), std::string::npos) << checked.feedback;
  }
}

TEST(Parameters, OfMixedTypes) {
  ASSERT_EQ(Prototype(Mixed()),
            "extern \"C\" void run(const __half* x, const int32_t* index, const bool* flags, float "
            "scale, int64_t count, bool on, double* y, int64_t n, cudaStream_t stream)");
  const std::string rest = ", double* y, int64_t n, cudaStream_t s";
  const std::vector<Case> cases = {
      {"const __half* x, const int32_t* i, const bool* f, float s, int64_t c, bool on", nullptr},
      {"const half* x, const int* i, const uint8_t* f, float s, long c, int on", nullptr},
      {"const unsigned short* x, const unsigned* i, const char* f, float s, int c, bool on",
       nullptr},
      {"const __half2* x, const int4* i, const signed char* f, float s, long long c, bool o",
       nullptr},
      {"const float* x, const int32_t* i, const bool* f, float s, int64_t c, bool on",
       "parameter 1"},
      {"const nv_bfloat16* x, const int32_t* i, const bool* f, float s, int64_t c, bool on",
       "parameter 1"},
      {"const __half* x, const int64_t* i, const bool* f, float s, int64_t c, bool on",
       "parameter 2"},
      {"const __half* x, const float* i, const bool* f, float s, int64_t c, bool on",
       "parameter 2"},
      {"const __half* x, const int32_t* i, const int* f, float s, int64_t c, bool on",
       "parameter 3"},
      {"const __half* x, const int32_t* i, const bool* f, __half s, int64_t c, bool on",
       "parameter 4"},
      {"const __half* x, const int32_t* i, const bool* f, double s, int64_t c, bool on",
       "parameter 4"},
      {"const __half* x, const int32_t* i, const bool* f, int s, int64_t c, bool on",
       "parameter 4"},
      {"const __half* x, const int32_t* i, const bool* f, const float* s, int64_t c, bool on",
       "parameter 4"},
      {"const __half* x, const int32_t* i, const bool* f, float s, float c, bool on",
       "parameter 5"},
      {"const __half* x, const int32_t* i, const bool* f, float s, int64_t c, const bool* on",
       "parameter 6"},
  };
  for (const Case& one : cases) {
    const Extraction checked = Check(one.parameters + rest, Mixed());
    if (one.told == nullptr) {
      EXPECT_TRUE(checked.ok) << one.parameters << ": " << checked.feedback;
    } else {
      EXPECT_EQ(checked.reason, "wrong_parameters") << one.parameters;
      EXPECT_NE(checked.feedback.find(one.told), std::string::npos) << checked.feedback;
    }
  }
}

TEST(Parameters, ThePrototypeOfEveryNativeTaskFitsItself) {
  const Result<TaskLibrary> library = TaskLibrary::Open(std::string(KW_SOURCE_DIR) + "/data/tasks");
  ASSERT_TRUE(library);
  for (const std::string& name : library->Names()) {
    const Result<Task> task = library->Load(name);
    ASSERT_TRUE(task);
    const Extraction checked =
        PrecheckSource("__global__ void k() {}\n" + Prototype(*task) + " {}\n", *task);
    EXPECT_TRUE(checked.ok) << name << ": " << checked.feedback;
  }
}

TEST(Parameters, OneOverloadThatFitsIsEnough) {
  EXPECT_TRUE(PrecheckSource("void run(int n) {}\n" + Good(), Softmax()).ok);
  EXPECT_TRUE(PrecheckSource(Good() + "void run(int n) {}\n", Softmax()).ok);
}

}  // namespace
}  // namespace kw::eval
