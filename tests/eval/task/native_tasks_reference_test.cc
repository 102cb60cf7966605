// The references of the native tasks against values worked out by hand. Those of the key-value
// caches: native_tasks_cache_test.cc; the first tasks': native_test.cc.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#define reference reference_relu
#include "data/tasks/relu/relu/reference.cpp"
#undef reference
#define reference reference_elu
#include "data/tasks/elu/elu/reference.cpp"
#undef reference
#define reference reference_silu
#include "data/tasks/silu/silu/reference.cpp"
#undef reference
#define reference reference_sigmoid
#include "data/tasks/sigmoid/sigmoid/reference.cpp"
#undef reference
#define reference reference_tanh
#include "data/tasks/tanh/tanh/reference.cpp"
#undef reference
#define reference reference_hardswish
#include "data/tasks/hardswish/hardswish/reference.cpp"
#undef reference
#define reference reference_mish
#include "data/tasks/mish/mish/reference.cpp"
#undef reference
#define reference reference_gelu_and_mul
#include "data/tasks/gelu_and_mul/gelu_and_mul/reference.cpp"
#undef reference
#define reference reference_row_max
#include "data/tasks/row_max/row_max/reference.cpp"
#undef reference
#define reference reference_row_mean
#include "data/tasks/row_mean/row_mean/reference.cpp"
#undef reference
#define reference reference_row_argmax
#include "data/tasks/argmax/row_argmax/reference.cpp"
#undef reference
#define reference reference_logsumexp
#include "data/tasks/logsumexp/logsumexp/reference.cpp"
#undef reference
#define reference reference_cumsum
#include "data/tasks/cumsum/cumsum/reference.cpp"
#undef reference
#define reference reference_log_softmax
#include "data/tasks/log_softmax/log_softmax/reference.cpp"
#undef reference
#define reference reference_cross_entropy
#include "data/tasks/cross_entropy/cross_entropy/reference.cpp"
#undef reference
#define reference reference_l2norm
#include "data/tasks/l2norm/l2norm/reference.cpp"
#undef reference
#define reference reference_fused_add_rmsnorm
#include "data/tasks/fused_add_rmsnorm/fused_add_rmsnorm/reference.cpp"
#undef reference
#define reference reference_batchnorm
#include "data/tasks/batchnorm/batchnorm/reference.cpp"
#undef reference
#define reference reference_matmul_nt
#include "data/tasks/gemm/matmul_nt/reference.cpp"
#undef reference
#define reference reference_matmul_tn
#include "data/tasks/gemm/matmul_tn/reference.cpp"
#undef reference
#define reference reference_linear_gelu
#include "data/tasks/gemm/linear_gelu/reference.cpp"
#undef reference
#define reference reference_conv2d
#include "data/tasks/conv2d/conv2d/reference.cpp"
#undef reference
#define reference reference_attention
#include "data/tasks/attention/attention/reference.cpp"
#undef reference
#define reference reference_causal_attention
#include "data/tasks/attention/causal_attention/reference.cpp"
#undef reference
#define reference reference_rope
#include "data/tasks/rope/rope/reference.cpp"
#undef reference
#define reference reference_top_k_sampling
#include "data/tasks/sampling/top_k_sampling/reference.cpp"
#undef reference
#define reference reference_moe_gate
#include "data/tasks/moe_gate/moe_gate_bf16/reference.cpp"
#undef reference

namespace kw::eval {
namespace {

using Numbers = std::vector<double>;

void ExpectClose(const Numbers& got, const Numbers& wanted, double bound = 1e-14) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], wanted[i], bound) << i;
}

Numbers ByElementOf(void (*run)(const double*, double*, int64_t), const Numbers& x) {
  Numbers y(x.size(), -7);
  run(x.data(), y.data(), static_cast<int64_t>(x.size()));
  return y;
}

const double kLn2 = std::log(2.0), kLn3 = std::log(3.0), kLn7 = std::log(7.0);

