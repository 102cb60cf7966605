#include <cublas_v2.h>

#define KW_INTERFACE OwnInterface
#include "cublas_interface.inc"
