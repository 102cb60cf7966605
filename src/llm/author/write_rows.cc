// Operations over the rows of a matrix: softmax, rmsnorm, layernorm, row_sum.
#include <fmt/format.h>

#include <functional>

#include "code.h"
#include "kw/base/text.h"

namespace kw::author {
namespace {

class RowWriter {
 public:
  RowWriter(const OpSpec& spec, const Design& design)
      : spec_(spec), design_(design), x_(spec.inputs.at(0)), y_(spec.outputs.at(0)) {
    for (size_t i = 1; i < spec.inputs.size(); ++i) {
      const Parameter& p = spec.inputs[i];
      const bool bias = ToLower(p.name).substr(0, 1) == "b" || i == 2;
      (bias && spec.op == Op::kLayerNorm ? bias_ : weight_) = &p;
    }
    half_sums_ = design.has(Mistake::kHalfAccumulate);
    sum_type_ = half_sums_ ? std::string(TypeName(x_.element)) : "float";
    whole_block_ = design.has(Piece::kBlockPerRow) || design.has(Piece::kGridStride);
    serial_ = design.has(Piece::kThreadPerRow);
    start_ = serial_ ? "0" : whole_block_ ? "threadIdx.x" : "lane";
    step_ = serial_ ? "1" : whole_block_ ? "blockDim.x" : "32";
  }

  KernelText Write() {
    KernelText text;
    if (spec_.op == Op::kSoftmax) WriteReducers(text.kernels, "max", "float");
    WriteReducers(text.kernels, "sum", sum_type_);
    WriteKernelFunction(text.kernels);
    WriteHost(text.host);
    return text;
  }

 private:
  bool tree() const { return design_.has(Piece::kSharedTree); }
  bool vectors() const { return design_.width() > 1; }
  bool early_stop_in_reduction() const {
    return design_.has(Mistake::kOffByOne) && !serial_ && design_.variant % 2 == 1;
  }

  // Idle lanes of the last step count as 0, where -infinity would leave the result alone.
  bool PadsWithZero() const {
    return design_.has(Mistake::kIdentity) && design_.variant % 2 == 0 && !serial_ &&
           !design_.has(Mistake::kTailGuard) && !design_.has(Mistake::kDivides);
  }

  std::string Identity(std::string_view kind, std::string_view type) const {
    if (kind == "sum") return type == "float" ? "0.0f" : FromFloat(x_.element, "0.0f");
    if (!design_.has(Mistake::kIdentity)) return "-INFINITY";
    if (PadsWithZero()) return "0.0f";
    return design_.variant % 2 == 0 ? "INFINITY" : "FLT_MAX";
  }

  std::string Combine(std::string_view kind, std::string_view type, std::string_view a,
                      std::string_view b) const {
    if (kind == "max") return fmt::format("fmaxf({}, {})", a, b);
    if (type == "float") return fmt::format("{} + {}", a, b);
    return fmt::format("__hadd({}, {})", a, b);
  }

  void Unroll(Code& code, std::string_view count = "") const {
    if (design_.has(Piece::kUnrolled)) {
      code.Line(count.empty() ? "#pragma unroll" : fmt::format("#pragma unroll {}", count));
    }
  }

  void WriteReducers(Code& code, std::string_view kind, std::string_view type) const {
    if (serial_) return;
    if (!tree()) {
      code.Open(fmt::format("__device__ {0} warp_reduce_{1}({0} value)", type, kind));
      Unroll(code);
      code.Open(fmt::format("for (int offset = 16; offset > {}; offset >>= 1)",
                            early_stop_in_reduction() ? 1 : 0));
      code.Line(fmt::format("value = {};", Combine(kind, type, "value",
                                                   "__shfl_xor_sync(0xffffffffu, value, offset)")));
      code.Close().Line("return value;").Close().Blank();
    }
    if (whole_block_) tree() ? WriteTree(code, kind, type) : WriteBlockShuffle(code, kind, type);
  }

