#include "inspect.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

namespace kw::author {
namespace {

// Source without comments and spaces: "for(intoffset=16;offset>0;offset>>=1){".
std::string Squeeze(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source.substr(i, 2) == "//") {
      while (i < source.size() && source[i] != '\n') ++i;
    } else if (source.substr(i, 2) == "/*") {
      const size_t end = source.find("*/", i + 2);
      i = end == std::string_view::npos ? source.size() : end + 1;
    } else if (std::isspace(static_cast<unsigned char>(source[i])) == 0) {
      out += source[i];
    }
  }
  return out;
}

class Reader {
 public:
  explicit Reader(std::string_view source) : text_(Squeeze(source)) {}

  Inspection Read() {
    in_.empty = text_.empty();
    if (in_.empty) return in_;
    ReadFamily();
    ReadLaunch();
    ReadReduction();
    ReadRest();
    FindMistakes();
    return in_;
  }

 private:
  bool Has(std::string_view part) const { return text_.find(part) != std::string::npos; }
  bool HasAny(std::initializer_list<std::string_view> parts) const {
    return std::any_of(parts.begin(), parts.end(), [&](std::string_view p) { return Has(p); });
  }
  size_t Count(std::string_view part) const {
    size_t count = 0;
    for (size_t at = text_.find(part); at != std::string::npos; at = text_.find(part, at + 1)) {
      ++count;
    }
    return count;
  }
  void See(Piece piece) {
    in_.design.Set(piece);
    in_.seen[static_cast<size_t>(piece)] = true;
  }

  // The bodies of device code: everything before the entry point.
  std::string_view Device() const {
    const size_t entry = std::min(text_.find("extern\"C\"voidrun("), text_.rfind("voidrun("));
    const size_t kernel = text_.find("__global__");
    if (entry == std::string::npos || kernel == std::string::npos || entry < kernel) return text_;
    return std::string_view(text_).substr(0, entry);
  }
  // The kernels alone, without the functions that they call.
  std::string_view Kernel() const {
    const std::string_view device = Device();
    const size_t at = device.find("__global__");
    return at == std::string_view::npos ? device : device.substr(at);
  }

  void ReadFamily() {
    const bool two_d = HasAny({"blockIdx.y", "threadIdx.y"});
    const bool product = HasAny({"*k+", "*K+", "tile_a", "tile_b", "[p]"});
    if (two_d && product) {
      in_.family = Family::kMatmul;
    } else if (HasAny({"row", "cols"}) &&
               HasAny({"reduce", "sum", "acc", "peak", "max", "squares", "__shfl"})) {
      in_.family = Family::kRows;
    }
    in_.has_reduction = HasAny({"__shfl", "__shared__"});
  }

  void ReadLaunch() {
    const std::string_view kernel = Kernel();
    auto in_kernel = [&](std::string_view part) {
      return kernel.find(part) != std::string_view::npos;
    };
    const bool stride = in_kernel("+=gridDim.x") || in_kernel("gridDim.x*blockDim.x") ||
                        in_kernel("blockDim.x*gridDim.x") || in_kernel("(gridDim.x)*blockDim.x") ||
                        in_kernel("+=stride");
    if (in_.family == Family::kMatmul) {
      See(Piece::kThreadPerElement);
      return;
    }
    if (stride) {
      See(Piece::kGridStride);
    } else if (in_.family == Family::kElementwise) {
      See(Piece::kThreadPerElement);
    } else if (in_kernel("row=blockIdx.x;") || in_kernel("blockIdx.x*cols") ||
               in_kernel("blockIdx.x)*cols")) {
      See(Piece::kBlockPerRow);
    } else if (in_kernel("/32;") || in_kernel(">>5;")) {
      See(Piece::kWarpPerRow);
    } else if (in_kernel("row=") && in_kernel("blockDim.x+threadIdx.x")) {
      See(Piece::kThreadPerRow);
    } else {
      See(Piece::kBlockPerRow);
    }
  }

  void ReadReduction() {
    if (Has("__shfl")) {
      See(Piece::kWarpShuffle);
    } else if (Has("__shared__") && HasAny({"stride>>=1", "stride/=2", "step/=2", "step>>=1",
                                            "s>>=1", "s/=2", "offset/=2", "offset>>=1"})) {
      See(Piece::kSharedTree);
    } else if (in_.family != Family::kMatmul) {
      See(Piece::kSerial);
    }
    if (in_.family != Family::kMatmul) return;
    if (!Has("__shared__")) {
      See(Piece::kNaive);
    } else if (HasAny({"acc[kOwn]", "acc[4]", "acc[8]", "acc[i][j]", "sum[i][j]"})) {
      See(Piece::kRegisterTile);
    } else if (HasAny({"kTile=32", "TILE32", "TILE=32", "[32][32", "TILE_SIZE=32"})) {
      See(Piece::kTile32);
    } else {
      See(Piece::kTile16);
    }
  }

