#include "lessons.h"

namespace kw::memory {

const std::vector<Lesson>& Lessons() {
  static const std::vector<Lesson> lessons = {
      {"Guard the tail of the grid", "Threads beyond the last element must not read or write.",
       "When the number of elements is no multiple of the block size, the last block has threads "
       "past the end. Test the global index against n before every load and store.",
       "The launch rounds the element count up to whole blocks, so check that the index is less "
       "than n; otherwise excess threads access memory out of bounds."},
      {"Start a maximum at negative infinity", "The identity of max is -INFINITY, not zero.",
       "A row maximum that starts at 0 is wrong for rows whose values are all negative, and the "
       "softmax of such a row then divides by a wrong sum. Initialise with -INFINITY.",
       "For rows with only negative inputs, initialising the running max with zero gives a wrong "
       "softmax: begin from minus infinity instead."},
      {"Synchronise between phases of shared memory",
       "A barrier belongs between writing and reading a shared array.",
       "Call __syncthreads() after the block has filled the shared tile and again before it is "
       "overwritten in the next iteration; without it some warps read stale values.",
       "Missing __syncthreads around a shared memory tile is a race: put one barrier after the "
       "stores and another before the buffer is reused."},
      {"Reduce within a warp by shuffles",
       "__shfl_down_sync needs no shared memory and no barrier.",
       "Reduce 32 lanes with five __shfl_down_sync steps under the full mask, write one partial "
       "per warp to shared memory, and let the first warp reduce those.",
       "Use warp shuffle instructions for the reduction, then combine one partial result of each "
       "warp through shared memory in the first warp."},
      {"Load four floats at once", "Vectorised float4 loads raise the memory throughput.",
       "When the row length is a multiple of 4 and the pointer is 16-byte aligned, read float4 "
       "instead of float; handle the remainder in a scalar loop.",
       "Wide 128-bit memory accesses with float4 improve bandwidth; fall back to scalar loads for "
       "a row that is not divisible by four or not aligned."},
      {"Accumulate half precision in float",
       "Sums of float16 products lose bits unless they are kept in float32.",
       "Convert __half inputs with __half2float, accumulate dot products and variances in float, "
       "and round once when storing the result.",
       "Do the accumulation of fp16 values in float32 registers and convert to __half only at the "
       "final store, to keep the rounding error small."},
      {"Tile matrix multiplication in shared memory",
       "Each element of A and B is loaded once per tile instead of once per product.",
       "Let a block compute a 32x32 tile of C: stage tiles of A and B in shared memory along k, "
       "and pad the array by one column against bank conflicts.",
       "For matmul, stage blocks of both operands in shared memory along the k dimension and "
       "reuse them, padding columns to avoid bank conflicts."},
      {"Launch on the given stream", "Work on the default stream is not ordered with the caller's.",
       "Pass the stream argument as the fourth launch parameter of every kernel, and use "
       "cudaMemsetAsync with the same stream.",
       "Every kernel launch and asynchronous memset has to use the stream parameter that run() "
       "receives, because the default stream is unordered."},
      {"Subtract the maximum before the exponential",
       "Softmax overflows for large logits otherwise.",
       "Compute exp(x - row_max) so that the largest exponent is zero. One huge element otherwise "
       "gives inf / inf = NaN.",
       "Numerically stable softmax: shift the logits by their row maximum, or expf overflows to "
       "infinity and the quotient becomes NaN."},
      {"Index with 64 bits", "rows * cols may pass 2^31.",
       "Compute the element offset as int64_t(row) * cols + col; a 32-bit product wraps around "
       "for large tensors and reads from a negative offset.",
       "Use int64_t for offsets into big tensors: the product of row and width overflows an int."},
      {"Use a grid-stride loop", "A fixed grid covers any size.",
       "Let each thread step by gridDim.x * blockDim.x until it passes n, so that the launch does "
       "not depend on the problem size and small inputs do not need special cases.",
       "Make threads loop with a stride of the whole grid instead of one element per thread; the "
       "grid size is then independent of n."},
      {"Use rsqrtf for normalisation", "One instruction replaces a square root and a division.",
       "RMSNorm and LayerNorm multiply by rsqrtf(mean_square + eps); add epsilon inside the root, "
       "before it, and divide the sum by the number of columns first.",
       "In rmsnorm, compute the reciprocal square root of the mean of squares plus eps once per "
       "row and multiply with it."},
  };
  return lessons;
}

MemoryItem ItemOf(const Lesson& lesson, const std::string& outcome) {
  MemoryItem item;
  item.title = lesson.title;
  item.description = lesson.description;
  item.content = lesson.content;
  item.from.outcome = outcome;
  item.from.task = "row_sum";
  item.from.op_type = "reduction";
  item.from.model = "scripted";
  return item;
}

MemoryItem ItemSaying(const std::string& text, const std::string& outcome) {
  return ItemOf({text, "", "", ""}, outcome);
}

BankChange ChangeOf(const std::string& run, const std::string& step,
                    std::vector<MemoryItem> items) {
  BankChange change;
  change.run = run;
  change.step = step;
  for (size_t i = 0; i < items.size(); ++i) {
    items[i].from.run = run;
    items[i].from.run_name = run + "-name";
    items[i].from.step = step;
    items[i].from.ordinal = static_cast<int>(i);
  }
  change.new_items = std::move(items);
  return change;
}

}  // namespace kw::memory
