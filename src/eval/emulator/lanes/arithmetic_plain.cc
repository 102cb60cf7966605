#define KW_BUILD plain
#include "lanes/arithmetic.inc"
