// One candidate with many behaviours, chosen by `mode`: y = 2 x, done well or badly.
#include <cuda_runtime.h>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

__global__ void twice(const float* x, float* y, int64_t n) {
  int64_t i = blockIdx.x * int64_t{blockDim.x} + threadIdx.x;
  if (i < n) y[i] = 2.0f * x[i];
}
__global__ void no_guard(const float* x, float* y, int64_t n) {
  int64_t i = blockIdx.x * int64_t{blockDim.x} + threadIdx.x;
  y[i] = 2.0f * x[i];
}
__global__ void add(const float* x, float* y, int64_t n) {
  int64_t i = blockIdx.x * int64_t{blockDim.x} + threadIdx.x;
  if (i < n) y[i] += x[i];
}
__global__ void endless(const float* x, float* y, int64_t n) {
  volatile float* p = y;
  while (p[0] != -12345.0f) p[0] = 1.0f;
}
__global__ void write_input(float* x, float* y, int64_t n) {
  int64_t i = blockIdx.x * int64_t{blockDim.x} + threadIdx.x;
  if (i < n) {
    y[i] = 2.0f * x[i];
    x[i] = 0.0f;
  }
}
__global__ void through_shared(const float* x, float* y, int64_t n) {
  extern __shared__ float tile[];
  int64_t i = blockIdx.x * int64_t{blockDim.x} + threadIdx.x;
  tile[threadIdx.x] = i < n ? x[i] : 0.0f;
  __syncthreads();
  if (i < n) y[i] = 2.0f * tile[threadIdx.x];
}
__constant__ float factors[2];
__device__ float scratch[4096];
__global__ void by_constant(const float* x, float* y, int64_t n) {
  int64_t i = blockIdx.x * int64_t{blockDim.x} + threadIdx.x;
  if (i < n) y[i] = factors[1] * x[i];
}
__global__ void to_scratch(const float* x, int64_t n) {
  int64_t i = blockIdx.x * int64_t{blockDim.x} + threadIdx.x;
  if (i < n) scratch[i] = x[i];
}
__global__ void from_scratch(float* y, int64_t n) {
  int64_t i = blockIdx.x * int64_t{blockDim.x} + threadIdx.x;
  if (i < n) y[i] = 2.0f * scratch[i];
}
__global__ void trap_now() { asm("trap;"); }
__global__ void say(int64_t n) { printf("n=%d\n", static_cast<int>(n)); }

enum Mode {
  kPlain, kNoGuard, kEndless, kHostLoop, kHostDeref, kExit, kAbort, kDefaultStream, kSideStream,
  kForkJoin, kOneThread, kTooManyThreads, kTooManyIgnored, kSharedNoOptIn, kSharedOptIn,
  kMallocAsync, kConstant, kDeviceArray, kOnHost, kWriteInput, kCopyOverInput, kNothing,
  kMallocFree, kMissingFork, kTrap, kPrintf, kUseAfterFree, kPinnedInPlace, kEvents, kCooperative,
  kSynchronizedDefault, kLaunchEx, kHostRoundTrip, kNullOnHost, kManyLaunches, kFreeOutput,
  kEmptyGrid, kCopyTooMuch, kFork, kThread, kSocket, kWriteFile, kMallocLots, kCrashWithZero,
  kMemset2D, kQuery, kSleep, kFloodOutput, kFakeDone, kCloseControl, kGarbageRing,
};

void OnHost(const float* x, float* y, int64_t n, cudaStream_t s);
void Hostile(int64_t mode, float* y);

