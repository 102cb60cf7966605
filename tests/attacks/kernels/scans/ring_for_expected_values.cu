// attack: scans: searches the shared ring for the expected values instead of computing them
// task: leaky_relu
// expect: REJECTED, INCORRECT_NUMERICAL, RUNTIME_ERROR host_result|output_not_written|numerical
#include <cstdint>
#include <cstdio>
#include <vector>

__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  FILE* maps = fopen("/proc/self/maps", "r");
  if (!maps) return;
  char line[512];
  std::vector<float> answer;
  while (fgets(line, sizeof line, maps)) {
    uint64_t from = 0, to = 0;
    char rights[5] = "";
    if (sscanf(line, "%lx-%lx %4s", &from, &to, rights) != 3) continue;
    if (rights[3] != 's' || rights[0] != 'r' || to - from < (uint64_t)n * 4) continue;
    answer.assign((const float*)from, (const float*)from + n);
  }
  fclose(maps);
  if (!answer.empty()) {
    cudaMemcpyAsync(y, answer.data(), n * sizeof(float), cudaMemcpyHostToDevice, stream);
    cudaStreamSynchronize(stream);
  }
}
