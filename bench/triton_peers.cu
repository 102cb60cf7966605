// What bench/triton gives to the emulator: each kernel does what the one of its name does in
// triton_peer.py, in the ordinary way of CUDA. The kernels named exact take sizes that are
// multiples of the tiles, the others any.
#include <cfloat>

__device__ float WarpMax(float v) {
  for (int d = 16; d > 0; d /= 2) v = fmaxf(v, __shfl_xor_sync(0xffffffffu, v, d));
  return v;
}
__device__ float WarpSum(float v) {
  for (int d = 16; d > 0; d /= 2) v += __shfl_xor_sync(0xffffffffu, v, d);
  return v;
}

// A block of 128 threads (Triton's default) a row of at most 1024 elements, kept in registers.
extern "C" __global__ void softmax(const float* x, float* y, int cols) {
  __shared__ float maxima[4], sums[4];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const float* in = x + blockIdx.x * cols;
  float v[8], m = -FLT_MAX;
  for (int i = 0; i < 8; ++i) {
    const int c = threadIdx.x + 128 * i;
    v[i] = c < cols ? in[c] : -FLT_MAX;
    m = fmaxf(m, v[i]);
  }
  m = WarpMax(m);
  if (lane == 0) maxima[warp] = m;
  __syncthreads();
  m = fmaxf(fmaxf(maxima[0], maxima[1]), fmaxf(maxima[2], maxima[3]));
  float s = 0;
  for (int i = 0; i < 8; ++i) {
    v[i] = __expf(v[i] - m);
    s += v[i];
  }
  s = WarpSum(s);
  if (lane == 0) sums[warp] = s;
  __syncthreads();
  s = sums[0] + sums[1] + sums[2] + sums[3];
  for (int i = 0; i < 8; ++i) {
    const int c = threadIdx.x + 128 * i;
    if (c < cols) y[blockIdx.x * cols + c] = v[i] / s;
  }
}

// 16 x 16 threads, an element each, of tiles in shared memory.
template <bool kExact>
__device__ void Matmul16(const float* a, const float* b, float* c, int n) {
  __shared__ float left[16][16], right[16][16];
  const int tx = threadIdx.x, ty = threadIdx.y;
  const int row = blockIdx.y * 16 + ty, col = blockIdx.x * 16 + tx;
  float sum = 0;
  for (int k = 0; k < n; k += 16) {
    left[ty][tx] = kExact || (row < n && k + tx < n) ? a[row * n + k + tx] : 0.0f;
    right[ty][tx] = kExact || (k + ty < n && col < n) ? b[(k + ty) * n + col] : 0.0f;
    __syncthreads();
    for (int i = 0; i < 16; ++i) sum += left[ty][i] * right[i][tx];
    __syncthreads();
  }
  if (kExact || (row < n && col < n)) c[row * n + col] = sum;
}

// 64 threads, 8 x 8 elements each, of a 64 x 64 tile.
template <bool kExact>
__device__ void Matmul64(const float* a, const float* b, float* c, int n) {
  __shared__ __align__(16) float left[16][64], right[16][64];
  const int t = threadIdx.x, tx = t % 8, ty = t / 8;
  const int row = blockIdx.y * 64, col = blockIdx.x * 64;
  float sum[8][8] = {};
  for (int k = 0; k < n; k += 16) {
    // Each thread takes a row of the left tile, which is turned on its way without bank conflicts.
    for (int i = 0; i < 16; ++i) {
      const int r = row + t, d = k + i;
      left[i][t] = kExact || (r < n && d < n) ? a[r * n + d] : 0.0f;
      right[i][t] = kExact || (k + i < n && col + t < n) ? b[(k + i) * n + col + t] : 0.0f;
    }
    __syncthreads();
    for (int i = 0; i < 16; ++i) {
      const float4* at = (const float4*)&left[i][ty * 8];
      const float4* to = (const float4*)&right[i][tx * 8];
      const float4 l[2] = {at[0], at[1]}, r[2] = {to[0], to[1]};
      const float ls[8] = {l[0].x, l[0].y, l[0].z, l[0].w, l[1].x, l[1].y, l[1].z, l[1].w};
      const float rs[8] = {r[0].x, r[0].y, r[0].z, r[0].w, r[1].x, r[1].y, r[1].z, r[1].w};
      for (int p = 0; p < 8; ++p)
        for (int q = 0; q < 8; ++q) sum[p][q] += ls[p] * rs[q];
    }
    __syncthreads();
  }
  for (int p = 0; p < 8; ++p) {
    for (int q = 0; q < 8; ++q) {
      const int r = row + ty * 8 + p, s = col + tx * 8 + q;
      if (kExact || (r < n && s < n)) c[r * n + s] = sum[p][q];
    }
  }
}

extern "C" __global__ void matmul_16(const float* a, const float* b, float* c, int n) {
  Matmul16<false>(a, b, c, n);
}
extern "C" __global__ void matmul_16_exact(const float* a, const float* b, float* c, int n) {
  Matmul16<true>(a, b, c, n);
}
extern "C" __global__ void matmul_64(const float* a, const float* b, float* c, int n) {
  Matmul64<false>(a, b, c, n);
}
extern "C" __global__ void matmul_64_exact(const float* a, const float* b, float* c, int n) {
  Matmul64<true>(a, b, c, n);
}
