#include "steps.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "kw/base/text.h"

namespace kw::eval {
namespace {

using Variables = std::map<std::string, std::string>;

bool IsNameChar(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Shell words: double quotes, backslashes inside them, $NAME. Nothing when there is more to it.
std::optional<StepCommand> ShellWords(std::string_view line, const Variables& variables) {
  StepCommand words;
  std::string word;
  bool quoted = false, started = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"') {
      quoted = !quoted;
      started = true;
    } else if (c == '\\' && i + 1 < line.size()) {
      word += line[++i];
      started = true;
    } else if (c == '$') {
      size_t end = i + 1;
      while (end < line.size() && IsNameChar(line[end])) ++end;
      auto found = variables.find(std::string(line.substr(i + 1, end - i - 1)));
      if (found == variables.end()) return std::nullopt;
      word += found->second;
      started = true;
      i = end - 1;
    } else if (!quoted && (c == ' ' || c == '\t')) {
      if (started) words.push_back(std::move(word));
      word.clear();
      started = false;
    } else if (!quoted && std::string_view("|&;<>()`'*?").find(c) != std::string_view::npos) {
      return std::nullopt;
    } else {
      word += c;
      started = true;
    }
  }
  if (quoted) return std::nullopt;
  if (started) words.push_back(std::move(word));
  return words;
}

bool Mentions(const StepCommand& command, std::string_view word) {
  return std::find(command.begin(), command.end(), word) != command.end();
}

// cudafe++ must not make the module id, and the source's place must not be in the object.
StepCommand MadeIndependent(StepCommand command) {
  std::erase(command, "--gen_module_id_file");
  for (size_t i = 0; i + 1 < command.size(); ++i) {
    if (command[i] == "--orig_src_path_name") command[i + 1] = kSourceName;
  }
  return command;
}

}  // namespace

std::string_view StepTool(const StepCommand& command) {
  if (command.empty()) return {};
  std::string_view program = command[0];
  return program.substr(program.rfind('/') + 1);
}

std::optional<StepPlan> ParseDryRun(std::string_view text) {
  Variables variables;
  StepPlan plan;
  for (std::string_view line : Lines(text)) {
    if (!line.starts_with("#$ ")) continue;
    line.remove_prefix(3);
    const auto name_end = std::find_if_not(line.begin(), line.end(), IsNameChar);
    if (name_end != line.end() && *name_end == '=') {
      std::string name(line.begin(), name_end);
      std::string value(name_end + 1, line.end());
      if (!name.starts_with('_')) plan.environment.push_back(name + "=" + value);
      variables[std::move(name)] = std::move(value);
      continue;
    }
    std::optional<StepCommand> command = ShellWords(line, variables);
    if (!command || command->empty()) return std::nullopt;
    const std::string_view tool = StepTool(*command);
    if (tool == "rm") continue;
    if (!plan.object.empty()) return std::nullopt;
    if (tool == "cudafe++") {
      plan.host.push_back(MadeIndependent(std::move(*command)));
    } else if (tool == "cicc" || tool == "ptxas" || tool == "fatbinary") {
      plan.device.push_back(MadeIndependent(std::move(*command)));
    } else if (Mentions(*command, "-E") && Mentions(*command, "kernel.cpp4.ii")) {
      plan.host.push_back(std::move(*command));
    } else if (Mentions(*command, "-E") && Mentions(*command, "kernel.cpp1.ii")) {
      plan.device.push_back(std::move(*command));
    } else if (Mentions(*command, "-c") && Mentions(*command, "kernel.cudafe1.cpp") &&
               Mentions(*command, "kernel.o")) {
      plan.object = std::move(*command);
    } else {
      return std::nullopt;
    }
  }
  const auto tools = [](const std::vector<StepCommand>& half) {
    std::vector<std::string_view> names;
    for (const StepCommand& command : half) names.push_back(StepTool(command));
    return names;
  };
  const std::vector<std::string_view> host = tools(plan.host), device = tools(plan.device);
  const bool host_known = host.size() == 2 && host[1] == "cudafe++";
  const bool device_known =
      (device.size() == 3 && device[1] == "cicc" && device[2] == "fatbinary") ||
      (device.size() == 4 && device[1] == "cicc" && device[2] == "ptxas" &&
       device[3] == "fatbinary");
  if (!host_known || !device_known || plan.object.empty()) return std::nullopt;
  return plan;
}

}  // namespace kw::eval