  void WriteTree(Code& code, std::string_view kind, std::string_view type) const {
    const bool race = design_.has(Mistake::kBarrier);
    code.Open(fmt::format("__device__ {0} block_reduce_{1}({0} value, {0}* scratch)", type, kind));
    code.Line("scratch[threadIdx.x] = value;");
    if (!race || design_.variant % 2 == 0) code.Line("__syncthreads();");
    code.Open(fmt::format("for (int stride = blockDim.x / 2; stride > {}; stride >>= 1)",
                          early_stop_in_reduction() ? 1 : 0));
    code.Open("if (threadIdx.x < stride)");
    code.Line(fmt::format("scratch[threadIdx.x] = {};", Combine(kind, type, "scratch[threadIdx.x]",
                                                                "scratch[threadIdx.x + stride]")));
    code.Close();
    if (!race || design_.variant % 2 == 1) code.Line("__syncthreads();");
    code.Close();
    code.Line(fmt::format("const {} total = scratch[0];", type));
    code.Line("__syncthreads();").Line("return total;").Close().Blank();
  }

  void WriteBlockShuffle(Code& code, std::string_view kind, std::string_view type) const {
    code.Open(fmt::format("__device__ {0} block_reduce_{1}({0} value, {0}* scratch)", type, kind));
    code.Line("const int lane = threadIdx.x % 32;").Line("const int warp = threadIdx.x / 32;");
    code.Line(fmt::format("value = warp_reduce_{}(value);", kind));
    code.Line("if (lane == 0) scratch[warp] = value;");
    if (!design_.has(Mistake::kBarrier)) code.Line("__syncthreads();");
    code.Line(
        fmt::format("value = lane < blockDim.x / 32 ? scratch[lane] : {};", Identity(kind, type)));
    code.Line(fmt::format("value = warp_reduce_{}(value);", kind));
    code.Line("__syncthreads();").Line("return value;").Close().Blank();
  }

  // Runs over the elements of a row: in vectors first where there are any, then one by one.
  // `vector_body` emits the body at vector i, `scalar_body` the one at column c.
  void ForElements(Code& code, const std::function<void(Code&)>& vector_body,
                   const std::function<void(Code&)>& scalar_body, bool padded = false) const {
    if (vectors()) {
      Unroll(code, "4");
      code.Open(fmt::format("for (int64_t i = {}; i < vec; i += {})", start_, step_));
      vector_body(code);
      code.Close();
      if (design_.has(Mistake::kDivides)) return;
    }
    const std::string first = vectors() ? fmt::format("vec * {}", design_.width()) : "0";
    const std::string end =
        design_.has(Mistake::kOffByOne) && !early_stop_in_reduction() ? "cols - 1" : "cols";
    Unroll(code, "4");
    if (padded) {
      code.Open(fmt::format("for (int64_t base = {}; base < {}; base += {})", first, end, step_));
      code.Line(fmt::format("const int64_t c = base + {};", start_));
    } else if (whole_block_ && design_.has(Mistake::kTailGuard)) {
      code.Open(fmt::format("for (int64_t base = {}; base < {}; base += blockDim.x)", first, end));
      code.Line("const int64_t c = base + threadIdx.x;");
    } else if (whole_block_ && design_.has(Mistake::kDivides)) {
      code.Open("for (int64_t j = 0; j < cols / blockDim.x; ++j)");
      code.Line("const int64_t c = j * blockDim.x + threadIdx.x;");
    } else {
      const std::string from = first == "0"    ? start_
                               : start_ == "0" ? first
                                               : fmt::format("{} + {}", first, start_);
      code.Open(fmt::format("for (int64_t c = {}; c < {}; c += {})", from, end, step_));
    }
    scalar_body(code);
    code.Close();
  }