TEST(NativeElementwise, AreWhatTheyAreAtValuesThatAreKnown) {
  ExpectClose(ByElementOf(reference_relu, {-2, 0, 3}), {0, 0, 3});
  // 1 / (1 + exp(-ln 3)) = 3/4.
  ExpectClose(ByElementOf(reference_sigmoid, {0, kLn3, -kLn3, 800, -800}), {0.5, 0.75, 0.25, 1, 0});
  ExpectClose(ByElementOf(reference_silu, {0, kLn3, -kLn3}), {0, 0.75 * kLn3, -0.25 * kLn3});
  // tanh(ln 2) = (2 - 1/2) / (2 + 1/2).
  ExpectClose(ByElementOf(reference_tanh, {0, kLn2, -kLn2, 400}), {0, 0.6, -0.6, 1});
  ExpectClose(ByElementOf(reference_hardswish, {-4, -3, -1, 0, 1, 3, 5}),
              {0, 0, -1.0 / 3, 0, 2.0 / 3, 3, 5});
  // ln(1 + exp(ln 7)) = ln 8, and tanh(ln 8) = (64 - 1) / (64 + 1).
  ExpectClose(ByElementOf(reference_mish, {0, kLn7, 1000, -1000}), {0, kLn7 * 63 / 65, 1000, 0});
}

TEST(NativeElementwise, EluTendsToMinusAlpha) {
  const Numbers x = {-1000, -kLn2, 0, 2};
  Numbers y(4);
  reference_elu(x.data(), 1.5, y.data(), 4);
  ExpectClose(y, {-1.5, -0.75, 0, 2});
}

TEST(NativeElementwise, GeluAndMulTakesGateThenUp) {
  // Phi(1) from tables.
  const Numbers x = {1, 0, 10, 20, -1, 1, 2, 3};
  Numbers y(4);
  reference_gelu_and_mul(x.data(), y.data(), 2, 2);
  ExpectClose(y, {8.41344746068543, 0, -2 * 0.158655253931457, 3 * 0.841344746068543}, 1e-12);
}

TEST(NativeReductions, OfTwoRows) {
  const Numbers x = {1, -5, 4, -3, -1, -2};
  Numbers largest(2), mean(2), sums(6);
  std::vector<int64_t> places(2);
  reference_row_max(x.data(), largest.data(), 2, 3);
  reference_row_mean(x.data(), mean.data(), 2, 3);
  reference_row_argmax(x.data(), places.data(), 2, 3);
  reference_cumsum(x.data(), sums.data(), 2, 3);
  ExpectClose(largest, {4, -1});
  ExpectClose(mean, {0, -2});
  EXPECT_EQ(places, (std::vector<int64_t>{2, 1}));
  ExpectClose(sums, {1, -4, 0, -3, -4, -6});
}

TEST(NativeReductions, LogarithmsOfSoftmax) {
  // Probabilities 1/4 and 3/4, and the same far from zero.
  const Numbers x = {0, kLn3, 1000 + kLn3, 1000};
  Numbers sums(2), logs(4), losses(2);
  reference_logsumexp(x.data(), sums.data(), 2, 2);
  ExpectClose(sums, {std::log(4.0), 1000 + std::log(4.0)}, 1e-12);
  reference_log_softmax(x.data(), logs.data(), 2, 2);
  ExpectClose(logs, {std::log(0.25), std::log(0.75), std::log(0.75), std::log(0.25)}, 1e-12);
  const std::vector<int64_t> target = {1, 1};
  reference_cross_entropy(x.data(), target.data(), losses.data(), 2, 2);
  ExpectClose(losses, {-std::log(0.75), -std::log(0.25)}, 1e-12);
}

TEST(NativeNorms, OfThreeAndFour) {
  const Numbers x = {3, -4, 0, 0};
  Numbers y(4, 7);
  reference_l2norm(x.data(), y.data(), 2, 2);
  ExpectClose(y, {0.6, -0.8, 0, 0});

  // The sum is 3 and 4, the mean of its squares 12.5.
  const Numbers a = {1, 2}, b = {2, 2}, weight = {1, 10};
  Numbers normed(2), sum(2);
  reference_fused_add_rmsnorm(a.data(), b.data(), weight.data(), 0.5, normed.data(), sum.data(), 1,
                              2);
  ExpectClose(sum, {3, 4});
  ExpectClose(normed, {3 / std::sqrt(13), 40 / std::sqrt(13)});
}

