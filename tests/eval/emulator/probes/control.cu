// Branches, calls, recursion, tables of functions, virtual functions, printf, assert, trap.
#include <cassert>
#include <cstdio>

extern "C" __global__ void switches(const int* a, int* out) {
  const int x = a[threadIdx.x];
  int r = 0;
  switch (x) {
    case 0: r = out[1]; break;
    case 1: r = out[2] * 3; break;
    case 2: out[4] = 7; break;
    case 3: r = x * out[5]; break;
    case 4: out[6] = 9; r = 1; break;
    case 5: r = ~x; break;
    case 6: r = out[x]; break;
    case 7: out[8] = r; break;
    default: r = -1;
  }
  out[threadIdx.x] = r;
}

__device__ __noinline__ int fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
__device__ __noinline__ long long far(long long n, const float* x) { return x[n] > 0 ? n * n : n; }
struct Mixed { float a; int b; double c; char d[5]; };
__device__ __noinline__ Mixed mixed(float a, int b) { return {a * 2, b + 1, a * 0.5, {1, 2, 3, 4, 5}}; }
__device__ float twice(float x) { return 2 * x; }
__device__ float square(float x) { return x * x; }
typedef float (*Function)(float);
__device__ Function functions[2] = {twice, square};
struct Shape {
  float size;
  __device__ virtual float area() const { return size; }
};
struct Square : Shape {
  __device__ float area() const override { return size * size; }
};

extern "C" __global__ void calls(const float* x, float* y) {
  const int i = threadIdx.x;
  const Mixed m = mixed(x[i], i);
  Shape plain{};
  Square square_shape;
  plain.size = square_shape.size = x[i];
  const Shape* shape = i & 1 ? &plain : &square_shape;
  y[i + 64] = static_cast<float>(far(i, x));
  y[i] = functions[i & 1](x[i]) + fibonacci(i % 8) + m.a + m.b + static_cast<float>(m.c) + m.d[i % 5] + shape->area();
}

extern "C" __global__ void says(int n, const float* x) {
  if (threadIdx.x < n) printf("%d %f %s %llu\n", static_cast<int>(threadIdx.x), x[0], "ok", 1ull << 40);
  assert(x[threadIdx.x] < 3);
  if (x[1] > 100) __trap();
}

extern "C" __global__ void __launch_bounds__(128, 2) unrolled(const float* a, float* b, int n) {
  float sum = 0;
#pragma unroll 4
  for (int i = threadIdx.x; i < n; i += 128) {
    if (a[i] < 0) continue;
    if (a[i] > 1e30f) break;
    sum += a[i];
  }
  do {
    sum *= 0.5f;
  } while (sum > 1);
  b[threadIdx.x] = sum;
  if (n == 7) return;
  b[threadIdx.x + 128] = sum;
  asm volatile("exit;");
}
