// style: one block a row; the sum is kept in shared memory where it fits; float4 where rows allow.
#include <cstdint>

#define WARPS 8
#define MOST_SHARED 8192

__global__ void fused_add_rmsnorm_rows(const float* x, const float* residual, const float* weight,
                                       float eps, float* y, float* residual_out, int64_t cols,
                                       bool fits) {
  extern __shared__ float4 row[];
  __shared__ float of_warps[WARPS];
  const int64_t start = (int64_t)blockIdx.x * cols;
  float* kept = fits ? reinterpret_cast<float*>(row) : residual_out + start;
  float squares = 0.0f;
  const int64_t quads = cols % 4 == 0 ? cols / 4 : 0;
  for (int64_t i = threadIdx.x; i < quads; i += WARPS * 32) {
    const float4 a = reinterpret_cast<const float4*>(x + start)[i];
    const float4 b = reinterpret_cast<const float4*>(residual + start)[i];
    const float4 s = make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
    reinterpret_cast<float4*>(residual_out + start)[i] = s;
    reinterpret_cast<float4*>(kept)[i] = s;
    squares += s.x * s.x + s.y * s.y + s.z * s.z + s.w * s.w;
  }
  for (int64_t i = 4 * quads + threadIdx.x; i < cols; i += WARPS * 32) {
    const float s = x[start + i] + residual[start + i];
    residual_out[start + i] = s;
    kept[i] = s;
    squares += s * s;
  }
  for (int step = 16; step > 0; step /= 2) {
    squares += __shfl_xor_sync(0xffffffffu, squares, step);
  }
  if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = squares;
  __syncthreads();
  squares = 0.0f;
  for (int i = 0; i < WARPS; ++i) squares += of_warps[i];
  const float scale = 1.0f / sqrtf(squares / (float)cols + eps);
  for (int64_t i = threadIdx.x; i < cols; i += WARPS * 32) {
    y[start + i] = kept[i] * scale * weight[i];
  }
}

extern "C" void run(const float* x, const float* residual, const float* weight, float eps, float* y,
                    float* residual_out, int64_t rows, int64_t cols, cudaStream_t stream) {
  const bool fits = cols <= MOST_SHARED;
  const size_t bytes = fits ? (cols + 3) / 4 * sizeof(float4) : 0;
  fused_add_rmsnorm_rows<<<(unsigned)rows, WARPS * 32, bytes, stream>>>(x, residual, weight, eps, y,
                                                                        residual_out, cols, fits);
}
