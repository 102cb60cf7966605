// Grammar, line by line (after "ptxas info    : "):
//   Compiling entry function 'NAME' for 'sm_80'
//   Function properties for NAME
//       N bytes stack frame, N bytes spill stores, N bytes spill loads
//   Used N registers, used N barriers, N bytes smem, N bytes cmem[0]
#include "resources.h"

#include <charconv>
#include <string>

#include "kw/base/text.h"

namespace kw::eval {
namespace {

// The number in front of `unit`: NumberBefore("0 bytes stack frame, ...", " bytes stack frame").
int NumberBefore(std::string_view line, std::string_view unit) {
  const size_t at = line.find(unit);
  if (at == line.npos) return 0;
  size_t start = at;
  while (start > 0 && line[start - 1] >= '0' && line[start - 1] <= '9') --start;
  int value = 0;
  std::from_chars(line.data() + start, line.data() + at, value);
  return value;
}

}  // namespace

std::vector<KernelResources> ParsePtxasResources(std::string_view output) {
  constexpr std::string_view kCompiling = "Compiling entry function '";
  constexpr std::string_view kProperties = "Function properties for ";
  std::vector<KernelResources> kernels;
  bool of_kernel = false;  // properties are listed for device functions too
  for (std::string_view line : Lines(output)) {
    if (size_t at = line.find(kCompiling); at != line.npos) {
      std::string_view name = line.substr(at + kCompiling.size());
      kernels.push_back({.kernel = std::string(name.substr(0, name.find('\'')))});
      of_kernel = false;
    } else if (kernels.empty()) {
      continue;
    } else if (size_t properties = line.find(kProperties); properties != line.npos) {
      of_kernel = Trim(line.substr(properties + kProperties.size())) == kernels.back().kernel;
    } else if (of_kernel && line.find("bytes stack frame") != line.npos) {
      kernels.back().stack_bytes = NumberBefore(line, " bytes stack frame");
      kernels.back().spill_bytes =
          NumberBefore(line, " bytes spill stores") + NumberBefore(line, " bytes spill loads");
    } else if (line.find(": Used ") != line.npos) {
      kernels.back().registers = NumberBefore(line, " registers");
      kernels.back().static_shared_bytes = NumberBefore(line, " bytes smem");
    }
  }
  return kernels;
}

std::map<std::string, int, std::less<>> RegistersOf(const std::vector<KernelResources>& resources) {
  std::map<std::string, int, std::less<>> registers;
  for (const KernelResources& kernel : resources) registers[kernel.kernel] = kernel.registers;
  return registers;
}

}  // namespace kw::eval
