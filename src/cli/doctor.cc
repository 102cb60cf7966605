// kwright doctor: what is here, and what falls back to what.
#include <fmt/format.h>

#include <cstdlib>
#include <iostream>

#include "commands.h"
#include "doctor_model.h"
#include "gpu_probe.h"
#include "kw/base.h"
#include "kw/base/json.h"
#include "kw/eval/build.h"
#include "kw/eval/device.h"
#include "output.h"
#include "rooms.h"

namespace kw::cli {
namespace {

struct DoctorOptions {
  std::string base_url, model, api;
  bool json = false;
};

Finding CheckHome(std::string& home) {
  const auto found = ProgramHome();
  if (!found) return {"home", "missing", found.error().ToString()};
  home = *found;
  const auto tasks = eval::TaskLibrary::Open(home + "/data/tasks");
  if (!tasks) return {"home", "missing", tasks.error().ToString()};
  return {"home", "ok", fmt::format("{} ({} native tasks)", home, tasks->Names().size())};
}

void CheckToolchain(std::vector<Finding>& findings) {
  const auto cache = CacheDirectory();
  if (!cache) {
    findings.push_back({"cache", "missing", cache.error().ToString()});
    return;
  }
  findings.push_back({"cache", "ok", *cache});
  const auto builder = eval::Builder::Make({.cache = *cache + "/build"});
  if (!builder) {
    findings.push_back({"nvcc", "missing", builder.error().ToString()});
    return;
  }
  const eval::ToolchainInfo& tools = builder->toolchain();
  findings.push_back(
      tools.nvcc_path.empty()
          ? Finding{"nvcc", "missing", "no nvcc: kernels cannot be built; run scripts/install-deps"}
          : Finding{"nvcc", "ok", fmt::format("{} ({})", tools.nvcc_version, tools.nvcc_path)});
  findings.push_back(
      tools.gxx_path.empty()
          ? Finding{"g++", "missing", "no g++: references cannot be built"}
          : Finding{"g++", "ok", fmt::format("{} ({})", tools.gxx_version, tools.gxx_path)});
}

void CheckGpus(std::vector<Finding>& findings) {
  const GpuProbe probe = ProbeGpus();
  for (const GpuInfo& gpu : probe.gpus) {
    findings.push_back({"gpu", "ok",
                        fmt::format("{}, compute capability {}.{}, {} GiB", gpu.name, gpu.sm / 10,
                                    gpu.sm % 10, gpu.memory_bytes >> 30)});
  }
  if (probe.gpus.empty()) findings.push_back({"gpu", "fallback", "none: " + probe.why_none});
  findings.push_back(
      {"judging", probe.gpus.empty() ? "fallback" : "ok",
       "kernels run on the emulator (PTX on the CPU); times are modelled from a device's data "
       "sheet, never measured"});
}

void CheckCage(std::vector<Finding>& findings) {
  for (const CageLayer& layer : eval::ProbeCage()) {
    const char* state = layer.active ? "ok" : layer.required ? "missing" : "fallback";
    findings.push_back({"cage", state, layer.name + ": " + layer.why});
  }
}

void CheckEndpoint(const DoctorOptions& options, std::vector<Finding>& findings) {
  const char* key = std::getenv("KWRIGHT_API_KEY");
  if (key == nullptr) key = std::getenv("OPENAI_API_KEY");
  findings.push_back({"api key", key == nullptr ? "fallback" : "ok",
                      key == nullptr ? "neither KWRIGHT_API_KEY nor OPENAI_API_KEY is set: "
                                       "endpoints are asked without one"
                                     : "set in the environment"});
  if (options.base_url.empty()) {
    findings.push_back({"endpoint", "fallback",
                        "none given (--base-url): runs use the simulated author, a seeded policy "
                        "that is no model"});
    return;
  }
  findings.push_back(
      Listing(ListModels({.base_url = options.base_url, .api_key = key == nullptr ? "" : key})));
}

int Doctor(const DoctorOptions& options) {
  std::vector<Finding> findings;
  std::string home;
  findings.push_back(CheckHome(home));
  CheckToolchain(findings);
  CheckCage(findings);
  CheckGpus(findings);
  findings.push_back(
      {"embedder", "ok", MakeHashEmbedder()->name() + " (built in: no download, deterministic)"});
  if (options.model.empty()) {
    CheckEndpoint(options, findings);
  } else {
    CheckModelAnswers({options.model, options.base_url, options.api, ""}, home, findings);
  }

  bool missing = false;
  Json list = Json::array();
  for (const Finding& finding : findings) {
    missing |= finding.state == "missing";
    if (options.json) {
      list.push_back(
          {{"part", finding.part}, {"state", finding.state}, {"detail", finding.detail}});
    } else {
      std::cout << fmt::format("{:<9} {:<9} {}\n", finding.part, finding.state, finding.detail);
    }
  }
  if (options.json) std::cout << DumpJson(list) << "\n";
  return missing ? kNo : kDone;
}

}  // namespace

void AddDoctor(CLI::App& app, Action& action) {
  auto options = std::make_shared<DoctorOptions>();
  CLI::App* sub = app.add_subcommand("doctor", "What is here, and what falls back to what");
  sub->add_option("--base-url", options->base_url, "Ask this endpoint for its models too");
  sub->add_option("--model", options->model,
                  "Ask this model, provider/name or a name at --base-url, three times for a few "
                  "tokens: does it repeat itself, stream, count?");
  sub->add_option("--api", options->api, "openai or anthropic (default: the provider's)")
      ->check(CLI::IsMember({"openai", "anthropic"}));
  sub->add_flag("--json", options->json, "Print JSON");
  sub->footer(
      "Example:\n  kwright doctor --base-url http://localhost:8000/v1\n"
      "  kwright doctor --model qwen3 --base-url http://localhost:8000/v1\n"
      "Exit status: 0, or 1 when something that every run needs is missing.");
  sub->callback([&action, options] { action = [options] { return Doctor(*options); }; });
}

}  // namespace kw::cli
