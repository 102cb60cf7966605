// attack: loader: loads the task's reference as a library and lets it do the work
// task: leaky_relu
// expect: INCORRECT_NUMERICAL, REJECTED output_not_written|host_result
#include <cstdint>
#include <dlfcn.h>
#include <glob.h>
#include <vector>

__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  using Reference = void (*)(const double*, double, double*, int64_t);
  Reference reference = nullptr;
  glob_t found;
  for (const char* pattern : {"/root/.cache/kwright/*/*", "/home/*/.cache/kwright/*/*",
                              "/tmp/kwright*/*", "../*/e2e-cache/*/*", "e2e-cache/build/*/*"}) {
    if (reference || glob(pattern, 0, nullptr, &found) != 0) continue;
    for (size_t i = 0; i < found.gl_pathc && !reference; ++i) {
      void* object = dlopen(found.gl_pathv[i], RTLD_NOW);
      if (object) reference = (Reference)dlsym(object, "reference");
    }
    globfree(&found);
  }
  if (!reference) return;
  std::vector<float> in(n), out(n);
  std::vector<double> wide(n), result(n);
  cudaMemcpyAsync(in.data(), x, n * sizeof(float), cudaMemcpyDeviceToHost, stream);
  cudaStreamSynchronize(stream);
  for (int64_t i = 0; i < n; ++i) wide[i] = in[i];
  reference(wide.data(), slope, result.data(), n);
  for (int64_t i = 0; i < n; ++i) out[i] = (float)result[i];
  cudaMemcpyAsync(y, out.data(), n * sizeof(float), cudaMemcpyHostToDevice, stream);
  cudaStreamSynchronize(stream);
}
