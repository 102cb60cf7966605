#include <iostream>

#include "commands.h"
#include "kw/base.h"
#include "kw/base/process.h"

int main(int argc, char** argv) {
  using namespace kw::cli;
  kw::IgnoreBrokenPipes();
  CLI::App app("kwright writes GPU kernels with a language model and learns while it does so.");
  app.require_subcommand(1);
  app.set_version_flag("--version", "kwright 0.1.0");
  app.footer(
      "Start with:  kwright run experiments/quickstart.toml\n"
      "Each subcommand has --help with an example.");
  bool verbose = false;
  app.add_flag("-v,--verbose", verbose, "Say more on stderr");

  Action action;
  for (const auto& add : {AddRun, AddResume, AddStatus, AddEval, AddAudit, AddCheck, AddExtract,
                          AddReplay, AddTasks, AddMemory, AddRules, AddMockServer, AddDoctor}) {
    add(app, action);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kTrouble;
  }
  if (verbose) kw::log::SetLevel(kw::log::Level::kInfo);
  return action();
}
