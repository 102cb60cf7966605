#include "readable.h"

#include <cstdlib>
#include <filesystem>
#include <set>

#include "diagnostics.h"
#include "kw/base/text.h"

namespace kw::eval {
namespace {

constexpr std::string_view kOnlyThese =
    ": a source can include headers of the CUDA toolkit and of the system only, and read no other "
    "files";

std::string Canonical(const std::string& path) {
  std::error_code error;
  const std::filesystem::path found = std::filesystem::weakly_canonical(path, error);
  return error ? path : found.string();
}

// The folder of a program and, where that is a bin, what is installed beside it.
void AddInstallation(const std::string& program, std::vector<std::string>& folders) {
  if (program.empty()) return;
  for (const std::string& path : {program, Canonical(program)}) {
    const std::filesystem::path bin = std::filesystem::path(path).parent_path();
    folders.push_back(bin.string());
    if (bin.filename() != "bin") continue;
    for (const char* beside : {"include", "lib", "lib32", "lib64", "libexec", "nvvm", "share",
                               "targets", "x86_64-linux-gnu", "x86_64-conda-linux-gnu"}) {
      folders.push_back((bin.parent_path() / beside).string());
    }
  }
}

bool IsBelow(const std::string& path, const std::string& folder) {
  return path == folder ||
         (path.starts_with(folder) && (folder.back() == '/' || path[folder.size()] == '/'));
}

}  // namespace

std::vector<std::string> ReadableBy(const Toolchain& toolchain,
                                    const std::vector<std::string>& more) {
  std::vector<std::string> readable = {"/usr",
                                       "/bin",
                                       "/sbin",
                                       "/lib",
                                       "/lib32",
                                       "/lib64",
                                       "/libx32",
                                       "/etc/ld.so.cache",
                                       "/nix/store",
                                       "/gnu/store",
                                       "/dev/urandom",
                                       "/sys/devices/system/cpu",
                                       "/sys/kernel/mm/transparent_hugepage"};
  AddInstallation(toolchain.info.nvcc_path, readable);
  AddInstallation(toolchain.info.gxx_path, readable);
  const char* libraries = std::getenv("LD_LIBRARY_PATH");
  for (std::string_view folder : Split(libraries == nullptr ? "" : libraries, ':')) {
    if (!folder.empty()) readable.emplace_back(folder);
  }
  readable.insert(readable.end(), more.begin(), more.end());
  return readable;
}

std::optional<std::string> ForeignFile(std::string_view preprocessed,
                                       const std::vector<std::string>& readable,
                                       const std::string& scratch) {
  std::vector<std::string> allowed = {Canonical(scratch)};
  for (const std::string& path : readable) allowed.push_back(Canonical(path));
  std::set<std::string_view> seen;
  for (std::string_view line : Lines(preprocessed)) {
    for (const std::string_view directive : {".incbin", ".include"}) {
      if (line.find(directive) != line.npos) return std::string(directive);
    }
    // # 12 "path" flags
    if (!line.starts_with("# ")) continue;
    const size_t open = line.find('"'), close = line.rfind('"');
    if (open == line.npos || open == close) continue;
    const std::string_view named = line.substr(open + 1, close - open - 1);
    if (named.starts_with("<") || !seen.insert(named).second) continue;
    std::string path(named);
    if (!path.starts_with("/")) path = scratch + "/" + path;
    path = Canonical(path);
    bool good = false;
    for (const std::string& folder : allowed) good |= IsBelow(path, folder);
    if (!good) return std::string(named);
  }
  return std::nullopt;
}

std::optional<std::string> ExplainRefusedFile(std::string_view message) {
  // gcc: "F: Permission denied"; as: "file not found: F", "can't open F for reading: Permission
  // denied".
  constexpr std::string_view kDenied = ": Permission denied",
                             kNotFound = "file not found: ", kCannot = "can't open ",
                             kReading = " for reading";
  if (message.ends_with(kDenied)) {
    message.remove_suffix(kDenied.size());
    if (message.starts_with(kCannot)) message.remove_prefix(kCannot.size());
    if (message.ends_with(kReading)) message.remove_suffix(kReading.size());
  } else if (message.starts_with(kNotFound)) {
    message.remove_prefix(kNotFound.size());
  } else {
    return std::nullopt;
  }
  return std::string(message) + std::string(kOnlyThese);
}

std::optional<std::string> RefusedByAssembler(std::string_view output) {
  constexpr std::string_view kError = ": Error: ";
  for (std::string_view line : Lines(output)) {
    const size_t at = line.find(kError);
    if (at == line.npos) continue;
    if (auto refused = ExplainRefusedFile(WithoutPaths(line.substr(at + kError.size())))) {
      return refused;
    }
  }
  return std::nullopt;
}

}  // namespace kw::eval
