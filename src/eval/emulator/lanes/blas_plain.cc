#define KW_BUILD PlainBlasKernels
#include "lanes/blas.inc"
