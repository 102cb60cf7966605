// Code fences and file elements in a model's answer. Views into the answer; linear in its size.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kw::eval {

struct Fence {
  std::string_view text;  // between the fences
  std::string info;       // first word after the opening fence, lower case: "cuda", "cpp", ""
  bool closed = false;
  size_t begin = 0;  // of the opening fence, in the answer
  int line = 0;      // of the opening fence, 1-based
};

// In the order of the answer. A fence may be indented, of backticks or tildes, and may follow text
// on its line; a fence that begins inside another one means that the outer one was never closed.
std::vector<Fence> FindFences(std::string_view answer);

struct FileElement {
  std::string name;  // "kernel.cu"; "" where the element has none
  std::string text;  // CDATA, an inner fence and escapes taken off
  bool closed = false;
  int line = 0;
};

// <file name="kernel.cu">, and <cuda_file>, <cpp_file>, <header_file>, each on a line's start.
std::vector<FileElement> FindFileElements(std::string_view answer);

// The fence is marked as C, C++ or CUDA, or not at all.
bool MayBeCuda(const Fence& fence);

}  // namespace kw::eval