  // `accumulate` emits what one value of x does to the accumulators.
  void OverInputs(Code& code,
                  const std::function<void(Code&, const std::string&)>& accumulate) const {
    ForElements(
        code,
        [&](Code& body) {
          for (const std::string& lane :
               ReadVector(body, x_.element, design_.width(), "row_in", "i", "v")) {
            accumulate(body, lane);
          }
        },
        [&](Code& body) {
          const std::string read = ToFloat(x_.element, "row_in[c]");
          body.Line(PadsWithZero() ? fmt::format("const float v = c < cols ? {} : 0.0f;", read)
                                   : fmt::format("const float v = {};", read));
          accumulate(body, "v");
        },
        PadsWithZero());
  }

  std::string AddTo(std::string_view name, const std::string& value) const {
    if (half_sums_) {
      return fmt::format("{0} = __hadd({0}, {1});", name, FromFloat(x_.element, value));
    }
    return fmt::format("{} += {};", name, value);
  }

  // The reduction of a thread's own `name` over all that share its row, as a float expression.
  std::string Reduced(std::string_view kind, std::string_view name) const {
    const bool half = half_sums_ && kind == "sum";
    std::string value(name);
    if (whole_block_) {
      value = fmt::format("block_reduce_{}({}, {})", kind, name, half ? "half_scratch" : "scratch");
    } else if (!serial_) {
      value = fmt::format("warp_reduce_{}({})", kind, name);
    }
    return half ? ToFloat(x_.element, value) : value;
  }

  void DeclareSum(Code& code, std::string_view name) const {
    code.Line(fmt::format("{} {} = {};", sum_type_, name, Identity("sum", sum_type_)));
  }

  void OverOutputs(Code& code, const std::function<std::string(const std::string&)>& value) const {
    ForElements(
        code,
        [&](Code& body) {
          const int width = design_.width();
          std::vector<std::string> out = ReadVector(body, x_.element, width, "row_in", "i", "v");
          std::vector<std::string> w, b;
          if (weight_) {
            w = ReadVector(body, weight_->element, width, Inside(*weight_), "i", "w");
          }
          if (bias_) b = ReadVector(body, bias_->element, width, Inside(*bias_), "i", "b4");
          for (size_t lane = 0; lane < out.size(); ++lane) {
            out[lane] = value(out[lane]);
            if (weight_) out[lane] += " * " + w[lane];
            if (bias_) out[lane] += " + " + b[lane];
          }
          WriteVector(body, y_.element, out, "row_out", "i");
        },
        [&](Code& body) {
          std::string out = value(ToFloat(x_.element, "row_in[c]"));
          if (weight_) {
            out += " * " + ToFloat(weight_->element, fmt::format("{}[c]", Inside(*weight_)));
          }
          if (bias_) out += " + " + ToFloat(bias_->element, fmt::format("{}[c]", Inside(*bias_)));
          body.Line(fmt::format("row_out[c] = {};", FromFloat(y_.element, out)));
        });
  }

  void WriteSoftmax(Code& code) const {
    const std::string_view exp = ExpName(design_);
    code.Line(fmt::format("float peak = {};", Identity("max", "float")));
    if (design_.has(Piece::kOnline)) {
      DeclareSum(code, "sum");
      OverInputs(code, [&](Code& body, const std::string& v) {
        // A block of its own for each value, since a vector holds several.
        body.Open("").Line(fmt::format("const float next = fmaxf(peak, {});", v));
        const std::string grown = fmt::format("{0}({1} - next)", exp, v);
        if (half_sums_) {
          body.Line(fmt::format(
              "sum = {};",
              FromFloat(x_.element, fmt::format("{} * {}(peak - next) + {}",
                                                ToFloat(x_.element, "sum"), exp, grown))));
        } else {
          body.Line(fmt::format("sum = sum * {}(peak - next) + {};", exp, grown));
        }
        body.Line("peak = next;").Close();
      });
      code.Line("const float own_peak = peak;");
      code.Line(fmt::format("peak = {};", Reduced("max", "peak")));
      const std::string shifted = fmt::format("{} * {}(own_peak - peak)",
                                              half_sums_ ? ToFloat(x_.element, "sum") : "sum", exp);
      code.Line(fmt::format("sum = {};", half_sums_ ? FromFloat(x_.element, shifted) : shifted));
    } else {
      OverInputs(code, [&](Code& body, const std::string& v) {
        body.Line(fmt::format("peak = fmaxf(peak, {});", v));
      });
      if (!serial_) code.Line(fmt::format("peak = {};", Reduced("max", "peak")));
      DeclareSum(code, "sum");
      OverInputs(code, [&](Code& body, const std::string& v) {
        body.Line(AddTo("sum", fmt::format("{}({} - peak)", exp, v)));
      });
    }
    const bool unscaled = design_.has(Mistake::kScaling);
    code.Line(fmt::format("const float total = {};", Reduced("sum", "sum")));
    if (!unscaled) code.Line("const float scale = 1.0f / total;");
    OverOutputs(code, [&](const std::string& v) {
      return fmt::format("{}({} - peak){}", exp, v, unscaled ? "" : " * scale");
    });
  }

