// An ELF64 file's sections .nv_fatbin (images) and .nvFatBinSegment (wrappers, 24 bytes each:
// magic u32, version u32, address of the image u64, link data u64). Only version 1 counts: a
// version-2 wrapper holds an empty image for the device linker. An image is
//   header  magic u32 = 0xBA55ED50, version u16, header bytes u16, bytes that follow u64
//   entry*  kind u16 @0 (1 = PTX), header bytes u32 @4, payload bytes u64 @8,
//           compressed bytes u32 @16, flags u64 @40, uncompressed bytes u64 @56
// The flags' bit 15 says zstd, bit 13 the older LZ4-like scheme.
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <unordered_set>

#include "fmt/format.h"
#include "kw/eval/emulator.h"

namespace kw::eval {
namespace {

constexpr uint32_t kWrapperMagic = 0x466243b1;
constexpr uint32_t kImageMagic = 0xBA55ED50;
constexpr uint64_t kFlagLz4 = 0x2000, kFlagZstd = 0x8000;
constexpr uint64_t kMaxPtx = uint64_t{16} << 20;
// Of a whole object: images may overlap, so that its size bounds neither text nor entries.
constexpr uint64_t kMaxAllPtx = uint64_t{64} << 20;
constexpr int kMaxWrappers = 4096, kMaxEntries = 65536;
constexpr size_t kMaxName = 64;
constexpr uint16_t kKindPtx = 1;

tl::unexpected<Error> Bad(std::string_view what) {
  return Fail(ErrorCode::kParse, fmt::format("not a shared object with device code: {}", what));
}

// A view that answers no question beyond its end.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
  template <class T>
  bool Get(uint64_t at, T* out) const {
    if (at > bytes_.size() || bytes_.size() - at < sizeof(T)) return false;
    std::memcpy(out, bytes_.data() + at, sizeof(T));
    return true;
  }
  bool Slice(uint64_t at, uint64_t length, std::string_view* out) const {
    if (at > bytes_.size() || bytes_.size() - at < length) return false;
    *out = bytes_.substr(at, length);
    return true;
  }

