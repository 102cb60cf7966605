// Library calls against a reference in fp64 that knows nothing of tiles.
#include "kw/eval/blas.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "src/eval/emulator/blas.h"
#include "src/eval/emulator/program.h"

namespace kw::eval {
namespace {

using testing::HasSubstr;
using BlasStatus = LaunchOutcome::Status;

DeviceSheet BlasSheet() {
  DeviceSheet sheet;
  sheet.name = "test";
  sheet.fp32_tflops = 19.5;
  sheet.tensor_fp16_tflops = 312;
  sheet.tensor_tf32_tflops = 156;
  return sheet;
}

float RoundTo(BlasType type, double value) {
  const auto f = static_cast<float>(value);
  if (type == BlasType::kBf16) {
    uint32_t bits;
    std::memcpy(&bits, &f, 4);
    bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
    float out;
    std::memcpy(&out, &bits, 4);
    return out;
  }
  return type == BlasType::kF16 ? static_cast<float>(static_cast<_Float16>(f)) : f;
}

void Append(std::string* bytes, BlasType type, double value) {
  const auto put = [&](auto v) { bytes->append(reinterpret_cast<const char*>(&v), sizeof v); };
  switch (type) {
    case BlasType::kF64:
      return put(value);
    case BlasType::kF16:
      return put(static_cast<_Float16>(static_cast<float>(value)));
    case BlasType::kBf16: {
      const float f = RoundTo(type, value);
      uint32_t bits;
      std::memcpy(&bits, &f, 4);
      return put(static_cast<uint16_t>(bits >> 16));
    }
    case BlasType::kI8:
      return put(static_cast<int8_t>(value));
    case BlasType::kI32:
      return put(static_cast<int32_t>(value));
    case BlasType::kF32:
      return put(static_cast<float>(value));
  }
}

double Element(const std::string& bytes, BlasType type, size_t index) {
  const char* at = bytes.data() + index * BytesOf(type);
  const auto take = [&](auto v) {
    std::memcpy(&v, at, sizeof v);
    return v;
  };
  switch (type) {
    case BlasType::kF64:
      return take(double{});
    case BlasType::kF16:
      return static_cast<double>(take(_Float16{}));
    case BlasType::kBf16: {
      const uint32_t bits = static_cast<uint32_t>(take(uint16_t{})) << 16;
      float f;
      std::memcpy(&f, &bits, 4);
      return f;
    }
    case BlasType::kI8:
      return take(int8_t{});
    case BlasType::kI32:
      return take(int32_t{});
    case BlasType::kF32:
      return take(float{});
  }
  return 0;
}

// A stored matrix, here and on the device.
struct Stored {
  BlasMatrix matrix;
  std::vector<double> values;  // as the device holds them, all of the buffer
  double At(int64_t row, int64_t column, int64_t batch = 0) const {
    if (matrix.transposed) std::swap(row, column);
    return values[static_cast<size_t>(batch * matrix.batch_step + row * matrix.step +
                                      column * matrix.lead)];
  }
};

class Blas : public testing::Test {
 protected:
  Stored Make(const std::string& name, BlasType type, int64_t rows, int64_t columns, int64_t lead,
              bool transposed = false, int64_t batches = 1, double fill = 0) {
    Stored made;
    made.matrix = {.name = name, .type = type, .rows = rows, .columns = columns, .lead = lead};
    made.matrix.transposed = transposed;
    made.matrix.batch_step = lead * columns;
    std::string bytes;
    std::normal_distribution<double> normal;
    const bool whole = type == BlasType::kI8 || type == BlasType::kI32;
    for (int64_t i = 0; i < lead * columns * batches; ++i) {
      const double value = fill != 0 ? fill
                           : whole   ? std::round(20 * normal(random_))
                                     : normal(random_);
      Append(&bytes, type, value);
      made.values.push_back(Element(bytes, type, static_cast<size_t>(i)));
    }
    made.matrix.address = *gpu_.Allocate(std::max<uint64_t>(1, bytes.size()), name);
    EXPECT_TRUE(gpu_.Write(made.matrix.address, bytes));
    return made;
  }
  std::vector<double> ReadBack(const Stored& stored) {
    std::string bytes(stored.values.size() * BytesOf(stored.matrix.type), '\0');
    EXPECT_TRUE(gpu_.Read(stored.matrix.address, bytes.data(), bytes.size()));
    std::vector<double> values;
    for (size_t i = 0; i < stored.values.size(); ++i) {
      values.push_back(Element(bytes, stored.matrix.type, i));
    }
    return values;
  }
  struct Types {
    BlasType ab, c;
    BlasMath math;
    double tolerance;  // of the sum of magnitudes of terms
  };
  // op(A) is m x k.
  BlasCall Product(const Types& types, int64_t m, int64_t n, int64_t k, bool ta, bool tb,
                   int64_t more_lead = 0, int64_t batches = 1, double fill_c = 0) {
    a_ = Make("A", types.ab, ta ? k : m, ta ? m : k, (ta ? k : m) + more_lead, ta, batches);
    b_ = Make("B", types.ab, tb ? n : k, tb ? k : n, (tb ? n : k) + more_lead, tb, batches);
    c_ = Make("C", types.c, m, n, m + more_lead, false, batches, fill_c);
    BlasCall call{.function = "cublasGemmEx", .m = m, .n = n, .k = k, .batches = batches};
    call.a = a_.matrix;
    call.b = b_.matrix;
    call.c = c_.matrix;
    call.math = types.math;
    call.alpha = {.name = "alpha", .value = 1};
    call.beta = {.name = "beta"};
    return call;
  }
  void ExpectProduct(const BlasCall& call, const Types& types) {
    const BlasOutcome done = gpu_.RunBlas(call);
    ASSERT_EQ(done.status, BlasStatus::kOk) << done.message;
    EXPECT_THAT(gpu_.TakeHazards(), testing::IsEmpty());
    const std::vector<double> got = ReadBack(c_);
    std::vector<bool> inside(got.size());
    for (int64_t batch = 0; batch < call.batches; ++batch) {
      for (int64_t j = 0; j < call.n; ++j) {
        for (int64_t i = 0; i < call.m; ++i) {
          double sum = 0, magnitude = 1e-3;
          for (int64_t t = 0; t < call.k; ++t) {
            sum += a_.At(i, t, batch) * b_.At(t, j, batch);
            magnitude += std::abs(a_.At(i, t, batch) * b_.At(t, j, batch));
          }
          const double old = call.beta.value == 0 ? 0 : c_.At(i, j, batch);
          const double want = call.alpha.value * sum + call.beta.value * old;
          magnitude = magnitude * std::abs(call.alpha.value) + std::abs(call.beta.value * old);
          const auto at =
              static_cast<size_t>(batch * c_.matrix.batch_step + i + j * c_.matrix.lead);
          inside[at] = true;
          ASSERT_NEAR(got[at], want, types.tolerance * magnitude) << i << "," << j;
        }
      }
    }
    for (size_t i = 0; i < got.size(); ++i) {
      if (inside[i]) continue;
      ASSERT_EQ(got[i], c_.values[i]) << "between the columns of C, " << i;
    }
  }

