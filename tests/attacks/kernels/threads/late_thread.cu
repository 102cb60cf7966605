// attack: threads: a thread launches the work after run() has returned
// task: leaky_relu
// expect: INCORRECT_NUMERICAL output_not_written
#include <cstdint>
#include <pthread.h>
#include <unistd.h>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

struct Job {
  const float* x;
  float slope;
  float* y;
  int64_t n;
  cudaStream_t stream;
};
static void* Late(void* given) {
  const Job job = *(Job*)given;
  usleep(500);
  Honest(job.x, job.slope, job.y, job.n, job.stream);
  return nullptr;
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  static Job job;
  job = {x, slope, y, n, stream};
  pthread_t thread;
  if (pthread_create(&thread, nullptr, Late, &job) == 0) pthread_detach(thread);
}
