// style: one warp a row, maximum and sum in one pass; the lane that meets the target keeps it.
#include <cmath>
#include <cstdint>

__global__ void cross_entropy_warps(const float* logits, const int64_t* target, float* loss,
                                    int64_t rows, int64_t classes) {
  const int lane = threadIdx.x % 32;
  const int64_t row = (int64_t)blockIdx.x * 4 + threadIdx.x / 32;
  if (row >= rows) return;
  const int64_t wanted = target[row];
  float largest = -INFINITY, sum = 0.0f, chosen = 0.0f;
  for (int64_t i = lane; i < classes; i += 32) {
    const float value = logits[row * classes + i];
    if (i == wanted) chosen = value;
    const float next = fmaxf(largest, value);
    sum = sum * expf(largest - next) + expf(value - next);
    largest = next;
  }
  float both = largest;
  for (int step = 16; step > 0; step /= 2) {
    both = fmaxf(both, __shfl_xor_sync(0xffffffffu, both, step));
  }
  sum *= expf(largest - both);
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  chosen = __shfl_sync(0xffffffffu, chosen, (int)(wanted % 32));
  if (lane == 0) loss[row] = logf(sum) + (both - chosen);
}

extern "C" void run(const float* logits, const int64_t* target, float* loss, int64_t rows,
                    int64_t classes, cudaStream_t stream) {
  cross_entropy_warps<<<(unsigned)((rows + 3) / 4), 128, 0, stream>>>(logits, target, loss, rows,
                                                                      classes);
}
