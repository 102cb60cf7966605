// expect: PASSED
// says: Correct in all
// Own kernels beside the library, scalars on the device, strides, and an offer that is declined.
#include <cublas_v2.h>

#include <cstdint>

static cublasHandle_t Handle(cudaStream_t stream) {
  static cublasHandle_t handle = nullptr;
  if (!handle) cublasCreate(&handle);
  cublasSetStream(handle, stream);
  return handle;
}


__global__ void fill(float* scalars) {
  scalars[threadIdx.x] = threadIdx.x == 0 ? 0.5f : 0.0f;
}
__global__ void twice(float* c, int64_t count) {
  const int64_t i = blockIdx.x * int64_t{256} + threadIdx.x;
  if (i < count) c[i] *= 2;
}
extern "C" void run(const float* a, const float* b, float* c, int64_t m, int64_t n, int64_t k,
                    cudaStream_t stream) {
  static float* scalars = nullptr;
  if (!scalars) cudaMalloc(&scalars, 2 * sizeof(float));
  fill<<<1, 2, 0, stream>>>(scalars);
  cublasHandle_t handle = Handle(stream);
  cublasSetPointerMode(handle, CUBLAS_POINTER_MODE_DEVICE);
  cublasStatus_t status = cublasGemmEx(handle, CUBLAS_OP_N, CUBLAS_OP_N, n, m, k, scalars, b,
                                       CUDA_R_32F, n, a, CUDA_R_32F, k, scalars + 1, c, CUDA_R_32F,
                                       n, CUBLAS_COMPUTE_16F, CUBLAS_GEMM_DEFAULT);
  if (status == CUBLAS_STATUS_NOT_SUPPORTED) {
    cublasGemmStridedBatchedEx(handle, CUBLAS_OP_N, CUBLAS_OP_N, n, 1, k, scalars, b, CUDA_R_32F, n,
                               0, a, CUDA_R_32F, k, k, scalars + 1, c, CUDA_R_32F, n, n, m,
                               CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
  }
  twice<<<(m * n + 255) / 256, 256, 0, stream>>>(c, m * n);
}
