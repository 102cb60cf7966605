// Tables of an ELF file that a stranger wrote.
#pragma once

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

}  // namespace kw
