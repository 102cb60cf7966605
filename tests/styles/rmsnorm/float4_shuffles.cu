// style: one block a row, float4 where rows are multiples of four, shuffles, rsqrtf.
#include <cstdint>

__device__ float block_sum(float value) {
  __shared__ float of_warps[32];
  for (int step = 16; step > 0; step /= 2) value += __shfl_down_sync(0xffffffffu, value, step);
  const int lane = threadIdx.x % 32;
  if (lane == 0) of_warps[threadIdx.x / 32] = value;
  __syncthreads();
  value = lane < blockDim.x / 32 ? of_warps[lane] : 0.0f;
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(0xffffffffu, value, step);
  return value;
}

__global__ void rmsnorm_quads(const float4* x, const float4* weight, float4* y, int64_t quads) {
  const float4* in = x + blockIdx.x * quads;
  float squares = 0.0f;
  for (int64_t i = threadIdx.x; i < quads; i += blockDim.x) {
    const float4 v = in[i];
    squares += v.x * v.x + v.y * v.y + v.z * v.z + v.w * v.w;
  }
  const float scale = rsqrtf(block_sum(squares) / (float)(4 * quads) + 1e-6f);
  for (int64_t i = threadIdx.x; i < quads; i += blockDim.x) {
    const float4 v = in[i];
    const float4 w = weight[i];
    y[blockIdx.x * quads + i] =
        make_float4(v.x * scale * w.x, v.y * scale * w.y, v.z * scale * w.z, v.w * scale * w.w);
  }
}

__global__ void rmsnorm_any(const float* x, const float* weight, float* y, int64_t cols) {
  const float* in = x + blockIdx.x * cols;
  float squares = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += blockDim.x) squares += in[i] * in[i];
  const float scale = rsqrtf(block_sum(squares) / (float)cols + 1e-6f);
  for (int64_t i = threadIdx.x; i < cols; i += blockDim.x) {
    y[blockIdx.x * cols + i] = in[i] * scale * weight[i];
  }
}

extern "C" void run(const float* x, const float* weight, float* y, int64_t rows, int64_t cols,
                    cudaStream_t stream) {
  if (cols % 4 == 0) {
    rmsnorm_quads<<<(unsigned)rows, 128, 0, stream>>>(reinterpret_cast<const float4*>(x),
                                                      reinterpret_cast<const float4*>(weight),
                                                      reinterpret_cast<float4*>(y), cols / 4);
  } else {
    rmsnorm_any<<<(unsigned)rows, 128, 0, stream>>>(x, weight, y, cols);
  }
}
