// The options by which `memory` and `rules` find a bank, and the bank itself.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "kw/base.h"
#include "kw/memory.h"

namespace kw::cli {

struct BankOptions {
  std::string bank, run, dir = "runs";
  bool json = false;

  void Add(CLI::App& app);
};

// --bank FILE, else the bank of --run NAME, else that of the newest run that learns. Only a search
// needs an embedder, the bank's own; without one a bank of any embedder opens.
Result<std::unique_ptr<Bank>> OpenBank(const BankOptions& options,
                                       std::unique_ptr<Embedder> embedder);

}  // namespace kw::cli
