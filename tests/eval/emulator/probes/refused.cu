// What the emulator leaves out: each kernel ends at the instruction that names it.
#if __CUDA_ARCH__ >= 900
extern "C" __global__ void bulk_copy(const float* a) {
  __shared__ __align__(128) float s[256];
  __shared__ unsigned long long barrier;
  const unsigned to = static_cast<unsigned>(__cvta_generic_to_shared(s)),
                 done = static_cast<unsigned>(__cvta_generic_to_shared(&barrier));
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], 1024;" ::"r"(done) : "memory");
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], 1024, [%2];"
               ::"r"(to), "l"(a), "r"(done) : "memory");
}
extern "C" __global__ void cluster_barrier() {
  asm volatile("barrier.cluster.arrive.aligned;" ::: "memory");
  asm volatile("barrier.cluster.wait.aligned;" ::: "memory");
}
extern "C" __global__ void cluster_address(unsigned* out) {
  __shared__ unsigned s[32];
  unsigned r;
  asm volatile("mapa.shared::cluster.u32 %0, %1, 0;" : "=r"(r) : "r"(static_cast<unsigned>(__cvta_generic_to_shared(s))));
  *out = r;
}
struct __align__(16) Wide { unsigned long long a, b; };
extern "C" __global__ void wide_atomic(Wide* p) {
  const Wide value = {1, 2};
  p[1] = atomicExch(p, value);
}
#endif
extern "C" __global__ void variable_frame(int* out) {
  int* a = static_cast<int*>(alloca(out[0] * 4));
  for (int i = 0; i < out[0]; ++i) a[i] = i;
  out[1] = a[out[2]];
}
extern "C" __global__ void texture(cudaTextureObject_t t, float* out) { *out = tex2D<float>(t, 0.5f, 0.5f); }
extern "C" __global__ void surface(cudaSurfaceObject_t s, float* out) { *out = surf2Dread<float>(s, 0, 0); }
extern "C" __global__ void heap(int** out) {
  *out = static_cast<int*>(malloc(16));
  free(*out);
}