  std::string InverseRoot(std::string_view mean_square) const {
    if (design_.has(Mistake::kEpsilon)) {
      return fmt::format("1.0f / (sqrtf({}) + {})", mean_square, spec_.epsilon);
    }
    return fmt::format("rsqrtf({} + {})", mean_square, spec_.epsilon);
  }

  void WriteRmsNorm(Code& code) const {
    DeclareSum(code, "squares");
    OverInputs(code, [&](Code& body, const std::string& v) {
      body.Line(AddTo("squares", fmt::format("{0} * {0}", v)));
    });
    const std::string total = Reduced("sum", "squares");
    code.Line(fmt::format("const float mean_square = {}{};", total,
                          design_.has(Mistake::kScaling) ? "" : " / static_cast<float>(cols)"));
    code.Line(fmt::format("const float scale = {};", InverseRoot("mean_square")));
    OverOutputs(code, [](const std::string& v) { return v + " * scale"; });
  }

  void WriteLayerNorm(Code& code) const {
    DeclareSum(code, "sum");
    OverInputs(code, [&](Code& body, const std::string& v) { body.Line(AddTo("sum", v)); });
    code.Line(
        fmt::format("const float mean = {} / static_cast<float>(cols);", Reduced("sum", "sum")));
    DeclareSum(code, "squares");
    OverInputs(code, [&](Code& body, const std::string& v) {
      body.Line(AddTo("squares", fmt::format("({0} - mean) * ({0} - mean)", v)));
    });
    code.Line(fmt::format("const float variance = {}{};", Reduced("sum", "squares"),
                          design_.has(Mistake::kScaling) ? "" : " / static_cast<float>(cols)"));
    code.Line(fmt::format("const float scale = {};", InverseRoot("variance")));
    OverOutputs(code, [](const std::string& v) { return fmt::format("({} - mean) * scale", v); });
  }

  void WriteRowSum(Code& code) const {
    DeclareSum(code, "sum");
    OverInputs(code, [&](Code& body, const std::string& v) { body.Line(AddTo("sum", v)); });
    code.Line(fmt::format("const float total = {};", Reduced("sum", "sum")));
    const std::string store =
        fmt::format("{}[row] = {};", Inside(y_), FromFloat(y_.element, "total"));
    code.Line(serial_
                  ? store
                  : fmt::format("if ({} == 0) {}", whole_block_ ? "threadIdx.x" : "lane", store));
  }

  std::string Signature() const {
    std::vector<std::string> parameters;
    for (const Parameter& p : spec_.inputs) parameters.push_back(PointerParameter(design_, p));
    parameters.push_back(PointerParameter(design_, y_));
    parameters.insert(parameters.end(), {"int64_t rows", "int64_t cols"});
    for (const std::string& scalar : spec_.scalars) parameters.push_back("float " + scalar);
    if (vectors()) parameters.push_back("bool vectorised");
    return fmt::format("__global__ void {}_kernel({})", OpName(spec_.op), Join(parameters, ", "));
  }

