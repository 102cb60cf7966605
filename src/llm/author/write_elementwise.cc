// Operations on one element at a time: gelu, leaky_relu, silu_and_mul, and the attempt at an
// operation that the author does not know.
#include <fmt/format.h>

#include "code.h"
#include "kw/base/text.h"

namespace kw::author {
namespace {

class ElementWriter {
 public:
  ElementWriter(const OpSpec& spec, const Design& design)
      : spec_(spec), design_(design), y_(spec.outputs.at(0)) {
    gated_ = spec.op == Op::kSiluAndMul;
    halves_ = gated_ && spec.inputs.size() == 1;
  }

  KernelText Write() {
    KernelText text;
    WriteFormula(text.kernels);
    WriteKernelFunction(text.kernels);
    WriteHost(text.host);
    return text;
  }

 private:
  bool vectors() const { return design_.width() > 1; }
  bool stride() const { return design_.has(Piece::kGridStride); }
  std::string_view name() const {
    return spec_.op == Op::kUnknown ? "elementwise" : OpName(spec_.op);
  }

  void WriteFormula(Code& code) const {
    const std::string_view exp = ExpName(design_);
    const std::string_view half = design_.has(Mistake::kScaling) ? "" : "0.5f * ";
    switch (spec_.op) {
      case Op::kGelu:
        code.Open("__device__ float gelu(float v)");
        if (spec_.gelu_tanh) {
          code.Line("const float inner = 0.7978845608f * (v + 0.044715f * v * v * v);");
          code.Line(fmt::format("return {}v * (1.0f + tanhf(inner));", half));
        } else {
          code.Line(fmt::format("return {}v * (1.0f + erff(v * 0.7071067812f));", half));
        }
        break;
      case Op::kSiluAndMul:
        code.Open("__device__ float silu_and_mul(float gate, float up)");
        code.Line(fmt::format("return gate / (1.0f + {}(-gate)) * up;", exp));
        break;
      case Op::kLeakyRelu:
        code.Open("__device__ float leaky_relu(float v, float slope)");
        code.Line("return v > 0.0f ? v : slope * v;");
        break;
      default:
        code.Open("__device__ float elementwise(float v)").Line("return v;");
    }
    code.Close().Blank();
  }

  std::string Call(const std::string& first, const std::string& second) const {
    if (gated_) {
      return spec_.gate_second ? fmt::format("silu_and_mul({}, {})", second, first)
                               : fmt::format("silu_and_mul({}, {})", first, second);
    }
    if (spec_.op == Op::kLeakyRelu) {
      return fmt::format("leaky_relu({}, {})", first, spec_.slope);
    }
    return fmt::format("{}({})", name(), first);
  }

  // Where element (or vector) `index` of a gated operation lies in an input that holds both halves.
  void Locate(Code& code, std::string_view index, std::string_view length) const {
    code.Line(fmt::format("const int64_t row = {} / {};", index, length));
    code.Line(fmt::format("const int64_t first = row * 2 * {1} + {0} % {1};", index, length));
  }

  void VectorBody(Code& code) const {
    const Parameter& x = spec_.inputs.at(0);
    const int width = design_.width();
    std::vector<std::string> a, b;
    if (halves_) {
      code.Line(fmt::format("const int64_t length = cols / {};", width));
      Locate(code, "i", "length");
      a = ReadVector(code, x.element, width, Inside(x), "first", "v");
      b = ReadVector(code, x.element, width, Inside(x), "first + length", "w");
    } else {
      a = ReadVector(code, x.element, width, Inside(x), "i", "v");
      b = a;
      if (gated_) {
        b = ReadVector(code, spec_.inputs[1].element, width, Inside(spec_.inputs[1]), "i", "w");
      }
    }
    for (size_t lane = 0; lane < a.size(); ++lane) a[lane] = Call(a[lane], b[lane]);
    WriteVector(code, y_.element, a, Inside(y_), "i");
  }

  void ScalarBody(Code& code, std::string_view index) const {
    const Parameter& x = spec_.inputs.at(0);
    std::string first = fmt::format("{}[{}]", Inside(x), index), second = first;
    if (halves_) {
      Locate(code, index, "cols");
      first = Inside(x) + "[first]";
      second = Inside(x) + "[first + cols]";
    } else if (gated_) {
      second = fmt::format("{}[{}]", Inside(spec_.inputs[1]), index);
    }
    const std::string value =
        Call(ToFloat(x.element, first),
             ToFloat(gated_ ? spec_.inputs.back().element : x.element, second));
    std::string stored = FromFloat(y_.element, value);
    if (y_.element == Element::kOther) {
      stored =
          fmt::format("static_cast<{}>({})", Trim(y_.type.substr(0, y_.type.find('*'))), value);
    }
    code.Line(fmt::format("{}[{}] = {};", Inside(y_), index, stored));
  }

