// Tables of an ELF file that a stranger wrote.
#pragma once

#include <elf.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

namespace kw {

// The entry at `offset` as a copy, or nothing where the file does not hold it whole.
template <class T>
std::optional<T> EntryAt(std::string_view file, uint64_t offset) {
  T entry;
  if (offset > file.size() || file.size() - offset < sizeof entry) return std::nullopt;
  std::memcpy(&entry, file.data() + offset, sizeof entry);
  return entry;
}

// `count` entries from `offset` on as a copy, as many of them as the file holds whole.
template <class T>
std::vector<T> TableAt(std::string_view file, uint64_t offset, uint64_t count) {
  if (offset > file.size()) return {};
  count = std::min<uint64_t>(count, (file.size() - offset) / sizeof(T));
  std::vector<T> table(count);
  if (count > 0) std::memcpy(table.data(), file.data() + offset, count * sizeof(T));
  return table;
}

// A symbol that the loader binds. The name lies in the file.
struct DynamicSymbol {
  std::string_view name;
  unsigned char type = 0;  // STT_...
  bool defined = false;
};

inline std::vector<DynamicSymbol> DynamicSymbols(std::string_view file) {
  std::vector<DynamicSymbol> symbols;
  const auto header = EntryAt<Elf64_Ehdr>(file, 0);
  if (!header) return symbols;
  const auto sections = TableAt<Elf64_Shdr>(file, header->e_shoff, header->e_shnum);
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type != SHT_DYNSYM || section.sh_link >= sections.size()) continue;
    const uint64_t names = sections[section.sh_link].sh_offset;
    for (const Elf64_Sym& symbol :
         TableAt<Elf64_Sym>(file, section.sh_offset, section.sh_size / sizeof(Elf64_Sym))) {
      if (names > file.size() || symbol.st_name >= file.size() - names) continue;
      const std::string_view rest = file.substr(names + symbol.st_name);
      const auto type = static_cast<unsigned char>(ELF64_ST_TYPE(symbol.st_info));
      symbols.push_back({rest.substr(0, rest.find('\0')), type, symbol.st_shndx != SHN_UNDEF});
    }
  }
  return symbols;
}

}  // namespace kw
