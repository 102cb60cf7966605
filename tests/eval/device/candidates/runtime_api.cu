// What host code asks of the runtime besides launching. Each mode ends with exit(N) when its Nth
// expectation does not hold.
#include <cuda_runtime.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

__constant__ int constants[3];
__device__ int variable;
__global__ void kernel(const float* x, float* y, int64_t n) {
  __shared__ float tile[256];
  if (threadIdx.x < n) {
    tile[threadIdx.x] = x[threadIdx.x];
    y[threadIdx.x] = tile[threadIdx.x];
  }
}

#define EXPECT(condition) \
  do {                    \
    ++expectation;        \
    if (!(condition)) exit(expectation); \
  } while (false)
#define SUCCEEDS(call) EXPECT((call) == cudaSuccess)

void Device(int& expectation) {
  int count = 0, device = -1, value = 0;
  SUCCEEDS(cudaGetDeviceCount(&count));
  EXPECT(count == 1);
  SUCCEEDS(cudaGetDevice(&device));
  EXPECT(device == 0);
  SUCCEEDS(cudaSetDevice(0));
  EXPECT(cudaSetDevice(1) == cudaErrorInvalidDevice);
  EXPECT(cudaGetLastError() == cudaErrorInvalidDevice);
  EXPECT(cudaGetLastError() == cudaSuccess);
  cudaDeviceProp prop;
  SUCCEEDS(cudaGetDeviceProperties(&prop, 0));
  EXPECT(strcmp(prop.name, "Test device") == 0);
  EXPECT(prop.major == 8 && prop.minor == 0 && prop.multiProcessorCount == 108);
  EXPECT(prop.warpSize == 32 && prop.maxThreadsPerBlock == 1024);
  EXPECT(prop.sharedMemPerBlockOptin == 166912 && prop.regsPerMultiprocessor == 65536);
  EXPECT(prop.maxGridSize[0] == 2147483647 && prop.maxThreadsDim[2] == 64);
  EXPECT(prop.l2CacheSize == 40 << 20 && prop.totalGlobalMem == size_t{80} << 30);
  SUCCEEDS(cudaDeviceGetAttribute(&value, cudaDevAttrMultiProcessorCount, 0));
  EXPECT(value == 108);
  SUCCEEDS(cudaDeviceGetAttribute(&value, cudaDevAttrMaxSharedMemoryPerBlockOptin, 0));
  EXPECT(value == 166912);
  SUCCEEDS(cudaDeviceGetAttribute(&value, cudaDevAttrComputeCapabilityMajor, 0));
  EXPECT(value == 8);
  SUCCEEDS(cudaRuntimeGetVersion(&value));
  EXPECT(value >= 13000);
  size_t free_bytes = 0, total = 0, limit = 0;
  SUCCEEDS(cudaMemGetInfo(&free_bytes, &total));
  EXPECT(free_bytes > 0 && free_bytes <= total);
  SUCCEEDS(cudaDeviceSetLimit(cudaLimitMallocHeapSize, 1 << 24));
  SUCCEEDS(cudaDeviceGetLimit(&limit, cudaLimitMallocHeapSize));
  EXPECT(limit == 1 << 24);
  EXPECT(strcmp(cudaGetErrorName(cudaErrorIllegalAddress), "cudaErrorIllegalAddress") == 0);
  EXPECT(*cudaGetErrorString(cudaErrorIllegalAddress) != 0);
}

