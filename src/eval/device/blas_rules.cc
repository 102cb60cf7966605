#include "blas_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstring>
#include <optional>

namespace kw::eval {
namespace {

using ring::BlasBody;
using ring::BlasFunction;

constexpr int32_t kOpN = 0, kOpT = 1, kOpC = 2;
// No device holds more; and products of such numbers with a size of an element do not overflow.
constexpr int64_t kMostElements = int64_t{1} << 40;

// cudaDataType.
enum CudaType : int32_t {
  kReal32F = 0,
  kReal64F = 1,
  kReal16F = 2,
  kReal8I = 3,
  kReal32I = 10,
  kReal16Bf = 14
};

std::optional<BlasType> TypeOf(int32_t type) {
  switch (type) {
    case kReal32F:
      return BlasType::kF32;
    case kReal64F:
      return BlasType::kF64;
    case kReal16F:
      return BlasType::kF16;
    case kReal8I:
      return BlasType::kI8;
    case kReal32I:
      return BlasType::kI32;
    case kReal16Bf:
      return BlasType::kBf16;
    default:
      return std::nullopt;
  }
}

std::string TypeName(int32_t type) {
  switch (type) {
    case kReal32F:
      return "CUDA_R_32F";
    case kReal64F:
      return "CUDA_R_64F";
    case kReal16F:
      return "CUDA_R_16F";
    case kReal8I:
      return "CUDA_R_8I";
    case kReal32I:
      return "CUDA_R_32I";
    case kReal16Bf:
      return "CUDA_R_16BF";
    default:
      return fmt::format("cudaDataType {}", type);
  }
}
// Complex numbers, which cuBLAS has.
bool IsComplex(int32_t type) { return type == 4 || type == 5 || type == 6 || type == 15; }

// cublasComputeType_t: its name, the type of alpha and beta, and what it sums in.
struct Compute {
  int32_t number;
  const char* name;
  BlasType scale;
  BlasMath math;
  bool fast;  // for float32 operands alone
};
constexpr std::array<Compute, 13> kComputes = {{
    {64, "CUBLAS_COMPUTE_16F", BlasType::kF16, BlasMath::kF16, false},
    {65, "CUBLAS_COMPUTE_16F_PEDANTIC", BlasType::kF16, BlasMath::kF16, false},
    {68, "CUBLAS_COMPUTE_32F", BlasType::kF32, BlasMath::kF32, false},
    {69, "CUBLAS_COMPUTE_32F_PEDANTIC", BlasType::kF32, BlasMath::kF32, false},
    {74, "CUBLAS_COMPUTE_32F_FAST_16F", BlasType::kF32, BlasMath::kF32ByF16, true},
    {75, "CUBLAS_COMPUTE_32F_FAST_16BF", BlasType::kF32, BlasMath::kF32ByBf16, true},
    {77, "CUBLAS_COMPUTE_32F_FAST_TF32", BlasType::kF32, BlasMath::kTf32, true},
    {78, "CUBLAS_COMPUTE_32F_EMULATED_16BFX9", BlasType::kF32, BlasMath::kF32, true},
    {70, "CUBLAS_COMPUTE_64F", BlasType::kF64, BlasMath::kF64, false},
    {71, "CUBLAS_COMPUTE_64F_PEDANTIC", BlasType::kF64, BlasMath::kF64, false},
    {79, "CUBLAS_COMPUTE_64F_EMULATED_FIXEDPOINT", BlasType::kF64, BlasMath::kF64, false},
    {72, "CUBLAS_COMPUTE_32I", BlasType::kI32, BlasMath::kI32, false},
    {73, "CUBLAS_COMPUTE_32I_PEDANTIC", BlasType::kI32, BlasMath::kI32, false},
}};

// What GemmEx takes (its table in cuBLAS' documentation), without the complex rows.
bool TakesTypes(const Compute& compute, BlasType ab, BlasType c) {
  switch (compute.scale) {
    case BlasType::kF16:
      return ab == BlasType::kF16 && c == BlasType::kF16;
    case BlasType::kF64:
      return ab == BlasType::kF64 && c == BlasType::kF64;
    case BlasType::kI32:
      return ab == BlasType::kI8 && c == BlasType::kI32;
    default:
      break;
  }
  if (compute.fast || ab == BlasType::kF32) return ab == BlasType::kF32 && c == BlasType::kF32;
  if (ab == BlasType::kI8) return c == BlasType::kF32;
  return (ab == BlasType::kF16 || ab == BlasType::kBf16) && (c == ab || c == BlasType::kF32);
}

// cublasMath_t: how float32 operands of an ordinary call are multiplied.
BlasMath MathOf(int32_t mode) {
  constexpr int32_t kModeBits = 0xf, kTensorOp = 1, kTf32 = 3;
  if ((mode & kModeBits) == kTensorOp) return BlasMath::kF32ByF16;
  if ((mode & kModeBits) == kTf32) return BlasMath::kTf32;
  return BlasMath::kF32;
}

// binary16.
double HalfValue(uint64_t bits) {
  const auto exponent = static_cast<int>(bits >> 10 & 0x1f),
             mantissa = static_cast<int>(bits & 0x3ff);
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  if (exponent == 0x1f) return mantissa != 0 ? std::nan("") : sign * INFINITY;
  return sign *
         (exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(mantissa + 0x400, exponent - 25));
}

double ScalarValue(BlasType type, uint64_t bits) {
  const auto as = [&](auto value) {
    std::memcpy(&value, &bits, sizeof value);
    return static_cast<double>(value);
  };
  switch (type) {
    case BlasType::kF64:
      return as(double{});
    case BlasType::kI32:
      return as(int32_t{});
    case BlasType::kF16:
      return HalfValue(bits);
    default:
      return as(float{});
  }
}

// A verdict under construction.
class BlasRules {
 public:
  explicit BlasRules(const BlasBody& body) : body_(body) {}

