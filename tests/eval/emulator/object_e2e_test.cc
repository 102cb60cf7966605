// The way of a candidate: nvcc -shared, PTX out of the object, launch.
#include <gtest/gtest.h>

#include <cstdlib>

#include "ptx_source.h"

namespace kw::eval {
namespace {

TEST(Object, CarriesItsPtxPlainOrCompressed) {
  auto scratch = ScratchDirectory::Make("object");
  ASSERT_TRUE(scratch.has_value());
  ASSERT_TRUE(WriteFileAtomic(scratch->path() + "/a.cu", R"(
    #include <cstdint>
    #include <cuda_runtime.h>
    __global__ void twice(const float* x, float* y, int64_t n) {
      int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
      if (i < n) y[i] = 2 * x[i];
    }
    extern "C" void run(const float* x, float* y, int64_t n, cudaStream_t s) { twice<<<(n + 63) / 64, 64, 0, s>>>(x, y, n); }
  )")
                  .has_value());
  for (const char* extra : {"", "--no-compress", "--compress-mode=speed"}) {
    const std::string command =
        "PATH=$PATH:/usr/local/cuda/bin nvcc -shared -Xcompiler -fPIC -cudart shared -lineinfo "
        "-gencode arch=compute_80,code=compute_80 " +
        std::string(extra) + " -o " + scratch->path() + "/a.so " + scratch->path() + "/a.cu";
    ASSERT_EQ(std::system(command.c_str()), 0);
    const auto object = ReadFile(scratch->path() + "/a.so");
    ASSERT_TRUE(object.has_value());
    const auto images = ReadPtxImages(*object);
    ASSERT_TRUE(images.has_value()) << images.error().ToString();
    ASSERT_EQ(images->size(), 1u) << extra;
    Bench bench(images->front());
    const uint64_t x = bench.Upload(std::vector<float>(100, 1.25f), "x"), y = bench.Make(400, "y");
    const LaunchOutcome done =
        bench.Run("_Z5twicePKfPfl", {2}, {64}, 0, x, y, static_cast<int64_t>(100));
    ASSERT_EQ(done.status, LaunchOutcome::Status::kOk) << done.message;
    EXPECT_EQ(bench.Download<float>(y, 100), std::vector<float>(100, 2.5f));
    EXPECT_EQ(bench.HazardKinds(), "");
  }
}

}  // namespace
}  // namespace kw::eval
