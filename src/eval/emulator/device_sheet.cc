#include <filesystem>

#include "kw/base.h"
#include "kw/base/json.h"
#include "kw/eval/emulator.h"

namespace kw::eval {
namespace {

// The names of the sheets in a folder.
Result<std::vector<std::string>> SheetNames(const std::string& folder) {
  std::vector<std::string> names;
  KW_ASSIGN(const std::vector<std::string> files, ListDirectory(folder));
  for (const std::string& file : files) {
    if (file.ends_with(".toml")) names.push_back(file.substr(0, file.size() - 5));
  }
  return names;
}

// Every figure is required and positive: a missing peak would silently become a wrong time.
class FigureReader {
 public:
  explicit FigureReader(ObjectReader& reader) : reader_(reader) {}

  template <class Wide, class Number>
  Result<void> Read(const char* key, Number& to) {
    KW_ASSIGN(const Wide value, reader_.Required<Wide>(key));
    to = static_cast<Number>(value);
    if (value > 0 && static_cast<Wide>(to) == value) return {};
    return Fail(ErrorCode::kInvalid, reader_.where() + ": '" + key + "' is out of range");
  }
  Result<void> Count(const char* key, int& to) { return Read<int64_t>(key, to); }
  Result<void> Bytes(const char* key, int64_t& to) { return Read<int64_t>(key, to); }
  Result<void> Peak(const char* key, double& to) { return Read<double>(key, to); }

 private:
  ObjectReader& reader_;
};

Result<void> ReadLimits(FigureReader& figures, DeviceSheet& sheet) {
  KW_TRY(figures.Count("sm", sheet.sm));
  KW_TRY(figures.Count("sm_count", sheet.sm_count));
  KW_TRY(figures.Count("max_threads_per_block", sheet.max_threads_per_block));
  KW_TRY(figures.Count("max_threads_per_sm", sheet.max_threads_per_sm));
  KW_TRY(figures.Count("max_blocks_per_sm", sheet.max_blocks_per_sm));
  KW_TRY(figures.Count("registers_per_sm", sheet.registers_per_sm));
  KW_TRY(figures.Count("shared_per_block", sheet.shared_per_block));
  KW_TRY(figures.Count("shared_per_block_optin", sheet.shared_per_block_optin));
  KW_TRY(figures.Count("shared_per_sm", sheet.shared_per_sm));
  KW_TRY(figures.Bytes("memory_bytes", sheet.memory_bytes));
  return figures.Bytes("l2_bytes", sheet.l2_bytes);
}

Result<void> ReadPeaks(ObjectReader& reader, FigureReader& figures, DeviceSheet& sheet) {
  KW_TRY(figures.Peak("clock_ghz", sheet.clock_ghz));
  KW_TRY(figures.Peak("dram_gbps", sheet.dram_gbps));
  KW_TRY(figures.Peak("l2_gbps", sheet.l2_gbps));
  KW_TRY(figures.Peak("fp32_tflops", sheet.fp32_tflops));
  KW_TRY(figures.Peak("fp64_tflops", sheet.fp64_tflops));
  KW_TRY(figures.Peak("fp16_tflops", sheet.fp16_tflops));
  KW_TRY(figures.Peak("tensor_fp16_tflops", sheet.tensor_fp16_tflops));
  // 0: the device has no tf32 units.
  KW_ASSIGN(sheet.tensor_tf32_tflops, reader.Required<double>("tensor_tf32_tflops"));
  return figures.Peak("launch_us", sheet.launch_us);
}

}  // namespace

Result<DeviceSheet> LoadDeviceSheet(const std::string& folder, const std::string& name) {
  const bool own = name.ends_with(".toml");
  const std::string path = own ? name : folder + "/" + name + ".toml";
  if ((!own && name.find('/') != name.npos) || !FileExists(path)) {
    KW_ASSIGN(const std::vector<std::string> known, SheetNames(folder));
    return Fail(ErrorCode::kNotFound, UnknownName("device", name, known));
  }
  KW_ASSIGN(const std::string text, ReadFile(path, 1 << 16));
  KW_ASSIGN(const Json json, ParseToml(text, path));
  ObjectReader reader(json, path);
  FigureReader figures(reader);
  DeviceSheet sheet;
  sheet.name = std::filesystem::path(path).stem().string();
  sheet.hash = ContentHash(text);
  KW_ASSIGN(sheet.title, reader.Required<std::string>("title"));
  KW_TRY(ReadLimits(figures, sheet));
  KW_TRY(ReadPeaks(reader, figures, sheet));
  KW_TRY(reader.RejectUnknown());
  return sheet;
}

}  // namespace kw::eval
