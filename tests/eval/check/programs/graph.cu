// Something that the emulator does not have.
#include <cstdio>
__global__ void nothing() {}
int main() {
  cudaStream_t stream;
  cudaStreamCreate(&stream);
  printf("capturing\n");
  cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal);
  nothing<<<1, 1, 0, stream>>>();
}
