// What a program of several files includes.
#pragma once
#include <cstdio>
#include <cstdlib>
inline void check(cudaError_t e) {
  if (e) {
    fprintf(stderr, "%s\n", cudaGetErrorName(e));
    exit(1);
  }
}
