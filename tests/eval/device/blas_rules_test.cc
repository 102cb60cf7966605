#include "src/eval/device/blas_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "src/eval/device/cuda_errors.h"
#include "src/eval/device/device_service.h"

namespace kw::eval {
namespace {

using ring::BlasBody;
using ring::BlasFunction;
using testing::HasSubstr;

constexpr int32_t kF32 = 0, kF64 = 1, kF16 = 2, kI8 = 3, kC32 = 4, kI32 = 10, kBf16 = 14;

BlasBody Gemm(int64_t m, int64_t n, int64_t k) {
  BlasBody body{};
  std::strncpy(body.name, "cublasSgemm", sizeof body.name - 1);
  body.m = m;
  body.n = n;
  body.k = k;
  body.lda = body.ldc = m;
  body.ldb = k;
  body.batches = 1;
  body.compute = 68;
  body.a = body.b = body.c = 1 << 20;
  body.alpha = 0x3f800000;
  return body;
}

TEST(BlasRules, AnOrdinaryProduct) {
  BlasBody body = Gemm(4, 5, 6);
  body.transb = 2;
  body.ldb = 7;
  const BlasVerdict verdict = CheckBlas(body);
  EXPECT_EQ(verdict.status, ring::kBlasSuccess) << verdict.text;
  EXPECT_EQ(verdict.call.function, "cublasSgemm");
  EXPECT_EQ(verdict.call.alpha.value, 1);
  EXPECT_EQ(verdict.call.beta.value, 0);
  EXPECT_EQ(verdict.call.b.rows, 5);
  EXPECT_EQ(verdict.call.b.columns, 6);
  EXPECT_TRUE(verdict.call.b.transposed);
  EXPECT_FALSE(verdict.nothing);
}

TEST(BlasRules, WrongArgumentsAreInvalidValues) {
  const auto told = [](auto change) {
    BlasBody body = Gemm(4, 5, 6);
    change(body);
    const BlasVerdict verdict = CheckBlas(body);
    EXPECT_EQ(verdict.status, ring::kBlasInvalidValue);
    return verdict.text;
  };
  EXPECT_THAT(told([](BlasBody& b) { b.m = -1; }), HasSubstr("m = -1 is negative"));
  EXPECT_THAT(told([](BlasBody& b) { b.batches = -2; }), HasSubstr("batchCount = -2"));
  EXPECT_THAT(told([](BlasBody& b) { b.lda = 3; }), HasSubstr("lda = 3 is less than 4"));
  EXPECT_THAT(told([](BlasBody& b) { b.transa = 1; }), HasSubstr("lda = 4 is less than 6"));
  EXPECT_THAT(told([](BlasBody& b) { b.ldb = 5; }), HasSubstr("ldb = 5 is less than 6"));
  EXPECT_THAT(told([](BlasBody& b) { b.ldc = 0; }), HasSubstr("ldc = 0"));
  EXPECT_THAT(told([](BlasBody& b) { b.transb = 7; }), HasSubstr("7 is no cublasOperation_t"));
  EXPECT_THAT(told([](BlasBody& b) { b.flags = ring::kNoAlpha; }), HasSubstr("alpha is a null"));
  EXPECT_THAT(told([](BlasBody& b) { b.flags = ring::kNoBeta; }), HasSubstr("beta is a null"));
  EXPECT_THAT(told([](BlasBody& b) { b.c = 0; }), HasSubstr("output is a null"));
  EXPECT_THAT(told([](BlasBody& b) { b.n = INT64_MAX; }), HasSubstr("more than any device has"));
  EXPECT_THAT(told([](BlasBody& b) { b.stride_c = INT64_MIN; }), HasSubstr("more than any"));
}

TEST(BlasRules, TypesAreThoseOfGemmEx) {
  const auto status = [](int32_t ab, int32_t c, int32_t compute) {
    BlasBody body = Gemm(4, 4, 4);
    body.type_a = body.type_b = ab;
    body.type_c = c;
    body.compute = compute;
    return CheckBlas(body).status;
  };
  constexpr auto kOk = ring::kBlasSuccess, kNo = ring::kBlasNotSupported;
  for (const int32_t pedantic : {0, 1}) {
    EXPECT_EQ(status(kF16, kF16, 64 + pedantic), kOk);
    EXPECT_EQ(status(kI8, kI32, 72 + pedantic), kOk);
    EXPECT_EQ(status(kF64, kF64, 70 + pedantic), kOk);
    for (const auto& [ab, c] : std::vector<std::pair<int32_t, int32_t>>{{kF32, kF32},
                                                                        {kF16, kF16},
                                                                        {kF16, kF32},
                                                                        {kBf16, kBf16},
                                                                        {kBf16, kF32},
                                                                        {kI8, kF32}}) {
      EXPECT_EQ(status(ab, c, 68 + pedantic), kOk);
    }
  }
  for (const int32_t fast : {74, 75, 77, 78}) {
    EXPECT_EQ(status(kF32, kF32, fast), kOk);
    EXPECT_EQ(status(kF16, kF16, fast), kNo);
  }
  EXPECT_EQ(status(kF32, kF32, 64), kNo);
  EXPECT_EQ(status(kF32, kF16, 68), kNo);
  EXPECT_EQ(status(kBf16, kF16, 68), kNo);
  EXPECT_EQ(status(kF16, kF16, 70), kNo);
  EXPECT_EQ(status(kF32, kF32, 0), kNo) << "a cudaDataType is no cublasComputeType_t";
  EXPECT_EQ(status(99, kF32, 68), kNo);
  BlasBody mixed = Gemm(4, 4, 4);
  mixed.type_a = kF16;
  EXPECT_EQ(CheckBlas(mixed).status, kNo);
  BlasBody complex = Gemm(4, 4, 4);
  complex.type_a = complex.type_b = complex.type_c = kC32;
  EXPECT_TRUE(CheckBlas(complex).unsupported);
}

TEST(BlasRules, TheMathModeIsForFloatOperandsOfOrdinaryCalls) {
  const auto math = [](int32_t mode, int32_t compute, int32_t type) {
    BlasBody body = Gemm(4, 4, 4);
    body.math_mode = mode;
    body.compute = compute;
    body.type_a = body.type_b = type;
    return CheckBlas(body).call.math;
  };
  EXPECT_EQ(math(0, 68, kF32), BlasMath::kF32);
  EXPECT_EQ(math(1, 68, kF32), BlasMath::kF32ByF16);
  EXPECT_EQ(math(3, 68, kF32), BlasMath::kTf32);
  EXPECT_EQ(math(3 | 16, 68, kF32), BlasMath::kTf32);
  EXPECT_EQ(math(2, 68, kF32), BlasMath::kF32);
  EXPECT_EQ(math(3, 69, kF32), BlasMath::kF32) << "pedantic";
  EXPECT_EQ(math(3, 68, kF16), BlasMath::kF32);
  EXPECT_EQ(math(0, 77, kF32), BlasMath::kTf32);
}

TEST(BlasRules, ScalarsHaveTheTypeOfTheSums) {
  const auto alpha = [](int32_t type, int32_t compute, uint64_t bits) {
    BlasBody body = Gemm(4, 4, 4);
    body.type_a = body.type_b = body.type_c = type;
    body.compute = compute;
    body.alpha = bits;
    return CheckBlas(body).call.alpha.value;
  };
  EXPECT_EQ(alpha(kF32, 68, 0xdead'beef'4048'0000), 3.125) << "the low half alone";
  EXPECT_EQ(alpha(kF64, 70, 0xbff8'0000'0000'0000), -1.5);
  EXPECT_EQ(alpha(kF16, 68, 0x3f80'0000), 1);
  EXPECT_EQ(alpha(kF16, 64, 0xc100), -2.5);
  EXPECT_EQ(alpha(kF16, 64, 0x0001), 0x1p-24);
  EXPECT_EQ(alpha(kF16, 64, 0x7c00), INFINITY);
}

TEST(BlasRules, ZeroSizesAreNothingToDo) {
  for (int64_t BlasBody::*size : {&BlasBody::m, &BlasBody::n, &BlasBody::batches}) {
    BlasBody body = Gemm(4, 4, 4);
    body.*size = 0;
    body.a = body.b = body.c = 0;
    const BlasVerdict verdict = CheckBlas(body);
    EXPECT_EQ(verdict.status, ring::kBlasSuccess) << verdict.text;
    EXPECT_TRUE(verdict.nothing);
  }
  BlasBody no_terms = Gemm(4, 4, 0);
  no_terms.ldb = 1;
  EXPECT_FALSE(CheckBlas(no_terms).nothing) << "C is scaled by beta";
}

TEST(BlasRules, NonsenseIsNoCall) {
  BlasBody body = Gemm(4, 4, 4);
  body.function = ring::kBlasFunctions;
  EXPECT_TRUE(CheckBlas(body).nonsense);
  body = Gemm(4, 4, 4);
  std::memset(body.name, 'x', sizeof body.name);
  EXPECT_EQ(CheckBlas(body).call.function.size(), sizeof body.name)
      << "no end is looked for beyond";
  body.name[0] = 0;
  EXPECT_TRUE(CheckBlas(body).nonsense);
  body = Gemm(4, 4, 4);
  body.function = static_cast<uint32_t>(BlasFunction::kGemv);
  body.type_a = kF16;
  EXPECT_TRUE(CheckBlas(body).nonsense) << "no function of ours sends this";
}

// ---- through the device's service ----

class BlasService : public testing::Test {
 protected:
  void SetUp() override {
    sheet_.memory_bytes = 1 << 30;
    service_.emplace(OpenMessage{.sheet = sheet_, .seed = 5, .memory_bytes = 1 << 20});
    ASSERT_TRUE(service_->LoadPtx({".version 8.0\n.target sm_80\n.address_size 64\n"}).ok);
    const float values[8] = {1, 2, 3, 4, 0, 0, 0, 0};
    std::memcpy(exchange_, values, sizeof values);
    const BeganMessage began =
        service_->Begin({1, 1'000'000, 32, {{"x", false, 0, 16}, {"y", true, 16, 16}}},
                        {exchange_, sizeof exchange_});
    x_ = began.addresses.at(0);
    y_ = began.addresses.at(1);
    stream_ = began.stream;
  }
  // y = x x, both 2 x 2.
  BlasBody Square() const {
    BlasBody body = Gemm(2, 2, 2);
    body.a = body.b = x_;
    body.c = y_;
    return body;
  }
  ServiceReply Ask(uint64_t stream, const std::string& body) {
    return service_->Serve(
        {static_cast<uint32_t>(ring::Op::kBlas), static_cast<uint32_t>(body.size()), {stream}},
        body);
  }
  ServiceReply Ask(uint64_t stream, const BlasBody& body) {
    return Ask(stream, std::string(reinterpret_cast<const char*>(&body), sizeof body));
  }

  DeviceSheet sheet_;
  char exchange_[32] = {};
  std::optional<DeviceService> service_;
  uint64_t x_ = 0, y_ = 0, stream_ = 0;
};

TEST_F(BlasService, RunsInTheOrderOfItsStream) {
  EXPECT_EQ(Ask(stream_, Square()).values[0], ring::kBlasSuccess);
  BlasBody scale = Square();
  scale.function = static_cast<uint32_t>(BlasFunction::kScal);
  scale.n = 4;
  scale.lda = 1;
  scale.alpha = 0x40000000;  // 2
  EXPECT_EQ(Ask(stream_, scale).values[0], ring::kBlasSuccess);
  const CallOutcome outcome = service_->End({true}, exchange_);
  EXPECT_EQ(outcome.status, CallOutcome::Status::kOk) << outcome.message;
  float got[4];
  std::memcpy(got, exchange_ + 16, sizeof got);
  EXPECT_THAT(got, testing::ElementsAre(14, 20, 30, 44));
  ASSERT_EQ(outcome.launches.size(), 2u);
  EXPECT_EQ(outcome.launches[0].kernel, "cublasSgemm");
  EXPECT_GT(outcome.launches[0].counters.lane_instructions, 512u);
  EXPECT_EQ(outcome.output_written, std::vector<bool>{true});
}

TEST_F(BlasService, AResultForTheHostWaitsForItsStream) {
  EXPECT_EQ(Ask(stream_, Square()).values[0], ring::kBlasSuccess);
  BlasBody dot = Square();
  dot.function = static_cast<uint32_t>(BlasFunction::kDot);
  dot.n = 4;
  dot.lda = dot.ldb = 1;
  dot.b = y_;
  const ServiceReply reply = Ask(stream_, dot);
  double result = 0;
  std::memcpy(&result, &reply.values[1], sizeof result);
  EXPECT_EQ(result, 1 * 7 + 2 * 10 + 3 * 15 + 4 * 22);
}

TEST_F(BlasService, WorkOnTheDefaultStreamIsNotOrdered) {
  EXPECT_EQ(Ask(ring::kLegacyStream, Square()).values[0], ring::kBlasSuccess);
  const CallOutcome outcome = service_->End({true}, exchange_);
  EXPECT_THAT(outcome.message, HasSubstr("cublasSetStream(handle, stream)"));
  EXPECT_EQ(outcome.output_written, std::vector<bool>{false});
}

TEST_F(BlasService, ARefusedCallFailsTheCallAndADeclinedOneIsNoted) {
  BlasBody half = Square();
  half.compute = 64;
  EXPECT_EQ(Ask(stream_, half).values[0], ring::kBlasNotSupported);
  CallOutcome outcome = service_->End({true}, exchange_);
  EXPECT_EQ(outcome.status, CallOutcome::Status::kOk);
  EXPECT_THAT(outcome.message, HasSubstr("CUBLAS_STATUS_NOT_SUPPORTED"));
  SetUp();
  BlasBody wrong = Square();
  wrong.ldc = 1;
  EXPECT_EQ(Ask(stream_, wrong).values[0], ring::kBlasInvalidValue);
  outcome = service_->End({true}, exchange_);
  EXPECT_EQ(outcome.status, CallOutcome::Status::kLaunchFailed);
  EXPECT_THAT(outcome.message, HasSubstr("ldc = 1 is less than 2"));
}

TEST_F(BlasService, NonsenseEndsTheSession) {
  EXPECT_NE(Ask(stream_, std::string("gemm")).sticky, 0);
  EXPECT_EQ(service_->End({true}, exchange_).status, CallOutcome::Status::kProtocol);
  SetUp();
  BlasBody complex = Square();
  complex.type_a = kC32;
  Ask(stream_, complex);
  const CallOutcome outcome = service_->End({true}, exchange_);
  EXPECT_EQ(outcome.status, CallOutcome::Status::kUnsupported);
  EXPECT_THAT(outcome.message, HasSubstr("cublasSgemm with complex numbers"));
  SetUp();
  EXPECT_EQ(Ask(999, Square()).error, kCudaInvalidResourceHandle);
}

}  // namespace
}  // namespace kw::eval
