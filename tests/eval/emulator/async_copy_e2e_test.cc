// cp.async: what it copies is there when its thread has waited, and for others behind a barrier.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ptx_source.h"

namespace kw::eval {
namespace {

using testing::HasSubstr;

constexpr std::string_view kCopies = R"(
  #include <cuda_pipeline.h>
  __device__ void copy(float* to, const float* from) { __pipeline_memcpy_async(to, from, 16); }

  extern "C" __global__ void no_wait(const float* x, float* y) {
    __shared__ __align__(16) float s[256];
    int t = threadIdx.x;
    copy(&s[t * 4], &x[t * 4]);
    __pipeline_commit();
    __syncthreads();
    y[t] = s[t];
  }
  extern "C" __global__ void wait_for_too_few(const float* x, float* y) {
    __shared__ __align__(16) float s[2][256];
    int t = threadIdx.x;
    copy(&s[0][t * 4], &x[t * 4]);
    __pipeline_commit();
    copy(&s[1][t * 4], &x[256 + t * 4]);
    __pipeline_commit();
    __pipeline_wait_prior(1);
    __syncthreads();
    y[t] = s[0][t] + s[1][t];
  }
  extern "C" __global__ void no_barrier(const float* x, float* y) {
    __shared__ __align__(16) float s[256];
    int t = threadIdx.x;
    copy(&s[t * 4], &x[t * 4]);
    __pipeline_commit();
    __pipeline_wait_prior(0);
    y[t] = s[255 - t];
  }
  extern "C" __global__ void refills_too_early(const float* x, float* y, int tiles) {
    __shared__ __align__(16) float s[256];
    int t = threadIdx.x;
    float sum = 0;
    for (int k = 0; k < tiles; ++k) {
      copy(&s[t * 4], &x[k * 256 + t * 4]);
      __pipeline_commit();
      __pipeline_wait_prior(0);
      __syncthreads();
      sum += s[255 - t];
    }
    y[t] = sum;
  }
  extern "C" __global__ void own_part(const float* x, float* y) {
    __shared__ __align__(16) float s[256];
    int t = threadIdx.x;
    copy(&s[t * 4], &x[t * 4]);
    __pipeline_commit();
    __pipeline_wait_prior(0);
    y[t] = s[t * 4 + 3];
  }
  extern "C" __global__ void double_buffer(const float* x, float* y, int tiles) {
    __shared__ __align__(16) float s[2][256];
    int t = threadIdx.x;
    copy(&s[0][t * 4], &x[t * 4]);
    __pipeline_commit();
    float sum = 0;
    for (int k = 0; k < tiles; ++k) {
      if (k + 1 < tiles) copy(&s[(k + 1) % 2][t * 4], &x[(k + 1) * 256 + t * 4]);
      __pipeline_commit();
      __pipeline_wait_prior(1);
      __syncthreads();
      sum += s[k % 2][255 - t];
      __syncthreads();
    }
    y[t] = sum;
  }
  extern "C" __global__ void tail_is_zero(const float* x, float* y, int n) {
    __shared__ __align__(16) float s[256];
    int t = threadIdx.x, left = max(0, min(4, n - t * 4));
    __pipeline_memcpy_async(&s[t * 4], &x[left > 0 ? t * 4 : 0], 16, 16 - left * 4);
    __pipeline_commit();
    __pipeline_wait_prior(0);
    __syncthreads();
    y[t] = s[t * 4] + s[t * 4 + 1] + s[t * 4 + 2] + s[t * 4 + 3];
  }
)";

TEST(AsyncCopies, AreThereOnlyWhenTheyWereWaitedFor) {
  Bench bench(CompilePtx(kCopies));
  std::vector<float> values(1024);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  const uint64_t x = bench.Upload(values, "x"), y = bench.Make(1024, "y");
  const auto hazards = [&](const LaunchOutcome& done) {
    EXPECT_EQ(done.status, LaunchOutcome::Status::kOk) << done.message;
    return bench.HazardKinds();
  };
  EXPECT_EQ(hazards(bench.Run("no_wait", {1}, {64}, 0, x, y)), "shared_race");
  EXPECT_THAT(bench.last_hazards[0].text, HasSubstr("before the copy was waited for"));
  EXPECT_EQ(hazards(bench.Run("wait_for_too_few", {1}, {64}, 0, x, y)), "shared_race");
  EXPECT_THAT(bench.last_hazards[0].text, HasSubstr("before the copy was waited for"));
  EXPECT_THAT(hazards(bench.Run("no_barrier", {1}, {64}, 0, x, y)), HasSubstr("shared_race"));
  EXPECT_EQ(hazards(bench.Run("refills_too_early", {1}, {64}, 0, x, y, 3)), "shared_race");

  EXPECT_EQ(hazards(bench.Run("own_part", {1}, {64}, 0, x, y)), "");
  EXPECT_EQ(bench.Download<float>(y, 64)[63], 255.0f);
  EXPECT_EQ(hazards(bench.Run("double_buffer", {2}, {64}, 0, x, y, 4)), "");
  EXPECT_EQ(bench.Download<float>(y, 64)[1], 254.0f * 4 + 256 * 6);
  EXPECT_EQ(hazards(bench.Run("tail_is_zero", {1}, {64}, 0, x, y, 6)), "");
  EXPECT_EQ(bench.Download<float>(y, 64)[1], 4.0f + 5.0f);
}

}  // namespace
}  // namespace kw::eval
