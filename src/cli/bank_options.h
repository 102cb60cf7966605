// The options by which `memory` and `rules` find a bank and an embedder, and the bank itself.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>

#include "kw/agent.h"
#include "kw/base.h"
#include "kw/memory.h"

namespace kw::cli {

struct BankOptions {
  std::string bank, run, dir = "runs";
  std::string embedder, base_url;
  bool json = false;

  void Add(CLI::App& app);
  // --embedder, --base-url: of the commands that make vectors.
  void AddEmbedder(CLI::App& app);
};

// --bank FILE, else the bank of --run NAME, else that of the newest run that learns.
struct FoundBank {
  std::string path;
  std::optional<RunConfig> config;  // of the run; none for --bank
};
Result<FoundBank> FindBank(const BankOptions& options);

// As it is, without an embedder: all but a search works, whoever made its vectors.
Result<std::unique_ptr<Bank>> OpenBank(const BankOptions& options);

// --embedder, else that of the bank's run, else the built-in one.
Result<std::unique_ptr<Embedder>> OpenEmbedder(const BankOptions& options, const FoundBank& found);

}  // namespace kw::cli
