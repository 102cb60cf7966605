// What the worker says to the emulator device (frames on a stream socket) and to the guest
// (packets): docs/formats/guest-protocol.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kw/base/constructors.h"
#include "kw/eval/device.h"

namespace kw::eval {

enum class Message : uint32_t {
  kOpen = 1,  // worker -> emulator: OpenMessage; answered by
  kReady,     // LoadedMessage: the PTX is read, the ring is served from now on
  kBegin,     // worker -> emulator: BeginMessage; answered by
  kBegan,     // BeganMessage; the ring is served until kEnd
  kStopped,   // emulator -> worker, unasked, in a call: nothing more will come of it; send kEnd
  kEnd,       // worker -> emulator: EndMessage; answered by
  kEnded,     // CallOutcome without its outputs, which lie in the exchange
  kCaged,     // guest -> worker, unasked, once: LoadedMessage: it has shed its privileges
  kLoad,      // worker -> guest: Constructors; answered by
  kLoaded,    // LoadedMessage
  kCall,      // worker -> guest: GuestCall; answered by
  kDone,      // the number of the call
};

struct OpenMessage {
  DeviceSheet sheet;
  uint64_t seed = 0;
  int64_t memory_bytes = 0;        // that the guest may have allocated at once
  int threads = 1;                 // EmulatorDeviceConfig::threads
  bool program = false;            // EmulatorDeviceConfig::program
  KernelRegisters registers = {};  // OpenRequest::registers
};

struct LoadedMessage {
  bool ok = false;
  bool unsupported = false;
  std::string text;
};

struct BufferSpec {
  std::string name;
  bool output = false;
  uint64_t offset = 0, bytes = 0;  // in the exchange
};

struct BeginMessage {
  uint64_t seed = 0, budget = 0, exchange_bytes = 0;
  std::vector<BufferSpec> buffers;
  bool reuse_buffers = false;
};

struct BeganMessage {
  bool ok = false;
  std::string text;
  uint64_t stream = 0;
  std::vector<uint64_t> addresses;  // one a buffer
};

struct EndMessage {
  bool drain = true;  // false: the guest is gone, run nothing more
};

enum class ValueKind : uint8_t {
  kPointer,
  kInt64,
  kInt32,
  kInt16,
  kInt8,
  kUInt8,
  kFloat,
  kDouble,
};
struct GuestValue {
  ValueKind kind;
  uint64_t bits;
};
struct GuestCall {
  uint64_t number = 0;
  std::vector<GuestValue> values;  // the stream is the last
};

std::string Encode(const OpenMessage& message);
std::string Encode(const LoadedMessage& message);
std::string Encode(const Constructors& message);
std::string Encode(const BeginMessage& message);
std::string Encode(const BeganMessage& message);
std::string Encode(const EndMessage& message);
std::string Encode(const GuestCall& message);
std::string EncodeOutcome(const CallOutcome& outcome);

// Nothing when the bytes are not such a message.
std::optional<OpenMessage> DecodeOpen(std::string_view bytes);
std::optional<LoadedMessage> DecodeLoaded(std::string_view bytes);
std::optional<Constructors> DecodeConstructors(std::string_view bytes);
std::optional<BeginMessage> DecodeBegin(std::string_view bytes);
std::optional<BeganMessage> DecodeBegan(std::string_view bytes);
std::optional<EndMessage> DecodeEnd(std::string_view bytes);
std::optional<GuestCall> DecodeGuestCall(std::string_view bytes);
std::optional<CallOutcome> DecodeOutcome(std::string_view bytes);

}  // namespace kw::eval
