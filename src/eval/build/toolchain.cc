#include "toolchain.h"

#include <fmt/format.h>

#include <cstdlib>

#include "kw/base/file.h"
#include "kw/base/text.h"

namespace kw::eval {
namespace {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string Folder(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

// nvcc from the PyPI wheels, in a venv of the project.
std::string FindInVenv() {
  Result<std::string> home = ProgramHome();
  if (!home) return "";
  const std::string lib = *home + "/.venv/lib";
  Result<std::vector<std::string>> pythons = ListDirectory(lib);
  if (!pythons) return "";
  for (const std::string& python : *pythons) {
    const std::string found =
        FindProgram(lib + "/" + python + "/site-packages/nvidia/cu13/bin/nvcc");
    if (!found.empty()) return found;
  }
  return "";
}

std::string FindNvcc(const std::string& configured) {
  if (!configured.empty()) return FindProgram(configured);
  if (const std::string named = Variable("KWRIGHT_NVCC"); !named.empty()) {
    return FindProgram(named);
  }
  if (std::string found = FindProgram("nvcc"); !found.empty()) return found;
  for (const char* variable : {"CUDA_HOME", "CUDA_PATH"}) {
    const std::string root = Variable(variable);
    if (root.empty()) continue;
    if (std::string found = FindProgram(root + "/bin/nvcc"); !found.empty()) return found;
  }
  if (std::string found = FindProgram("/usr/local/cuda/bin/nvcc"); !found.empty()) return found;
  return FindInVenv();
}

// "V13.0.88" out of nvcc's banner, "12.2.0" out of g++'s -dumpfullversion.
std::string VersionOf(const std::string& program, const std::string& flag) {
  Result<ProcessExit> ran = RunProcess({
      .argv = {program, flag},
      .inherit_environment = true,
      .limits = {.cpu_seconds = 10, .wall_ms = 20'000},
  });
  if (!ran || !ran->ok()) return "";
  const size_t at = ran->out.find(", V");
  if (at != std::string::npos) {
    std::string_view rest = std::string_view(ran->out).substr(at + 3);
    return std::string(rest.substr(0, rest.find_first_of(" \r\n")));
  }
  return std::string(Trim(ran->out));
}

std::string FindCudart(const std::string& nvcc) {
  const std::string root = Folder(Folder(nvcc));
  for (const char* folder : {"/targets/x86_64-linux/lib", "/lib64", "/lib"}) {
    for (const char* name : {"/libcudart.so", "/libcudart.so.13", "/libcudart.so.12"}) {
      if (FileExists(root + folder + name)) return root + folder + name;
    }
  }
  return "";
}

}  // namespace

Result<Toolchain> FindToolchain(const std::string& configured) {
  Toolchain toolchain;
  toolchain.info.gxx_path = FindProgram("g++");
  if (!toolchain.info.gxx_path.empty()) {
    toolchain.info.gxx_version = VersionOf(toolchain.info.gxx_path, "-dumpfullversion");
  }
  for (const char* linker : {"lld", "gold"}) {
    if (!FindProgram(std::string("ld.") + linker).empty()) toolchain.linker = linker;
  }
  const std::string nvcc = FindNvcc(configured);
  const std::string named = configured.empty() ? Variable("KWRIGHT_NVCC") : configured;
  if (nvcc.empty()) {
    if (!named.empty()) {
      return Fail(ErrorCode::kNotFound, fmt::format("the nvcc named, '{}', is not there", named));
    }
    toolchain.problem =
        "there is no nvcc: install the CUDA Toolkit, set KWRIGHT_NVCC to its nvcc, or run "
        "scripts/install-deps, which puts it into .venv";
    return toolchain;
  }
  const std::string version = VersionOf(nvcc, "--version");
  if (version.empty()) {
    toolchain.problem = fmt::format("'{}' does not answer --version", nvcc);
    if (!named.empty()) return Fail(ErrorCode::kInvalid, toolchain.problem);
    return toolchain;
  }
  toolchain.info.nvcc_path = nvcc;
  toolchain.info.nvcc_version = version;
  toolchain.ptxas = FindProgram(Folder(nvcc) + "/ptxas");
  toolchain.cudart = FindCudart(nvcc);
  if (toolchain.cudart.empty()) {
    toolchain.problem = fmt::format("there is no libcudart.so beside '{}'", nvcc);
  } else if (toolchain.ptxas.empty()) {
    toolchain.problem = fmt::format("there is no ptxas beside '{}'", nvcc);
  } else if (toolchain.info.gxx_path.empty()) {
    toolchain.problem = "there is no g++, which nvcc needs: install g++";
  }
  return toolchain;
}

std::vector<std::string> CompilerEnvironment(const Toolchain& toolchain,
                                             const std::string& scratch) {
  std::string path = Variable("PATH");
  if (path.empty()) path = "/usr/local/bin:/usr/bin:/bin";
  if (!toolchain.info.nvcc_path.empty()) path = Folder(toolchain.info.nvcc_path) + ":" + path;
  // The heap in huge pages where the machine offers them: cudafe++ spent half its time on page
  // faults.
  std::vector<std::string> environment = {"PATH=" + path, "LC_ALL=C", "TMPDIR=" + scratch,
                                          "HOME=" + scratch,
                                          "GLIBC_TUNABLES=glibc.malloc.hugetlb=1"};
  if (const std::string libraries = Variable("LD_LIBRARY_PATH"); !libraries.empty()) {
    environment.push_back("LD_LIBRARY_PATH=" + libraries);
  }
  return environment;
}

}  // namespace kw::eval
