// A device, a candidate and a reference that do as they are told, behind the real interfaces.
#pragma once

#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kw/eval/worker.h"

namespace kw::eval {

// y = x for one float32 input and output.
inline Result<Task> CopyTask() {
  const std::string run = "def run(x):\n    return x\n";
  return LoadTaskFiles(
      {{"definition.json",
        R"({"name": "copy", "op_type": "copy", "description": "y = x",
            "axes": {"n": {"type": "var", "description": "elements"}},
            "inputs": {"x": {"shape": ["n"], "dtype": "float32"}},
            "outputs": {"y": {"shape": ["n"], "dtype": "float32"}},
            "reference": "def run(x):\n    return x\n"})"},
       {"workloads.jsonl",
        R"({"definition": "copy", "workload": {"uuid": "w0", "axes": {"n": 4096}, "inputs": {"x": {"type": "random"}}}, "solution": null, "evaluation": null})"
        "\n"},
       {"reference.cpp",
        "#include <cstdint>\n"
        "extern \"C\" void reference(const double* x, double* y, int64_t n) {\n"
        "  for (int64_t i = 0; i < n; ++i) y[i] = x[i];\n}\n"},
       {"task.toml", "[axes.n]\nsizes = [1, 31, 32, 1000]\n[cost]\nbytes = \"8*n\"\n"},
       {"baseline.cu", "// a copy\n"}},
      "/nowhere/copy");
}

// Copies its input to its output and counts; `meddle` may change what comes out.
class FakeSession : public Session {
 public:
  using Meddle = std::function<void(int call, const CallRequest&, CallOutcome&)>;
  explicit FakeSession(Meddle meddle) : meddle_(std::move(meddle)) {}

  Result<CallOutcome> Call(const CallRequest& request) override {
    CallOutcome outcome;
    for (const CallArgument& argument : request.arguments) {
      if (argument.parameter.role == Parameter::Role::kInput) outcome.outputs = {argument.bytes};
    }
    outcome.output_written = {true};
    LaunchRecord launch;
    launch.kernel = "_Z4copyPKfPfl";
    const uint64_t bytes = outcome.outputs.empty() ? 0 : outcome.outputs[0].size();
    launch.grid.x = static_cast<uint32_t>(bytes / 1024 + 1);
    launch.block.x = 256;
    launch.counters.lane_instructions = bytes * 4;
    launch.counters.warp_instructions = bytes / 8;
    launch.counters.global_requests = bytes / 64 + 2;
    launch.counters.global_load_sectors = launch.counters.global_store_sectors = bytes / 32 + 1;
    launch.counters.dram_sectors = bytes / 16 + 2;
    outcome.launches = {launch};
    if (meddle_) meddle_(calls_, request, outcome);
    ++calls_;
    return outcome;
  }

 private:
  Meddle meddle_;
  int calls_ = 0;
};

class FakeDevice : public Device {
 public:
  FakeDevice() {
    sheet_.name = "fake";
    sheet_.title = "Fake GPU";
    sheet_.hash = "fakehash";
    sheet_.l2_bytes = 40 << 20;
    sheet_.dram_gbps = 2000, sheet_.l2_gbps = 5000;
    sheet_.fp32_tflops = 19.5, sheet_.fp64_tflops = 9.7, sheet_.fp16_tflops = 78;
    sheet_.tensor_fp16_tflops = 312, sheet_.tensor_tf32_tflops = 156;
  }
  std::string kind() const override { return "emulator"; }
  std::string name() const override { return sheet_.name; }
  const DeviceSheet& sheet() const override { return sheet_; }
  Result<OpenOutcome> Open(const OpenRequest&) override {
    ++opened;
    OpenOutcome outcome;
    if (!load_error.empty()) {
      outcome.message = load_error;
      outcome.unsupported = unsupported;
      return outcome;
    }
    outcome.session = std::make_unique<FakeSession>(meddle);
    return outcome;
  }

  std::string load_error;
  bool unsupported = false;
  FakeSession::Meddle meddle;
  std::atomic<int> opened = 0;

 private:
  DeviceSheet sheet_;
};

class CopyReference : public Reference {
 public:
  Result<std::shared_ptr<const Expected>> Evaluate(const Task& task, const Case& c) override {
    KW_ASSIGN(const CaseInputs inputs, GenerateInputs(task, c));
    const std::string& bytes = inputs.tensors[0];
    auto expected = std::make_shared<Expected>();
    expected->integers.resize(1);
    expected->floats.resize(1);
    for (size_t i = 0; i + 4 <= bytes.size(); i += 4) {
      float value;
      std::memcpy(&value, bytes.data() + i, 4);
      expected->floats[0].push_back(value);
    }
    return std::shared_ptr<const Expected>(expected);
  }
};

}  // namespace kw::eval
