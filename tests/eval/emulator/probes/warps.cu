// What a warp and a block do together: shuffles, votes, matches, reductions, barriers.
extern "C" __global__ void shuffles(const int* a, int* out, double* d, const float* f) {
  const int x = a[threadIdx.x];
  int* at = out + threadIdx.x * 24;
  at[0] = __shfl_sync(~0u, x, 3);
  at[1] = __shfl_up_sync(~0u, x, 2);
  at[2] = __shfl_down_sync(~0u, x, 4, 16);
  at[3] = __shfl_xor_sync(~0u, x, 8);
  d[threadIdx.x] = __shfl_down_sync(~0u, d[threadIdx.x], 1) + __shfl_xor_sync(~0u, f[threadIdx.x], 1);
  at[4] = __ballot_sync(~0u, x & 1);
  at[5] = __any_sync(~0u, x > 3);
  at[6] = __all_sync(~0u, x > 3);
  at[7] = __match_any_sync(~0u, x);
  at[8] = __match_any_sync(~0u, static_cast<long long>(x));
  int same;
  at[9] = __match_all_sync(~0u, x, &same);
  at[10] = same;
  at[11] = __activemask();
  __syncwarp(0xffff | ~0u);
  asm volatile("{ .reg .pred p, q; setp.ne.s32 p, %1, 0; vote.sync.uni.pred q, p, -1; selp.s32 %0, 1, 0, q; }"
               : "=r"(at[12]) : "r"(x));
#if __CUDA_ARCH__ >= 800
  at[13] = __reduce_add_sync(~0u, x) + __reduce_min_sync(~0u, x) + __reduce_max_sync(~0u, x);
  at[14] = __reduce_add_sync(~0u, static_cast<unsigned>(x)) + __reduce_min_sync(~0u, static_cast<unsigned>(x)) +
           __reduce_max_sync(~0u, static_cast<unsigned>(x));
  at[15] = __reduce_and_sync(~0u, x) + __reduce_or_sync(~0u, x) + __reduce_xor_sync(~0u, x);
#endif
#if __CUDA_ARCH__ >= 900
  asm volatile("{ .reg .pred p; elect.sync _|p, -1; selp.s32 %0, 1, 0, p; }" : "=r"(at[16]));
#endif
  unsigned r;
  asm("mov.u32 %0, %%lanemask_lt;" : "=r"(r));
  at[17] = r;
  asm("mov.u32 %0, %%laneid;" : "=r"(r));
  at[18] = r + warpSize;
}

extern "C" __global__ void barriers(const int* a, int* out, int named) {
  __shared__ int s[256];
  s[threadIdx.x] = a[threadIdx.x];
  __syncthreads();
  out[threadIdx.x] = s[threadIdx.x ^ 31] + __syncthreads_count(s[threadIdx.x] > 0) +
                     __syncthreads_and(s[threadIdx.x] > 1) + __syncthreads_or(s[threadIdx.x] > 2);
  asm volatile("bar.sync 1, 64;" ::: "memory");
  asm volatile("barrier.sync %0, 64;" ::"r"(named) : "memory");
  if (threadIdx.x < 32)
    asm volatile("bar.arrive 3, 64;" ::: "memory");
  else
    asm volatile("bar.sync 3, 64;" ::: "memory");
  __threadfence_block();
  __threadfence();
  __threadfence_system();
  asm volatile("membar.cta;" ::: "memory");
  asm volatile("fence.acq_rel.gpu;" ::: "memory");
}

extern "C" __global__ void clocks(long long* out) {
  const long long a = clock64();
  const unsigned b = clock();
  unsigned long long g;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(g));
  unsigned sm, warp;
  asm volatile("mov.u32 %0, %%smid;" : "=r"(sm));
  asm volatile("mov.u32 %0, %%warpid;" : "=r"(warp));
  __nanosleep(100);
  out[threadIdx.x] = clock64() - a + b + static_cast<long long>(g) + sm + warp;
}
