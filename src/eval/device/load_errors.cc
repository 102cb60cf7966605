#include "load_errors.h"

#include <elf.h>
#include <fmt/format.h>
#include <signal.h>

#include <cctype>
#include <vector>

#include "kw/base/constructors.h"
#include "kw/base/elf.h"

namespace kw::eval {
namespace {

// The part of `text` after `before`, up to `end`.
std::string After(std::string_view text, std::string_view before, std::string_view end) {
  size_t at = text.find(before);
  if (at == std::string_view::npos) return "";
  text.remove_prefix(at + before.size());
  return std::string(text.substr(0, text.find_first_of(end)));
}

bool IsCudaName(std::string_view name) {
  for (std::string_view prefix : {"cuda", "__cuda", "cublas", "cudnn", "cufft", "curand",
                                  "cusparse", "cusolver", "nvrtc", "nccl", "nvtx"}) {
    if (name.starts_with(prefix)) return true;
  }
  // The driver interface: cuLaunchKernel, cuModuleLoad, ...
  return name.size() > 2 && name.starts_with("cu") &&
         std::isupper(static_cast<unsigned char>(name[2]));
}

bool IsRuntimeFunction(std::string_view name) {
  if (name.starts_with("__cuda")) return true;
  return name.size() > 4 && name.starts_with("cuda") &&
         std::isupper(static_cast<unsigned char>(name[4]));
}

bool IsCudaLibrary(std::string_view name) {
  for (std::string_view prefix : {"libcu", "libnv", "libnccl", "libnpp"}) {
    if (name.starts_with(prefix)) return true;
  }
  return false;
}

}  // namespace

LoadedMessage CheckObject(std::string_view object) {
  const auto header = EntryAt<Elf64_Ehdr>(object, 0);
  if (!header || object.substr(0, SELFMAG) != ELFMAG) {
    return {false, false, "the object is not an ELF file: nvcc -shared makes one"};
  }
  if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != EM_X86_64) {
    return {false, false, "the object is built for another machine; this one is x86-64"};
  }
  if (header->e_type != ET_DYN) {
    return {false, false, "the object is no shared object (nvcc -shared -Xcompiler -fPIC)"};
  }
  if (object.find("libcudart.so.") == object.npos) {
    return {false, false,
            "the object does not use the shared CUDA runtime: link it with -cudart shared"};
  }
  if (const std::optional<std::string> name = IndirectFunction(object)) {
    return {false, false,
            fmt::format("the object has an indirect function{} (attribute ifunc or target_clones), "
                        "whose resolver would run while the object is being loaded: make it an "
                        "ordinary function",
                        name->empty() ? "" : " '" + *name + "'")};
  }
  return {true, false, ""};
}

std::string RedefinedFunction(std::string_view object) {
  for (const DynamicSymbol& symbol : DynamicSymbols(object)) {
    if (symbol.defined && IsRuntimeFunction(symbol.name)) return std::string(symbol.name);
  }
  return "";
}

LoadedMessage ExplainLoadError(std::string_view complaint) {
  if (complaint == "no symbol run") {
    return {false, false,
            "the object defines no function `run`: declare it extern \"C\" at top level"};
  }
  if (complaint == "no symbol main")
    return {false, false, "the program defines no function `main`"};
  std::string symbol = After(complaint, "undefined symbol: ", ", ");
  if (!symbol.empty() && IsCudaName(symbol)) {
    return {false, true, fmt::format("it calls {}, which the emulator does not have", symbol)};
  }
  if (!symbol.empty()) {
    return {false, false,
            fmt::format("undefined symbol '{}': it is declared and used but defined "
                        "nowhere",
                        symbol)};
  }
  constexpr std::string_view kMissing = ": cannot open shared object file";
  size_t missing = complaint.find(kMissing);
  if (missing != std::string_view::npos) {
    std::string_view library = complaint.substr(0, missing);
    if (size_t space = library.rfind(' '); space != std::string_view::npos) {
      library.remove_prefix(space + 1);
    }
    if (library.starts_with("libcudart.so")) {
      return {false, false,
              fmt::format("it is linked with {}; the CUDA runtime here is "
                          "libcudart.so.13 (nvcc 13, -cudart shared)",
                          library)};
    }
    if (IsCudaLibrary(library)) {
      return {false, true,
              fmt::format("it needs the library {}, which the emulator does not have", library)};
    }
    return {false, false,
            fmt::format("it needs the library {}: a candidate has the C and C++ standard "
                        "libraries and the CUDA runtime, no others",
                        library)};
  }
  if (complaint.find("version `libcudart") != std::string_view::npos) {
    return {false, false,
            "it is linked with another version of the CUDA runtime; the one here is "
            "libcudart.so.13 (nvcc 13, -cudart shared)"};
  }
  size_t colon = complaint.starts_with("/proc/self/fd/") ? complaint.find(": ") : complaint.npos;
  if (colon != complaint.npos) complaint.remove_prefix(colon + 2);
  return {false, false, fmt::format("the object cannot be loaded: {}", complaint.substr(0, 500))};
}

std::string SignalText(int signal) {
  switch (signal) {
    case SIGSEGV:
      return "SIGSEGV (invalid memory access)";
    case SIGBUS:
      return "SIGBUS (invalid memory access)";
    case SIGABRT:
      return "SIGABRT (abort, an uncaught exception or a failed assertion)";
    case SIGFPE:
      return "SIGFPE (integer division by zero)";
    case SIGILL:
      return "SIGILL (illegal instruction)";
    case SIGKILL:
      return "SIGKILL (killed)";
    case SIGXCPU:
      return "SIGXCPU (CPU time limit)";
    case SIGXFSZ:
      return "SIGXFSZ (writing to a file)";
    case SIGTERM:
      return "SIGTERM";
    case SIGTRAP:
      return "SIGTRAP";
    case SIGSYS:
      return "SIGSYS (forbidden system call)";
    default:
      return fmt::format("signal {}", signal);
  }
}

}  // namespace kw::eval