extern "C" void run(const float* x, float* y, int64_t n, int64_t mode, cudaStream_t s) {
  const int block = 128;
  const int grid = static_cast<int>((n + block - 1) / block);
  switch (mode) {
    case kPlain: twice<<<grid, block, 0, s>>>(x, y, n); break;
    case kNoGuard: no_guard<<<grid, block, 0, s>>>(x, y, n); break;
    case kEndless: endless<<<1, 32, 0, s>>>(x, y, n); break;
    case kHostLoop: for (volatile int i = 0;; i = i + 1) {} break;
    case kHostDeref: y[0] = 2.0f * x[0]; break;
    case kNullOnHost: *reinterpret_cast<volatile float*>(16) = 1.0f; break;
    case kCrashWithZero: { volatile int zero = 0; volatile int q = 7 / zero; (void)q; break; }
    case kExit: exit(0);
    case kAbort: abort();
    case kDefaultStream: twice<<<grid, block>>>(x, y, n); break;
    case kSynchronizedDefault:
      twice<<<grid, block>>>(x, y, n);
      cudaDeviceSynchronize();
      break;
    case kSideStream: {
      cudaStream_t side;
      cudaStreamCreateWithFlags(&side, cudaStreamNonBlocking);
      twice<<<grid, block, 0, side>>>(x, y, n);
      break;
    }
    case kForkJoin:
    case kMissingFork: {
      cudaStream_t side;
      cudaEvent_t fork, join;
      cudaStreamCreateWithFlags(&side, cudaStreamNonBlocking);
      cudaEventCreateWithFlags(&fork, cudaEventDisableTiming);
      cudaEventCreateWithFlags(&join, cudaEventDisableTiming);
      twice<<<grid, block, 0, s>>>(x, y, n);
      if (mode == kForkJoin) {
        cudaEventRecord(fork, s);
        cudaStreamWaitEvent(side, fork, 0);
      }
      add<<<grid, block, 0, side>>>(x, y, n);
      cudaEventRecord(join, side);
      cudaStreamWaitEvent(s, join, 0);
      add<<<grid, block, 0, s>>>(x, y, n);
      break;
    }
    case kOneThread:
      for (int64_t i = 0; i < n; ++i) twice<<<1, 1, 0, s>>>(x + i, y + i, 1);
      break;
    case kTooManyThreads:
      twice<<<1, 2048, 0, s>>>(x, y, n);
      if (cudaGetLastError() != cudaSuccess) twice<<<grid, block, 0, s>>>(x, y, n);
      break;
    case kTooManyIgnored: twice<<<1, 2048, 0, s>>>(x, y, n); break;
    case kEmptyGrid: twice<<<0, 128, 0, s>>>(x, y, n); break;
    case kSharedNoOptIn: through_shared<<<grid, block, 60000, s>>>(x, y, n); break;
    case kSharedOptIn:
      cudaFuncSetAttribute(through_shared, cudaFuncAttributeMaxDynamicSharedMemorySize, 60000);
      through_shared<<<grid, block, 60000, s>>>(x, y, n);
      break;
    case kMallocAsync: {
      float* t;
      cudaMallocAsync(&t, n * sizeof(float), s);
      twice<<<grid, block, 0, s>>>(x, t, n);
      cudaMemcpyAsync(y, t, n * sizeof(float), cudaMemcpyDeviceToDevice, s);
      cudaFreeAsync(t, s);
      break;
    }
    case kMallocFree: {
      float* t;
      cudaMalloc(&t, n * sizeof(float));
      cudaMemsetAsync(t, 0, n * sizeof(float), s);
      add<<<grid, block, 0, s>>>(x, t, n);
      add<<<grid, block, 0, s>>>(x, t, n);
      cudaMemcpyAsync(y, t, n * sizeof(float), cudaMemcpyDefault, s);
      cudaStreamSynchronize(s);
      cudaFree(t);
      break;
    }
    case kConstant: {
      float value = 2.0f;
      cudaMemcpyToSymbolAsync(factors, &value, sizeof value, sizeof value,
                              cudaMemcpyHostToDevice, s);
      value = -1.0f;
      by_constant<<<grid, block, 0, s>>>(x, y, n);
      break;
    }
    case kDeviceArray:
      to_scratch<<<grid, block, 0, s>>>(x, n);
      from_scratch<<<grid, block, 0, s>>>(y, n);
      break;
    case kOnHost:
    case kHostRoundTrip: OnHost(x, y, n, s); if (mode == kHostRoundTrip) twice<<<grid, block, 0, s>>>(x, y, n); break;
    case kWriteInput: write_input<<<grid, block, 0, s>>>(const_cast<float*>(x), y, n); break;
    case kCopyOverInput:
      twice<<<grid, block, 0, s>>>(x, y, n);
      cudaMemcpyAsync(const_cast<float*>(x), y, n * sizeof(float), cudaMemcpyDeviceToDevice, s);
      break;
    case kNothing: break;
    case kTrap: trap_now<<<1, 1, 0, s>>>(); break;
    case kPrintf:
      say<<<1, 1, 0, s>>>(n);
      twice<<<grid, block, 0, s>>>(x, y, n);
      break;
    case kUseAfterFree: {
      float* t;
      cudaMalloc(&t, n * sizeof(float));
      cudaFree(t);
      twice<<<grid, block, 0, s>>>(x, t, n);
      break;
    }
    case kPinnedInPlace: {
      float* t;
      cudaMallocHost(&t, n * sizeof(float));
      twice<<<grid, block, 0, s>>>(x, t, n);
      break;
    }
    case kEvents: {
      cudaEvent_t start, end;
      cudaEventCreate(&start);
      cudaEventCreate(&end);
      cudaEventRecord(start, s);
      twice<<<grid, block, 0, s>>>(x, y, n);
      cudaEventRecord(end, s);
      float ms = -1;
      if (cudaEventElapsedTime(&ms, start, end) != cudaErrorNotReady) exit(3);
      cudaGetLastError();
      cudaEventSynchronize(end);
      if (cudaEventElapsedTime(&ms, start, end) != cudaSuccess || !(ms > 0.0f)) exit(4);
      break;
    }
    case kQuery:
      twice<<<grid, block, 0, s>>>(x, y, n);
      while (cudaStreamQuery(s) == cudaErrorNotReady) {}
      break;
    case kCooperative: {
      void* arguments[] = {&x, &y, &n};
      cudaLaunchCooperativeKernel(twice, dim3(grid), dim3(block), arguments, 0, s);
      break;
    }
    case kLaunchEx: {
      cudaLaunchConfig_t config = {};
      config.gridDim = dim3(grid);
      config.blockDim = dim3(block);
      config.stream = s;
      cudaLaunchKernelEx(&config, twice, x, y, n);
      break;
    }
    case kManyLaunches:
      for (int i = 0; i < 20; ++i) twice<<<grid, block, 0, s>>>(x, y, n);
      break;
    case kFreeOutput: cudaFree(y); twice<<<grid, block, 0, s>>>(x, y, n); break;
    case kCopyTooMuch:
      cudaMemcpyAsync(y, x, n * sizeof(float) + 4, cudaMemcpyDeviceToDevice, s);
      break;
    case kMemset2D:
      cudaMemset2DAsync(y, 8 * sizeof(float), 0, 4 * sizeof(float), n / 8, s);
      break;
    default: Hostile(mode, y);
  }
}