  void WriteKernelFunction(Code& code) const {
    code.Open(Signature());
    if (whole_block_) {
      code.Line(fmt::format("__shared__ float scratch[{}];", tree() ? design_.block() : 32));
      if (half_sums_) {
        code.Line(fmt::format("__shared__ {} half_scratch[{}];", sum_type_,
                              tree() ? design_.block() : 32));
      }
    }
    const std::string global = "static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x";
    if (design_.has(Piece::kGridStride)) {
      code.Open("for (int64_t row = blockIdx.x; row < rows; row += gridDim.x)");
    } else if (whole_block_) {
      code.Line("const int64_t row = blockIdx.x;");
    } else if (serial_) {
      code.Line(fmt::format("const int64_t row = {};", global));
    } else {
      code.Line(fmt::format("const int64_t row = ({}) / 32;", global));
      code.Line("const int lane = threadIdx.x % 32;");
    }
    if (!whole_block_ && !design_.has(Mistake::kTailGuard)) code.Line("if (row >= rows) return;");
    const std::string x = Inside(x_), y = Inside(y_);
    code.Line(fmt::format("const {}* row_in = {} + row * cols;", TypeName(x_.element), x));
    if (spec_.op != Op::kRowSum) {
      code.Line(fmt::format("{}* row_out = {} + row * cols;", TypeName(y_.element), y));
    }
    if (vectors()) {
      code.Line(fmt::format("const int64_t vec = vectorised ? cols / {} : 0;", design_.width()));
    }
    switch (spec_.op) {
      case Op::kSoftmax:
        WriteSoftmax(code);
        break;
      case Op::kRmsNorm:
        WriteRmsNorm(code);
        break;
      case Op::kLayerNorm:
        WriteLayerNorm(code);
        break;
      default:
        WriteRowSum(code);
    }
    if (design_.has(Piece::kGridStride)) code.Close();
    code.Close();
  }

  void WriteHost(Code& code) const {
    code.Line(fmt::format("constexpr int kThreads = {};", design_.block()));
    std::vector<Parameter> tensors = spec_.inputs;
    if (spec_.op != Op::kRowSum) tensors.push_back(y_);
    if (vectors()) code.Line(AlignmentCheck(design_, tensors, fmt::format("({})", spec_.cols)));
    const std::string rows = fmt::format("({})", spec_.rows);
    std::string grid;
    if (design_.has(Piece::kBlockPerRow)) {
      grid = spec_.rows;
    } else if (design_.has(Piece::kGridStride)) {
      grid = fmt::format("{0} < 2048 ? {0} : 2048", rows);
    } else {
      const std::string each = serial_ ? "kThreads" : "(kThreads / 32)";
      const bool floors = design_.has(Mistake::kDivides) && !vectors();
      grid = floors ? fmt::format("{} / {}", rows, each)
                    : fmt::format("({0} + {1} - 1) / {1}", rows, each);
    }
    code.Line(fmt::format("const unsigned int grid = static_cast<unsigned int>({});", grid));
    std::vector<std::string> arguments;
    for (const Parameter& p : spec_.inputs) arguments.push_back(p.name);
    arguments.insert(arguments.end(), {y_.name, spec_.rows, spec_.cols});
    arguments.insert(arguments.end(), spec_.scalars.begin(), spec_.scalars.end());
    if (vectors()) arguments.push_back("vectorised");
    code.Line(fmt::format("{}_kernel{}({});", OpName(spec_.op),
                          LaunchConfig(spec_, design_, "grid", "kThreads"), Join(arguments, ", ")));
  }

  const OpSpec& spec_;
  const Design& design_;
  const Parameter& x_;
  const Parameter& y_;
  const Parameter* weight_ = nullptr;
  const Parameter* bias_ = nullptr;
  bool half_sums_ = false, whole_block_ = false, serial_ = false;
  std::string sum_type_, start_, step_;
};

}  // namespace

KernelText WriteRows(const OpSpec& spec, const Design& design) {
  return RowWriter(spec, design).Write();
}

}  // namespace kw::author
