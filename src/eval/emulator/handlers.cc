#include <cpuid.h>

#include <unordered_map>

#include "lanes/tables.h"
#include "program.h"

namespace kw::eval::emu {
namespace {

using Map = std::unordered_map<uint32_t, Handler>;

Map Collect(const Tables& tables) {
  Map map;
  for (const HandlerList& list : tables.lists) {
    for (int i = 0; i < list.count; ++i) map.emplace(list.entries[i].key, list.entries[i].fn);
  }
  return map;
}

bool MachineHasVectors() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  const bool f16c = __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
  const bool lzcnt = __get_cpuid(0x80000001, &a, &b, &c, &d) != 0 && (c & bit_LZCNT) != 0;
  return f16c && lzcnt && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi2");
}

bool use_vectors = MachineHasVectors();

}  // namespace

bool VectorHandlersInUse() { return use_vectors; }
void SetVectorHandlers(bool on) { use_vectors = on && MachineHasVectors(); }

Handler FindHandler(uint32_t key) {
  static const Map kPlain = Collect(PlainTables());
  static const Map kVector = Collect(VectorTables());
  const Map& map = use_vectors ? kVector : kPlain;
  const auto found = map.find(key);
  return found == map.end() ? nullptr : found->second;
}

bool HandlesRuns(Handler handler) {
  const auto fma = [](uint32_t mode) {
    return FindHandler(
        Key(static_cast<uint32_t>(Code::kFma), static_cast<uint32_t>(ptx::Type::kF32), mode));
  };
  return handler == fma(0) || handler == fma(kFtz);
}

}  // namespace kw::eval::emu
