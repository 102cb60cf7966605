#include <toml++/toml.h>

#include <functional>

#include "fmt/format.h"
#include "kw/base/file.h"
#include "kw/base/hash.h"
#include "kw/base/text.h"
#include "kw/eval/emulator.h"

namespace kw::eval {
namespace {

struct Key {
  std::function<bool(const toml::node&)> set;
  bool seen = false;
};

template <class T>
Key Number(T* to) {
  return {[to](const toml::node& node) {
    if constexpr (std::is_integral_v<T>) {
      const auto value = node.value<int64_t>();
      if (!node.is_integer() || !value || *value < 0) return false;
      *to = static_cast<T>(*value);
      return true;
    } else {
      const auto value = node.value<double>();
      if (!value || *value < 0) return false;
      *to = *value;
      return true;
    }
  }};
}

}  // namespace

Result<DeviceSheet> LoadDeviceSheet(const std::string& folder, const std::string& name) {
  const std::string path = folder + "/" + name + ".toml";
  if (!FileExists(path)) {
    std::vector<std::string> known;
    KW_ASSIGN(const std::vector<std::string> files, ListDirectory(folder));
    for (const std::string& file : files) {
      if (file.ends_with(".toml")) known.push_back(file.substr(0, file.size() - 5));
    }
    return Fail(ErrorCode::kNotFound, UnknownName("device", name, known));
  }
  KW_ASSIGN(const std::string text, ReadFile(path, 1 << 16));
  DeviceSheet s;
  s.name = name;
  s.hash = ContentHash(text);
  std::map<std::string, Key> keys;
  keys["title"] = {[&](const toml::node& node) {
    if (!node.is_string()) return false;
    s.title = node.value_or(std::string());
    return true;
  }};
  keys["sm"] = Number(&s.sm);
  keys["sm_count"] = Number(&s.sm_count);
  keys["clock_ghz"] = Number(&s.clock_ghz);
  keys["max_threads_per_block"] = Number(&s.max_threads_per_block);
  keys["max_threads_per_sm"] = Number(&s.max_threads_per_sm);
  keys["max_blocks_per_sm"] = Number(&s.max_blocks_per_sm);
  keys["registers_per_sm"] = Number(&s.registers_per_sm);
  keys["shared_per_block"] = Number(&s.shared_per_block);
  keys["shared_per_block_optin"] = Number(&s.shared_per_block_optin);
  keys["shared_per_sm"] = Number(&s.shared_per_sm);
  keys["memory_bytes"] = Number(&s.memory_bytes);
  keys["l2_bytes"] = Number(&s.l2_bytes);
  keys["dram_gbps"] = Number(&s.dram_gbps);
  keys["l2_gbps"] = Number(&s.l2_gbps);
  keys["fp32_tflops"] = Number(&s.fp32_tflops);
  keys["fp64_tflops"] = Number(&s.fp64_tflops);
  keys["fp16_tflops"] = Number(&s.fp16_tflops);
  keys["tensor_fp16_tflops"] = Number(&s.tensor_fp16_tflops);
  keys["tensor_tf32_tflops"] = Number(&s.tensor_tf32_tflops);
  keys["launch_us"] = Number(&s.launch_us);
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& e) {
    return Fail(ErrorCode::kParse, fmt::format("{}:{}: {}", path, e.source().begin.line,
                                               std::string(e.description())));
  }
  std::vector<std::string> names;
  for (const auto& [key, unused] : keys) names.push_back(key);
  for (const auto& [key, value] : table) {
    const auto known = keys.find(std::string(key.str()));
    if (known == keys.end()) {
      return Fail(ErrorCode::kInvalid,
                  fmt::format("{}: {}", path, UnknownName("key", key.str(), names)));
    }
    if (!known->second.set(value)) {
      return Fail(ErrorCode::kInvalid,
                  fmt::format("{}: {} has a value of the wrong kind", path, known->first));
    }
    known->second.seen = true;
  }
  for (const auto& [key, entry] : keys) {
    if (!entry.seen) return Fail(ErrorCode::kInvalid, fmt::format("{}: {} is missing", path, key));
  }
  return s;
}

}  // namespace kw::eval
