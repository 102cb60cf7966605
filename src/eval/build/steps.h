// nvcc's own steps, so that the device half and the host half can run side by side: nvcc runs
// them one after the other, and a device link that an object without relocatable device code does
// not need. They are read from `nvcc --dryrun --keep -c`, which prints
//
//   #$ NAME=value            the environment of the steps
//   #$ gcc -E ... -o "kernel.cpp4.ii"      host half
//   #$ cudafe++ ... "kernel.cpp4.ii"
//   #$ gcc -E ... -o "kernel.cpp1.ii"      device half
//   #$ "$CICC_PATH/cicc" ... -o "kernel.ptx"
//   #$ ptxas ... "kernel.ptx" -o "kernel.cubin"   (SASS only)
//   #$ fatbinary ... --embedded-fatbin="kernel.fatbin.c"
//   #$ gcc -c ... "kernel.cudafe1.cpp" -o "kernel.o"
//
// All files have fixed names relative to the working directory, so one reading serves every build
// with the same flags. The one link between the halves, the module id that cudafe++ makes and cicc
// reads, is given to both instead.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kw::eval {

inline constexpr char kSourceName[] = "kernel.cu";
inline constexpr char kModuleIdName[] = "kernel.module_id";

using StepCommand = std::vector<std::string>;

struct StepPlan {
  std::vector<std::string> environment;  // NAME=value, besides the compiler's ordinary one
  std::vector<StepCommand> host;         // gcc -E, cudafe++
  std::vector<StepCommand> device;       // gcc -E, cicc, [ptxas,] fatbinary
  StepCommand object;                    // gcc -c, when both are done
};

// Nothing when the text is not exactly what is described above.
std::optional<StepPlan> ParseDryRun(std::string_view text);

// The last component of a step's program.
std::string_view StepTool(const StepCommand& command);

}  // namespace kw::eval
