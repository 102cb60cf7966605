#include "lanes/tables.h"

namespace kw::eval::emu {

Tables PlainTables() {
  Tables tables{};
  for (int i = 0; i < 4; ++i) {
    tables.lists[i] = plain::Arithmetic(i);
    tables.lists[4 + i] = plain::Memory(i);
  }
  return tables;
}

Tables VectorTables() {
  Tables tables{};
  for (int i = 0; i < 4; ++i) {
    tables.lists[i] = vector::Arithmetic(i);
    tables.lists[4 + i] = vector::Memory(i);
  }
  return tables;
}

}  // namespace kw::eval::emu
