// The probes, compiled by nvcc for every architecture: the emulator decodes every kernel, and
// together they hold every opcode of the list.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "kw/base/file.h"
#include "ptx_source.h"
#include "src/eval/emulator/program.h"

namespace kw::eval {
namespace {

std::string Probes() { return std::string(KW_SOURCE_DIR) + "/tests/eval/emulator/probes"; }

std::string CompileProbe(const std::string& file, std::string_view arch) {
  return CompilePtx("#include \"" + file + "\"\n", arch, {"-I", Probes()});
}

std::string Joined(const ptx::Instruction& instruction) {
  std::string name;
  for (const std::string_view part : instruction.parts)
    name += (name.empty() ? "" : ".") + std::string(part);
  return name;
}

// The instructions of a module's kernels that the emulator does not have, each with its reason.
std::set<std::string> Unknown(const ptx::Module& module) {
  emu::SymbolTable symbols;
  for (const ptx::Variable& variable : module.variables) {
    symbols.addresses[variable.name] = 0x200000000000 + 4096 * symbols.addresses.size();
  }
  std::set<std::string> unknown;
  for (const ptx::Function& function : module.functions) {
    if (!function.is_entry || !function.has_body) continue;
    const auto program = emu::BuildProgram(module, function.name, symbols);
    EXPECT_TRUE(program.has_value()) << (program ? "" : program.error().ToString());
    if (!program) continue;
    for (const emu::Op& op : (*program)->ops) {
      if (op.kind != emu::OpKind::kUnsupported) continue;
      const emu::Origin& origin = (*program)->origins[op.origin];
      unknown.insert(Joined(*origin.instruction) + " (" + origin.why + ") in " +
                     std::string(function.name));
    }
  }
  return unknown;
}

class ProbesOfEveryArchitecture : public testing::TestWithParam<const char*> {};

TEST_P(ProbesOfEveryArchitecture, AreDecodedWhole) {
  const std::string ptx = CompileProbe("all.cu", GetParam());
  const auto module = ptx::Parse(ptx);
  ASSERT_TRUE(module.has_value()) << module.error().ToString();
  EXPECT_THAT(Unknown(**module), testing::IsEmpty());
  size_t kernels = 0;
  std::set<std::string> emitted;
  for (const ptx::Function& function : (*module)->functions) {
    kernels += function.is_entry && function.has_body ? 1 : 0;
    for (const ptx::Instruction& instruction : function.instructions)
      emitted.insert(Joined(instruction));
  }
  EXPECT_GT(kernels, 70u);
  if (std::string_view(GetParam()) != "90") return;
  // Its forms on the newest architecture; older ones leave out what they do not have.
  std::istringstream list(ReadFile(Probes() + "/opcodes.txt").value_or(""));
  std::vector<std::string> missing;
  size_t listed = 0;
  for (std::string opcode; list >> opcode;) {
    ++listed;
    if (!emitted.contains(opcode)) missing.push_back(opcode);
  }
  EXPECT_GT(listed, 200u);
  EXPECT_THAT(missing, testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Architectures, ProbesOfEveryArchitecture,
                         testing::Values("75", "80", "86", "89", "90"),
                         [](const auto& info) { return std::string("Sm") + info.param; });

TEST(RefusedProbes, NameTheInstructionAndItsLine) {
  Bench bench(CompileProbe("refused.cu", "90"));
  const uint64_t out = bench.Upload(std::vector<int>(256, 1), "out");
  const std::pair<const char*, const char*> kRefused[] = {
      {"bulk_copy", "expect_tx"},  {"cluster_barrier", "barrier.cluster.arrive"},
      {"cluster_address", "mapa"}, {"texture", "tex.2d"},
      {"surface", "suld.b.2d"},    {"heap", "malloc"},
      {"wide_atomic", "b128"},     {"variable_frame", "alloca"}};
  for (const auto& [kernel, instruction] : kRefused) {
    const LaunchOutcome done = bench.Run(kernel, {1}, {32}, 0, out, out);
    EXPECT_EQ(done.status, LaunchOutcome::Status::kUnsupported) << kernel << ": " << done.message;
    EXPECT_THAT(done.message, testing::HasSubstr(instruction));
    EXPECT_THAT(done.message, testing::HasSubstr("refused.cu:"));
  }
}

}  // namespace
}  // namespace kw::eval
