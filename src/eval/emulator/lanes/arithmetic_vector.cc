#define KW_BUILD vector
#include "lanes/arithmetic.inc"