  void ReadRest() {
    const std::string_view kernel = Kernel();
    auto reads = [&](std::string_view type) {
      return kernel.find(std::string("<const") + std::string(type) + "*>") !=
                 std::string_view::npos ||
             kernel.find(std::string(type) + "*)") != std::string_view::npos;
    };
    if (reads("float4") || reads("uint2") || reads("int4") || reads("uint4")) {
      See(Piece::kVector4);
    } else if (reads("float2") || reads("__half2") || reads("half2") || reads("__nv_bfloat162")) {
      See(Piece::kVector2);
    } else {
      See(Piece::kScalar);
    }
    for (auto [piece, number] : {std::pair{Piece::kBlock64, "64"},
                                 {Piece::kBlock128, "128"},
                                 {Piece::kBlock256, "256"},
                                 {Piece::kBlock512, "512"}}) {
      for (const char* name : {"kThreads=", "threads=", "THREADS",
                               "block=", "BLOCK_SIZE=", "threadsPerBlock=", "BLOCK="}) {
        const std::string text = std::string(name) + number;
        const size_t at = text_.find(text);
        if (at != std::string::npos &&
            std::isdigit(static_cast<unsigned char>(
                text_[std::min(at + text.size(), text_.size() - 1)])) == 0) {
          See(piece);
        }
      }
    }
    if (in_.family == Family::kMatmul && Has("threads(32,2)")) See(Piece::kBlock64);
    if (Has("__expf")) See(Piece::kFastMath);
    if (!Has("__expf") && HasAny({"expf(", "exp("})) See(Piece::kPreciseMath);
    See(Has("#pragmaunroll") && in_.family != Family::kMatmul ? Piece::kUnrolled : Piece::kRolled);
    if (in_.family == Family::kMatmul) {
      const bool outer = Has("#pragmaunrollfor(intp") || Has("#pragmaunroll4");
      See(outer ? Piece::kUnrolled : Piece::kRolled);
    }
    See(Has("__restrict__") ? Piece::kRestrictPointers : Piece::kPlainPointers);
    See(Has("(peak-next)") || Has("running_max") || Has("new_max") ? Piece::kOnline
                                                                   : Piece::kSeparatePasses);
  }

  void FindMistakes() {
    Design& design = in_.design;
    design.Set(Mistake::kNoEntry, !EntryIsThere());
    design.Set(Mistake::kMissingBrace, Count("{") != Count("}"));
    design.Set(Mistake::kStream, Has("<<<") && !LaunchesOnStream());
    design.Set(Mistake::kTailGuard, !Guarded());
    design.Set(Mistake::kDivides, AssumesDivision());
    design.Set(Mistake::kOffByOne, StopsEarly());
    design.Set(Mistake::kIdentity, WrongMaximum());
    design.Set(Mistake::kBarrier, LacksBarrier());
    design.Set(Mistake::kScaling, LacksScaling());
    design.Set(Mistake::kEpsilon, EpsilonOutside());
    design.Set(Mistake::kHalfAccumulate, SumsInHalf());
  }

  bool EntryIsThere() const {
    const size_t at = text_.find("voidrun(");
    if (at == std::string::npos) return false;
    return Has("extern\"C\"");
  }

  bool LaunchesOnStream() const {
    for (size_t at = text_.find("<<<"); at != std::string::npos; at = text_.find("<<<", at + 1)) {
      const size_t end = text_.find(">>>", at);
      int depth = 0;
      int commas = 0;
      for (size_t i = at; i < end && i < text_.size(); ++i) {
        if (text_[i] == '(') ++depth;
        if (text_[i] == ')') --depth;
        if (text_[i] == ',' && depth == 0) ++commas;
      }
      if (commas < 3) return false;
    }
    return true;
  }

