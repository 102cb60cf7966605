// Any text as PTX, parsed alone: a module or an error that names a line of the text.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "src/eval/emulator/ptx.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kw::eval;
  if (size > 1 << 16) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto module = ptx::Parse(text);
  if (!module) return 0;
  const auto lines = std::count(text.begin(), text.end(), '\n') + 1;
  for (const ptx::Function& function : (*module)->functions) {
    for (const ptx::Instruction& instruction : function.instructions) {
      if (instruction.ptx_line < 1 || instruction.ptx_line > lines) std::abort();
    }
  }
  return 0;
}
