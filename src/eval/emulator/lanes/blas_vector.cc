#define KW_BUILD VectorBlasKernels
#include "lanes/blas.inc"
