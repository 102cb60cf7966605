// Device libraries of the toolkit that kernels use.
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
#include <cub/block/block_radix_sort.cuh>
#include <cub/block/block_reduce.cuh>
#include <cub/block/block_scan.cuh>
#include <cub/warp/warp_reduce.cuh>
#include <cuda/barrier>
#include <cuda/pipeline>
#include <curand_kernel.h>

namespace cg = cooperative_groups;

extern "C" __global__ void blocks(const float* a, float* out, int* scanned) {
  __shared__ cub::BlockReduce<float, 128>::TempStorage reduce;
  __shared__ cub::BlockScan<int, 128>::TempStorage scan;
  __shared__ cub::BlockRadixSort<float, 128, 2>::TempStorage sort;
  __shared__ cub::WarpReduce<float>::TempStorage warp[4];
  out[0] = cub::BlockReduce<float, 128>(reduce).Sum(a[threadIdx.x]);
  int x = threadIdx.x;
  cub::BlockScan<int, 128>(scan).InclusiveSum(x, x);
  scanned[threadIdx.x] = x;
  float keys[2] = {a[threadIdx.x], a[threadIdx.x + 128]};
  cub::BlockRadixSort<float, 128, 2>(sort).Sort(keys);
  out[threadIdx.x + 1] = keys[0] + cub::WarpReduce<float>(warp[threadIdx.x / 32]).Sum(keys[1]);
}
extern "C" __global__ void groups(const int* a, int* out, unsigned* flags) {
  auto block = cg::this_thread_block();
  auto tile = cg::tiled_partition<16>(block);
  auto active = cg::coalesced_threads();
  out[threadIdx.x] = cg::reduce(tile, a[threadIdx.x], cg::plus<int>()) + tile.shfl_xor(a[threadIdx.x], 1) +
                     tile.any(a[threadIdx.x] > 3) + active.shfl(a[threadIdx.x], 0) + active.thread_rank();
  block.sync();
  cg::this_grid().sync();
}
extern "C" __global__ void barriers_of_blocks(int* a) {
  __shared__ cuda::barrier<cuda::thread_scope_block> barrier;
  if (threadIdx.x == 0) init(&barrier, blockDim.x);
  __syncthreads();
  a[threadIdx.x] += 1;
  barrier.arrive_and_wait();
  a[threadIdx.x] += a[threadIdx.x ^ 1];
}
extern "C" __global__ void dice(unsigned long long seed, float* out, unsigned* ints) {
  curandStatePhilox4_32_10_t philox;
  curandState xorwow;
  curand_init(seed, threadIdx.x, 0, &philox);
  curand_init(seed, threadIdx.x, 7, &xorwow);
  const float4 n = curand_normal4(&philox);
  out[threadIdx.x] = n.x + n.w + curand_uniform(&xorwow) + curand_normal(&xorwow);
  ints[threadIdx.x] = curand(&xorwow) + curand_poisson(&philox, 3.5);
}
