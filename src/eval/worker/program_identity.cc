#include "program_identity.h"

#include "kw/base/file.h"
#include "kw/base/hash.h"

namespace kw::eval {

const std::string& ProgramIdentity() {
  static const std::string kIdentity = [] {
    Hasher hasher;
    for (const char* name : {"kwright-worker", "kwright-emulator", "kwright-guest",
                             "kwright-reference", "lib/libcudart.so.13", "lib/libcublas.so.13"}) {
      const auto bytes = ReadFile(ProgramDirectory() + "/" + name);
      hasher.Add(name).Add(bytes ? ContentHash(*bytes) : "");
    }
    return hasher.Hex();
  }();
  return kIdentity;
}

}  // namespace kw::eval
