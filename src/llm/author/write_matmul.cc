// C = A B: one thread an element, shared tiles, or a register tile a thread.
#include <fmt/format.h>

#include "code.h"
#include "kw/base/text.h"

namespace kw::author {
namespace {

class MatmulWriter {
 public:
  MatmulWriter(const OpSpec& spec, const Design& design)
      : spec_(spec),
        design_(design),
        a_(spec.inputs.at(0)),
        b_(spec.inputs.at(1)),
        out_(spec.outputs.at(0)) {
    half_ = design.has(Mistake::kHalfAccumulate);
    guard_ = !design.has(Mistake::kTailGuard);
  }

  KernelText Write() {
    KernelText text;
    Code& code = text.kernels;
    if (design_.has(Piece::kNaive)) {
      WriteNaive(code);
    } else if (design_.has(Piece::kRegisterTile)) {
      WriteRegisterTile(code);
    } else {
      WriteTile(code, design_.has(Piece::kTile32) ? 32 : 16);
    }
    WriteHost(text.host);
    return text;
  }

 private:
  void OpenKernel(Code& code) const {
    code.Open(
        fmt::format("__global__ void matmul_kernel({}, {}, {}, int64_t m, int64_t n, int64_t k)",
                    PointerParameter(design_, a_), PointerParameter(design_, b_),
                    PointerParameter(design_, out_)));
  }

  std::string A(std::string_view row, std::string_view depth) const {
    return ToFloat(a_.element, fmt::format("{}[{} * k + {}]", Inside(a_), row, depth));
  }
  std::string B(std::string_view depth, std::string_view col) const {
    const std::string at = spec_.b_transposed ? fmt::format("{} * k + {}", col, depth)
                                              : fmt::format("{} * n + {}", depth, col);
    return ToFloat(b_.element, fmt::format("{}[{}]", Inside(b_), at));
  }
  // `value` where all of `inside` holds, else 0.
  std::string Padded(std::string_view inside, const std::string& value) const {
    return guard_ ? fmt::format("({}) ? {} : 0.0f", inside, value) : value;
  }
  std::string AccumulatorType() const {
    return half_ ? std::string(TypeName(a_.element)) : "float";
  }
  std::string Zero() const { return half_ ? FromFloat(a_.element, "0.0f") : "0.0f"; }
  std::string AddProduct(std::string_view acc, std::string_view x, std::string_view y) const {
    if (!half_) return fmt::format("{} += {} * {};", acc, x, y);
    return fmt::format("{0} = __hadd({0}, {1});", acc,
                       FromFloat(a_.element, fmt::format("{} * {}", x, y)));
  }
  std::string Stored(std::string_view acc) const {
    return FromFloat(out_.element, half_ ? ToFloat(a_.element, acc) : std::string(acc));
  }
  void Unroll(Code& code, std::string_view pragma = "#pragma unroll") const {
    if (design_.has(Piece::kUnrolled)) code.Line(pragma);
  }
  // The loop over the depth, tile by tile: declares depth0.
  void OpenDepthLoop(Code& code, std::string_view step) const {
    if (design_.has(Mistake::kDivides)) {
      code.Open(fmt::format("for (int64_t step = 0; step < k / {}; ++step)", step));
      code.Line(fmt::format("const int64_t depth0 = step * {};", step));
    } else {
      code.Open(fmt::format("for (int64_t depth0 = 0; depth0 < k; depth0 += {})", step));
    }
  }
  void Barrier(Code& code, bool first) const {
    const bool dropped = design_.has(Mistake::kBarrier) && (design_.variant % 2 == 0) == first;
    if (!dropped) code.Line("__syncthreads();");
  }
  std::string Last(std::string_view count) const {
    return design_.has(Mistake::kOffByOne) ? fmt::format("{} - 1", count) : std::string(count);
  }

  void WriteNaive(Code& code) const {
    OpenKernel(code);
    code.Line("const int64_t row = static_cast<int64_t>(blockIdx.y) * blockDim.y + threadIdx.y;");
    code.Line("const int64_t col = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;");
    if (guard_) code.Line("if (row >= m || col >= n) return;");
    code.Line(fmt::format("{} acc = {};", AccumulatorType(), Zero()));
    Unroll(code, "#pragma unroll 4");
    code.Open(fmt::format("for (int64_t p = 0; p < {}; ++p)", Last("k")));
    code.Line(AddProduct("acc", A("row", "p"), B("p", "col")));
    code.Close();
    code.Line(fmt::format("{}[row * n + col] = {};", Inside(out_), Stored("acc")));
    code.Close();
  }

  void WriteTile(Code& code, int tile) const {
    code.Line(fmt::format("constexpr int kTile = {};", tile)).Blank();
    OpenKernel(code);
    code.Line("__shared__ float tile_a[kTile][kTile];");
    code.Line("__shared__ float tile_b[kTile][kTile + 1];");
    code.Line("const int64_t row = static_cast<int64_t>(blockIdx.y) * kTile + threadIdx.y;");
    code.Line("const int64_t col = static_cast<int64_t>(blockIdx.x) * kTile + threadIdx.x;");
    code.Line(fmt::format("{} acc = {};", AccumulatorType(), Zero()));
    OpenDepthLoop(code, "kTile");
    code.Line(fmt::format(
        "tile_a[threadIdx.y][threadIdx.x] = {};",
        Padded("row < m && depth0 + threadIdx.x < k", A("row", "depth0 + threadIdx.x"))));
    code.Line(fmt::format(
        "tile_b[threadIdx.y][threadIdx.x] = {};",
        Padded("depth0 + threadIdx.y < k && col < n", B("(depth0 + threadIdx.y)", "col"))));
    Barrier(code, true);
    Unroll(code);
    code.Open(fmt::format("for (int p = 0; p < {}; ++p)", Last("kTile")));
    code.Line(AddProduct("acc", "tile_a[threadIdx.y][p]", "tile_b[p][threadIdx.x]"));
    code.Close();
    Barrier(code, false);
    code.Close();
    code.Line(fmt::format("{}{}[row * n + col] = {};", guard_ ? "if (row < m && col < n) " : "",
                          Inside(out_), Stored("acc")));
    code.Close();
  }

