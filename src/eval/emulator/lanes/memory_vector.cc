#define KW_BUILD vector
#include "lanes/memory.inc"
