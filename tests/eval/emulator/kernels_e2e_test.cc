// Kernels as people write them, compiled by nvcc, against results computed here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "ptx_source.h"

namespace kw::eval {
namespace {

using Status = LaunchOutcome::Status;

void ExpectNear(const std::vector<float>& got, const std::vector<double>& want, double tolerance) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], want[i], tolerance * std::max(1.0, std::fabs(want[i]))) << "at " << i;
  }
}

std::vector<double> SoftmaxRows(const std::vector<float>& x, size_t rows, size_t cols) {
  std::vector<double> y(x.size());
  for (size_t r = 0; r < rows; ++r) {
    double most = -INFINITY, sum = 0;
    for (size_t c = 0; c < cols; ++c) most = std::max<double>(most, x[r * cols + c]);
    for (size_t c = 0; c < cols; ++c) sum += std::exp(x[r * cols + c] - most);
    for (size_t c = 0; c < cols; ++c) y[r * cols + c] = std::exp(x[r * cols + c] - most) / sum;
  }
  return y;
}

TEST(Kernels, ElementwiseWithTail) {
  Bench bench(CompilePtx(R"(
    extern "C" __global__ void gelu(const float* x, float* y, int n) {
      int i = blockIdx.x * blockDim.x + threadIdx.x;
      if (i < n) { float v = x[i]; y[i] = 0.5f * v * (1.0f + erff(v * 0.70710678f)); }
    }
    extern "C" __global__ void gelu_tanh(const float* x, float* y, int n) {
      for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
        float v = x[i]; y[i] = 0.5f * v * (1.0f + tanhf(0.79788456f * (v + 0.044715f * v * v * v)));
      }
    })"));
  for (const int n : {1, 31, 33, 1000}) {
    const std::vector<float> x = Normal(static_cast<size_t>(n));
    const uint64_t in = bench.Upload(x, "x"), out = bench.Make(x.size() * 4, "y");
    LaunchOutcome done =
        bench.Run("gelu", {static_cast<uint32_t>((n + 127) / 128)}, {128}, 0, in, out, n);
    ASSERT_EQ(done.status, Status::kOk) << done.message;
    std::vector<double> want, want_tanh;
    for (const float v : x) {
      want.push_back(0.5 * v * (1 + std::erf(v * 0.70710678)));
      want_tanh.push_back(0.5 * v * (1 + std::tanh(0.79788456 * (v + 0.044715 * v * v * v))));
    }
    ExpectNear(bench.Download<float>(out, x.size()), want, 2e-6);
    done = bench.Run("gelu_tanh", {2}, {64}, 0, in, out, n);
    ASSERT_EQ(done.status, Status::kOk) << done.message;
    ExpectNear(bench.Download<float>(out, x.size()), want_tanh, 2e-6);
    EXPECT_EQ(bench.HazardKinds(), "");
  }
}