  BlasVerdict Check() {
    for (const char* c = body_.name; c < std::end(body_.name) && *c != '\0'; ++c) {
      verdict_.call.function += std::isalnum(static_cast<unsigned char>(*c)) != 0 ? *c : '?';
    }
    if (body_.function >= ring::kBlasFunctions || verdict_.call.function.empty()) {
      verdict_.nonsense = true;
      return verdict_;
    }
    if (CheckSizes() && CheckTypes() && CheckScalars()) Shape();
    return std::move(verdict_);
  }

 private:
  BlasFunction function() const { return static_cast<BlasFunction>(body_.function); }
  bool IsOneOf(std::initializer_list<BlasFunction> functions) const {
    return std::find(functions.begin(), functions.end(), function()) != functions.end();
  }
  bool OnVectors() const {
    return !IsOneOf(
        {BlasFunction::kGemm, BlasFunction::kGemv, BlasFunction::kGer, BlasFunction::kGeam});
  }

  bool Refuse(ring::BlasStatus status, std::string_view why) {
    verdict_.status = status;
    verdict_.text = fmt::format("{}: {}: {}", verdict_.call.function,
                                status == ring::kBlasNotSupported ? "CUBLAS_STATUS_NOT_SUPPORTED"
                                                                  : "CUBLAS_STATUS_INVALID_VALUE",
                                why);
    return false;
  }
  bool Invalid(std::string_view why) { return Refuse(ring::kBlasInvalidValue, why); }

  bool CheckSizes() {
    for (const auto& [name, size] :
         {std::pair("m", body_.m), std::pair("n", body_.n), std::pair("k", body_.k),
          std::pair("batchCount", body_.batches)}) {
      if (size < 0) return Invalid(fmt::format("{} = {} is negative", name, size));
    }
    for (const int64_t number : {body_.m, body_.n, body_.k, body_.batches, body_.lda, body_.ldb,
                                 body_.ldc, body_.stride_a, body_.stride_b, body_.stride_c}) {
      if (number > kMostElements || number < -kMostElements) {
        return Invalid(fmt::format("{} elements are more than any device has", number));
      }
    }
    for (const int32_t operation : {body_.transa, body_.transb}) {
      if (operation != kOpN && operation != kOpT && operation != kOpC) {
        return Invalid(fmt::format("{} is no cublasOperation_t", operation));
      }
    }
    return true;
  }

