// The worker protocol's messages as native types, and their lines
// (docs/formats/worker-protocol.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "kw/eval/worker.h"

namespace kw::eval {

inline constexpr int64_t kProtocolVersion = 1;
inline constexpr size_t kMaxLine = 1 << 20;
inline constexpr size_t kBlobChunk = 512 << 10;     // bytes before base64
inline constexpr uint64_t kMaxBlob = 512ULL << 20;  // bytes of one blob, all chunks

struct HelloMessage {
  int64_t protocol = kProtocolVersion;
  std::string build;  // identity of the programs
  struct DeviceName {
    std::string kind, name, hash;
  };
  std::vector<DeviceName> devices;
  std::string nvcc;  // version, "" where there is none
  std::string cpu;
};
struct EvaluateMessage {
  std::string id, task_hash, candidate_hash;
  std::string object_hash;  // "": the worker compiles
  uint64_t seed = 0;
  Effort effort = Effort::kStandard;
  OracleKind oracle = OracleKind::kFull;
  int64_t wall_ms = 0;                     // 0: the worker's own backstop
  std::vector<KernelResources> resources;  // of the object
  std::optional<Case> only_case;
  std::string dump;  // with only_case: an absolute folder of the worker's machine
};
struct NeedMessage {
  std::vector<std::string> hashes;
};
struct BlobMessage {
  std::string hash;
  uint64_t offset = 0;
  std::string data;  // decoded
  bool last = false;
};
struct ProgressMessage {
  std::string id, stage;
};
struct ResultMessage {
  std::string id;
  Verdict verdict;
};
struct CancelMessage {
  std::string id;
};
struct PingMessage {};
struct PongMessage {};
struct ErrorMessage {
  std::string id;  // "" when it concerns no evaluation
  std::string code, text;
};

using Message =
    std::variant<HelloMessage, EvaluateMessage, NeedMessage, BlobMessage, ProgressMessage,
                 ResultMessage, CancelMessage, PingMessage, PongMessage, ErrorMessage>;

// One line with its end.
std::string FormatMessage(const Message& message);
// kParse names what is wrong. Never more than the line itself is believed.
[[nodiscard]] Result<Message> ParseMessage(std::string_view line);

// A hash as it may name a file: 1 to 128 characters of [0-9a-zA-Z_-].
bool IsHash(std::string_view text);

}  // namespace kw::eval
