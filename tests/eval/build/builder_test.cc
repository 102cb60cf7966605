// Runs the real compilers. Without nvcc the tests that need it are skipped.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "kw/base/file.h"
#include "kw/eval/build.h"

namespace kw::eval {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kDouble[] = R"(#include <cstdint>
__global__ void twice(const float* x, float* y, int64_t n) {
  __shared__ float tile[128];
  int64_t i = blockIdx.x * 128 + threadIdx.x;
  tile[threadIdx.x] = 2.0f;
  __syncthreads();
  if (i < n) y[i] = x[i] * tile[127 - threadIdx.x];
}
extern "C" void run(const float* x, float* y, int64_t n, cudaStream_t stream) {
  twice<<<(n + 127) / 128, 128, 0, stream>>>(x, y, n);
}
)";

class BuilderTest : public testing::Test {
 protected:
  void SetUp() override {
    if (builder_.toolchain().nvcc_path.empty()) GTEST_SKIP() << "there is no nvcc";
  }
  BuildOutcome Build(const std::string& source, BuildTarget target = {}) {
    Result<BuildOutcome> outcome = builder_.BuildCandidate(source, target);
    EXPECT_TRUE(outcome) << (outcome ? "" : outcome.error().ToString());
    return outcome ? *outcome : BuildOutcome{};
  }

  ScratchDirectory folder_ = *ScratchDirectory::Make("builder");
  Builder builder_ = *Builder::Make({.cache = folder_.path()});
};

TEST_F(BuilderTest, BuildsAnObjectWithPtxAndSaysWhatItsKernelsNeed) {
  const BuildOutcome outcome = Build(kDouble);
  ASSERT_TRUE(outcome.ok) << outcome.feedback;
  EXPECT_FALSE(outcome.from_cache);
  ASSERT_EQ(outcome.resources.size(), 1u);
  EXPECT_GT(outcome.resources[0].registers, 0);
  EXPECT_EQ(outcome.resources[0].static_shared_bytes, 512);
  const std::string object = *ReadFile(outcome.object_path);
  EXPECT_EQ(object.substr(0, 4), "\177ELF");
  EXPECT_THAT(object, HasSubstr("libcudart.so.13"));
  EXPECT_THAT(object, HasSubstr("run"));
}

constexpr char kProduct[] = R"(
#include <cublas_v2.h>
#include <cstdint>
extern "C" void run(const float* a, float* c, int64_t n, cudaStream_t stream) {
  cublasHandle_t handle;
  cublasCreate(&handle);
  cublasSetStream(handle, stream);
  const float one = 1, zero = 0;
  cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_T, n, n, n, &one, a, n, a, n, &zero, c, n);
  cublasGemmEx(handle, CUBLAS_OP_N, CUBLAS_OP_T, n, n, n, &one, a, CUDA_R_32F, n, a, CUDA_R_32F, n,
               &zero, c, CUDA_R_32F, n, CUDA_R_32F, CUBLAS_GEMM_DEFAULT);
  cublasDestroy(handle);
}
)";

TEST_F(BuilderTest, LinksWithALibraryThatIsAllowed) {
  const BuildOutcome outcome = Build(kProduct, {.libraries = {"cublas"}});
  ASSERT_TRUE(outcome.ok) << outcome.feedback;
  EXPECT_THAT(*ReadFile(outcome.object_path), HasSubstr("libcublas.so.13"));
  // With our own headers, as where the toolkit has none.
  const BuildOutcome own = Build(
      kProduct,
      {.include_folders = {std::string(KW_BINARY_DIR) + "/lib/cublas"}, .libraries = {"cublas"}});
  ASSERT_TRUE(own.ok) << own.feedback;
  const BuildOutcome refused = Build(kProduct);
  EXPECT_FALSE(refused.ok);
  EXPECT_THAT(refused.feedback, HasSubstr("This task allows no cuBLAS"));
  const BuildOutcome legacy = Build(
      "extern \"C\" void cublasSgemm();\n__global__ void k() {}\n"
      "extern \"C\" void run() { cublasSgemm(); k<<<1, 1>>>(); }\n",
      {.libraries = {"cublas"}});
  EXPECT_EQ(legacy.reason, "link_error");
  EXPECT_THAT(legacy.feedback, HasSubstr("include it rather than declaring"));
}

TEST_F(BuilderTest, FindsTheSameSourceInTheCache) {
  const BuildOutcome first = Build(kDouble);
  const BuildOutcome second = Build(kDouble);
  EXPECT_TRUE(second.from_cache);
  EXPECT_EQ(first.object_hash, second.object_hash);
  EXPECT_EQ(second.resources.size(), 1u);
  EXPECT_EQ(builder_.FindObject(first.object_hash), second.object_path);
  EXPECT_FALSE(Build(std::string(kDouble) + "\n").from_cache);
  EXPECT_FALSE(Build(kDouble, {.sm = 90}).from_cache);
}

