// task: gqa_paged_decode
// control: four warps share the tokens of a head, and their partial softmaxes are merged at the end

#include <cstdint>

constexpr int kQoHeads = 6, kKvHeads = 2, kDim = 32, kPage = 8, kWarps = 4;

// A block a (sequence, query head); a lane holds one of the 32 elements.
__global__ void decode_kernel(const float* q, const float* cache, const int32_t* indptr,
                              const int32_t* pages, const int32_t* last_page, float scale,
                              float* output, float* lse) {
  __shared__ float peaks[kWarps], totals[kWarps], sums[kWarps][kDim];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int sequence = blockIdx.x, head = blockIdx.y, kv_head = head / (kQoHeads / kKvHeads);
  const int first = indptr[sequence], count = indptr[sequence + 1] - first;
  const int tokens = count == 0 ? 0 : (count - 1) * kPage + last_page[sequence];
  const int64_t at = (int64_t)sequence * kQoHeads + head;
  const float query = q[at * kDim + lane] * scale;

  float peak = -INFINITY, total = 0.0f, sum = 0.0f;
  for (int t = warp; t < tokens; t += kWarps) {
    const int64_t page = pages[first + t / kPage];
    const int64_t key = ((page * 2 * kPage + t % kPage) * kKvHeads + kv_head) * kDim + lane;
    float logit = query * cache[key];
    for (int step = 16; step > 0; step /= 2) logit += __shfl_xor_sync(0xffffffffu, logit, step);
    const float higher = fmaxf(peak, logit);
    const float keep = expf(peak - higher), weight = expf(logit - higher);
    peak = higher;
    total = total * keep + weight;
    sum = sum * keep + weight * cache[key + (int64_t)kPage * kKvHeads * kDim];
  }
  peaks[warp] = peak;
  totals[warp] = total;
  sums[warp][lane] = sum;
  __syncthreads();
  if (warp != 0) return;
  for (int w = 1; w < kWarps; ++w) peak = fmaxf(peak, peaks[w]);
  total = sum = 0.0f;
  for (int w = 0; w < kWarps; ++w) {
    if (totals[w] == 0.0f) continue;
    const float keep = expf(peaks[w] - peak);
    total += totals[w] * keep;
    sum += sums[w][lane] * keep;
  }
  output[at * kDim + lane] = tokens == 0 ? 0.0f : sum / total;
  if (lane == 0) {
    lse[at] = tokens == 0 ? -INFINITY : (peak + logf(total)) * 1.44269504088896f;
  }
}

extern "C" void run(const float* q, const float* kv_cache, const int32_t* kv_indptr,
                    const int32_t* kv_indices, const int32_t* kv_last_page_len, float sm_scale,
                    float* output, float* lse, int64_t batch_size, int64_t num_pages,
                    int64_t len_indptr, int64_t num_kv_indices, cudaStream_t stream) {
  const dim3 grid((unsigned)batch_size, kQoHeads);
  decode_kernel<<<grid, 32 * kWarps, 0, stream>>>(q, kv_cache, kv_indptr, kv_indices,
                                                  kv_last_page_len, sm_scale, output, lse);
}