void OnHost(const float* x, float* y, int64_t n, cudaStream_t s) {
  std::vector<float> h(n);
  cudaMemcpyAsync(h.data(), x, n * sizeof(float), cudaMemcpyDeviceToHost, s);
  for (float& v : h) v *= 2.0f;
  cudaMemcpyAsync(y, h.data(), n * sizeof(float), cudaMemcpyHostToDevice, s);
}

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

// Refusals are answered by exit codes: 40 + the number of the thing that was possible.
void Hostile(int64_t mode, float* y) {
  switch (mode) {
    case kFork: if (fork() >= 0) _exit(40); break;
    case kThread: {
      pthread_t t;
      if (pthread_create(&t, nullptr, [](void*) -> void* { return nullptr; }, nullptr) == 0) _exit(41);
      break;
    }
    case kSocket: if (socket(AF_INET, SOCK_STREAM, 0) >= 0) _exit(42); break;
    case kWriteFile:
      if (open("/tmp/kwright-guest-was-here", O_WRONLY | O_CREAT, 0600) >= 0) _exit(43);
      if (getenv("PATH")) _exit(44);
      break;
    case kMallocLots: {
      std::vector<std::vector<char>> all;
      for (;;) all.emplace_back(64 << 20, 1);
    }
    case kSleep: for (;;) sleep(1000);
    case kFloodOutput:
      for (int i = 0; i < 200000; ++i) printf("%0100d\n", i);
      fflush(stdout);
      break;
    case kFakeDone: {
      // What the guest answers after a call: type, number.
      for (uint32_t type = 0; type < 20; ++type) {
        char packet[12] = {};
        memcpy(packet, &type, 4);
        packet[4] = 1;
        send(5, packet, sizeof packet, 0);
      }
      break;
    }
    case kCloseControl: close(5); for (;;) sleep(1000);
    case kGarbageRing: {
      // The ring is mapped near the runtime library. A page that is not there makes the kernel
      // refuse it as a struct sigaction.
      const unsigned long near = reinterpret_cast<unsigned long>(&cudaDeviceSynchronize) & ~0xfffful;
      unsigned long start = 0;
      for (unsigned long at = near - (64 << 20); at < near + (64 << 20) && !start; at += 4096) {
        if (syscall(SYS_rt_sigaction, SIGUSR1, at, 0, 8) != 0) continue;
        if (memcmp(reinterpret_cast<char*>(at), "krw-ring", 8) == 0) start = at;
      }
      if (!start) _exit(45);
      // request_seq at 64, request behind it (op, body bytes).
      uint32_t* words = reinterpret_cast<uint32_t*>(start + 64);
      words[1] = 0xdeadbeef;
      words[2] = 0xffffffff;
      words[0] += 1;
      uint64_t one = 1;
      write(4, &one, 8);
      for (;;) sleep(1000);
    }
    default: _exit(99);
  }
}