TEST_F(BuilderTest, GivesTheSameBytesInAnyPlace) {
  ScratchDirectory other_folder = *ScratchDirectory::Make("builder");
  Builder other = *Builder::Make({.cache = other_folder.path()});
  EXPECT_EQ(Build(kDouble).object_hash, other.BuildCandidate(kDouble, {})->object_hash);
}

TEST_F(BuilderTest, BuildsSassWhereAskedTo) {
  const BuildOutcome outcome = Build(kDouble, {.sm = 80, .ptx_only = false});
  ASSERT_TRUE(outcome.ok) << outcome.feedback;
  EXPECT_EQ(outcome.resources.size(), 1u);
}

TEST_F(BuilderTest, CompilesOnceForManyThreads) {
  std::vector<std::thread> threads;
  std::atomic<int> compiled = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const BuildOutcome outcome = Build(kDouble);
      if (outcome.ok && !outcome.from_cache) ++compiled;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(compiled, 1);
}

TEST_F(BuilderTest, ShowsTheAuthorsLineForAnError) {
  const BuildOutcome outcome = Build(
      "#include <cstdint>\n"
      "__global__ void k(float* y) { y[0] = undefined_thing; }\n"
      "extern \"C\" void run(float* y, cudaStream_t s) { k<<<1, 1, 0, s>>>(y); }\n");
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.reason, "compile_error");
  EXPECT_EQ(outcome.feedback,
            "kernel.cu:2: error: identifier \"undefined_thing\" is undefined\n"
            "    __global__ void k(float* y) { y[0] = undefined_thing; }");
  EXPECT_TRUE(Build("#include <cstdint>\n"
                    "__global__ void k(float* y) { y[0] = undefined_thing; }\n"
                    "extern \"C\" void run(float* y, cudaStream_t s) { k<<<1, 1, 0, s>>>(y); }\n")
                  .from_cache);
}

TEST_F(BuilderTest, NamesAMissingHeader) {
  const BuildOutcome outcome = Build("#include <missing.h>\n");
  EXPECT_EQ(outcome.feedback,
            "kernel.cu:1: error: missing.h: No such file or directory\n    #include <missing.h>");
}

TEST_F(BuilderTest, NamesASymbolThatNothingDefines) {
  const BuildOutcome outcome = Build(
      "void elsewhere(int);\n"
      "extern \"C\" void run(cudaStream_t s) { elsewhere(1); }\n");
  EXPECT_EQ(outcome.reason, "link_error");
  EXPECT_THAT(outcome.feedback, HasSubstr("elsewhere(int)"));
}

TEST_F(BuilderTest, RefusesInlinePtxThatPtxasRefuses) {
  const BuildOutcome outcome = Build(
      "__global__ void k(float* y) {\n"
      "  asm volatile(\"bogus.f32 %0;\" :: \"f\"(y[0]));\n"
      "}\n"
      "extern \"C\" void run(float* y, cudaStream_t s) { k<<<1, 1, 0, s>>>(y); }\n");
  EXPECT_EQ(outcome.reason, "compile_error");
  EXPECT_THAT(outcome.feedback, HasSubstr("kernel.cu:2: error: ptxas: Not a name"));
}

TEST_F(BuilderTest, RefusesMoreStaticSharedMemoryThanABlockHas) {
  const BuildOutcome outcome = Build(
      "__global__ void k(float* y) {\n"
      "  __shared__ float s[20000];\n"
      "  s[threadIdx.x] = y[0]; __syncthreads(); y[1] = s[threadIdx.x + 1];\n"
      "}\n"
      "extern \"C\" void run(float* y, cudaStream_t s) { k<<<1, 1, 0, s>>>(y); }\n");
  EXPECT_EQ(outcome.reason, "compile_error");
  EXPECT_THAT(outcome.feedback, HasSubstr("'k(float*)' uses too much shared data"));
}

TEST_F(BuilderTest, StopsACompilationThatDoesNotEnd) {
  ScratchDirectory other_folder = *ScratchDirectory::Make("builder");
  Builder impatient = *Builder::Make({.cache = other_folder.path(), .compile_cpu_seconds = 3});
  const BuildOutcome outcome = *impatient.BuildCandidate(
      "template <int N, int M> struct Fib {\n"
      "  static constexpr long v = Fib<N - 1, 2 * M>::v + Fib<N - 1, 2 * M + 1>::v;\n"
      "};\n"
      "template <int M> struct Fib<0, M> { static constexpr long v = M; };\n"
      "extern \"C\" long run(cudaStream_t s) { return Fib<26, 0>::v; }\n",
      {});
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.reason, "compile_timeout") << outcome.feedback;
}

TEST_F(BuilderTest, EndsAnEndlessInclude) {
  const BuildOutcome outcome = Build("#include \"/dev/zero\"\n");
  EXPECT_FALSE(outcome.ok);
  // By Landlock, or where there is none by the limit on memory.
  EXPECT_THAT(outcome.feedback, testing::AnyOf(HasSubstr("CUDA toolkit"), HasSubstr("memory")));
}

