// What /proc says of processes.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace kw::test {

// A file of /proc, as far as its first NUL.
inline std::string ProcText(const std::string& path) {
  std::ifstream in(path);
  std::string text;
  std::getline(in, text, '\0');
  return text;
}

// The children of a process, and theirs.
inline std::vector<int> DescendantsOf(int ancestor) {
  std::multimap<int, int> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != name.npos) continue;
    // "PID (COMMAND) STATE PARENT ...", where the command may hold anything.
    const std::string stat = ProcText(entry.path().string() + "/stat");
    const size_t end = stat.rfind(')');
    if (end == stat.npos || end + 4 > stat.size()) continue;
    children.emplace(std::atoi(stat.c_str() + end + 4), std::atoi(name.c_str()));
  }
  std::vector<int> found = {ancestor};
  for (size_t i = 0; i < found.size(); ++i) {
    const auto [first, last] = children.equal_range(found[i]);
    for (auto it = first; it != last; ++it) found.push_back(it->second);
  }
  found.erase(found.begin());
  return found;
}

// The kernel keeps 15 characters of a name.
inline bool IsNamed(int pid, const std::string& name) {
  return ProcText("/proc/" + std::to_string(pid) + "/comm").starts_with(name.substr(0, 15));
}

}  // namespace kw::test
