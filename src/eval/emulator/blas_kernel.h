// The inner loops of library calls: plain structs, because they are compiled once for each
// instruction set, like the handlers in lanes/.
#pragma once

#include <cstdint>

namespace kw::eval {
enum class BlasType : uint8_t;
enum class BlasMath : uint8_t;
}  // namespace kw::eval

namespace kw::eval::emu {

// Rows and columns of the part of C that is made at once.
inline constexpr int64_t kBlasRows = 256, kBlasColumns = 192;
// Terms that are added before the sum joins the sums before it.
inline constexpr int64_t kBlasTerms = 256, kBlasTermsF16 = 16;

// Steps are in bytes, and say how op(A), op(B) lie in memory.
struct BlasTile {
  int64_t rows = 0, columns = 0, terms = 0;
  const char *a = nullptr, *b = nullptr, *c = nullptr;
  int64_t a_row = 0, a_column = 0, b_row = 0, b_column = 0, c_row = 0, c_column = 0;
  BlasType a_type{}, b_type{}, c_type{}, out_type{};
  BlasMath math{};
  // kBlasRows sums a column: float, double or int32 as `math` says.
  char* sums = nullptr;
  char *packed_a = nullptr, *packed_b = nullptr;  // room for kBlasTerms rows and columns
  double alpha = 0, beta = 0;
  char* out = nullptr;  // kBlasRows elements of out_type a column
};

struct BlasKernels {
  // sums = op(A) op(B)
  void (*multiply)(const BlasTile&);
  // sums = op(A)
  void (*load)(const BlasTile&);
  // out = alpha sums + beta c, where c == nullptr counts as beta == 0
  void (*finish)(const BlasTile&);
};

const BlasKernels& PlainBlasKernels();
const BlasKernels& VectorBlasKernels();

}  // namespace kw::eval::emu
