#include <fmt/format.h>

#include "answers.h"
#include "code.h"

namespace kw::author {
namespace {

std::string_view LaunchWords(const OpSpec& spec, const Design& design) {
  if (FamilyOf(spec.op) == Family::kMatmul) {
    switch (design.at(Slot::kTiling)) {
      case Piece::kNaive:
        return "each thread computes one element of the product";
      case Piece::kRegisterTile:
        return "each block computes a tile of 64 x 64 and each thread 4 x 4 elements of it";
      default:
        return "each block computes a square tile of the product from tiles in shared memory";
    }
  }
  switch (design.at(Slot::kLaunch)) {
    case Piece::kThreadPerRow:
      return "each thread handles a row";
    case Piece::kWarpPerRow:
      return "each warp handles a row and reduces it by shuffles";
    case Piece::kBlockPerRow:
      return "each block handles a row";
    case Piece::kGridStride:
      return "a bounded number of blocks strides over the data";
    default:
      return "each thread handles an element";
  }
}

std::string Opening(const Writing& writing, const OpSpec& spec, const Design& design) {
  if (spec.op == Op::kUnknown) {
    return "I am not sure that I know this operation. This is my best attempt at it, element by "
           "element; it may well be wrong.";
  }
  const char* again =
      writing.prompt.attempts.empty() ? "Here is a kernel" : "Here is the next version";
  std::string text =
      fmt::format("{} for {}: {}", again, OpName(spec.op), LaunchWords(spec, design));
  if (design.width() > 1) {
    text +=
        fmt::format(", with loads of {} elements at once where alignment allows", design.width());
  }
  return text + ".";
}

// Nothing can be called: there are no tensors in what the prompt shows.
std::string EmptyKernel(const OpSpec& spec) {
  Code code;
  code.Line("#include <cuda_runtime.h>").Line("#include <cstdint>").Blank();
  code.Line("__global__ void placeholder_kernel() {}").Blank();
  code.Open(spec.prototype.empty() ? "extern \"C\" void run()" : spec.prototype);
  code.Line("placeholder_kernel<<<1, 1>>>();").Close();
  return code.text();
}

}  // namespace

std::string AnswerKernel(const Writing& writing) {
  const OpSpec spec = ReadOperation(writing.prompt);
  const Advice advice = ReadAdvice(writing.lexicon, writing.prompt);
  Design design = ChooseDesign(writing.lexicon, spec, writing.prompt, advice, writing.temperature,
                               writing.random);
  const bool known = !spec.inputs.empty() && !spec.outputs.empty();
  std::string text = Opening(writing, spec, design) + "\n\n```cuda\n";
  text += known ? WriteKernel(spec, design) : EmptyKernel(spec);
  if (!design.has(Mistake::kUnclosedFence)) text += "```\n";
  return text;
}

std::string AnswerOther(const Writing&) {
  return "I write CUDA kernels for an operation whose prototype I am shown, and I read the "
         "results. "
         "This request shows me neither.";
}

}  // namespace kw::author