 private:
  std::string_view bytes_;
};

struct Section {
  std::string_view name;
  uint32_t type = 0;
  uint64_t address = 0;
  std::string_view content;
};

// What the dynamic linker would store, by address: linkers other than GNU's leave the place itself
// empty.
Result<std::unordered_map<uint64_t, uint64_t>> ReadRelocations(const std::vector<Section>& sections,
                                                               uint64_t file_bytes) {
  constexpr uint32_t kRela = 4, kRelative = 8;
  std::unordered_map<uint64_t, uint64_t> words;
  uint64_t all_bytes = 0;
  for (const Section& section : sections) {
    if (section.type != kRela) continue;
    all_bytes += section.content.size();
    if (all_bytes > file_bytes) return Bad("tables of relocations overlap");
    const Bytes bytes(section.content);
    for (uint64_t at = 0; at + 24 <= section.content.size(); at += 24) {
      uint64_t offset = 0, info = 0, addend = 0;
      bytes.Get(at, &offset);
      bytes.Get(at + 8, &info);
      bytes.Get(at + 16, &addend);
      if (static_cast<uint32_t>(info) == kRelative) words.emplace(offset, addend);
    }
  }
  return words;
}

Result<std::vector<Section>> ReadSections(std::string_view file) {
  const Bytes elf(file);
  if (file.substr(0, 4) != "\177ELF" || file.size() < 64) return Bad("no ELF header");
  if (file[4] != 2 || file[5] != 1) return Bad("not a little-endian 64-bit ELF");
  uint64_t table = 0;
  uint16_t entry_bytes = 0, count = 0, names_index = 0;
  elf.Get(0x28, &table);
  elf.Get(0x3a, &entry_bytes);
  elf.Get(0x3c, &count);
  elf.Get(0x3e, &names_index);
  if (entry_bytes < 64) return Bad("a section header is too short");
  const auto header = [&](uint16_t i, uint32_t* name, uint32_t* type, Section* out) {
    const uint64_t at = table + uint64_t{i} * entry_bytes;
    uint64_t offset = 0, size = 0;
    if (at < table || !elf.Get(at, name) || !elf.Get(at + 4, type) ||
        !elf.Get(at + 16, &out->address) || !elf.Get(at + 24, &offset) ||
        !elf.Get(at + 32, &size)) {
      return false;
    }
    constexpr uint32_t kNoBits = 8;
    return *type == kNoBits || elf.Slice(offset, size, &out->content);
  };
  Section names;
  uint32_t name = 0, type = 0;
  if (!header(names_index, &name, &type, &names)) return Bad("no section names");
  std::vector<Section> sections;
  for (uint16_t i = 0; i < count; ++i) {
    Section section;
    if (!header(i, &name, &type, &section)) return Bad("a section lies outside the file");
    if (name >= names.content.size()) return Bad("a section's name lies outside the file");
    const std::string_view rest = names.content.substr(name, kMaxName);
    section.name = rest.substr(0, rest.find('\0'));
    section.type = type;
    sections.push_back(section);
  }
  return sections;
}

// The older scheme: LZ4's block format without frame.
Result<std::string> DecompressLz4(std::string_view in, uint64_t size) {
  std::string out;
  size_t at = 0;
  const auto length = [&](size_t nibble) -> size_t {
    size_t n = nibble;
    if (nibble == 15) {
      uint8_t more = 255;
      while (more == 255 && at < in.size() && n <= size) n += more = static_cast<uint8_t>(in[at++]);
    }
    return n;
  };
  while (at < in.size()) {
    const uint8_t token = static_cast<uint8_t>(in[at++]);
    const size_t literals = length(token >> 4);
    if (literals > in.size() - at || out.size() + literals > size) return Bad("LZ4 data");
    out.append(in.substr(at, literals));
    at += literals;
    if (at >= in.size()) break;
    if (in.size() - at < 2) return Bad("LZ4 data");
    const size_t distance = static_cast<uint8_t>(in[at]) | static_cast<uint8_t>(in[at + 1]) << 8;
    at += 2;
    const size_t match = length(token & 15) + 4;
    if (distance == 0 || distance > out.size() || out.size() + match > size) {
      return Bad("LZ4 data");
    }
    for (size_t i = 0; i < match; ++i) out.push_back(out[out.size() - distance]);
  }
  return out;
}

Result<std::string> Payload(std::string_view stored, uint64_t flags, uint64_t plain_bytes) {
  if ((flags & (kFlagZstd | kFlagLz4)) == 0) return std::string(stored);
  if (plain_bytes > kMaxPtx) return Bad("PTX of more than 16 MiB");
  if ((flags & kFlagZstd) == 0) return DecompressLz4(stored, plain_bytes);
  // The frame mostly knows its size: then nothing larger is made ready for it.
  const uint64_t said = ZSTD_getFrameContentSize(stored.data(), stored.size());
  if (said == ZSTD_CONTENTSIZE_ERROR) return Bad("zstd data");
  const bool known = said != ZSTD_CONTENTSIZE_UNKNOWN;
  if (known && said > plain_bytes) return Bad("zstd data longer than its entry says");
  std::string text(known ? said : plain_bytes, '\0');
  const size_t got = ZSTD_decompress(text.data(), text.size(), stored.data(), stored.size());
  if (ZSTD_isError(got)) return Bad(ZSTD_getErrorName(got));
  text.resize(got);
  return text;
}

// What an object's images hold, and how much of it there may still be.
struct Images {
  std::vector<std::string> ptx;
  uint64_t bytes_left = kMaxAllPtx;
  int entries_left = kMaxEntries;
};

Result<void> ReadImage(std::string_view section, uint64_t offset, Images* out) {
  const Bytes bytes(section);
  uint32_t magic = 0;
  uint16_t header_bytes = 0;
  uint64_t body_bytes = 0;
  if (!bytes.Get(offset, &magic) || magic != kImageMagic || !bytes.Get(offset + 6, &header_bytes) ||
      !bytes.Get(offset + 8, &body_bytes)) {
    return Bad("a fat binary has no header");
  }
  std::string_view body;
  if (!bytes.Slice(offset + header_bytes, body_bytes, &body)) return Bad("a fat binary is cut");
  const Bytes entries(body);
  for (uint64_t at = 0; at < body.size();) {
    if (--out->entries_left < 0) return Bad("too many entries");
    uint16_t kind = 0;
    uint32_t entry_header = 0, compressed = 0;
    uint64_t size = 0, flags = 0, plain_bytes = 0;
    if (!entries.Get(at, &kind) || !entries.Get(at + 4, &entry_header) ||
        !entries.Get(at + 8, &size) || !entries.Get(at + 16, &compressed) ||
        !entries.Get(at + 40, &flags)) {
      return Bad("an entry of the fat binary is cut");
    }
    std::string_view stored;
    if (entry_header < 48 || !entries.Slice(at + entry_header, size, &stored)) {
      return Bad("an entry of the fat binary is cut");
    }
    if (kind == kKindPtx) {
      const bool packed = (flags & (kFlagZstd | kFlagLz4)) != 0;
      if (packed) {
        if (entry_header < 64 || !entries.Get(at + 56, &plain_bytes) || compressed > size) {
          return Bad("an entry of the fat binary is cut");
        }
        stored = stored.substr(0, compressed);
      }
      const uint64_t text_bytes = packed ? plain_bytes : stored.size();
      if (text_bytes > out->bytes_left) return Bad("PTX of more than 64 MiB");
      out->bytes_left -= text_bytes;
      KW_ASSIGN(std::string text, Payload(stored, flags, plain_bytes));
      while (!text.empty() && text.back() == '\0') text.pop_back();
      out->ptx.push_back(std::move(text));
    }
    at += entry_header + size;
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> ReadPtxImages(std::string_view object_bytes) {
  KW_ASSIGN(const std::vector<Section> sections, ReadSections(object_bytes));
  KW_ASSIGN(const auto relocated, ReadRelocations(sections, object_bytes.size()));
  Images images;
  std::unordered_set<uint64_t> seen;
  int wrappers_left = kMaxWrappers;
  for (const Section& wrappers : sections) {
    if (wrappers.name != ".nvFatBinSegment") continue;
    const Bytes bytes(wrappers.content);
    for (uint64_t at = 0; at + 24 <= wrappers.content.size(); at += 24) {
      if (--wrappers_left < 0) return Bad("too many wrappers");
      uint32_t magic = 0, version = 0;
      uint64_t address = 0;
      bytes.Get(at, &magic);
      bytes.Get(at + 4, &version);
      bytes.Get(at + 8, &address);
      if (magic != kWrapperMagic) return Bad("a wrapper has no magic number");
      if (version != 1) continue;
      if (const auto word = relocated.find(wrappers.address + at + 8); word != relocated.end()) {
        address = word->second;
      }
      if (!seen.insert(address).second) continue;
      const auto holder = std::find_if(sections.begin(), sections.end(), [&](const Section& s) {
        return address >= s.address && address - s.address < s.content.size();
      });
      if (holder == sections.end()) return Bad("a wrapper points outside the file");
      KW_TRY(ReadImage(holder->content, address - holder->address, &images));
    }
  }
  return std::move(images.ptx);
}

}  // namespace kw::eval
