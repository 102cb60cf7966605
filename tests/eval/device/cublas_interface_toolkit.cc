#include <cublas_v2.h>

#define KW_INTERFACE ToolkitInterface
#include "cublas_interface.inc"
