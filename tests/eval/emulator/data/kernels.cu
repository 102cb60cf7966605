// Source of kernels.ptx: nvcc -ptx -lineinfo -arch=compute_80 -o kernels.ptx kernels.cu
#include <cuda_fp16.h>

__device__ float warp_max(float v) {
  for (int o = 16; o > 0; o >>= 1) v = fmaxf(v, __shfl_xor_sync(0xffffffffu, v, o));
  return v;
}
__device__ float warp_sum(float v) {
  for (int o = 16; o > 0; o >>= 1) v += __shfl_xor_sync(0xffffffffu, v, o);
  return v;
}

// A block a row, 256 threads.
extern "C" __global__ void softmax(const float* x, float* y, int cols) {
  __shared__ float part[32];
  const float* in = x + (long)blockIdx.x * cols;
  float* out = y + (long)blockIdx.x * cols;
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
  float m = -INFINITY;
  for (int c = threadIdx.x; c < cols; c += blockDim.x) m = fmaxf(m, in[c]);
  m = warp_max(m);
  if (lane == 0) part[warp] = m;
  __syncthreads();
  m = warp_max(lane < warps ? part[lane] : -INFINITY);
  float s = 0;
  for (int c = threadIdx.x; c < cols; c += blockDim.x) s += expf(in[c] - m);
  s = warp_sum(s);
  __syncthreads();
  if (lane == 0) part[warp] = s;
  __syncthreads();
  s = warp_sum(lane < warps ? part[lane] : 0.0f);
  for (int c = threadIdx.x; c < cols; c += blockDim.x) out[c] = expf(in[c] - m) / s;
}

// 16 x 16 threads, one element each.
extern "C" __global__ void matmul_tiled(const float* a, const float* b, float* c, int n) {
  __shared__ float as[16][16], bs[16][16];
  int row = blockIdx.y * 16 + threadIdx.y, col = blockIdx.x * 16 + threadIdx.x;
  float acc = 0;
  for (int t = 0; t < n; t += 16) {
    as[threadIdx.y][threadIdx.x] = a[row * n + t + threadIdx.x];
    bs[threadIdx.y][threadIdx.x] = b[(t + threadIdx.y) * n + col];
    __syncthreads();
    for (int i = 0; i < 16; ++i) acc += as[threadIdx.y][i] * bs[i][threadIdx.x];
    __syncthreads();
  }
  c[row * n + col] = acc;
}

// 256 threads, a 64 x 64 tile a block, 4 x 4 a thread.
extern "C" __global__ void matmul_blocked(const float* a, const float* b, float* c, int n) {
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
      for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) acc[i][j] = fmaf(xs[i], ys[j], acc[i][j]);
    }
    __syncthreads();
  }
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j)
      c[(blockIdx.y * 64 + ty * 4 + i) * n + blockIdx.x * 64 + tx * 4 + j] = acc[i][j];
}

extern "C" __global__ void scale_half2(const __half2* x, __half2* y, int n) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    y[i] = __hfma2(x[i], __float2half2_rn(1.5f), __float2half2_rn(0.25f));
}

// A block a row; the row stays in registers when it has at most 4 elements a thread.
extern "C" __global__ void rmsnorm(const float* x, const float* w, float* y, int cols) {
  __shared__ float part[32];
  const float* in = x + (long)blockIdx.x * cols;
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
  float s = 0;
  for (int c = threadIdx.x; c < cols; c += blockDim.x) s = fmaf(in[c], in[c], s);
  s = warp_sum(s);
  if (lane == 0) part[warp] = s;
  __syncthreads();
  s = warp_sum(lane < warps ? part[lane] : 0.0f);
  float scale = rsqrtf(s / cols + 1e-6f);
  for (int c = threadIdx.x; c < cols; c += blockDim.x)
    y[(long)blockIdx.x * cols + c] = in[c] * scale * w[c];
}

// The tree in shared memory: a barrier a step.
extern "C" __global__ void row_sum_tree(const float* x, float* y, int cols) {
  __shared__ float s[256];
  float sum = 0;
  for (int c = threadIdx.x; c < cols; c += 256) sum += x[(long)blockIdx.x * cols + c];
  s[threadIdx.x] = sum;
  __syncthreads();
  for (int step = 128; step > 0; step /= 2) {
    if (threadIdx.x < step) s[threadIdx.x] += s[threadIdx.x + step];
    __syncthreads();
  }
  if (threadIdx.x == 0) y[blockIdx.x] = s[0];
}

// Steps until 1 of n -> n / 2 or 3 n + 1: lanes leave the loop one by one.
extern "C" __global__ void collatz(int* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  unsigned v = i + 1;
  int steps = 0;
  while (v != 1) {
    if (v % 2 == 0) v /= 2; else v = 3 * v + 1;
    ++steps;
  }
  y[i] = steps;
}

// A polynomial of degree 8 on two halves at a time.
extern "C" __global__ void polynomial_half2(const __half2* x, __half2* y, int n) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
    __half2 v = x[i], r = __float2half2_rn(0.125f);
    for (int k = 1; k <= 8; ++k) r = __hfma2(r, v, __float2half2_rn(1.0f / k));
    y[i] = r;
  }
}