  bool CheckTypes() {
    for (const int32_t type : {body_.type_a, body_.type_b, body_.type_c}) {
      if (TypeOf(type)) continue;
      if (IsComplex(type)) {
        verdict_.unsupported = true;
        verdict_.text = verdict_.call.function + " with complex numbers";
        return false;
      }
      return Refuse(ring::kBlasNotSupported,
                    fmt::format("it does not take elements of {}", TypeName(type)));
    }
    const auto compute = std::find_if(kComputes.begin(), kComputes.end(),
                                      [&](const Compute& c) { return c.number == body_.compute; });
    if (compute == kComputes.end()) {
      return Refuse(ring::kBlasNotSupported,
                    fmt::format("{} is no cublasComputeType_t for real numbers; {}", body_.compute,
                                "CUBLAS_COMPUTE_32F is 68. It is not a cudaDataType"));
    }
    const BlasType a = *TypeOf(body_.type_a), b = *TypeOf(body_.type_b), c = *TypeOf(body_.type_c);
    if (function() != BlasFunction::kGemm) {
      // Which function it is says the type.
      const bool is_float = a == BlasType::kF32 && compute->math == BlasMath::kF32;
      const bool is_double = a == BlasType::kF64 && compute->math == BlasMath::kF64;
      verdict_.nonsense = a != b || a != c || (!is_float && !is_double);
      if (verdict_.nonsense) return false;
    } else if (a != b || !TakesTypes(*compute, a, c)) {
      return Refuse(
          ring::kBlasNotSupported,
          fmt::format("{} does not take A of {}, B of {} and C of {}", compute->name,
                      TypeName(body_.type_a), TypeName(body_.type_b), TypeName(body_.type_c)));
    }
    if (compute->scale == BlasType::kI32 && (body_.lda % 4 != 0 || body_.ldb % 4 != 0)) {
      return Refuse(ring::kBlasNotSupported,
                    fmt::format("with {} lda and ldb must be multiples of 4; they are {} and {}",
                                compute->name, body_.lda, body_.ldb));
    }
    scale_ = compute->scale;
    verdict_.call.math = compute->math;
    const bool pedantic = body_.compute == 69;
    if (compute->math == BlasMath::kF32 && !compute->fast && !pedantic && a == BlasType::kF32 &&
        function() == BlasFunction::kGemm) {
      verdict_.call.math = MathOf(body_.math_mode);
    }
    return true;
  }

  bool CheckScalars() {
    const bool with_alpha =
        IsOneOf({BlasFunction::kGemm, BlasFunction::kGemv, BlasFunction::kGer, BlasFunction::kGeam,
                 BlasFunction::kAxpy, BlasFunction::kScal});
    const bool with_beta = IsOneOf({BlasFunction::kGemm, BlasFunction::kGemv, BlasFunction::kGeam});
    if (with_alpha && (body_.flags & ring::kNoAlpha) != 0)
      return Invalid("alpha is a null pointer");
    if (with_beta && (body_.flags & ring::kNoBeta) != 0) return Invalid("beta is a null pointer");
    if (IsResult() && (body_.flags & ring::kNoResult) != 0) {
      return Invalid("the place for the result is a null pointer");
    }
    const bool on_device = (body_.flags & ring::kDeviceScalars) != 0;
    const auto scalar = [&](const char* name, bool used, uint64_t bits, double otherwise) {
      BlasScalar made{.name = name, .value = otherwise, .type = scale_};
      if (used && on_device) {
        made.address = bits;
      } else if (used) {
        made.value = ScalarValue(scale_, bits);
      }
      return made;
    };
    // A sum with something that is there already.
    const double beta = IsOneOf({BlasFunction::kGer, BlasFunction::kAxpy}) ? 1 : 0;
    verdict_.call.alpha = scalar("alpha", with_alpha, body_.alpha, 1);
    verdict_.call.beta = scalar("beta", with_beta, body_.beta, beta);
    return true;
  }

  // One number: to the host, or to device memory.
  bool IsResult() const {
    return IsOneOf({BlasFunction::kDot, BlasFunction::kNrm2, BlasFunction::kAsum,
                    BlasFunction::kAmax, BlasFunction::kAmin});
  }

