#include "lanes/tables.h"

namespace kw::eval::emu {
namespace {

using Part = HandlerList (*)(int);

Tables All(Part arithmetic, Part memory) {
  Tables tables{};
  int next = 0;
  for (int i = 0; i < kArithmeticParts; ++i) tables.lists[next++] = arithmetic(i);
  for (int i = 0; i < kMemoryParts; ++i) tables.lists[next++] = memory(i);
  return tables;
}

}  // namespace

Tables PlainTables() { return All(plain::Arithmetic, plain::Memory); }
Tables VectorTables() { return All(vector::Arithmetic, vector::Memory); }

}  // namespace kw::eval::emu
