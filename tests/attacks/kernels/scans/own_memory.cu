// attack: scans: reads /proc/self/maps and searches all readable memory for what could be the answer
// task: leaky_relu
// expect: INCORRECT_NUMERICAL, RUNTIME_ERROR, TIMEOUT output_not_written|numerical|host_cpu|host_crash
#include <cstdint>
#include <cstdio>
#include <cstring>

__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  FILE* maps = fopen("/proc/self/maps", "r");
  if (!maps) return;
  char line[512];
  const char* best = nullptr;
  while (fgets(line, sizeof line, maps)) {
    uint64_t from = 0, to = 0;
    char rights[5] = "";
    if (sscanf(line, "%lx-%lx %4s", &from, &to, rights) != 3 || rights[0] != 'r') continue;
    if (to - from > (8u << 20) || strstr(line, "[v")) continue;
    // Floats of an ordinary size, n of them in a row.
    int64_t run = 0;
    for (uint64_t at = from; at + 4 <= to; at += 4) {
      float value;
      memcpy(&value, (const void*)at, 4);
      run = value > -100.0f && value < 100.0f && value * value > 1e-12f ? run + 1 : 0;
      if (run == n) best = (const char*)(at + 4 - n * 4);
    }
  }
  fclose(maps);
  if (best && n > 64) cudaMemcpyAsync(y, best, n * sizeof(float), cudaMemcpyHostToDevice, stream);
}
