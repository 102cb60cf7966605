// Whatever a stream brings: a loop is said once, what stays is the head of what came, the same
// however it was cut into pieces, and what stays holds no loop of that unit any more.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "src/llm/fence_watch.h"
#include "src/llm/runaway_guard.h"

namespace {

using kw::RunawayConfig;
using kw::llm::FenceWatch;
using kw::llm::FoundLoop;
using kw::llm::RunawayGuard;

void Require(bool condition) {
  if (!condition) std::abort();
}

struct Outcome {
  std::optional<FoundLoop> loop;
  int64_t closed = 0;
  bool open = false;
};

// Pieces of 1 to `longest` bytes, as the bytes of the text themselves say.
Outcome Read(std::string_view text, size_t longest, const RunawayConfig& config) {
  RunawayGuard guard(config);
  FenceWatch fences;
  Outcome outcome;
  size_t fed = 0;
  while (fed < text.size()) {
    const size_t wanted = 1 + static_cast<unsigned char>(text[fed]) % longest;
    const std::string_view piece = text.substr(fed, wanted);
    fed += piece.size();
    fences.Feed(piece);
    const std::optional<FoundLoop> loop = guard.Read(text.substr(0, fed));
    if (!loop) continue;
    Require(!outcome.loop);
    outcome.loop = loop;
    Require(loop->kept_bytes <= fed && loop->dropped_bytes >= 0);
    Require(loop->kept_bytes + static_cast<size_t>(loop->dropped_bytes) == fed);
    Require(!loop->unit.empty() && loop->repeats >= config.repeats);
    // It ends with what is kept of the loop.
    const std::string_view kept = text.substr(0, loop->kept_bytes);
    for (int i = 1; i <= config.kept; ++i) {
      const size_t length = loop->unit.size() * static_cast<size_t>(i);
      Require(length <= kept.size() &&
              kept.substr(kept.size() - length, loop->unit.size()) == loop->unit);
    }
  }
  fences.Finish();
  outcome.closed = fences.closed_count();
  outcome.open = fences.open();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  RunawayConfig config;
  config.repeats = 3 + data[0] % 12;
  config.kept = data[0] / 16 % config.repeats;
  const size_t longest = 1 + data[1];
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);

  const Outcome bytes = Read(text, 1, config);
  const Outcome pieces = Read(text, longest, config);
  Require(bytes.closed == pieces.closed && bytes.open == pieces.open);
  // Units of more than 64 characters are found as pieces only, and then before another loop.
  const bool long_unit = pieces.loop && pieces.loop->unit.size() > 64;
  if (!long_unit) {
    Require(bytes.loop.has_value() == pieces.loop.has_value());
    if (bytes.loop) {
      Require(bytes.loop->kept_bytes == pieces.loop->kept_bytes);
      Require(bytes.loop->unit == pieces.loop->unit);
    }
  }
  config.enabled = false;
  Require(!Read(text, longest, config).loop);
  return 0;
}
