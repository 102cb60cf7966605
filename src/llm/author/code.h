// code: CUDA text by lines and blocks, and how elements are read and written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "design.h"

namespace kw::author {

// Lines with the indentation of the blocks that are open.
class Code {
 public:
  Code& Line(std::string_view text);
  Code& Blank();
  Code& Open(std::string_view header);       // "header {"
  Code& Close(std::string_view after = "");  // "}after"
  Code& Else();                              // "} else {"
  Code& Add(const Code& lines);              // of the outermost level, placed here
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  int depth_ = 0;
};

std::string_view TypeName(Element element);  // "__half"
std::string ToFloat(Element element, std::string_view value);
std::string FromFloat(Element element, std::string_view value);
int ElementBytes(Element element);

// Reads `width` elements of `pointer` at vector `index` into constants, and says what each is
// called as a float.
std::vector<std::string> ReadVector(Code& code, Element element, int width,
                                    std::string_view pointer, std::string_view index,
                                    std::string_view name);
void WriteVector(Code& code, Element element, const std::vector<std::string>& values,
                 std::string_view pointer, std::string_view index);

// The C++ that fills a design, before mistakes of the answer's form.
std::string WriteKernel(const OpSpec& spec, const Design& design);

// The parts of it, a file a family; each gives the kernels and the body of run.
struct KernelText {
  Code kernels;  // device functions and kernels
  Code host;     // the body of run
};
KernelText WriteRows(const OpSpec& spec, const Design& design);
KernelText WriteElementwise(const OpSpec& spec, const Design& design);
KernelText WriteMatmul(const OpSpec& spec, const Design& design);

// A tensor parameter of a kernel: "const float* __restrict__ x".
std::string PointerParameter(const Design& design, const Parameter& parameter);
// "x", or "x_data" where x is a name that the kernels use themselves.
std::string Inside(const Parameter& parameter);
// "<<<grid, threads, 0, stream>>>", or without the stream.
std::string LaunchConfig(const OpSpec& spec, const Design& design, std::string_view grid,
                         std::string_view threads);
// "const bool vectorised = ...;": every tensor is aligned and `length` divides by the width.
std::string AlignmentCheck(const Design& design, const std::vector<Parameter>& tensors,
                           std::string_view length);
// "expf" or "__expf".
std::string_view ExpName(const Design& design);

}  // namespace kw::author