constexpr std::string_view kSoftmax = R"(
  __device__ float warp_max(float v) {
    for (int o = 16; o > 0; o >>= 1) v = fmaxf(v, __shfl_xor_sync(0xffffffffu, v, o));
    return v;
  }
  __device__ float warp_sum(float v) {
    for (int o = 16; o > 0; o >>= 1) v += __shfl_down_sync(0xffffffffu, v, o);
    return v;
  }
  extern "C" __global__ void softmax(const float* x, float* y, long rows, long cols) {
    __shared__ float part[32];
    const float* in = x + blockIdx.x * cols; float* out = y + blockIdx.x * cols;
    int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
    float m = -INFINITY;
    for (long c = threadIdx.x; c < cols; c += blockDim.x) m = fmaxf(m, in[c]);
    m = warp_max(m);
    if (lane == 0) part[warp] = m;
    __syncthreads();
    m = lane < warps ? part[lane] : -INFINITY;
    m = warp_max(m);
    float s = 0;
    for (long c = threadIdx.x; c < cols; c += blockDim.x) s += expf(in[c] - m);
    s = warp_sum(s);
    __syncthreads();
    if (lane == 0) part[warp] = s;
    __syncthreads();
    if (warp == 0) { s = lane < warps ? part[lane] : 0.f; s = warp_sum(s); if (lane == 0) part[0] = s; }
    __syncthreads();
    s = part[0];
    for (long c = threadIdx.x; c < cols; c += blockDim.x) out[c] = expf(in[c] - m) / s;
  }
  extern "C" __global__ void softmax_shared(const float* x, float* y, int rows, int cols) {
    extern __shared__ float row[];
    float* red = row + cols;
    int t = threadIdx.x;
    for (int c = t; c < cols; c += blockDim.x) row[c] = x[blockIdx.x * cols + c];
    __syncthreads();
    float m = -1e30f;
    for (int c = t; c < cols; c += blockDim.x) m = fmaxf(m, row[c]);
    red[t] = m; __syncthreads();
    for (int s = blockDim.x / 2; s > 0; s >>= 1) { if (t < s) red[t] = fmaxf(red[t], red[t + s]); __syncthreads(); }
    m = red[0]; __syncthreads();
    float sum = 0;
    for (int c = t; c < cols; c += blockDim.x) { float e = __expf(row[c] - m); row[c] = e; sum += e; }
    red[t] = sum; __syncthreads();
    for (int s = blockDim.x / 2; s > 0; s >>= 1) { if (t < s) red[t] += red[t + s]; __syncthreads(); }
    float inv = 1.0f / red[0];
    for (int c = t; c < cols; c += blockDim.x) y[blockIdx.x * cols + c] = row[c] * inv;
  })";

TEST(Kernels, SoftmaxByShufflesAndBySharedMemory) {
  for (const std::string_view arch : {"75", "80", "90"}) {
    Bench bench(CompilePtx(kSoftmax, arch));
    for (const long cols : {1L, 3L, 31L, 33L, 1000L}) {
      const std::vector<float> x = Normal(static_cast<size_t>(5 * cols));
      const std::vector<double> want = SoftmaxRows(x, 5, static_cast<size_t>(cols));
      const uint64_t in = bench.Upload(x, "x"), out = bench.Make(x.size() * 4, "y");
      LaunchOutcome done = bench.Run("softmax", {5}, {256}, 0, in, out, 5L, cols);
      ASSERT_EQ(done.status, Status::kOk) << done.message;
      ExpectNear(bench.Download<float>(out, x.size()), want, 2e-6);
      done = bench.Run("softmax_shared", {5}, {128}, static_cast<uint32_t>(cols * 4 + 512), in, out,
                       5, static_cast<int>(cols));
      ASSERT_EQ(done.status, Status::kOk) << done.message;
      ExpectNear(bench.Download<float>(out, x.size()), want, 2e-6);
      ASSERT_EQ(bench.HazardKinds(), "") << bench.last_hazards[0].text;
    }
  }
}

