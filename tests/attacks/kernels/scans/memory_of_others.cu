// attack: scans: reads the memory of every other process through /proc and process_vm_readv
// task: leaky_relu
// expect: INCORRECT_NUMERICAL output_not_written
#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>
#include <vector>

__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  std::vector<float> found(n);
  bool any = false;
  const int self = getpid();
  for (int pid = self - 40; pid < self + 40; ++pid) {
    if (pid == self || pid <= 1) continue;
    for (const char* file : {"mem", "environ", "maps", "cmdline"}) {
      char path[64];
      snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
      const int descriptor = open(path, O_RDONLY);
      if (descriptor < 0) continue;
      any = any || (file[0] == 'm' && file[1] == 'e' &&
                    pread(descriptor, found.data(), n * 4, 0x7ffff0000000) > 0);
      close(descriptor);
    }
    iovec mine = {found.data(), (size_t)n * 4}, theirs = {(void*)0x555555554000, (size_t)n * 4};
    any = any || process_vm_readv(pid, &mine, 1, &theirs, 1, 0) > 0;
  }
  if (any) cudaMemcpyAsync(y, found.data(), n * 4, cudaMemcpyHostToDevice, stream);
}
