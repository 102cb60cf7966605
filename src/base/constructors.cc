#include "kw/base/constructors.h"

#include <elf.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "kw/base/elf.h"

namespace kw {
namespace {

// In the range of systems, used by none: the loader passes over it.
constexpr Elf64_Sxword kTaken = 0x60000f0f;

std::vector<Elf64_Phdr> ProgramHeaders(std::string_view object) {
  const auto file = EntryAt<Elf64_Ehdr>(object, 0);
  if (!file || file->e_phentsize != sizeof(Elf64_Phdr)) return {};
  return TableAt<Elf64_Phdr>(object, file->e_phoff, file->e_phnum);
}

// Where the byte that is loaded at `address` lies in the file: the loader reads what it mapped,
// whatever the header of the table says.
std::optional<uint64_t> InFile(const std::vector<Elf64_Phdr>& headers, uint64_t address) {
  std::optional<uint64_t> place;
  for (const Elf64_Phdr& header : headers) {
    if (header.p_type == PT_LOAD && address >= header.p_vaddr &&
        address - header.p_vaddr < header.p_filesz) {
      place = header.p_offset + (address - header.p_vaddr);  // a later mapping lies on top
    }
  }
  return place;
}

// A table that PT_DYNAMIC names: where it is loaded, and its size.
struct LoadedTable {
  uint64_t address = 0, bytes = 0;
};

// The relocations with addends, those of calls included: x86-64 has no others.
std::vector<LoadedTable> RelocationTables(std::string_view object,
                                          const std::vector<Elf64_Phdr>& headers) {
  LoadedTable data, calls;
  for (const Elf64_Phdr& header : headers) {
    if (header.p_type != PT_DYNAMIC) continue;
    std::optional<uint64_t> place = InFile(headers, header.p_vaddr);
    while (place) {
      const auto entry = EntryAt<Elf64_Dyn>(object, *place);
      if (!entry || entry->d_tag == DT_NULL) break;
      if (entry->d_tag == DT_RELA) data.address = entry->d_un.d_ptr;
      if (entry->d_tag == DT_RELASZ) data.bytes = entry->d_un.d_val;
      if (entry->d_tag == DT_JMPREL) calls.address = entry->d_un.d_ptr;
      if (entry->d_tag == DT_PLTRELSZ) calls.bytes = entry->d_un.d_val;
      *place += sizeof *entry;
    }
  }
  return {data, calls};
}

bool HasIndirectRelocation(std::string_view object) {
  const std::vector<Elf64_Phdr> headers = ProgramHeaders(object);
  for (const LoadedTable& table : RelocationTables(object, headers)) {
    const std::optional<uint64_t> place = InFile(headers, table.address);
    if (!place) continue;
    const auto relocations = TableAt<Elf64_Rela>(object, *place, table.bytes / sizeof(Elf64_Rela));
    if (std::any_of(relocations.begin(), relocations.end(), [](const Elf64_Rela& relocation) {
          return ELF64_R_TYPE(relocation.r_info) == R_X86_64_IRELATIVE;
        })) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::optional<std::string> IndirectFunction(std::string_view object) {
  for (const DynamicSymbol& symbol : DynamicSymbols(object)) {
    if (symbol.defined && symbol.type == STT_GNU_IFUNC) return std::string(symbol.name);
  }
  // One that is not exported.
  if (HasIndirectRelocation(object)) return "";
  return std::nullopt;
}

Constructors TakeConstructors(std::string* object) {
  Constructors taken;
  const std::vector<Elf64_Phdr> headers = ProgramHeaders(*object);
  for (const Elf64_Phdr& header : headers) {
    if (header.p_type != PT_DYNAMIC) continue;
    std::optional<uint64_t> place = InFile(headers, header.p_vaddr);
    while (place) {
      auto entry = EntryAt<Elf64_Dyn>(*object, *place);
      if (!entry || entry->d_tag == DT_NULL) break;
      uint64_t* value = entry->d_tag == DT_INIT           ? &taken.init
                        : entry->d_tag == DT_INIT_ARRAY   ? &taken.array
                        : entry->d_tag == DT_INIT_ARRAYSZ ? &taken.array_bytes
                                                          : nullptr;
      if (value != nullptr) {
        *value = entry->d_un.d_val;
        entry->d_tag = kTaken;
        std::memcpy(object->data() + *place, &*entry, sizeof *entry);
      }
      *place += sizeof *entry;
    }
  }
  return taken;
}

void RunConstructors(const Constructors& constructors, uint64_t base) {
  using Function = void (*)(int, char**, char**);
  static char* nothing[] = {nullptr};
  if (constructors.init != 0) {
    reinterpret_cast<Function>(base + constructors.init)(0, nothing, environ);
  }
  const auto* array = reinterpret_cast<const Function*>(base + constructors.array);
  for (uint64_t i = 0; i < constructors.array_bytes / sizeof(Function); ++i) {
    array[i](0, nothing, environ);
  }
}

}  // namespace kw
