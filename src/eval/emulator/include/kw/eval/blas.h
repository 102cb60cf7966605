// blas: one call of a dense linear algebra library, done on an emulator's memory in place of the
// library's own kernels. Usable alone; the room `device` makes such calls of what a candidate asks
// cuBLAS for.
//
//   BlasCall call{.function = "cublasSgemm", .m = 64, .n = 64, .k = 64, ...};
//   BlasOutcome done = gpu.RunBlas(call);
//
// Memory is checked as for a kernel: bounds, freed and foreign memory (a fault), bytes that nobody
// has written, stores to protected memory, and an output that overlaps what the call reads (hazards
// without a line of source, which name the function).
//
// Arithmetic. Operands are converted to the type of `math`, products are added by fused
// multiply-adds, 256 terms at a time from the first to the last, and these partial sums are added
// in order; kF16 rounds its sum to binary16 after every 16 terms, as mma.sync does. Then alpha *
// sum + beta * C, rounded once to C's type. beta == 0 does not read C, alpha == 0 reads neither A
// nor B. The same bits on every machine.
//
// Work. A call spends lane-instructions of the emulator's budget before it does anything:
//   products:  m * n * k / 8 for each batch; for kF64 / 4, for kF16 and kI32 / 2
//   elements:  (those of A and B and twice those of C) / 4 for each batch
//   always:    512 for each batch
// and where these are not left, nothing is done (kBudget).
//
// Counters are those of the kernel that such a library would choose (docs/design/cost-model.md).
#pragma once

#include <cstdint>
#include <string>

#include "kw/eval/emulator.h"

namespace kw::eval {

enum class BlasType : uint8_t { kF32, kF64, kF16, kBf16, kI8, kI32 };
uint64_t BytesOf(BlasType type);

// What products are summed in, and to what operands are rounded before.
enum class BlasMath : uint8_t {
  kF32,
  kF64,
  kF16,
  kI32,
  kTf32,       // f32 operands cut to 10 bits of mantissa, f32 sums
  kF32ByF16,   // f32 operands rounded to binary16, f32 sums
  kF32ByBf16,  // ... to bfloat16
};

// A matrix by columns, as it is stored; a vector is a matrix of one column. Numbers of elements,
// each at most 2^40 (the caller's duty), steps of either sign.
struct BlasMatrix {
  std::string name;      // "A", in texts
  uint64_t address = 0;  // of element (0,0); with `pointers`: of an array of such, one a batch
  BlasType type = BlasType::kF32;
  int64_t rows = 0, columns = 1;
  int64_t step = 1;        // from row to row: the increment of a vector
  int64_t lead = 0;        // from column to column: the leading dimension
  int64_t batch_step = 0;  // from batch to batch
  bool pointers = false;
  bool transposed = false;  // the call uses its transpose
};

struct BlasScalar {
  std::string name;
  double value = 0;
  uint64_t address = 0;  // in device memory, instead of the value; 0: none
  BlasType type = BlasType::kF32;
};

struct BlasCall {
  enum class Kind : uint8_t {
    kMultiply,         // C = alpha op(A) op(B) + beta C: C is m x n, k terms each
    kAdd,              // C = alpha op(A) + beta op(B), element by element
    kNorm,             // C = root of the sum of the squares of A
    kSumOfMagnitudes,  // C = sum of |A|
    kLargest,          // C = number of A's largest magnitude, from 1; int32
    kSmallest,
  };
  Kind kind = Kind::kMultiply;
  std::string function;  // in texts: "cublasSgemm"
  int64_t m = 0, n = 0, k = 0, batches = 1;
  BlasMatrix a, b, c;  // c.address == 0: a single result that goes to the host
  BlasScalar alpha, beta;
  BlasMath math = BlasMath::kF32;
};

struct BlasOutcome {
  LaunchOutcome::Status status = LaunchOutcome::Status::kOk;
  std::string message;
  // The launch that a library would have made.
  Dim3 grid, block;
  uint32_t dynamic_shared = 0;
  Counters counters;
  double result = 0;  // where there is no C
};

}  // namespace kw::eval