  // ---- what the call means ----

  BlasMatrix Matrix(const char* name, uint64_t address, int32_t type, int64_t rows, int64_t columns,
                    int64_t lead, int64_t stride, bool transposed) const {
    BlasMatrix matrix{.name = name, .address = address, .type = *TypeOf(type)};
    matrix.rows = transposed ? columns : rows;
    matrix.columns = transposed ? rows : columns;
    matrix.lead = lead;
    matrix.batch_step = stride;
    matrix.transposed = transposed;
    matrix.pointers = (body_.flags & ring::kPointerArrays) != 0;
    return matrix;
  }
  BlasMatrix Vector(const char* name, uint64_t address, int32_t type, int64_t count,
                    int64_t increment) const {
    BlasMatrix vector{.name = name, .address = address, .type = *TypeOf(type)};
    vector.rows = count;
    vector.step = increment;
    vector.lead = count;  // of its one column: no step leads there
    if (increment < 0 && count > 0) {
      vector.address += static_cast<uint64_t>((count - 1) * -increment) * BytesOf(vector.type);
    }
    return vector;
  }
  static bool Transposed(int32_t operation) { return operation != kOpN; }

  bool CheckLead(const BlasMatrix& matrix, const char* name, int64_t lead, const char* sizes) {
    const int64_t least = std::max<int64_t>(1, matrix.rows);
    if (lead >= least) return true;
    return Invalid(fmt::format(
        "{} = {} is less than {}, the rows of {} as it is stored ({}); matrices are stored by "
        "columns",
        name, lead, least, matrix.name, sizes));
  }
  bool CheckIncrement(const char* name, int64_t increment) {
    if (increment != 0) return true;
    return Invalid(fmt::format("{} is 0", name));
  }

  void Shape() {
    BlasCall& call = verdict_.call;
    call.m = body_.m;
    call.n = body_.n;
    call.k = body_.k;
    call.batches = body_.batches;
    switch (function()) {
      case BlasFunction::kGemm:
        if (!ShapeProduct()) return;
        break;
      case BlasFunction::kGemv:
        if (!ShapeMatrixVector()) return;
        break;
      case BlasFunction::kGer:
        if (!CheckIncrement("incx", body_.lda) || !CheckIncrement("incy", body_.ldb)) return;
        call.a = Vector("x", body_.a, body_.type_a, call.m, body_.lda);
        call.b = Vector("y", body_.b, body_.type_b, call.n, body_.ldb);
        // As a row, its elements are apart by what is the step of a column.
        call.b.transposed = true;
        call.c = Matrix("A", body_.c, body_.type_c, call.m, call.n, body_.ldc, 0, false);
        call.k = 1;
        if (!CheckLead(call.c, "lda", body_.ldc, "m")) return;
        break;
      case BlasFunction::kGeam:
        call.kind = BlasCall::Kind::kAdd;
        call.a = Matrix("A", body_.a, body_.type_a, call.m, call.n, body_.lda, 0,
                        Transposed(body_.transa));
        call.b = Matrix("B", body_.b, body_.type_b, call.m, call.n, body_.ldb, 0,
                        Transposed(body_.transb));
        call.c = Matrix("C", body_.c, body_.type_c, call.m, call.n, body_.ldc, 0, false);
        call.k = 0;
        if (!CheckLead(call.a, "lda", body_.lda, call.a.transposed ? "n" : "m") ||
            !CheckLead(call.b, "ldb", body_.ldb, call.b.transposed ? "n" : "m") ||
            !CheckLead(call.c, "ldc", body_.ldc, "m")) {
          return;
        }
        break;
      default:
        ShapeVectors();
    }
    if (verdict_.status != ring::kBlasSuccess) return;
    verdict_.to_host = IsResult() && (body_.flags & ring::kDeviceScalars) == 0;
    verdict_.nothing = !IsResult() && (call.m == 0 || call.n == 0 || call.batches == 0);
    if (!verdict_.nothing && !verdict_.to_host && body_.c == 0)
      Invalid("the output is a null pointer");
  }

