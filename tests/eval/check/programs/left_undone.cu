// Ends without waiting for its kernel, which writes one element too many.
__global__ void one(int* x) { x[threadIdx.x] = 1; }
int main() {
  int* x;
  cudaMalloc(&x, 4);
  one<<<1, 2>>>(x);
}
