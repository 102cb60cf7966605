// What a library's kernel for a call would count (docs/design/cost-model.md, "Library calls").
#include <algorithm>
#include <cmath>

#include "blas.h"

namespace kw::eval::emu {
namespace {

using Kind = BlasCall::Kind;

// Of data sheets that do not say: tf32 has half the rate of binary16 on all that have both.
constexpr double kTf32Share = 0.5;
constexpr double kTensorFlops = 4096;  // of one tensor instruction, as the cost model takes it
constexpr double kSectorBytes = 32;
constexpr double kRequestBytes = 512;  // 16 a lane
constexpr int64_t kStepTerms = 32;     // that a block brings to shared memory at once
constexpr int64_t kLeastSplitTerms = 64;
constexpr int64_t kThin = 8;  // fewer rows or columns are no matter of tiles

struct BlockTile {
  int64_t rows, columns;
};
constexpr BlockTile kTiles[] = {{256, 128}, {128, 128}, {128, 64}, {64, 64}, {64, 32}, {32, 32}};
// Of every block: where a tile is small, they share out its terms ("sliced" kernels).
constexpr uint32_t kBlockThreads = 256;

int64_t Parts(int64_t whole, int64_t part) { return (whole + part - 1) / part; }

double Bytes(const BlasMatrix& matrix) {
  return static_cast<double>(matrix.rows) * static_cast<double>(matrix.columns) *
         static_cast<double>(BytesOf(matrix.type));
}

uint64_t Whole(double value) { return static_cast<uint64_t>(std::ceil(value)); }

// Puts `products` multiply-adds on the pipe that they use; returns its warp instructions.
double AddProducts(const BlasCall& call, const DeviceSheet& sheet, double products, Counters* c) {
  const auto tensor = [&](double share) {
    const double count = 2 * products / kTensorFlops / share;
    c->tensor += Whole(count);
    return count;
  };
  const bool has_tensor = sheet.tensor_fp16_tflops > 0;
  switch (call.math) {
    case BlasMath::kF64: {
      // The tensor cores of A100 and H100 double the rate of float64.
      const double count = products / 32 / (sheet.sm == 80 || sheet.sm == 90 ? 2 : 1);
      c->fp64 += Whole(count);
      return count;
    }
    case BlasMath::kTf32:
      if (has_tensor && sheet.tensor_tf32_tflops > 0) {
        return tensor(sheet.tensor_tf32_tflops / sheet.tensor_fp16_tflops);
      }
      if (has_tensor && sheet.sm >= 80) return tensor(kTf32Share);
      break;
    case BlasMath::kI32:
      if (has_tensor) return tensor(2);
      break;
    case BlasMath::kF16:
    case BlasMath::kF32ByF16:
    case BlasMath::kF32ByBf16:
      if (has_tensor) return tensor(1);
      break;
    case BlasMath::kF32:
      if (has_tensor && BytesOf(call.a.type) <= 2)
        return tensor(call.a.type == BlasType::kI8 ? 2 : 1);
      break;
  }
  if (BytesOf(call.a.type) <= 2 && call.math == BlasMath::kF16) {
    c->fp16 += Whole(products / 64);
    return products / 64;
  }
  c->fp32 += Whole(products / 32);
  return products / 32;
}

// Every element once, by warps that take 512 bytes at a time.
void PlanStream(const BlasCall& call, const DeviceSheet& sheet, BlasOutcome* outcome) {
  const auto batches = static_cast<double>(call.batches);
  const double read = batches * (Bytes(call.a) + Bytes(call.b)), written = batches * Bytes(call.c);
  const bool multiplies = call.kind == Kind::kMultiply;
  const double terms = static_cast<double>(call.m) * static_cast<double>(call.n) *
                       (multiplies ? static_cast<double>(call.k) : 1) * batches;
  Counters& c = outcome->counters;
  double work = terms / 32;
  if (call.a.type == BlasType::kF64) {
    c.fp64 = Whole(work);
  } else {
    c.fp32 = Whole(work);
  }
  c.global_load_sectors = Whole(read / kSectorBytes);
  c.global_store_sectors = Whole(written / kSectorBytes);
  c.global_requests = Whole(read / kRequestBytes) + Whole(written / kRequestBytes);
  c.integer = c.global_requests;
  c.warp_instructions = Whole(work) + 3 * c.global_requests;
  const double blocks =
      std::max(1.0, std::ceil((read + written) / kRequestBytes / (kBlockThreads / 32)));
  const double most = 8.0 * std::max(1, sheet.sm_count);
  outcome->grid.x = static_cast<uint32_t>(std::min(blocks, most));
  outcome->block.x = kBlockThreads;
}

struct TilePlan {
  BlockTile tile;
  int64_t splits;  // of the terms, over blocks
};

// The plan whose slowest multiprocessor has least to do, where a small tile is charged for what it
// loads more, and a split for the sums that it makes anew.
TilePlan ChooseTiles(const BlasCall& call, const DeviceSheet& sheet) {
  constexpr double kEdge = 24, kSplitCharge = 0.05;
  constexpr int64_t kMostSplits = 8;
  const double sms = std::max(1, sheet.sm_count);
  TilePlan best{kTiles[0], 1};
  double least = 0;
  for (const BlockTile& tile : kTiles) {
    const auto rows = static_cast<double>(tile.rows), columns = static_cast<double>(tile.columns);
    const double blocks = static_cast<double>(Parts(call.m, tile.rows)) *
                          static_cast<double>(Parts(call.n, tile.columns)) *
                          static_cast<double>(call.batches);
    for (int64_t splits = 1; splits <= kMostSplits; splits *= 2) {
      if (splits > 1 && call.k / splits < kLeastSplitTerms) break;
      const auto parts = static_cast<double>(splits);
      const double work = std::ceil(blocks * parts / sms) * rows * columns / parts *
                          (1 + kEdge / rows + kEdge / columns) * (1 + kSplitCharge * (parts - 1));
      if (least != 0 && work >= least) continue;
      least = work;
      best = {tile, splits};
    }
  }
  return best;
}

void PlanTiles(const BlasCall& call, const DeviceSheet& sheet, BlasOutcome* outcome) {
  const auto [tile, splits] = ChooseTiles(call, sheet);
  const double blocks = static_cast<double>(Parts(call.m, tile.rows)) *
                        static_cast<double>(Parts(call.n, tile.columns)) *
                        static_cast<double>(call.batches) * static_cast<double>(splits);
  const double terms = static_cast<double>(Parts(Parts(call.k, splits), kStepTerms) * kStepTerms);
  const auto a_size = static_cast<double>(BytesOf(call.a.type)),
             b_size = static_cast<double>(BytesOf(call.b.type));
  const auto rows = static_cast<double>(tile.rows), columns = static_cast<double>(tile.columns);

  Counters& c = outcome->counters;
  const double pipe = AddProducts(call, sheet, blocks * rows * columns * terms, &c);
  const double loaded = blocks * terms * (rows * a_size + columns * b_size);
  const double result = static_cast<double>(call.batches) * Bytes(call.c);
  const double partial = splits > 1 ? static_cast<double>(splits) * result : 0;
  const double stored = result + partial;
  const double read = loaded + partial + (call.beta.value != 0 ? result : 0);
  c.global_load_sectors = Whole(read / kSectorBytes);
  c.global_store_sectors = Whole(stored / kSectorBytes);
  c.global_requests = Whole(read / kRequestBytes) + Whole(stored / kRequestBytes);
  // Copied to shared memory once; read by each warp for its part of the tile: 6 requests for 16
  // tensor instructions (a part of 64 x 32), 4 for 64 multiply-adds (8 x 8 a thread).
  const bool tensor = c.tensor != 0;
  const double shared = loaded / kRequestBytes + pipe * (tensor ? 6.0 / 16 : 4.0 / 64);
  c.shared_requests = Whole(shared);
  c.barriers = Whole(blocks * terms / static_cast<double>(kStepTerms));
  c.integer = c.global_requests;
  const double warps = kBlockThreads / 32;
  c.warp_instructions =
      Whole(pipe + shared) + 2 * c.global_requests + Whole(static_cast<double>(c.barriers) * warps);
  outcome->block.x = kBlockThreads;
  outcome->grid.x = static_cast<uint32_t>(std::min(blocks, 2147483647.0));
  // Three steps are on their way at once, as far as a block may have shared memory.
  const double step = static_cast<double>(kStepTerms) * (rows * a_size + columns * b_size);
  outcome->dynamic_shared = static_cast<uint32_t>(
      std::min(3 * step, static_cast<double>(std::max(0, sheet.shared_per_block))));
}

}  // namespace

void PlanBlas(const BlasCall& call, const DeviceSheet& sheet, BlasOutcome* outcome) {
  const bool tiles = call.kind == Kind::kMultiply && std::min(call.m, call.n) >= kThin;
  if (call.m == 0 || call.n == 0 || call.batches == 0) return;
  if (tiles && call.k > 0) {
    PlanTiles(call, sheet, outcome);
  } else {
    PlanStream(call, sheet, outcome);
  }
}

}  // namespace kw::eval::emu
