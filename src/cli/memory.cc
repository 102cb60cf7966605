// kwright memory list|show|search|stats|rebuild: what was learned.
#include <fmt/format.h>

#include <iostream>

#include "bank_options.h"
#include "commands.h"
#include "kw/base/json.h"
#include "output.h"

namespace kw::cli {

namespace {

struct MemoryOptions : BankOptions {
  int64_t id = 0, limit = 50, offset = 0;
  int k = 3;
  std::string query;
};

Json Describe(const MemoryItem& item) {
  return {{"id", item.id},
          {"title", item.title},
          {"description", item.description},
          {"content", item.content},
          {"uses", item.uses},
          {"wins", item.wins},
          {"losses", item.losses},
          {"merged", item.merged},
          {"from",
           {{"run", item.from.run_name},
            {"step", item.from.step},
            {"task", item.from.task},
            {"outcome", item.from.outcome},
            {"candidate_hash", item.from.candidate_hash},
            {"model", item.from.model}}}};
}

std::string OneLine(const MemoryItem& item) {
  return fmt::format("{:>5}  {:<60}  {:<14} {:<8} used {:>3}, passed {:>3}, failed {:>3}\n",
                     item.id, Shorten(item.title, 60), item.from.task, item.from.outcome, item.uses,
                     item.wins, item.losses);
}

int List(const MemoryOptions& options, Bank& bank) {
  const auto items = bank.Items(options.offset, options.limit);
  if (!items) return PrintError(items.error(), options.json);
  Json list = Json::array();
  for (const MemoryItem& item : *items) {
    if (options.json) {
      list.push_back(Describe(item));
    } else {
      std::cout << OneLine(item);
    }
  }
  if (options.json) std::cout << DumpJson(list) << "\n";
  if (!options.json && items->empty()) std::cout << "the bank holds no items\n";
  return kDone;
}

int Show(const MemoryOptions& options, Bank& bank) {
  const auto item = bank.Item(options.id);
  if (!item) return PrintError(item.error(), options.json);
  if (options.json) {
    std::cout << DumpJson(Describe(*item)) << "\n";
    return kDone;
  }
  std::cout << fmt::format(
      "{} (item {})\n{}\n\n{}\n\nlearned from: a {} at {}, run {}, step {}, kernel {}, by {}\n"
      "used {} times; attempts with it: {} passed, {} failed; {} near duplicates merged into it\n",
      item->title, item->id, item->description, item->content, item->from.outcome, item->from.task,
      item->from.run_name, item->from.step, item->from.candidate_hash, item->from.model, item->uses,
      item->wins, item->losses, item->merged);
  return kDone;
}

int Search(const MemoryOptions& options) {
  const auto at = FindBank(options);
  if (!at) return PrintError(at.error(), options.json);
  auto embedder = OpenEmbedder(options, *at);
  if (!embedder) return PrintError(embedder.error(), options.json);
  const auto bank = Bank::Open(at->path, std::move(*embedder));
  if (!bank) return PrintError(bank.error(), options.json);
  const auto found = (*bank)->Search({.text = options.query, .k = options.k});
  if (!found) return PrintError(found.error(), options.json);
  Json list = Json::array();
  for (const Found& hit : *found) {
    if (options.json) {
      Json entry = Describe(hit.item);
      entry["score"] = hit.score;
      entry["dense_rank"] = hit.dense_rank;
      entry["text_rank"] = hit.text_rank;
      list.push_back(std::move(entry));
    } else {
      std::cout << fmt::format("{:.4f} {}", hit.score, OneLine(hit.item));
    }
  }
  if (options.json) std::cout << DumpJson(list) << "\n";
  if (!options.json && found->empty()) std::cout << "nothing found\n";
  return kDone;
}

int Stats(const MemoryOptions& options, Bank& bank) {
  const auto stats = bank.Stats();
  if (!stats) return PrintError(stats.error(), options.json);
  if (options.json) {
    std::cout << DumpJson({{"items", stats->items},
                           {"rules_kept", stats->rules_kept},
                           {"rules_undecided", stats->rules_undecided},
                           {"rules_dropped", stats->rules_dropped},
                           {"sequence", stats->sequence},
                           {"uses", stats->uses},
                           {"wins", stats->wins},
                           {"losses", stats->losses},
                           {"embedder", stats->embedder},
                           {"file_bytes", stats->file_bytes}})
              << "\n";
    return kDone;
  }
  std::cout << fmt::format(
      "items      {}\nrules      {} kept, {} undecided, {} dropped\nused       {} times: {} "
      "attempts passed, {} failed\nembedder   {}\nsequence   {}\nfile       {} KiB\n",
      stats->items, stats->rules_kept, stats->rules_undecided, stats->rules_dropped, stats->uses,
      stats->wins, stats->losses, stats->embedder, stats->sequence, stats->file_bytes / 1024);
  return kDone;
}

// After a change of embedder, or of its address.
int Rebuild(const MemoryOptions& options) {
  const auto at = FindBank(options);
  if (!at) return PrintError(at.error(), options.json);
  auto embedder = OpenEmbedder(options, *at);
  if (!embedder) return PrintError(embedder.error(), options.json);
  const Result<void> rebuilt = RebuildBank(at->path, std::move(*embedder));
  if (!rebuilt) return PrintError(rebuilt.error(), options.json);
  const auto bank = Bank::Open(at->path, nullptr);
  if (!bank) return PrintError(bank.error(), options.json);
  const auto stats = (*bank)->Stats();
  if (!stats) return PrintError(stats.error(), options.json);
  if (options.json) {
    std::cout << DumpJson(
                     {{"bank", at->path}, {"items", stats->items}, {"embedder", stats->embedder}})
              << "\n";
  } else {
    std::cout << fmt::format("{}: {} items embedded anew by {}\n", at->path, stats->items,
                             stats->embedder);
  }
  return kDone;
}

}  // namespace

void AddMemory(CLI::App& app, Action& action) {
  CLI::App* sub = app.add_subcommand("memory", "What was learned: memory items");
  sub->require_subcommand(1);
  sub->footer("Example:\n  kwright memory list\n  kwright memory search \"tail guard\" -k 5");
  const auto add_acting = [&](const char* name, const char* description, const char* example,
                              std::function<int(const MemoryOptions&)> act) {
    auto options = std::make_shared<MemoryOptions>();
    CLI::App* command = sub->add_subcommand(name, description);
    options->Add(*command);
    command->footer(std::string("Example:\n  kwright memory ") + example);
    command->callback([&action, options, act] { action = [=] { return act(*options); }; });
    return std::pair{command, options};
  };
  const auto add = [&](const char* name, const char* description, const char* example,
                       int (*act)(const MemoryOptions&, Bank&)) {
    return add_acting(name, description, example, [act](const MemoryOptions& options) {
      const auto bank = OpenBank(options);
      return bank ? act(options, **bank) : PrintError(bank.error(), options.json);
    });
  };
  auto [list, list_options] = add("list", "List the items", "list --run quickstart-1", List);
  list->add_option("--limit", list_options->limit, "At most so many")->capture_default_str();
  list->add_option("--offset", list_options->offset, "Skip so many")->capture_default_str();
  auto [show, show_options] = add("show", "Show one item whole", "show 7", Show);
  show->add_option("ID", show_options->id, "The item's number")->required();
  auto [search, search_options] = add_acting("search", "Find items as a prompt would",
                                             "search \"tail guard for odd sizes\"", Search);
  search_options->AddEmbedder(*search);
  search->add_option("TEXT", search_options->query, "What to look for")->required();
  search->add_option("-k", search_options->k, "How many")->capture_default_str();
  add("stats", "Count items, rules, uses", "stats --json", Stats);
  auto [rebuild, rebuild_options] =
      add_acting("rebuild", "Make all vectors anew, by another embedder",
                 "rebuild --run quickstart-1 --embedder openai/text-embedding-3-small", Rebuild);
  rebuild_options->AddEmbedder(*rebuild);
}

}  // namespace kw::cli