  // A comparison that keeps an index inside, outside of the loops' own ends.
  bool Guarded() const {
    const std::string_view kernel = Kernel();
    auto has = [&](std::string_view part) { return kernel.find(part) != std::string_view::npos; };
    if (in_.family == Family::kMatmul) {
      return has("row<m") || has("row>=m") || has("row<M") || has("row>=M");
    }
    if (in_.family == Family::kElementwise) {
      if (has("base<n;")) return false;
      if (has("j<n/stride")) return true;
      if (const size_t rest = kernel.find("int64_ti=vec*"); rest != std::string_view::npos) {
        const std::string_view next = kernel.substr(kernel.find(';', rest) + 1);
        return next.substr(0, 3) == "if(" || next.substr(0, 2) == "i<";
      }
      return has("<n)") || has("<n;") || has(">=n)") || has("<n-1)") || has("<n-1;") ||
             has("<vec)") || has("<vec;") || has("if(i<") || has("if(i>=") || has("if(idx<") ||
             has("if(idx>=");
    }
    if (in_.design.has(Piece::kThreadPerRow) || in_.design.has(Piece::kWarpPerRow)) {
      return has("row>=rows") || has("row<rows");
    }
    return !has("int64_tc=base+threadIdx.x;") || has("c<cols?");
  }

  bool AssumesDivision() const {
    if (HasAny(
            {"vectorised=true", "<work/kThreads", "j<cols/blockDim.x", "j<n/stride", "step<k/"})) {
      return true;
    }
    for (std::string_view floored :
         {"(rows)/kThreads)", "(rows)/(kThreads/32))", "(n)/16)", "(m)/16)", "(n)/32)"}) {
      if (Has(floored)) return true;
    }
    const size_t grid = text_.find("blocks=work/kThreads;");
    const bool vectors = in_.design.width() > 1;
    const bool checked = HasAny({"%4==0", "%2==0", "&3)==0", "%4)==0", "%8==0", "uintptr_t"});
    return grid != std::string::npos || (vectors && !checked);
  }

  bool StopsEarly() const {
    return HasAny({"<cols-1;", "<n-1;", "<n-1)", "<k-1;", "<kTile-1;", "<kDepth-1;", "offset>1;",
                   "stride>1;", "s>1;"});
  }

  bool WrongMaximum() const {
    // A start that is no identity, or idle lanes that count as 0.
    for (std::string_view name : {"peak=", "max=", "maxv=", "max_val=", "row_max=", "largest="}) {
      for (std::string_view start : {"0.0f;", "0.f;", "0;", "FLT_MIN;", "FLT_MAX;", "INFINITY;"}) {
        if (Has(std::string(name) + std::string(start))) return true;
      }
    }
    return Has("fmaxf(") && Has("c<cols?") && Has(":0.0f;");
  }

  bool LacksBarrier() const {
    if (!Has("__shared__")) return false;
    const size_t barriers = Count("__syncthreads()");
    if (in_.family == Family::kMatmul) return barriers < 2;
    if (barriers == 0) return true;
    // Between the write to shared memory and the first read of it, and in each step of a tree.
    const size_t write =
        std::min(text_.find("scratch[threadIdx.x]=value;"), text_.find("scratch[warp]=value;"));
    if (write == std::string::npos) return false;
    const size_t after = text_.find(';', write) + 1;
    if (text_.compare(after, 15, "__syncthreads()") != 0) return true;
    const size_t step = text_.find("scratch[threadIdx.x+stride]");
    if (step == std::string::npos) return false;
    const size_t end = text_.find("}", step);
    return end == std::string::npos || text_.compare(end + 1, 15, "__syncthreads()") != 0;
  }

  bool LacksScaling() const {
    if (HasAny({"softmax"}) && HasAny({"-peak)"})) {
      return !HasAny({"*scale", "/total", "/sum"});
    }
    if (HasAny({"gelu(float"})) return !HasAny({"0.5f*", "*0.5f"});
    for (std::string_view name : {"variance=", "mean_square="}) {
      const size_t at = text_.find(name);
      if (at == std::string::npos) continue;
      const std::string statement = text_.substr(at, text_.find(';', at) - at);
      return statement.find('/') == std::string::npos &&
             statement.find("*inv") == std::string::npos;
    }
    return false;
  }

  bool EpsilonOutside() const {
    for (std::string_view root : {"1.0f/(sqrtf(", "(sqrtf("}) {
      const size_t at = text_.find(root);
      if (at == std::string::npos) continue;
      const size_t close = text_.find(')', at + root.size());
      if (close != std::string::npos && close + 1 < text_.size() && text_[close + 1] == '+') {
        return true;
      }
    }
    return false;
  }

  bool SumsInHalf() const {
    return HasAny({"=__hadd(", "__halfsum=", "__halfacc", "__halfsquares=", "__nv_bfloat16sum=",
                   "__nv_bfloat16acc", "__nv_bfloat16squares="});
  }

  std::string text_;
  Inspection in_;
};

}  // namespace

Inspection Inspect(std::string_view source) { return Reader(source).Read(); }

}  // namespace kw::author