  std::mt19937 random_{7};
  Emulator gpu_{BlasSheet(), 3};
  Stored a_, b_, c_;
};

constexpr double kF32Eps = 1e-6, kF16Eps = 2e-3, kBf16Eps = 8e-3;

TEST_F(Blas, ProductsOfAllTransposesAndSizesAreRight) {
  const Types f32{BlasType::kF32, BlasType::kF32, BlasMath::kF32, kF32Eps};
  for (const auto& [m, n, k] : std::vector<std::array<int64_t, 3>>{
           {1, 1, 1}, {3, 5, 7}, {16, 6, 256}, {17, 7, 257}, {300, 200, 40}, {64, 1, 700}}) {
    for (int which = 0; which < 4; ++which) {
      BlasCall call = Product(f32, m, n, k, which & 1, which & 2, which);
      call.alpha.value = 1.5;
      call.beta.value = which == 3 ? -0.5 : 0;
      ExpectProduct(call, f32);
    }
  }
}

TEST_F(Blas, AllTypesOfElementsAndSumsAreRight) {
  using enum BlasType;
  for (const Types& types : std::vector<Types>{
           {kF64, kF64, BlasMath::kF64, 1e-14},
           {kF16, kF16, BlasMath::kF32, kF16Eps},
           {kF16, kF32, BlasMath::kF32, kF32Eps},
           {kBf16, kBf16, BlasMath::kF32, kBf16Eps},
           {kBf16, kF32, BlasMath::kF32, kF32Eps},
           {kF16, kF16, BlasMath::kF16, 4 * kF16Eps},
           {kF32, kF32, BlasMath::kTf32, kF16Eps},
           {kF32, kF32, BlasMath::kF32ByF16, kF16Eps},
           {kF32, kF32, BlasMath::kF32ByBf16, kBf16Eps},
           {kI8, kI32, BlasMath::kI32, 0},
           {kI8, kF32, BlasMath::kF32, kF32Eps},
       }) {
    for (const bool transposed : {false, true}) {
      BlasCall call = Product(types, 33, 29, 300, transposed, transposed, 4);
      call.alpha.value = 2;
      call.beta.value = 3;
      ExpectProduct(call, types);
    }
  }
}

TEST_F(Blas, LowPrecisionIsReallyLow) {
  // 1 + 2^-11 is a float and no half; 2^-11 is lost where operands are rounded.
  const Types f32{BlasType::kF32, BlasType::kF32, BlasMath::kF32, 0};
  for (const auto& [math, want] : std::vector<std::pair<BlasMath, double>>{
           {BlasMath::kF32, 1 + 0x1p-11}, {BlasMath::kTf32, 1}, {BlasMath::kF32ByBf16, 1}}) {
    BlasCall call = Product(f32, 1, 1, 1, false, false);
    const float a = 1 + 0x1p-11f, b = 1;
    ASSERT_TRUE(gpu_.Write(call.a.address, {reinterpret_cast<const char*>(&a), 4}));
    ASSERT_TRUE(gpu_.Write(call.b.address, {reinterpret_cast<const char*>(&b), 4}));
    call.math = math;
    ASSERT_EQ(gpu_.RunBlas(call).status, BlasStatus::kOk);
    EXPECT_EQ(ReadBack(c_)[0], want);
  }
  // Sums of halves stop growing at 2048.
  const Types f16{BlasType::kF16, BlasType::kF16, BlasMath::kF16, 0};
  BlasCall call = Product(f16, 1, 1, 4096, false, false);
  for (const uint64_t address : {call.a.address, call.b.address}) {
    std::string ones;
    for (int i = 0; i < 4096; ++i) Append(&ones, BlasType::kF16, i % 16 == 0 ? 1 : 0);
    ASSERT_TRUE(gpu_.Write(address, ones));
  }
  ASSERT_EQ(gpu_.RunBlas(call).status, BlasStatus::kOk);
  EXPECT_EQ(ReadBack(c_)[0], 256);
}

TEST_F(Blas, BatchesByStrideAndByPointers) {
  const Types f32{BlasType::kF32, BlasType::kF32, BlasMath::kF32, kF32Eps};
  BlasCall call = Product(f32, 12, 9, 20, false, true, 3, 5);
  call.beta.value = 1;
  ExpectProduct(call, f32);
  call = Product(f32, 12, 9, 20, true, false, 1, 4);
  for (BlasMatrix* matrix : {&call.a, &call.b, &call.c}) {
    std::string list;
    for (int i = 0; i < 4; ++i) {
      const uint64_t at = matrix->address + static_cast<uint64_t>(i * matrix->batch_step) * 4;
      list.append(reinterpret_cast<const char*>(&at), 8);
    }
    matrix->address = *gpu_.Allocate(list.size(), "pointers to " + matrix->name);
    matrix->pointers = true;
    ASSERT_TRUE(gpu_.Write(matrix->address, list));
  }
  ExpectProduct(call, f32);
}

TEST_F(Blas, ZeroBetaDoesNotReadC) {
  const Types f32{BlasType::kF32, BlasType::kF32, BlasMath::kF32, kF32Eps};
  BlasCall call = Product(f32, 20, 20, 20, false, false, 0, 1, std::nan(""));
  ExpectProduct(call, f32);
  ASSERT_TRUE(gpu_.Poison(call.c.address));
  ASSERT_EQ(gpu_.RunBlas(call).status, BlasStatus::kOk);
  EXPECT_THAT(gpu_.TakeHazards(), testing::IsEmpty());
  ASSERT_TRUE(gpu_.Poison(call.c.address));
  call.beta.value = 1;
  ASSERT_EQ(gpu_.RunBlas(call).status, BlasStatus::kOk);
  const auto hazards = gpu_.TakeHazards();
  ASSERT_EQ(hazards.size(), 1u);
  EXPECT_EQ(hazards[0].kind, "uninitialised");
  EXPECT_THAT(hazards[0].text, HasSubstr("With beta = 0 the output would not be read"));
}

TEST_F(Blas, NoTermsScaleC) {
  const Types f32{BlasType::kF32, BlasType::kF32, BlasMath::kF32, kF32Eps};
  BlasCall call = Product(f32, 8, 8, 0, false, false);
  call.beta.value = 2;
  ExpectProduct(call, f32);
  // alpha == 0 reads neither A nor B.
  call = Product(f32, 8, 8, 4, false, false);
  call.alpha.value = 0;
  call.beta.value = 2;
  call.a.address = call.b.address = 1;
  const BlasOutcome done = gpu_.RunBlas(call);
  EXPECT_EQ(done.status, BlasStatus::kOk) << done.message;
  EXPECT_NEAR(ReadBack(c_)[5], 2 * c_.values[5], 1e-6);
}

TEST_F(Blas, ScalarsMayLieOnTheDevice) {
  const Types f32{BlasType::kF32, BlasType::kF32, BlasMath::kF32, kF32Eps};
  BlasCall call = Product(f32, 8, 8, 8, false, false);
  const float two = 2;
  call.alpha.address = *gpu_.Allocate(4, "alpha");
  ASSERT_TRUE(gpu_.Write(call.alpha.address, {reinterpret_cast<const char*>(&two), 4}));
  call.alpha.value = 2;  // for the reference
  ExpectProduct(call, f32);
  float on_host = 1;
  call.alpha.address = reinterpret_cast<uint64_t>(&on_host);
  const BlasOutcome done = gpu_.RunBlas(call);
  EXPECT_EQ(done.status, BlasStatus::kFault);
  EXPECT_THAT(done.message, HasSubstr("host_pointer"));
  EXPECT_THAT(done.message, HasSubstr("CUBLAS_POINTER_MODE_DEVICE"));
}

TEST_F(Blas, VectorsWithIncrements) {
  // y = alpha A x + beta y with every second element of x, and y from its end.
  const Types f64{BlasType::kF64, BlasType::kF64, BlasMath::kF64, 1e-14};
  BlasCall call = Product(f64, 7, 1, 5, false, false);
  Stored x = Make("x", BlasType::kF64, 9, 1, 9), y = Make("y", BlasType::kF64, 7, 1, 7);
  call.b = x.matrix;
  call.b.rows = 5;
  call.b.step = 2;
  call.c = y.matrix;
  call.c.address += 6 * 8;
  call.c.step = -1;
  call.beta.value = 1;
  ASSERT_EQ(gpu_.RunBlas(call).status, BlasStatus::kOk);
  const std::vector<double> got = ReadBack(y);
  for (int64_t i = 0; i < 7; ++i) {
    double want = y.values[static_cast<size_t>(6 - i)];
    for (int64_t t = 0; t < 5; ++t) want += a_.At(i, t) * x.values[static_cast<size_t>(2 * t)];
    EXPECT_NEAR(got[static_cast<size_t>(6 - i)], want, 1e-12);
  }
  // One element too few for the increment.
  call.b.rows = 6;
  call.k = 6;
  call.a.columns = 5;
  const BlasOutcome done = gpu_.RunBlas(call);
  EXPECT_EQ(done.status, BlasStatus::kFault);
  EXPECT_THAT(done.message, HasSubstr("its element 5 is the first one outside"));
}

TEST_F(Blas, SumsTransposesAndReductions) {
  BlasCall call{.kind = BlasCall::Kind::kAdd, .function = "cublasSgeam", .m = 300, .n = 200};
  Stored a = Make("A", BlasType::kF32, 200, 300, 210, true),
         b = Make("B", BlasType::kF32, 300, 200, 300);
  Stored c = Make("C", BlasType::kF32, 300, 200, 301);
  call.a = a.matrix;
  call.b = b.matrix;
  call.c = c.matrix;
  call.alpha.value = 2;
  call.beta.value = -1;
  ASSERT_EQ(gpu_.RunBlas(call).status, BlasStatus::kOk);
  std::vector<double> got = ReadBack(c);
  for (const auto& [i, j] :
       std::vector<std::pair<int64_t, int64_t>>{{0, 0}, {299, 199}, {257, 193}}) {
    EXPECT_NEAR(got[static_cast<size_t>(i + j * 301)], 2 * a.At(i, j) - b.At(i, j), 1e-5);
  }
  EXPECT_THAT(gpu_.TakeHazards(), testing::IsEmpty());
  // In place on B, but not with a transpose of what is written.
  call.c = b.matrix;
  call.c.name = "C";
  ASSERT_EQ(gpu_.RunBlas(call).status, BlasStatus::kOk);
  EXPECT_THAT(gpu_.TakeHazards(), testing::IsEmpty());
  using Kind = BlasCall::Kind;
  Stored x = Make("x", BlasType::kF32, 1000, 1, 1000);
  double squares = 0, sum = 0, most = 0;
  size_t where = 0;
  for (size_t i = 0; i < 1000; ++i) {
    squares += x.values[i] * x.values[i];
    sum += std::abs(x.values[i]);
    if (std::abs(x.values[i]) > most) most = std::abs(x.values[where = i]);
  }
  const auto reduce = [&](Kind kind) {
    BlasCall r{.kind = kind, .function = "cublasSnrm2", .m = 1000, .n = 1};
    r.a = x.matrix;
    return gpu_.RunBlas(r).result;
  };
  EXPECT_NEAR(reduce(Kind::kNorm), std::sqrt(squares), 1e-4);
  EXPECT_NEAR(reduce(Kind::kSumOfMagnitudes), sum, 1e-3);
  EXPECT_EQ(reduce(Kind::kLargest), static_cast<double>(where + 1));
}

TEST_F(Blas, AWrongLeadingDimensionIsOutOfBounds) {
  const Types f32{BlasType::kF32, BlasType::kF32, BlasMath::kF32, kF32Eps};
  BlasCall call = Product(f32, 64, 32, 16, false, false);
  call.a.lead = 65;
  const BlasOutcome done = gpu_.RunBlas(call);
  EXPECT_EQ(done.status, BlasStatus::kFault);
  const auto hazards = gpu_.TakeHazards();
  ASSERT_EQ(hazards.size(), 1u);
  EXPECT_EQ(hazards[0].kind, "out_of_bounds");
  EXPECT_EQ(hazards[0].kernel, "cublasGemmEx");
  EXPECT_EQ(hazards[0].address, call.a.address + 4 * 64 * 16);
  EXPECT_THAT(hazards[0].text, HasSubstr("reads past the end of A (4096 bytes)"));
  EXPECT_THAT(hazards[0].text, HasSubstr("64 x 16 by columns with lda = 65"));
  EXPECT_THAT(hazards[0].text, HasSubstr("ends 60 bytes past its end"));
  EXPECT_THAT(hazards[0].text, HasSubstr("its element (49,15) is the first one outside"));
  EXPECT_EQ(ReadBack(c_), c_.values) << "nothing is stored by a call that faults";
  // No product of sizes overflows on the way to this.
  call.a.lead = int64_t{1} << 40;
  call.a.columns = int64_t{1} << 40;
  EXPECT_THAT(gpu_.RunBlas(call).message, HasSubstr("ends far past its end"));
}

TEST_F(Blas, BadMemoryIsNamed) {
  const Types f32{BlasType::kF32, BlasType::kF32, BlasMath::kF32, kF32Eps};
  BlasCall call = Product(f32, 8, 8, 8, false, false);
  float host[64] = {};
  BlasCall wrong = call;
  wrong.b.address = reinterpret_cast<uint64_t>(host);
  EXPECT_THAT(gpu_.RunBlas(wrong).message, HasSubstr("host_pointer"));
  wrong = call;
  wrong.a.address = 0;
  EXPECT_THAT(gpu_.RunBlas(wrong).message, HasSubstr("a null pointer"));
  wrong = call;
  wrong.c.address += 1;
  EXPECT_THAT(gpu_.RunBlas(wrong).message, HasSubstr("misaligned"));
  wrong = call;
  wrong.a.address = *gpu_.Allocate(256, "scratch");
  (void)gpu_.TakeHazards();
  EXPECT_EQ(gpu_.RunBlas(wrong).status, BlasStatus::kOk);
  auto hazards = gpu_.TakeHazards();
  ASSERT_EQ(hazards.size(), 1u);
  EXPECT_EQ(hazards[0].kind, "uninitialised");
  EXPECT_THAT(hazards[0].text, HasSubstr("of scratch, which nobody has written"));
  ASSERT_TRUE(gpu_.Free(wrong.a.address));
  EXPECT_THAT(gpu_.RunBlas(wrong).message, HasSubstr("use_after_free"));
  (void)gpu_.TakeHazards();
  ASSERT_TRUE(gpu_.Protect(call.c.address));
  EXPECT_EQ(gpu_.RunBlas(call).status, BlasStatus::kOk);
  hazards = gpu_.TakeHazards();
  ASSERT_EQ(hazards.size(), 1u);
  EXPECT_EQ(hazards[0].kind, "input_written");
}

TEST_F(Blas, AnOutputThatOverlapsIsARace) {
  const Types f32{BlasType::kF32, BlasType::kF32, BlasMath::kF32, kF32Eps};
  BlasCall call = Product(f32, 8, 8, 8, false, false);
  call.c.address = call.a.address;
  ASSERT_EQ(gpu_.RunBlas(call).status, BlasStatus::kOk);
  auto hazards = gpu_.TakeHazards();
  ASSERT_EQ(hazards.size(), 1u);
  EXPECT_EQ(hazards[0].kind, "global_race");
  EXPECT_THAT(hazards[0].text, HasSubstr("overlaps A"));
  // Blocks of one larger matrix lie between each other and do not overlap.
  Stored large = Make("large", BlasType::kF32, 24, 8, 24);
  for (BlasMatrix* matrix : {&call.a, &call.b, &call.c}) matrix->lead = 24;
  call.a.address = large.matrix.address;
  call.b.address = large.matrix.address + 8 * 4;
  call.c.address = large.matrix.address + 16 * 4;
  ASSERT_EQ(gpu_.RunBlas(call).status, BlasStatus::kOk);
  EXPECT_THAT(gpu_.TakeHazards(), testing::IsEmpty());
  call.c.address -= 4;
  ASSERT_EQ(gpu_.RunBlas(call).status, BlasStatus::kOk);
  EXPECT_EQ(gpu_.TakeHazards().size(), 1u);
  // Batches whose results lie too close.
  call = Product(f32, 8, 8, 8, false, false, 0, 3);
  call.c.batch_step = 63;
  ASSERT_EQ(gpu_.RunBlas(call).status, BlasStatus::kOk);
  hazards = gpu_.TakeHazards();
  ASSERT_EQ(hazards.size(), 1u);
  EXPECT_THAT(hazards[0].text, HasSubstr("Check the stride of C"));
}

TEST_F(Blas, WorkIsPaidBeforeItIsDone) {
  const Types f32{BlasType::kF32, BlasType::kF32, BlasMath::kF32, kF32Eps};
  BlasCall call = Product(f32, 64, 64, 64, false, false);
  gpu_.SetBudget(1'000'000);
  const BlasOutcome done = gpu_.RunBlas(call);
  EXPECT_EQ(done.status, BlasStatus::kOk);
  EXPECT_EQ(done.counters.lane_instructions, 64u * 64 * 64 / 8 + 4 * 64 * 64 / 4 + 512);
  EXPECT_EQ(gpu_.budget_left(), 1'000'000 - done.counters.lane_instructions);
  EXPECT_EQ(done.counters.dram_sectors, 3u * 64 * 64 * 4 / 32);
  for (int64_t* huge : {&call.m, &call.n, &call.k, &call.batches}) {
    BlasCall too_much = call;
    huge = reinterpret_cast<int64_t*>(
        reinterpret_cast<char*>(&too_much) +
        (reinterpret_cast<char*>(huge) - reinterpret_cast<char*>(&call)));
    *huge = int64_t{1} << 40;
    gpu_.SetBudget(1'000'000);
    const BlasOutcome refused = gpu_.RunBlas(too_much);
    EXPECT_EQ(refused.status, BlasStatus::kBudget);
    EXPECT_THAT(refused.message, HasSubstr("cublasGemmEx"));
    EXPECT_EQ(gpu_.budget_left(), 0u);
  }
}

TEST_F(Blas, BothBuildsGiveTheSameBits) {
  using enum BlasType;
  for (const Types& types : std::vector<Types>{{kF32, kF32, BlasMath::kF32, 0},
                                               {kF64, kF64, BlasMath::kF64, 0},
                                               {kF16, kF16, BlasMath::kF16, 0},
                                               {kBf16, kBf16, BlasMath::kF32, 0},
                                               {kI8, kI32, BlasMath::kI32, 0}}) {
    BlasCall call = Product(types, 70, 50, 530, true, false, 1);
    call.alpha.value = 3;
    emu::SetVectorHandlers(false);
    ASSERT_EQ(gpu_.RunBlas(call).status, BlasStatus::kOk);
    const std::vector<double> plain = ReadBack(c_);
    emu::SetVectorHandlers(true);
    ASSERT_EQ(gpu_.RunBlas(call).status, BlasStatus::kOk);
    EXPECT_EQ(ReadBack(c_), plain);
  }
}

}  // namespace
}  // namespace kw::eval
