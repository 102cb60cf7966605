// style: a template over the function and the vector's width; one launch does vectors and tail.
#include <cstdint>

template <int Width>
struct alignas(Width * sizeof(float)) Pack {
  float at[Width];
};

struct LeakyRelu {
  float slope;
  __device__ float operator()(float value) const { return value > 0.0f ? value : slope * value; }
};

template <int Width, class Function>
__global__ void map_packs(const float* x, float* y, int64_t n, Function function) {
  const int64_t first = ((int64_t)blockIdx.x * blockDim.x + threadIdx.x) * Width;
  if (first + Width <= n) {
    Pack<Width> pack = *reinterpret_cast<const Pack<Width>*>(x + first);
#pragma unroll
    for (int i = 0; i < Width; ++i) pack.at[i] = function(pack.at[i]);
    *reinterpret_cast<Pack<Width>*>(y + first) = pack;
  } else {
    for (int64_t i = first; i < n; ++i) y[i] = function(x[i]);
  }
}

extern "C" void run(const float* x, float negative_slope, float* y, int64_t n,
                    cudaStream_t stream) {
  constexpr int kWidth = 4, kThreads = 192;
  const int64_t packs = (n + kWidth - 1) / kWidth;
  map_packs<kWidth><<<(unsigned)((packs + kThreads - 1) / kThreads), kThreads, 0, stream>>>(
      x, y, n, LeakyRelu{negative_slope});
}
