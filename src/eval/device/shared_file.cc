#include "shared_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>

#include "kw/base/process.h"

namespace kw::eval {
namespace {

Result<Descriptor> MemoryFile(const char* name, uint64_t bytes) {
  Descriptor file(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (file.get() < 0 || ftruncate(file.get(), static_cast<off_t>(bytes)) != 0) {
    return Fail(ErrorCode::kIo, fmt::format("shared memory '{}' of {} bytes: {}", name, bytes,
                                            std::strerror(errno)));
  }
  return file;
}

Result<void*> Map(int fd, uint64_t bytes) {
  void* map = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (map == MAP_FAILED) {
    return Fail(ErrorCode::kIo, fmt::format("mapping {} bytes: {}", bytes, std::strerror(errno)));
  }
  return map;
}

Result<void> Seal(int fd, int seals) {
  if (fcntl(fd, F_ADD_SEALS, seals) == 0) return {};
  return Fail(ErrorCode::kIo, std::string("sealing shared memory: ") + std::strerror(errno));
}

}  // namespace

Result<Descriptor> EmptyFile(const char* name) { return MemoryFile(name, 0); }

Result<void> FillAndSeal(const Descriptor& file, std::string_view bytes) {
  KW_TRY(WriteAll(file.get(), bytes));
  return Seal(file.get(), F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}

Result<Ring> Ring::Make() {
  KW_ASSIGN(Descriptor file, MemoryFile("ring", ring::kRingBytes));
  // A guest that could shrink it would take the emulator device down with a SIGBUS.
  KW_TRY(Seal(file.get(), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL));
  KW_ASSIGN(void* map, Map(file.get(), sizeof(ring::Header)));
  auto* header = new (map) ring::Header{};
  header->magic = ring::kMagic;
  header->version = ring::kVersion;
  return Ring(std::move(file), header);
}

Ring::Ring(Ring&& other) noexcept : file_(std::move(other.file_)), header_(other.header_) {
  other.header_ = nullptr;
}
Ring::~Ring() {
  if (header_) munmap(header_, sizeof(ring::Header));
}

Result<Exchange> Exchange::Make() {
  KW_ASSIGN(Descriptor file, MemoryFile("exchange", 0));
  return Exchange(std::move(file));
}

Exchange::Exchange(Exchange&& other) noexcept
    : file_(std::move(other.file_)), data_(other.data_), bytes_(other.bytes_) {
  other.data_ = nullptr;
}
Exchange::~Exchange() {
  if (data_) munmap(data_, bytes_);
}

Result<void> Exchange::Need(uint64_t bytes) {
  if (bytes <= bytes_) return {};
  if (data_) munmap(data_, bytes_);
  data_ = nullptr;
  bytes_ = 0;
  if (ftruncate(file_.get(), static_cast<off_t>(bytes)) != 0) {
    return Fail(ErrorCode::kIo,
                fmt::format("growing shared memory to {} bytes: {}", bytes, std::strerror(errno)));
  }
  KW_ASSIGN(void* map, Map(file_.get(), bytes));
  data_ = static_cast<char*>(map);
  bytes_ = bytes;
  return {};
}

}  // namespace kw::eval