  void WriteRegisterTile(Code& code) const {
    code.Line("constexpr int kTile = 64;   // of the output, a block");
    code.Line("constexpr int kDepth = 16;  // of the inner dimension, a step");
    code.Line("constexpr int kOwn = 4;     // a thread computes 4 x 4 elements").Blank();
    OpenKernel(code);
    code.Line("__shared__ float tile_a[kDepth][kTile + 1];");
    code.Line("__shared__ float tile_b[kDepth][kTile];");
    code.Line("const int64_t row0 = static_cast<int64_t>(blockIdx.y) * kTile;");
    code.Line("const int64_t col0 = static_cast<int64_t>(blockIdx.x) * kTile;");
    code.Line("const int tid = threadIdx.y * blockDim.x + threadIdx.x;");
    code.Line(fmt::format("{} acc[kOwn][kOwn];", AccumulatorType()));
    OverOwn(code, [&](Code& body) { body.Line(fmt::format("acc[i][j] = {};", Zero())); });
    OpenDepthLoop(code, "kDepth");
    code.Open("for (int e = tid; e < kTile * kDepth; e += 256)");
    code.Line("const int64_t row = row0 + e / kDepth, depth_a = depth0 + e % kDepth;");
    code.Line("const int64_t col = col0 + e % kTile, depth_b = depth0 + e / kTile;");
    code.Line(fmt::format("tile_a[e % kDepth][e / kDepth] = {};",
                          Padded("row < m && depth_a < k", A("row", "depth_a"))));
    code.Line(fmt::format("tile_b[e / kTile][e % kTile] = {};",
                          Padded("depth_b < k && col < n", B("depth_b", "col"))));
    code.Close();
    Barrier(code, true);
    Unroll(code);
    code.Open(fmt::format("for (int p = 0; p < {}; ++p)", Last("kDepth")));
    code.Line("float own_a[kOwn], own_b[kOwn];");
    code.Open("for (int i = 0; i < kOwn; ++i)");
    code.Line("own_a[i] = tile_a[p][threadIdx.y * kOwn + i];");
    code.Line("own_b[i] = tile_b[p][threadIdx.x + 16 * i];");
    code.Close();
    OverOwn(code, [&](Code& body) { body.Line(AddProduct("acc[i][j]", "own_a[i]", "own_b[j]")); });
    code.Close();
    Barrier(code, false);
    code.Close();
    OverOwn(code, [&](Code& body) {
      body.Line("const int64_t row = row0 + threadIdx.y * kOwn + i;");
      body.Line("const int64_t col = col0 + threadIdx.x + 16 * j;");
      body.Line(fmt::format("{}{}[row * n + col] = {};", guard_ ? "if (row < m && col < n) " : "",
                            Inside(out_), Stored("acc[i][j]")));
    });
    code.Close();
  }

  template <class Body>
  void OverOwn(Code& code, const Body& body) const {
    code.Line("#pragma unroll").Open("for (int i = 0; i < kOwn; ++i)");
    code.Line("#pragma unroll").Open("for (int j = 0; j < kOwn; ++j)");
    body(code);
    code.Close().Close();
  }

  void WriteHost(Code& code) const {
    const bool naive = design_.has(Piece::kNaive);
    int x = 16, y = 16, tile_x = 16, tile_y = 16;
    if (naive && design_.block() == 64) {
      x = tile_x = 32;
      y = tile_y = 2;
    } else if (design_.has(Piece::kTile32)) {
      x = y = tile_x = tile_y = 32;
    } else if (design_.has(Piece::kRegisterTile)) {
      tile_x = tile_y = 64;
    }
    code.Line(fmt::format("const dim3 threads({}, {});", x, y));
    auto count = [&](const std::string& size, int tile) {
      const bool floors = naive && design_.has(Mistake::kDivides);
      return fmt::format("static_cast<unsigned int>(({}{}) / {})", size,
                         floors ? "" : fmt::format(" + {}", tile - 1), tile);
    };
    code.Line(
        fmt::format("const dim3 grid({}, {});", count(spec_.n, tile_x), count(spec_.m, tile_y)));
    code.Line(fmt::format("matmul_kernel{}({}, {}, {}, {}, {}, {});",
                          LaunchConfig(spec_, design_, "grid", "threads"), a_.name, b_.name,
                          out_.name, spec_.m, spec_.n, spec_.k));
  }

  const OpSpec& spec_;
  const Design& design_;
  const Parameter& a_;
  const Parameter& b_;
  const Parameter& out_;
  bool half_ = false, guard_ = true;
};

}  // namespace

KernelText WriteMatmul(const OpSpec& spec, const Design& design) {
  return MatmulWriter(spec, design).Write();
}

}  // namespace kw::author
