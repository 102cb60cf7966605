// task: log_softmax
// control: maximum and sum in one pass: pairs of both, merged with rescaling

#include <cstdint>

struct Pair {
  float largest, sum;  // sum of exp(x - largest)
};

__device__ Pair merged(Pair a, Pair b) {
  if (b.largest > a.largest) {
    const Pair swap = a;
    a = b;
    b = swap;
  }
  if (b.sum > 0.0f) a.sum += b.sum * expf(b.largest - a.largest);
  return a;
}

__global__ void log_softmax_kernel(const float* __restrict__ x, float* __restrict__ y,
                                   int64_t cols) {
  __shared__ Pair warps[4];
  __shared__ float shift;
  const float* in = x + blockIdx.x * cols;
  Pair pair = {-INFINITY, 0.0f};
  for (int64_t c = threadIdx.x; c < cols; c += 128) pair = merged(pair, {in[c], 1.0f});
  for (int step = 16; step > 0; step >>= 1) {
    const Pair other = {__shfl_down_sync(~0u, pair.largest, step),
                        __shfl_down_sync(~0u, pair.sum, step)};
    pair = merged(pair, other);
  }
  if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = pair;
  __syncthreads();
  if (threadIdx.x == 0) {
    for (int w = 1; w < 4; ++w) pair = merged(pair, warps[w]);
    warps[0] = pair;
    shift = logf(pair.sum);
  }
  __syncthreads();
  const float largest = warps[0].largest;
  for (int64_t c = threadIdx.x; c < cols; c += 128) {
    y[blockIdx.x * cols + c] = (in[c] - largest) - shift;
  }
}

extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  log_softmax_kernel<<<(unsigned)rows, 128, 0, stream>>>(x, y, cols);
}
