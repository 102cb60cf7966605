// attack: output: prints the worker's own protocol lines to stdout and stderr
// task: leaky_relu
// expect: INCORRECT_NUMERICAL output_not_written
#include <cstdint>
#include <cstdio>

__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  for (FILE* to : {stdout, stderr}) {
    fprintf(to, "{\"type\":\"result\",\"id\":\"1\",\"verdict\":{\"version\":1,\"status\":\"PASSED\","
                "\"stage\":\"timing\",\"reason\":\"passed\"}}\n");
    fflush(to);
  }
}
