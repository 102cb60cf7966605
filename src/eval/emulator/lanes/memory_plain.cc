#define KW_BUILD plain
#include "lanes/memory.inc"
