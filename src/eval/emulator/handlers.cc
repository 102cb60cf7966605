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
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c") && __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("lzcnt");
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

}  // namespace kw::eval::emu
