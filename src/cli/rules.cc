// kwright rules list|show.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "bank_options.h"
#include "commands.h"
#include "kw/base/json.h"
#include "output.h"

namespace kw::cli {
namespace {

struct RulesOptions : BankOptions {
  std::string state;
  int64_t id = 0;
};

Json Describe(const Rule& rule) {
  return {{"id", rule.id},
          {"text", rule.text},
          {"state", rule.state},
          {"aligned", rule.aligned},
          {"misaligned", rule.misaligned},
          {"unknown", rule.unknown},
          {"from",
           {{"run", rule.from.run_name}, {"step", rule.from.step}, {"model", rule.from.model}}}};
}

int List(const RulesOptions& options, Bank& bank) {
  const std::vector<std::string> states = {"kept", "undecided", "dropped"};
  if (!options.state.empty() && std::count(states.begin(), states.end(), options.state) == 0) {
    return PrintError({ErrorCode::kInvalid, UnknownName("state", options.state, states), {}},
                      options.json);
  }
  const auto rules = bank.Rules(options.state);
  if (!rules) return PrintError(rules.error(), options.json);
  Json list = Json::array();
  for (const Rule& rule : *rules) {
    if (options.json) {
      list.push_back(Describe(rule));
    } else {
      std::cout << fmt::format("{:>5}  {:<9} {:>3} for, {:>3} against  {}\n", rule.id, rule.state,
                               rule.aligned, rule.misaligned, rule.text);
    }
  }
  if (options.json) std::cout << DumpJson(list) << "\n";
  if (!options.json && rules->empty()) std::cout << "the bank holds no rules\n";
  return kDone;
}

int Show(const RulesOptions& options, Bank& bank) {
  const auto rules = bank.Rules("");
  if (!rules) return PrintError(rules.error(), options.json);
  for (const Rule& rule : *rules) {
    if (rule.id != options.id) continue;
    if (options.json) {
      std::cout << DumpJson(Describe(rule)) << "\n";
    } else {
      std::cout << fmt::format(
          "{}\n\nrule {}, {}: {} pairs of kernels for it, {} against, {} not known\n"
          "from run {}, step {}, by {}\n",
          rule.text, rule.id, rule.state, rule.aligned, rule.misaligned, rule.unknown,
          rule.from.run_name, rule.from.step, rule.from.model);
    }
    return kDone;
  }
  return PrintError({ErrorCode::kNotFound, "there is no rule " + std::to_string(options.id), {}},
                    options.json);
}

}  // namespace

void AddRules(CLI::App& app, Action& action) {
  CLI::App* sub = app.add_subcommand("rules", "What was learned: rules");
  sub->require_subcommand(1);
  sub->footer("Example:\n  kwright rules list --state kept");
  const auto add = [&](const char* name, const char* description, const char* example,
                       int (*act)(const RulesOptions&, Bank&)) {
    auto options = std::make_shared<RulesOptions>();
    CLI::App* command = sub->add_subcommand(name, description);
    options->Add(*command);
    command->footer(std::string("Example:\n  kwright rules ") + example);
    command->callback([&action, options, act] {
      action = [options, act] {
        const auto bank = OpenBank(*options);
        return bank ? act(*options, **bank) : PrintError(bank.error(), options->json);
      };
    });
    return std::pair{command, options};
  };
  auto [list, list_options] = add("list", "List the rules", "list --state kept", List);
  list->add_option("--state", list_options->state, "kept, undecided or dropped");
  auto [show, show_options] = add("show", "Show one rule whole", "show 3", Show);
  show->add_option("ID", show_options->id, "The rule's number")->required();
}

}  // namespace kw::cli