  bool ShapeProduct() {
    BlasCall& call = verdict_.call;
    const bool ta = Transposed(body_.transa), tb = Transposed(body_.transb);
    call.a = Matrix("A", body_.a, body_.type_a, call.m, call.k, body_.lda, body_.stride_a, ta);
    call.b = Matrix("B", body_.b, body_.type_b, call.k, call.n, body_.ldb, body_.stride_b, tb);
    call.c = Matrix("C", body_.c, body_.type_c, call.m, call.n, body_.ldc, body_.stride_c, false);
    return CheckLead(call.a, "lda", body_.lda, ta ? "k, since transa is not CUBLAS_OP_N" : "m") &&
           CheckLead(call.b, "ldb", body_.ldb, tb ? "n, since transb is not CUBLAS_OP_N" : "k") &&
           CheckLead(call.c, "ldc", body_.ldc, "m");
  }

  bool ShapeMatrixVector() {
    BlasCall& call = verdict_.call;
    // As stored A is m x n.
    const bool transposed = Transposed(body_.transa);
    const int64_t in = transposed ? body_.m : body_.n, out = transposed ? body_.n : body_.m;
    call.a = Matrix("A", body_.a, body_.type_a, out, in, body_.lda, 0, transposed);
    if (!CheckLead(call.a, "lda", body_.lda, "m") || !CheckIncrement("incx", body_.ldb) ||
        !CheckIncrement("incy", body_.ldc)) {
      return false;
    }
    call.b = Vector("x", body_.b, body_.type_b, in, body_.ldb);
    call.c = Vector("y", body_.c, body_.type_c, out, body_.ldc);
    call.m = out;
    call.n = body_.m == 0 || body_.n == 0 ? 0 : 1;
    call.k = in;
    return true;
  }

  void ShapeVectors() {
    BlasCall& call = verdict_.call;
    const int64_t count = body_.n;
    const auto x = [&](uint64_t address) {
      return Vector("x", address, body_.type_a, count, body_.lda);
    };
    call.m = count;
    call.n = call.batches = 1;
    call.k = 0;
    call.kind = BlasCall::Kind::kAdd;
    switch (function()) {
      case BlasFunction::kAxpy:
        call.a = x(body_.a);
        call.b = call.c = Vector("y", body_.c, body_.type_c, count, body_.ldc);
        return;
      case BlasFunction::kScal:
        call.a = call.c = x(body_.c);
        call.b.rows = 0;
        return;
      case BlasFunction::kCopy:
        call.a = x(body_.a);
        call.b.rows = 0;
        call.c = Vector("y", body_.c, body_.type_c, count, body_.ldc);
        return;
      default:
        break;
    }
    call.a = x(body_.a);
    call.b.rows = 0;
    call.b.type = call.a.type;
    const bool on_device = (body_.flags & ring::kDeviceScalars) != 0;
    call.c = Vector("the result", on_device ? body_.c : 0, body_.type_c, 1, 1);
    if (function() == BlasFunction::kDot) {
      call.kind = BlasCall::Kind::kMultiply;
      call.a.transposed = true;
      call.b = Vector("y", body_.b, body_.type_b, count, body_.ldb);
      call.m = 1;
      call.k = count;
      return;
    }
    call.kind = function() == BlasFunction::kNrm2   ? BlasCall::Kind::kNorm
                : function() == BlasFunction::kAsum ? BlasCall::Kind::kSumOfMagnitudes
                : function() == BlasFunction::kAmax ? BlasCall::Kind::kLargest
                                                    : BlasCall::Kind::kSmallest;
    if (function() == BlasFunction::kAmax || function() == BlasFunction::kAmin) {
      call.c.type = BlasType::kI32;
    }
    // An increment that does not go forward has no elements for these.
    if (body_.lda <= 0) call.a.rows = call.m = 0;
  }

  const BlasBody& body_;
  BlasVerdict verdict_;
  BlasType scale_ = BlasType::kF32;
};

}  // namespace

BlasVerdict CheckBlas(const BlasBody& body) { return BlasRules(body).Check(); }

}  // namespace kw::eval