  void WriteKernelFunction(Code& code) const {
    std::vector<std::string> parameters;
    for (const Parameter& p : spec_.inputs) parameters.push_back(PointerParameter(design_, p));
    parameters.push_back(PointerParameter(design_, y_));
    parameters.push_back("int64_t n");
    if (halves_) parameters.push_back("int64_t cols");
    for (const std::string& scalar : spec_.scalars) parameters.push_back("float " + scalar);
    if (vectors()) parameters.push_back("bool vectorised");
    code.Open(fmt::format("__global__ void {}_kernel({})", name(), Join(parameters, ", ")));
    code.Line("const int64_t index = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;");
    if (stride()) {
      code.Line("const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x;");
    }
    const std::string end = design_.has(Mistake::kOffByOne) ? "n - 1" : "n";
    std::string first = "0";
    if (vectors()) {
      code.Line(fmt::format("const int64_t vec = vectorised ? n / {} : 0;", design_.width()));
      Guarded(code, "0", "vec", [&](Code& body) { VectorBody(body); });
      first = fmt::format("vec * {}", design_.width());
    }
    if (!vectors() || !design_.has(Mistake::kDivides)) {
      Guarded(code, first, end, [&](Code& body) { ScalarBody(body, "i"); });
    }
    code.Close();
  }

  template <class Body>
  void Guarded(Code& code, const std::string& first, const std::string& end,
               const Body& body) const {
    const bool unguarded = design_.has(Mistake::kTailGuard) && end != "vec";
    const std::string from = first == "0" ? "index" : fmt::format("{} + index", first);
    if (stride()) {
      if (design_.has(Piece::kUnrolled)) code.Line("#pragma unroll 4");
      if (unguarded) {
        code.Open(fmt::format("for (int64_t base = 0; base < {}; base += stride)", end));
        code.Line(fmt::format("const int64_t i = base + {};", from));
      } else if (design_.has(Mistake::kDivides) && !vectors()) {
        code.Open("for (int64_t j = 0; j < n / stride; ++j)");
        code.Line("const int64_t i = j * stride + index;");
      } else {
        code.Open(fmt::format("for (int64_t i = {}; i < {}; i += stride)", from, end));
      }
      body(code);
      code.Close();
      return;
    }
    code.Open("").Line(fmt::format("const int64_t i = {};", from));
    if (!unguarded) code.Open(fmt::format("if (i < {})", end));
    body(code);
    if (!unguarded) code.Close();
    code.Close();
  }

  void WriteHost(Code& code) const {
    const std::string n = fmt::format("({}) * ({})", spec_.rows, spec_.cols);
    code.Line(fmt::format("constexpr int kThreads = {};", design_.block()));
    code.Line(fmt::format("const int64_t count = {};", n));
    std::vector<Parameter> tensors = spec_.inputs;
    tensors.push_back(y_);
    const int width = design_.width();
    if (vectors()) {
      code.Line(
          AlignmentCheck(design_, tensors, halves_ ? fmt::format("({})", spec_.cols) : "count"));
      code.Line(fmt::format("const int64_t work = vectorised ? count / {} : count;", width));
    } else {
      code.Line("const int64_t work = count;");
    }
    const bool floors = design_.has(Mistake::kDivides) && !vectors() && !stride();
    code.Line(fmt::format("{}int64_t blocks = {};", stride() ? "" : "const ",
                          floors ? "work / kThreads" : "(work + kThreads - 1) / kThreads"));
    if (stride()) code.Line("if (blocks > 1024) blocks = 1024;");
    code.Line("const unsigned int grid = static_cast<unsigned int>(blocks);");
    std::vector<std::string> arguments;
    for (const Parameter& p : spec_.inputs) arguments.push_back(p.name);
    arguments.insert(arguments.end(), {y_.name, "count"});
    if (halves_) arguments.push_back(spec_.cols);
    arguments.insert(arguments.end(), spec_.scalars.begin(), spec_.scalars.end());
    if (vectors()) arguments.push_back("vectorised");
    code.Line(fmt::format("{}_kernel{}({});", name(),
                          LaunchConfig(spec_, design_, "grid", "kThreads"), Join(arguments, ", ")));
  }

  const OpSpec& spec_;
  const Design& design_;
  const Parameter& y_;
  bool gated_ = false, halves_ = false;
};

}  // namespace

KernelText WriteElementwise(const OpSpec& spec, const Design& design) {
  return ElementWriter(spec, design).Write();
}

}  // namespace kw::author