TEST(NativeNorms, BatchnormGoesByChannel) {
  // Two images, two channels, one pixel; variance + eps is 4 and 9.
  const Numbers x = {5, 5, 1, -1}, mean = {1, 2}, variance = {3, 8}, weight = {1, 6},
                bias = {0, 10};
  Numbers y(4);
  reference_batchnorm(x.data(), mean.data(), variance.data(), weight.data(), bias.data(), 1,
                      y.data(), 2, 2, 1);
  ExpectClose(y, {2, 16, 0, 4});
}

TEST(NativeProducts, OfTransposedMatrices) {
  const Numbers a = {1, 2, 3, 4, 5, 6}, b = {7, 9, 11, 8, 10, 12};
  Numbers c(4);
  reference_matmul_nt(a.data(), b.data(), c.data(), 2, 2, 3);
  ExpectClose(c, {58, 64, 139, 154});
  const Numbers a_transposed = {1, 4, 2, 5, 3, 6}, b_plain = {7, 8, 9, 10, 11, 12};
  reference_matmul_tn(a_transposed.data(), b_plain.data(), c.data(), 2, 2, 3);
  ExpectClose(c, {58, 64, 139, 154});
}

TEST(NativeProducts, LinearGeluAddsTheBiasFirst) {
  const Numbers x = {1, 2}, weight = {3, -1, 0, 0}, bias = {0, -1};
  Numbers y(2);
  reference_linear_gelu(x.data(), weight.data(), bias.data(), y.data(), 1, 2, 2);
  ExpectClose(y, {0.841344746068543, -0.158655253931457}, 1e-12);
}

TEST(NativeProducts, Conv2dDoesNotMirrorItsKernel) {
  // Its only factor is right of and below the middle: each pixel takes its neighbour there.
  const Numbers x = {1, 2, 3, 4, 5, 6}, kernel = {0, 0, 0, 0, 0, 0, 0, 0, 10}, bias = {0.5};
  Numbers y(6);
  reference_conv2d(x.data(), kernel.data(), bias.data(), y.data(), 1, 1, 1, 2, 3);
  ExpectClose(y, {50.5, 60.5, 0.5, 0.5, 0.5, 0.5});
}

TEST(NativeProducts, Conv2dSumsOverInputChannels) {
  // One pixel: only the middles of the kernels meet it.
  Numbers weight(4 * 9, 100);
  for (size_t kernel = 0; kernel < 4; ++kernel)
    weight[kernel * 9 + 4] = static_cast<double>(kernel);
  const Numbers x = {1, 10}, bias = {0, 0};
  Numbers y(2);
  reference_conv2d(x.data(), weight.data(), bias.data(), y.data(), 1, 2, 2, 1, 1);
  ExpectClose(y, {10, 32});
}

// One head of 64 elements, of which the first counts.
Numbers Vectors(const Numbers& firsts) {
  Numbers vectors(firsts.size() * 64, 0);
  for (size_t i = 0; i < firsts.size(); ++i) vectors[i * 64] = firsts[i];
  return vectors;
}
Numbers FirstsOf(const Numbers& vectors) {
  Numbers firsts;
  for (size_t i = 0; i < vectors.size(); i += 64) firsts.push_back(vectors[i]);
  return firsts;
}

TEST(NativeAttention, WeighsValuesBySoftmaxOfScaledProducts) {
  // Logits 0 and ln 3.
  const Numbers q = Vectors({2}), k = Vectors({0, 4 * kLn3}), v = Vectors({1, 5});
  Numbers out(64);
  reference_attention(q.data(), k.data(), v.data(), 0.125, out.data(), 1, 1, 1, 2);
  ExpectClose(FirstsOf(out), {4}, 1e-13);
}

TEST(NativeAttention, CausalQueriesSeeNoLaterKey) {
  const Numbers q = Vectors({0, 8, 0}), k = Vectors({0, kLn3, 9}), v = Vectors({1, 5, 6});
  Numbers out(3 * 64);
  reference_causal_attention(q.data(), k.data(), v.data(), out.data(), 1, 1, 3);
  ExpectClose(FirstsOf(out), {1, 4, 4}, 1e-13);
}

