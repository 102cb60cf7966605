// Any bytes as a shared object: PTX or an error.
#include <cstdint>
#include <string_view>

#include "kw/eval/emulator.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)kw::eval::ReadPtxImages(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
