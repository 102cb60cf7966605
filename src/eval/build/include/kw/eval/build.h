// build: from source to a loadable object: nvcc for candidates, g++ for references; the
// content-addressed build cache; diagnostics trimmed to what the author needs.
//
//   KW_ASSIGN(Builder builder, Builder::Make({.cache = cache + "/build"}));
//   KW_ASSIGN(BuildOutcome outcome, builder.BuildCandidate(source, {.sm = 80}));
//   if (!outcome.ok) verdict = COMPILE_ERROR with outcome.feedback;
//
// A compiler that rejects the source is an outcome, not an error; compilers run confined by CPU
// time, memory and output size. Thread-safe; several processes may share one cache.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kw/base/error.h"

namespace kw::eval {

// What the object must carry.
struct BuildTarget {
  int sm = 80;           // compute capability * 10
  bool ptx_only = true;  // the emulator's form: PTX of compute_<sm>, no SASS
  // Of programs: folders to include from, which the compilers may then read (absolute; nothing is
  // taken from the cache, whose key does not know their files) and macros ("NAME=VALUE").
  std::vector<std::string> include_folders = {}, definitions = {};
  // Names of libraries that the source may use besides the runtime ("cublas"). It is linked with
  // the emulator's library of that name where there is one, and so with its name: an object runs as
  // well with NVIDIA's own. The library's headers are the toolkit's, or stand in for them.
  std::vector<std::string> libraries = {};
  // A program of one's own: addr2line shall know the host code's lines, and the two extensions that
  // projects' builds commonly ask nvcc for are on (__device__ lambdas, constexpr host functions in
  // device code).
  bool whole_program = false;
};

struct KernelResources {  // from ptxas -v, per kernel (mangled name)
  std::string kernel;
  int registers = 0, spill_bytes = 0, static_shared_bytes = 0, stack_bytes = 0;
};

// Registers a thread, by kernel.
std::map<std::string, int, std::less<>> RegistersOf(const std::vector<KernelResources>& resources);

struct BuildOutcome {
  bool ok = false;
  std::string object_hash;                 // names the object in the cache
  std::string object_path;                 // the shared object
  std::vector<KernelResources> resources;  // empty where ptxas did not run
  bool from_cache = false;
  int64_t wall_us = 0;
  // When not ok:
  std::string reason;    // "compile_error", "compile_timeout", "link_error"
  std::string feedback;  // file:line: message, the source line, at most 20 lines
  // The machine ended it (wall clock, memory), not the source: never cached, worth one retry.
  bool environmental = false;
};

struct ToolchainInfo {
  std::string nvcc_path, nvcc_version;  // "" when there is no nvcc
  std::string gxx_path, gxx_version;
};

struct BuilderConfig {
  std::string cache;                 // directory
  std::string nvcc;                  // "" = found: $KWRIGHT_NVCC, $PATH, $CUDA_HOME, the venv
  std::string libraries;             // folder of libcublas.so.13 and cublas/cublas_v2.h; "" = lib
                                     // beside this program
  int64_t compile_cpu_seconds = 25;  // of all steps of one build together
  int64_t wall_ms = 50'000;          // backstop
  int64_t memory_bytes = 3LL << 30;  // of one compiler process
  int64_t source_bytes = 4 << 20;
};

class Builder {
 public:
  static Result<Builder> Make(BuilderConfig config);
  Builder(Builder&&) noexcept;
  Builder& operator=(Builder&&) noexcept;
  ~Builder();

  const ToolchainInfo& toolchain() const;
  // kUnavailable when there is no nvcc, saying how to get one.
  [[nodiscard]] Result<BuildOutcome> BuildCandidate(const std::string& source,
                                                    const BuildTarget& target);
  // reference.cpp: -std=c++17 -O2 -ffp-contract=off, standard library only.
  [[nodiscard]] Result<BuildOutcome> BuildReference(const std::string& source);
  // The cached object of a hash, if it is there.
  std::optional<std::string> FindObject(const std::string& object_hash) const;
  // Takes an object that came from elsewhere (a worker's blob); kCorrupt when the hash differs.
  [[nodiscard]] Result<std::string> StoreObject(const std::string& object_hash,
                                                const std::string& bytes);

 private:
  struct Impl;
  explicit Builder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kw::eval
