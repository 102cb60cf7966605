// launch_times KERNELS.cu: the emulator's side of bench/triton. Builds the kernels, loads their PTX
// and says the compiler's version; then, for each line "KERNEL GRID,BLOCK SIZES,.. INPUT,.." on
// stdin, launches a kernel once with all checks on and answers with the seconds of processor and of
// wall time that the launch took. KERNEL.emulator, in the working folder, then holds the output, as
// large as the first input. GRID and BLOCK are of the form 4x4. A hazard is an error: the kernels
// are correct.
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "kw/base/file.h"
#include "kw/base/text.h"
#include "kw/eval/build.h"
#include "kw/eval/emulator.h"

namespace kw::eval {
namespace {

[[noreturn]] void Die(const std::string& message) {
  std::fprintf(stderr, "launch_times: %s\n", message.c_str());
  std::exit(1);
}

template <class T>
T Need(Result<T> result) {
  if (!result) Die(result.error().ToString());
  return std::move(*result);
}

double Seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

Dim3 ParseDim3(const std::string& text) {
  Dim3 dim;
  if (std::sscanf(text.c_str(), "%ux%ux%u", &dim.x, &dim.y, &dim.z) < 1) Die("no size: " + text);
  return dim;
}

// The kernels' PTX, and the version of the nvcc that made it.
std::pair<std::string, std::string> BuildPtx(const std::string& path) {
  ScratchDirectory cache = Need(ScratchDirectory::Make("launch_times"));
  Builder builder = Need(Builder::Make({.cache = cache.path()}));
  const BuildOutcome built = Need(builder.BuildCandidate(Need(ReadFile(path)), {.sm = 80}));
  if (!built.ok) Die(built.feedback);
  return {Need(ReadPtxImages(Need(ReadFile(built.object_path)))).at(0),
          builder.toolchain().nvcc_version};
}

class Launcher {
 public:
  explicit Launcher(const std::string& ptx)
      : gpu_(Need(LoadDeviceSheet(KW_SOURCE_DIR "/data/devices", "a100_sxm4")), 1),
        module_(Need(gpu_.LoadModule(ptx))) {}

  void Answer(const std::string& line) {
    std::istringstream words(line);
    std::string kernel, grid, block, sizes, inputs;
    if (!(words >> kernel >> grid >> block >> sizes >> inputs)) Die("not a launch: " + line);
    LaunchRequest request{.module = module_, .kernel = kernel};
    request.grid = ParseDim3(grid);
    request.block = ParseDim3(block);
    std::vector<uint64_t> buffers;
    uint64_t output_bytes = 0;
    for (const std::string_view name : Split(inputs, ',')) {
      const std::string bytes = Need(ReadFile(std::string(name)));
      if (buffers.empty()) output_bytes = bytes.size();
      buffers.push_back(Need(gpu_.Allocate(bytes.size(), std::string(name))));
      Check(gpu_.Write(buffers.back(), bytes));
    }
    buffers.push_back(Need(gpu_.Allocate(output_bytes, "output")));
    for (const uint64_t buffer : buffers) Append(&request.parameters, buffer);
    for (const std::string_view size : Split(sizes, ',')) {
      Append(&request.parameters, static_cast<int32_t>(std::stoi(std::string(size))));
    }
    const double processor = Seconds(CLOCK_PROCESS_CPUTIME_ID), wall = Seconds(CLOCK_MONOTONIC);
    const LaunchOutcome done = gpu_.Launch(request);
    std::printf("%.9f %.9f\n", Seconds(CLOCK_PROCESS_CPUTIME_ID) - processor,
                Seconds(CLOCK_MONOTONIC) - wall);
    if (done.status != LaunchOutcome::Status::kOk) Die(kernel + ": " + done.message);
    for (const Hazard& hazard : gpu_.TakeHazards()) Die("a correct kernel: " + hazard.text);
    std::string output(output_bytes, '\0');
    Check(gpu_.Read(buffers.back(), output.data(), output.size()));
    Check(WriteFileAtomic(kernel + ".emulator", output));
    for (const uint64_t buffer : buffers) Check(gpu_.Free(buffer));
    std::fflush(stdout);
  }

 private:
  template <class T>
  static void Append(std::string* to, const T& value) {
    to->append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  static void Check(const Result<void>& result) {
    if (!result) Die(result.error().ToString());
  }

  Emulator gpu_;
  int module_;
};

}  // namespace
}  // namespace kw::eval

int main(int argc, char** argv) {
  if (argc != 2) kw::eval::Die("one argument: a .cu file");
  const auto [ptx, nvcc_version] = kw::eval::BuildPtx(argv[1]);
  kw::eval::Launcher launcher(ptx);
  std::printf("nvcc %s\n", nvcc_version.c_str());
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) launcher.Answer(line);
  return 0;
}