TEST(NativeRope, RotatesHalvesByTheRowOfTheTokensPosition) {
  // Two positions: as it is, and a quarter turn.
  Numbers cache(2 * 64, 0);
  for (size_t d = 0; d < 32; ++d) cache[d] = cache[64 + 32 + d] = 1;
  Numbers q(2 * 64), k(2 * 64);
  std::iota(q.begin(), q.end(), 1);
  std::iota(k.begin(), k.end(), 500);
  const std::vector<int64_t> positions = {1, 0};
  Numbers q_out(2 * 64), k_out(2 * 64);
  reference_rope(q.data(), k.data(), cache.data(), positions.data(), q_out.data(), k_out.data(), 2,
                 1, 1, 2);
  for (size_t d = 0; d < 32; ++d) {
    EXPECT_EQ(q_out[d], -q[d + 32]);
    EXPECT_EQ(q_out[d + 32], q[d]);
    EXPECT_EQ(k_out[d], -k[d + 32]);
    EXPECT_EQ(q_out[64 + d], q[64 + d]);
    EXPECT_EQ(k_out[96 + d], k[96 + d]);
  }
}

struct Draws {
  std::vector<int64_t> samples, totals;
};
Draws Draw(const Numbers& probs, const std::vector<int64_t>& top_k, const Numbers& uniforms) {
  Draws draws = {std::vector<int64_t>(top_k.size(), -1), std::vector<int64_t>(top_k.size(), -1)};
  reference_top_k_sampling(probs.data(), top_k.data(), uniforms.data(), draws.samples.data(),
                           draws.totals.data(), static_cast<int64_t>(top_k.size()),
                           static_cast<int64_t>(probs.size() / top_k.size()));
  return draws;
}
std::vector<int64_t> Samples(const Numbers& probs, const std::vector<int64_t>& top_k,
                             const Numbers& uniforms) {
  return Draw(probs, top_k, uniforms).samples;
}

TEST(NativeSampling, DrawsFromTheTopInTheOrderOfColumns) {
  // The top two are columns 1 and 3, with a quarter and three quarters of the weight.
  const Numbers probs = {0.0625, 0.125, 0.0625, 0.375};
  EXPECT_EQ(Samples(probs, {2}, {0}), std::vector<int64_t>{1});
  EXPECT_EQ(Samples(probs, {2}, {0.2499}), std::vector<int64_t>{1});
  EXPECT_EQ(Samples(probs, {2}, {0.25}), std::vector<int64_t>{3});
  EXPECT_EQ(Samples(probs, {2}, {0.9999}), std::vector<int64_t>{3});
  // All four: 1/10 is column 0's.
  EXPECT_EQ(Samples(probs, {40}, {0.0999}), std::vector<int64_t>{0});
  EXPECT_EQ(Samples(probs, {40}, {0.1001}), std::vector<int64_t>{1});
}

TEST(NativeSampling, OfEqualProbabilitiesTheFirstColumnsAreTheTop) {
  EXPECT_EQ(Samples({0.5, 0.5, 0.5, 0.5}, {2}, {0.9}), std::vector<int64_t>{1});
}

TEST(NativeSampling, WithoutWeightItIsColumn0) {
  EXPECT_EQ(Samples({0.0001, 0.0005, 0.0002, 0, 0, 0}, {3, 2}, {0.9, 0.9}),
            (std::vector<int64_t>{0, 0}));
}

TEST(NativeSampling, TotalsAreTheWeightsOfThoseThatMayBeDrawn) {
  const Numbers probs = {0.0625, 0.125, 0.0625, 0.375, 0.0001, 0, 0, 0};
  EXPECT_EQ(Draw(probs, {2, 3}, {0.5, 0.5}).totals, (std::vector<int64_t>{512, 0}));
  EXPECT_EQ(Draw(probs, {40, 40}, {0, 0}).totals, (std::vector<int64_t>{640, 0}));
}

TEST(NativeGate, ChoosesTheLargestAndScalesTheirSoftmax) {
  // exp: 1, 2, 4, 1/8, 1; the four largest sum to 8.
  const Numbers logits = {0, kLn2, 2 * kLn2, -3 * kLn2, 0};
  Numbers weights(4);
  std::vector<int64_t> ids(4);
  reference_moe_gate(logits.data(), weights.data(), ids.data(), 1, 5);
  EXPECT_EQ(ids, (std::vector<int64_t>{2, 1, 0, 4}));
  ExpectClose(weights, {0.5, 0.25, 0.125, 0.125});
}

}  // namespace
}  // namespace kw::eval
