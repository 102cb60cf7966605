#include "code.h"

#include <fmt/format.h>

#include "kw/base/text.h"

namespace kw::author {

Code& Code::Line(std::string_view text) {
  // Directives stand at the margin.
  if (!text.empty() && (text[0] != '#' || text.substr(0, 7) == "#pragma")) {
    text_.append(static_cast<size_t>(depth_) * 2, ' ');
  }
  text_.append(text);
  text_ += '\n';
  return *this;
}

Code& Code::Blank() {
  text_ += '\n';
  return *this;
}

Code& Code::Open(std::string_view header) {
  Line(header.empty() ? "{" : fmt::format("{} {{", header));
  ++depth_;
  return *this;
}

Code& Code::Close(std::string_view after) {
  --depth_;
  return Line(fmt::format("}}{}", after));
}

Code& Code::Else() {
  --depth_;
  Line("} else {");
  ++depth_;
  return *this;
}

Code& Code::Add(const Code& lines) {
  for (std::string_view line : Lines(lines.text())) line.empty() ? Blank() : Line(line);
  return *this;
}

std::string_view TypeName(Element element) {
  switch (element) {
    case Element::kHalf:
      return "__half";
    case Element::kBFloat16:
      return "__nv_bfloat16";
    default:
      return "float";
  }
}

std::string ToFloat(Element element, std::string_view value) {
  switch (element) {
    case Element::kFloat:
      return std::string(value);
    case Element::kHalf:
      return fmt::format("__half2float({})", value);
    case Element::kBFloat16:
      return fmt::format("__bfloat162float({})", value);
    case Element::kOther:
      break;
  }
  return fmt::format("static_cast<float>({})", value);
}

std::string FromFloat(Element element, std::string_view value) {
  switch (element) {
    case Element::kHalf:
      return fmt::format("__float2half({})", value);
    case Element::kBFloat16:
      return fmt::format("__float2bfloat16({})", value);
    default:
      return std::string(value);
  }
}

int ElementBytes(Element element) {
  return element == Element::kHalf || element == Element::kBFloat16 ? 2 : 4;
}

std::vector<std::string> ReadVector(Code& code, Element element, int width,
                                    std::string_view pointer, std::string_view index,
                                    std::string_view name) {
  auto pair = [](std::string_view from) {
    return std::vector<std::string>{fmt::format("{}.x", from), fmt::format("{}.y", from)};
  };
  if (element == Element::kFloat) {
    code.Line(fmt::format("const float{0} {1} = reinterpret_cast<const float{0}*>({2})[{3}];",
                          width, name, pointer, index));
    std::vector<std::string> lanes = pair(name);
    if (width == 4) {
      lanes.push_back(fmt::format("{}.z", name));
      lanes.push_back(fmt::format("{}.w", name));
    }
    return lanes;
  }
  if (element == Element::kBFloat16) {
    code.Line(fmt::format(
        "const float2 {} = __bfloat1622float2(reinterpret_cast<const __nv_bfloat162*>({})[{}]);",
        name, pointer, index));
    return pair(name);
  }
  if (width == 2) {
    code.Line(
        fmt::format("const float2 {} = __half22float2(reinterpret_cast<const __half2*>({})[{}]);",
                    name, pointer, index));
    return pair(name);
  }
  code.Line(fmt::format("const uint2 {}_bits = reinterpret_cast<const uint2*>({})[{}];", name,
                        pointer, index));
  std::vector<std::string> lanes;
  for (auto [half, part] : {std::pair{"lo", "x"}, std::pair{"hi", "y"}}) {
    code.Line(fmt::format(
        "const float2 {0}_{1} = __half22float2(reinterpret_cast<const __half2&>({0}_bits.{2}));",
        name, half, part));
    for (std::string& lane : pair(fmt::format("{}_{}", name, half))) {
      lanes.push_back(std::move(lane));
    }
  }
  return lanes;
}

void WriteVector(Code& code, Element element, const std::vector<std::string>& values,
                 std::string_view pointer, std::string_view index) {
  const std::string all = Join(values, ", ");
  if (element == Element::kFloat) {
    code.Line(fmt::format("reinterpret_cast<float{0}*>({1})[{2}] = make_float{0}({3});",
                          values.size(), pointer, index, all));
  } else if (element == Element::kBFloat16) {
    code.Line(fmt::format("reinterpret_cast<__nv_bfloat162*>({})[{}] = __floats2bfloat162_rn({});",
                          pointer, index, all));
  } else if (values.size() == 2) {
    code.Line(fmt::format("reinterpret_cast<__half2*>({})[{}] = __floats2half2_rn({});", pointer,
                          index, all));
  } else {
    code.Line("__half2 out_pair[2];");
    code.Line(fmt::format("out_pair[0] = __floats2half2_rn({}, {});", values[0], values[1]));
    code.Line(fmt::format("out_pair[1] = __floats2half2_rn({}, {});", values[2], values[3]));
    code.Line("uint2 out_bits;");
    code.Line("out_bits.x = reinterpret_cast<const unsigned int&>(out_pair[0]);");
    code.Line("out_bits.y = reinterpret_cast<const unsigned int&>(out_pair[1]);");
    code.Line(fmt::format("reinterpret_cast<uint2*>({})[{}] = out_bits;", pointer, index));
  }
}

std::string Inside(const Parameter& parameter) {
  constexpr std::string_view taken[] = {
      "row",   "rows", "col",  "cols",   "c",     "i",       "j",          "p",      "n",
      "m",     "k",    "v",    "w",      "b4",    "lane",    "warp",       "acc",    "sum",
      "scale", "mean", "base", "total",  "vec",   "rest",    "vectorised", "next",   "stride",
      "peak",  "gate", "up",   "offset", "value", "scratch", "tile_a",     "tile_b", "squares"};
  for (std::string_view name : taken) {
    if (parameter.name == name) return parameter.name + "_data";
  }
  return parameter.name;
}

std::string PointerParameter(const Design& design, const Parameter& parameter) {
  const bool fast = design.has(Piece::kRestrictPointers);
  std::string type(Trim(parameter.type));
  return fmt::format("{}{} {}", type, fast ? " __restrict__" : "", Inside(parameter));
}

std::string LaunchConfig(const OpSpec& spec, const Design& design, std::string_view grid,
                         std::string_view threads) {
  std::string stream;
  for (const Parameter& p : spec.parameters) {
    if (p.role == Parameter::Role::kStream) stream = p.name;
  }
  if (stream.empty() || design.has(Mistake::kStream)) {
    return fmt::format("<<<{}, {}>>>", grid, threads);
  }
  return fmt::format("<<<{}, {}, 0, {}>>>", grid, threads, stream);
}

std::string AlignmentCheck(const Design& design, const std::vector<Parameter>& tensors,
                           std::string_view length) {
  if (design.has(Mistake::kDivides)) return "const bool vectorised = true;";
  std::string check = fmt::format("const bool vectorised = {} % {} == 0", length, design.width());
  for (const Parameter& tensor : tensors) {
    check += fmt::format(" && reinterpret_cast<uintptr_t>({}) % {} == 0", tensor.name,
                         design.width() * ElementBytes(tensor.element));
  }
  return check + ";";
}

std::string_view ExpName(const Design& design) {
  return design.has(Piece::kFastMath) ? "__expf" : "expf";
}

std::string WriteKernel(const OpSpec& spec, const Design& design) {
  KernelText parts;
  switch (FamilyOf(spec.op)) {
    case Family::kRows:
      parts = WriteRows(spec, design);
      break;
    case Family::kElementwise:
      parts = WriteElementwise(spec, design);
      break;
    case Family::kMatmul:
      parts = WriteMatmul(spec, design);
      break;
  }
  Code code;
  code.Line("#include <cuda_runtime.h>");
  bool half = false, brain = false;
  for (const Parameter& p : spec.parameters) {
    half |= p.element == Element::kHalf;
    brain |= p.element == Element::kBFloat16;
  }
  if (half) code.Line("#include <cuda_fp16.h>");
  if (brain) code.Line("#include <cuda_bf16.h>");
  if (design.has(Mistake::kIdentity)) code.Line("#include <cfloat>");
  code.Line("#include <cmath>").Line("#include <cstdint>").Blank();
  code.Add(parts.kernels).Blank();
  std::string entry = spec.prototype;
  if (design.has(Mistake::kNoEntry)) {
    const size_t open = entry.find("run");
    if (design.variant % 2 == 0 && entry.find("\"C\"") != std::string::npos) {
      entry = std::string(Trim(std::string_view(entry).substr(entry.find("\"C\"") + 3)));
    } else if (open != std::string::npos) {
      entry =
          entry.substr(0, open) + "launch_" + std::string(OpName(spec.op)) + entry.substr(open + 3);
    }
  }
  code.Open(entry).Add(parts.host).Close();
  std::string text = code.text();
  if (design.has(Mistake::kMissingBrace)) {
    // Either the kernel's last brace or the file's.
    const size_t kernel_end = text.find("\n}\n", text.find("__global__"));
    const size_t at =
        design.variant % 2 == 0 && kernel_end != std::string::npos ? kernel_end : text.rfind("\n}");
    text.erase(at + 1, 2);
  }
  return text;
}

}  // namespace kw::author
