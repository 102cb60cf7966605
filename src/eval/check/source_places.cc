#include "source_places.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "kw/base/confine.h"
#include "kw/base/process.h"
#include "kw/base/text.h"

namespace kw::eval {
namespace {

constexpr size_t kMaxSites = 500;
constexpr char kSourceName[] = "kernel.cu";  // the builder's name for every source

// "/x/kernel.cu:31 (discriminator 2)" -> "kernel.cu:31"; "" for "??:0", and for what is no file of
// the author's: the toolkit's headers call the runtime too (cudaMalloc<T>).
std::string PlaceOf(std::string_view line, const std::vector<std::string>& folders) {
  line = line.substr(0, line.find(' '));
  const size_t colon = line.rfind(':');
  if (colon == line.npos || line.starts_with("??")) return "";
  const std::string_view number = line.substr(colon + 1);
  if (number == "?" || number == "0") return "";
  const std::filesystem::path file(line.substr(0, colon));
  const bool own = file.filename() == kSourceName ||
                   std::any_of(folders.begin(), folders.end(), [&](const std::string& folder) {
                     return file.native().starts_with(folder + "/");
                   });
  return own ? fmt::format("{}:{}", file.filename().string(), number) : "";
}

}  // namespace

std::map<uint64_t, std::string> FindPlaces(const std::string& object_path,
                                           const std::vector<std::string>& folders,
                                           const std::vector<uint64_t>& sites) {
  std::map<uint64_t, std::string> places;
  const std::string program = FindProgram("addr2line");
  if (program.empty() || sites.empty()) return places;
  ProcessSpec spec;
  spec.argv = {program, "-a", "-i", "-e", object_path};
  std::vector<uint64_t> asked;
  for (const uint64_t site : sites) {
    if (site == 0 || asked.size() == kMaxSites) continue;
    asked.push_back(site);
    // The call returns to the site: it stands just before.
    spec.argv.push_back(fmt::format("0x{:x}", site - 1));
  }
  spec.no_new_privileges = true;
  spec.confinement = Confinement::Make(
      {.read = {"/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", program, object_path},
       .write = {}});
  spec.limits = {.cpu_seconds = 10, .wall_ms = 20'000, .memory_bytes = 2LL << 30};
  const Result<ProcessExit> exit = RunProcess(spec);
  if (!exit || !exit->ok()) return places;
  // For each address a line "0x...", then a line a frame that was inlined there, innermost first.
  size_t answered = 0;
  for (const std::string_view line : Lines(exit->out)) {
    if (line.starts_with("0x")) {
      ++answered;
      continue;
    }
    if (answered == 0 || answered > asked.size()) break;
    const std::string place = PlaceOf(line, folders);
    if (!place.empty()) places.try_emplace(asked[answered - 1], place);
  }
  return places;
}

}  // namespace kw::eval