void Memory(int& expectation, cudaStream_t s) {
  // Larger than the staging area, and not a multiple of it.
  const size_t bytes = (3 << 20) + 5;
  std::vector<char> out(bytes), in(bytes);
  for (size_t i = 0; i < bytes; ++i) out[i] = static_cast<char>(i * 7 + i / 1000);
  char *a = nullptr, *b = nullptr;
  SUCCEEDS(cudaMalloc(&a, bytes));
  SUCCEEDS(cudaMalloc(&b, bytes));
  SUCCEEDS(cudaMemcpy(a, out.data(), bytes, cudaMemcpyHostToDevice));
  SUCCEEDS(cudaMemcpyAsync(b, a, bytes, cudaMemcpyDeviceToDevice, s));
  SUCCEEDS(cudaMemcpyAsync(in.data(), b, bytes, cudaMemcpyDeviceToHost, s));
  SUCCEEDS(cudaStreamSynchronize(s));
  EXPECT(in == out);
  SUCCEEDS(cudaMemsetAsync(b, 0x5a, bytes, s));
  SUCCEEDS(cudaMemcpyAsync(in.data(), b, bytes, cudaMemcpyDefault, s));
  EXPECT(in[0] == 0x5a && in[bytes - 1] == 0x5a);
  // Rows: 5 of 7 bytes, packed in memory of another pitch.
  size_t pitch = 0;
  char* rows = nullptr;
  SUCCEEDS(cudaMallocPitch(reinterpret_cast<void**>(&rows), &pitch, 7, 5));
  EXPECT(pitch >= 7 && pitch % 256 == 0);
  SUCCEEDS(cudaMemcpy2D(rows, pitch, out.data(), 9, 7, 5, cudaMemcpyHostToDevice));
  std::vector<char> back(5 * 11, 1);
  SUCCEEDS(cudaMemcpy2DAsync(back.data(), 11, rows, pitch, 7, 5, cudaMemcpyDeviceToHost, s));
  for (int r = 0; r < 5; ++r) {
    EXPECT(memcmp(&back[r * 11], &out[r * 9], 7) == 0);
    EXPECT(back[r * 11 + 7] == 1 || r == 4);
  }
  EXPECT(cudaMemcpy2D(rows, 6, out.data(), 9, 7, 5, cudaMemcpyHostToDevice) ==
         cudaErrorInvalidPitchValue);
  EXPECT(cudaMemcpy(out.data(), a, 4, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
  cudaPointerAttributes attributes;
  SUCCEEDS(cudaPointerGetAttributes(&attributes, a + 10));
  EXPECT(attributes.type == cudaMemoryTypeDevice && attributes.devicePointer == a + 10);
  SUCCEEDS(cudaPointerGetAttributes(&attributes, out.data()));
  EXPECT(attributes.type == cudaMemoryTypeUnregistered);
  char* pinned = nullptr;
  SUCCEEDS(cudaMallocHost(&pinned, 100));
  pinned[99] = 3;
  SUCCEEDS(cudaPointerGetAttributes(&attributes, pinned));
  EXPECT(attributes.type == cudaMemoryTypeHost);
  SUCCEEDS(cudaFreeHost(pinned));
  EXPECT(cudaFreeHost(pinned) != cudaSuccess);
  SUCCEEDS(cudaHostRegister(out.data(), bytes, 0));
  EXPECT(cudaHostRegister(out.data() + 5, 5, 0) == cudaErrorHostMemoryAlreadyRegistered);
  SUCCEEDS(cudaHostUnregister(out.data()));
  SUCCEEDS(cudaFree(a));
  EXPECT(cudaFree(a) == cudaErrorInvalidValue);
  EXPECT(cudaFree(b + 1) == cudaErrorInvalidValue);
  SUCCEEDS(cudaFreeAsync(b, s));
  SUCCEEDS(cudaFree(nullptr));
  EXPECT(cudaMalloc(&a, size_t{1} << 50) == cudaErrorMemoryAllocation);
  cudaMemPool_t pool;
  SUCCEEDS(cudaDeviceGetDefaultMemPool(&pool, 0));
  uint64_t threshold = UINT64_MAX;
  SUCCEEDS(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &threshold));
  SUCCEEDS(cudaMallocFromPoolAsync(reinterpret_cast<void**>(&a), 64, pool, s));
  SUCCEEDS(cudaFreeAsync(a, s));
}

void Symbols(int& expectation, cudaStream_t s) {
  const int values[3] = {4, 5, 6};
  int back[3] = {0, 0, 0};
  void* address = nullptr;
  size_t size = 0;
  SUCCEEDS(cudaMemcpyToSymbolAsync(constants, values, sizeof values, 0, cudaMemcpyHostToDevice, s));
  SUCCEEDS(cudaMemcpyFromSymbolAsync(back, constants, 8, 4, cudaMemcpyDeviceToHost, s));
  EXPECT(back[0] == 5 && back[1] == 6);
  SUCCEEDS(cudaGetSymbolAddress(&address, variable));
  SUCCEEDS(cudaGetSymbolSize(&size, variable));
  EXPECT(size == 4 && address != nullptr);
  SUCCEEDS(cudaMemcpyToSymbol(variable, values, 4));
  SUCCEEDS(cudaMemcpy(back, address, 4, cudaMemcpyDeviceToHost));
  EXPECT(back[0] == 4);
  EXPECT(cudaMemcpyToSymbol(constants, values, 12, 4) == cudaErrorInvalidValue);
  EXPECT(cudaGetSymbolSize(&size, &expectation) == cudaErrorInvalidSymbol);
}

void Streams(int& expectation, cudaStream_t s) {
  cudaStream_t other;
  unsigned flags = 99;
  int priority = 99, least = 0, greatest = 0;
  SUCCEEDS(cudaStreamGetFlags(s, &flags));
  EXPECT(flags == cudaStreamNonBlocking);
  SUCCEEDS(cudaDeviceGetStreamPriorityRange(&least, &greatest));
  SUCCEEDS(cudaStreamCreateWithPriority(&other, cudaStreamDefault, greatest));
  SUCCEEDS(cudaStreamGetFlags(other, &flags));
  EXPECT(flags == cudaStreamDefault);
  SUCCEEDS(cudaStreamGetPriority(other, &priority));
  EXPECT(priority == greatest);
  SUCCEEDS(cudaStreamQuery(other));
  SUCCEEDS(cudaStreamSynchronize(nullptr));
  SUCCEEDS(cudaStreamSynchronize(cudaStreamPerThread));
  SUCCEEDS(cudaStreamDestroy(other));
  EXPECT(cudaStreamSynchronize(other) == cudaErrorInvalidResourceHandle);
  int called = 0;
  SUCCEEDS(cudaLaunchHostFunc(s, [](void* data) { ++*static_cast<int*>(data); }, &called));
  SUCCEEDS(cudaStreamSynchronize(s));
  EXPECT(called == 1);
  cudaEvent_t event;
  SUCCEEDS(cudaEventCreate(&event));
  SUCCEEDS(cudaEventQuery(event));
  SUCCEEDS(cudaStreamWaitEvent(s, event, 0));
  SUCCEEDS(cudaEventDestroy(event));
  EXPECT(cudaEventRecord(event, s) == cudaErrorInvalidResourceHandle);
  cudaStreamCaptureStatus status;
  SUCCEEDS(cudaStreamIsCapturing(s, &status));
  EXPECT(status == cudaStreamCaptureStatusNone);
}

void Functions(int& expectation) {
  cudaFuncAttributes attributes;
  SUCCEEDS(cudaFuncGetAttributes(&attributes, kernel));
  EXPECT(attributes.sharedSizeBytes == 1024 && attributes.maxThreadsPerBlock == 1024);
  EXPECT(attributes.maxDynamicSharedSizeBytes == 49152 - 1024);
  SUCCEEDS(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, 100000));
  SUCCEEDS(cudaFuncGetAttributes(&attributes, kernel));
  EXPECT(attributes.maxDynamicSharedSizeBytes == 100000);
  EXPECT(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, 166912) ==
         cudaErrorInvalidValue);
  int blocks = 0, grid = 0, block = 0;
  SUCCEEDS(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel, 1024, 0));
  EXPECT(blocks == 2);
  SUCCEEDS(cudaOccupancyMaxPotentialBlockSize(&grid, &block, kernel, 0, 0));
  EXPECT(block == 1024 && grid == 216);
  size_t dynamic = 0;
  SUCCEEDS(cudaOccupancyAvailableDynamicSMemPerBlock(&dynamic, kernel, 2, 256));
  EXPECT(dynamic > 70000 && dynamic < 84000);
  EXPECT(cudaFuncGetAttributes(&attributes, &expectation) == cudaErrorInvalidDeviceFunction);
}

extern "C" void run(const float* x, float* y, int64_t n, int64_t mode, cudaStream_t s) {
  int expectation = 0;
  switch (mode) {
    case 0: Device(expectation); break;
    case 1: Memory(expectation, s); break;
    case 2: Symbols(expectation, s); break;
    case 3: Streams(expectation, s); break;
    case 4: Functions(expectation); break;
  }
  kernel<<<1, 256, 0, s>>>(x, y, n);
}