TEST_F(BuilderTest, ShowsNoPathsOfTheMachine) {
  const BuildOutcome outcome = Build("#include <cub/cub.cuh>\n#error stop\n");
  EXPECT_FALSE(outcome.ok);
  EXPECT_THAT(outcome.feedback, Not(HasSubstr("/tmp")));
  EXPECT_THAT(outcome.feedback, Not(HasSubstr(folder_.path())));
}

TEST_F(BuilderTest, RefusesASourceBeyondItsLimit) {
  const BuildOutcome outcome = Build(std::string(5 << 20, ' '));
  EXPECT_EQ(outcome.reason, "compile_error");
  EXPECT_THAT(outcome.feedback, HasSubstr("bytes"));
}

TEST_F(BuilderTest, SaysThatAnArchitectureIsUnknown) {
  const Result<BuildOutcome> outcome = builder_.BuildCandidate(kDouble, {.sm = 11});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kInvalid);
}

TEST_F(BuilderTest, BuildsAReferenceThatCanBeCalled) {
  const Result<BuildOutcome> outcome = builder_.BuildReference(
      "#include <cmath>\n#include <cstdint>\n"
      "extern \"C\" void reference(const double* x, double* y, int64_t n) {\n"
      "  for (int64_t i = 0; i < n; ++i) y[i] = std::sqrt(x[i]);\n}\n");
  ASSERT_TRUE(outcome && outcome->ok);
  void* library = dlopen(outcome->object_path.c_str(), RTLD_NOW);
  ASSERT_NE(library, nullptr);
  using Function = void (*)(const double*, double*, int64_t);
  const auto function = reinterpret_cast<Function>(dlsym(library, "reference"));
  ASSERT_NE(function, nullptr);
  const double x = 9;
  double y = 0;
  function(&x, &y, 1);
  EXPECT_EQ(y, 3);
  dlclose(library);
}

TEST_F(BuilderTest, ShowsErrorsOfAReference) {
  const Result<BuildOutcome> outcome = builder_.BuildReference("int f() { return x; }\n");
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(outcome->ok);
  EXPECT_THAT(outcome->feedback, HasSubstr("reference.cpp:1: error:"));
}

TEST_F(BuilderTest, TakesObjectsThatMatchTheirHash) {
  const BuildOutcome outcome = Build(kDouble);
  const std::string bytes = *ReadFile(outcome.object_path);
  ScratchDirectory other_folder = *ScratchDirectory::Make("builder");
  Builder other = *Builder::Make({.cache = other_folder.path()});
  EXPECT_FALSE(other.FindObject(outcome.object_hash));
  EXPECT_TRUE(other.StoreObject(outcome.object_hash, bytes));
  EXPECT_TRUE(other.FindObject(outcome.object_hash));
  const auto refused = other.StoreObject(outcome.object_hash, bytes + "x");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
}

// An nvcc whose dry run says something else: a script in front of the real one.
TEST_F(BuilderTest, AsksNvccItselfWhenItsStepsAreUnknown) {
  const std::string nvcc = builder_.toolchain().nvcc_path;
  const std::string root = nvcc.substr(0, nvcc.rfind("/bin/"));
  ScratchDirectory toolkit = *ScratchDirectory::Make("toolkit");
  ASSERT_TRUE(MakeDirectories(toolkit.path() + "/bin"));
  ASSERT_TRUE(
      WriteFileAtomic(toolkit.path() + "/bin/nvcc",
                      "#!/bin/sh\n[ \"$1\" = --dryrun ] && echo '#$ mystery step' && exit 0\n"
                      "exec '" +
                          nvcc + "' \"$@\"\n"));
  std::filesystem::permissions(toolkit.path() + "/bin/nvcc", std::filesystem::perms::owner_all);
  std::filesystem::create_symlink(root + "/bin/ptxas", toolkit.path() + "/bin/ptxas");
  for (const char* folder : {"/lib64", "/lib"}) {
    if (IsDirectory(root + folder)) {
      std::filesystem::create_symlink(root + folder, toolkit.path() + folder);
    }
  }
  ScratchDirectory other_folder = *ScratchDirectory::Make("builder");
  Builder other =
      *Builder::Make({.cache = other_folder.path(), .nvcc = toolkit.path() + "/bin/nvcc"});
  const auto good = other.BuildCandidate(kDouble, {});
  ASSERT_TRUE(good) << good.error().ToString();
  EXPECT_TRUE(good->ok) << good->feedback;
  EXPECT_EQ(good->resources.size(), 1u);
  const auto bad = other.BuildCandidate("int a = b;\n", {});
  ASSERT_TRUE(bad) << bad.error().ToString();
  EXPECT_EQ(bad->feedback, "kernel.cu:1: error: identifier \"b\" is undefined\n    int a = b;");
}

TEST(Builder, SaysThatANamedNvccIsNotThere) {
  ScratchDirectory folder = *ScratchDirectory::Make("builder");
  const auto made = Builder::Make({.cache = folder.path(), .nvcc = "/nowhere/nvcc"});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace kw::eval
