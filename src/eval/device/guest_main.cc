// kwright-guest BYTES [ENTRY ARGUMENT...]: the process that runs a candidate's host code, with that
// much memory; or a whole program, whose function ENTRY gets the arguments as its argv. The worker
// talks to it over a control socket; the candidate's CUDA calls go over the ring. From the moment
// the object is loaded nothing that this process says is believed.
#include <dlfcn.h>
#include <ffi.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "cage.h"
#include "channel.h"
#include "kw/base/confine.h"
#include "messages.h"
#include "ring.h"
#include "wire.h"

namespace kw::eval {
namespace {

constexpr int kControl = ring::kGuestControlFd;

bool Reply(Message type, const std::string& payload) {
  auto number = static_cast<uint32_t>(type);
  std::string bytes(reinterpret_cast<const char*>(&number), sizeof number);
  bytes += payload;
  ssize_t sent = 0;
  do {
    sent = send(kControl, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(bytes.size());
}

std::optional<std::string> NextPacket() {
  std::string bytes(kMaxPacket, '\0');
  ssize_t got = 0;
  do {
    got = recv(kControl, bytes.data(), bytes.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got < static_cast<ssize_t>(sizeof(uint32_t))) return std::nullopt;
  bytes.resize(static_cast<size_t>(got));
  return bytes;
}

using Run = void (*)();

// The program in a candidate's place, or none.
struct Program {
  const char* entry = nullptr;
  int argc = 0;
  char** argv = nullptr;
};
Program g_program;

// The library that the worker may have put into its file: found by its name from then on.
bool LoadLibrary() {
  struct stat status;
  const bool given = fstat(ring::kGuestLibraryFd, &status) == 0 && status.st_size > 0;
  const std::string path = "/proc/self/fd/" + std::to_string(ring::kGuestLibraryFd);
  const bool loaded = !given || dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr;
  close(ring::kGuestLibraryFd);
  return loaded;
}

LoadedMessage Load(const Constructors& constructors, Run* run) {
  if (!LoadLibrary()) return {false, false, dlerror()};
  const std::string path = "/proc/self/fd/" + std::to_string(ring::kGuestObjectFd);
  void* object = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!object) {
    const char* why = dlerror();
    return {false, false, why ? why : "dlopen failed"};
  }
  link_map* place = nullptr;
  if (dlinfo(object, RTLD_DI_LINKMAP, &place) != 0) return {false, false, "dlinfo failed"};
  if (const char* hole = ForbidOpening()) return {false, false, hole};
  close(ring::kGuestObjectFd);
  const char* entry = g_program.entry ? g_program.entry : "run";
  *run = reinterpret_cast<Run>(dlsym(object, entry));
  if (!*run) return {false, false, std::string("no symbol ") + entry};
  RunConstructors(constructors, place->l_addr);
  return {true, false, ""};
}

ffi_type* TypeOf(ValueKind kind) {
  switch (kind) {
    case ValueKind::kPointer:
      return &ffi_type_pointer;
    case ValueKind::kInt64:
      return &ffi_type_sint64;
    case ValueKind::kInt32:
      return &ffi_type_sint32;
    case ValueKind::kInt16:
      return &ffi_type_sint16;
    case ValueKind::kInt8:
      return &ffi_type_sint8;
    case ValueKind::kUInt8:
      return &ffi_type_uint8;
    case ValueKind::kFloat:
      return &ffi_type_float;
    case ValueKind::kDouble:
      return &ffi_type_double;
  }
  return nullptr;
}

[[noreturn]] void RunProgram(Run run) {
  // A program that a fault of the device ends has said what it said until then.
  setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  const auto entry = reinterpret_cast<int (*)(int, char**)>(run);
  exit(entry(g_program.argc, g_program.argv));
}

bool CallRun(Run run, GuestCall& call) {
  if (g_program.entry) RunProgram(run);
  std::vector<ffi_type*> types;
  std::vector<void*> values;
  for (GuestValue& value : call.values) {
    types.push_back(TypeOf(value.kind));
    values.push_back(&value.bits);  // little-endian: the low bytes are the value
  }
  ffi_cif cif;
  if (ffi_prep_cif(&cif, FFI_DEFAULT_ABI, static_cast<unsigned>(types.size()), &ffi_type_void,
                   types.data()) != FFI_OK) {
    return false;
  }
  ffi_call(&cif, run, nullptr, values.data());
  return true;
}

int Serve() {
  Run run = nullptr;
  while (auto packet = NextPacket()) {
    uint32_t type = 0;
    std::memcpy(&type, packet->data(), sizeof type);
    std::string_view payload = std::string_view(*packet).substr(sizeof type);
    if (type == static_cast<uint32_t>(Message::kLoad)) {
      auto constructors = DecodeConstructors(payload);
      if (!constructors || run) return 1;
      if (!Reply(Message::kLoaded, Encode(Load(*constructors, &run)))) return 1;
    } else if (type == static_cast<uint32_t>(Message::kCall)) {
      auto call = DecodeGuestCall(payload);
      if (!call || !run || !CallRun(run, *call)) return 1;
      if (!Reply(Message::kDone, WireWriter().Number(call->number).Take())) return 1;
    } else {
      return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace kw::eval

int main(int argc, char** argv) {
  namespace ring = kw::eval::ring;
  int64_t memory_bytes = argc >= 2 ? std::atoll(argv[1]) : 0;
  if (argc > 2) {
    kw::eval::g_program = {argv[2], argc - 3, argv + 3};
    dup2(ring::kGuestOutFd, STDOUT_FILENO);
    dup2(ring::kGuestErrFd, STDERR_FILENO);
  }
  void* map = mmap(nullptr, sizeof(ring::Header), PROT_READ | PROT_WRITE, MAP_SHARED,
                   ring::kGuestRingFd, 0);
  const char* hole = memory_bytes > 0 && map != MAP_FAILED ? nullptr : "its arguments";
  if (!hole) hole = kw::eval::CageGuest(ring::kGuestLibraryFd + 1, memory_bytes, argc > 2);
  if (!hole) {
    auto* header = static_cast<ring::Header*>(map);
    kw::eval::NoteCrashes(&header->crash_address, &header->crash_signal);
    // The runtime library has mapped the ring before main.
    close(ring::kGuestRingFd);
    hole = kw::eval::ForbidSystemCalls(kw::eval::Calls::kLoading);
  }
  kw::eval::LoadedMessage caged{hole == nullptr, false, hole ? hole : ""};
  if (!kw::eval::Reply(kw::eval::Message::kCaged, kw::eval::Encode(caged)) || hole) return 1;
  return kw::eval::Serve();
}
