// Kernels and variables that the candidate's object registered, by the address that host code
// knows them by.
#pragma once

#include "cudart/client.h"

namespace kw::cudart {

struct Kernel {
  const void* host;
  const char* name;  // mangled; lives in the candidate's object
  bool resolved;
  Error error;  // of resolving it
  uint64_t id;
  eval::ring::KernelFacts facts;
  eval::ring::KernelParam* parameters;
};

// By the host function's address or by a handle of __cudaGetKernel; nullptr when it is neither.
Kernel* FindKernel(const void* function);
// The same, with its facts; sets *error when the emulator has no such kernel.
Kernel* ResolveKernel(const void* function, Error* error);

Error Launch(const void* function, Dim3 grid, Dim3 block, void** arguments, size_t shared,
             uint64_t stream, uint64_t flags);

}  // namespace kw::cudart