TEST(Kernels, TiledAndRegisterBlockedMatmul) {
  Bench bench(CompilePtx(R"(
    #define T 16
    extern "C" __global__ void tiled(const float* a, const float* b, float* c, int m, int n, int k) {
      __shared__ float as[T][T], bs[T][T + 1];
      int row = blockIdx.y * T + threadIdx.y, col = blockIdx.x * T + threadIdx.x;
      float acc = 0;
      for (int t = 0; t < (k + T - 1) / T; ++t) {
        int ak = t * T + threadIdx.x, bk = t * T + threadIdx.y;
        as[threadIdx.y][threadIdx.x] = row < m && ak < k ? a[row * k + ak] : 0.f;
        bs[threadIdx.y][threadIdx.x] = col < n && bk < k ? b[bk * n + col] : 0.f;
        __syncthreads();
        #pragma unroll
        for (int i = 0; i < T; ++i) acc += as[threadIdx.y][i] * bs[i][threadIdx.x];
        __syncthreads();
      }
      if (row < m && col < n) c[row * n + col] = acc;
    }
    // 64 x 64 tiles, 4 x 4 a thread, float4 loads; sizes are multiples of the tile.
    extern "C" __global__ void __launch_bounds__(256) blocked(const float* a, const float* b, float* c, int n) {
      __shared__ __align__(16) float as[16][64], bs[16][64];
      int tid = threadIdx.x, tx = tid % 16, ty = tid / 16;
      float acc[4][4] = {};
      for (int k0 = 0; k0 < n; k0 += 16) {
        float4 v = *reinterpret_cast<const float4*>(&a[(blockIdx.y * 64 + tid / 4) * n + k0 + tid % 4 * 4]);
        int r = tid / 4, q = tid % 4 * 4;
        as[q][r] = v.x; as[q + 1][r] = v.y; as[q + 2][r] = v.z; as[q + 3][r] = v.w;
        *reinterpret_cast<float4*>(&bs[ty][tx * 4]) =
            *reinterpret_cast<const float4*>(&b[(k0 + ty) * n + blockIdx.x * 64 + tx * 4]);
        __syncthreads();
        for (int k = 0; k < 16; ++k) {
          float4 x = *reinterpret_cast<float4*>(&as[k][ty * 4]);
          float4 y = *reinterpret_cast<float4*>(&bs[k][tx * 4]);
          float xs[4] = {x.x, x.y, x.z, x.w}, ys[4] = {y.x, y.y, y.z, y.w};
          for (int i = 0; i < 4; ++i) for (int j = 0; j < 4; ++j) acc[i][j] = fmaf(xs[i], ys[j], acc[i][j]);
        }
        __syncthreads();
      }
      for (int i = 0; i < 4; ++i) for (int j = 0; j < 4; ++j)
        c[(blockIdx.y * 64 + ty * 4 + i) * n + blockIdx.x * 64 + tx * 4 + j] = acc[i][j];
    })"));
  const auto reference = [](const std::vector<float>& a, const std::vector<float>& b, size_t m,
                            size_t n, size_t k) {
    std::vector<double> c(m * n);
    for (size_t i = 0; i < m; ++i)
      for (size_t p = 0; p < k; ++p)
        for (size_t j = 0; j < n; ++j) c[i * n + j] += double(a[i * k + p]) * b[p * n + j];
    return c;
  };
  for (const auto& [m, n, k] :
       std::vector<std::array<int, 3>>{{1, 1, 1}, {17, 33, 5}, {40, 48, 64}}) {
    const auto a = Normal(static_cast<size_t>(m * k)), b = Normal(static_cast<size_t>(k * n), 9);
    const uint64_t da = bench.Upload(a, "a"), db = bench.Upload(b, "b"),
                   dc = bench.Make(static_cast<uint64_t>(m * n * 4), "c");
    const LaunchOutcome done = bench.Run(
        "tiled", {static_cast<uint32_t>((n + 15) / 16), static_cast<uint32_t>((m + 15) / 16)},
        {16, 16}, 0, da, db, dc, m, n, k);
    ASSERT_EQ(done.status, Status::kOk) << done.message;
    ExpectNear(
        bench.Download<float>(dc, static_cast<size_t>(m * n)),
        reference(a, b, static_cast<size_t>(m), static_cast<size_t>(n), static_cast<size_t>(k)),
        1e-5);
    ASSERT_EQ(bench.HazardKinds(), "") << bench.last_hazards[0].text;
  }
  const auto a = Normal(128 * 128), b = Normal(128 * 128, 9);
  const uint64_t da = bench.Upload(a, "a"), db = bench.Upload(b, "b"),
                 dc = bench.Make(128 * 128 * 4, "c");
  const LaunchOutcome done = bench.Run("blocked", {2, 2}, {256}, 0, da, db, dc, 128);
  ASSERT_EQ(done.status, Status::kOk) << done.message;
  ExpectNear(bench.Download<float>(dc, 128 * 128), reference(a, b, 128, 128, 128), 1e-5);
  ASSERT_EQ(bench.HazardKinds(), "") << bench.last_hazards[0].text;
}

}  // namespace
}  // namespace kw::eval
