// What a guest writes to the ring, in any order and of any kind, neither breaks the emulator device
// nor gets an answer that does not fit the ring; and the call still ends.
//
// The bytes are a program of requests: operation, length of the body, seven values, body. A value
// is a byte: below 128 a small number, else an entry of a table of numbers that mean something
// (addresses, handles, extremes, and what earlier requests returned). A launch with an empty body
// becomes a well-formed one, and so does a call of cuBLAS.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "kw/base/error.h"
#include "src/eval/device/blas_message.h"
#include "src/eval/device/device_service.h"

namespace {

using kw::eval::BeginMessage;
using kw::eval::DeviceService;
namespace ring = kw::eval::ring;

constexpr char kPtx[] = R"(
.version 8.0
.target sm_80
.address_size 64
.global .align 4 .b8 table[64];
.visible .entry copy(.param .u64 from, .param .u64 to, .param .u32 count)
{
  .reg .pred %p<2>;
  .reg .b32 %r<3>;
  .reg .f32 %f<2>;
  .reg .b64 %rd<6>;
  ld.param.u64 %rd1, [from];
  ld.param.u64 %rd2, [to];
  ld.param.u32 %r1, [count];
  mov.u32 %r2, %tid.x;
  setp.ge.u32 %p1, %r2, %r1;
  @%p1 bra DONE;
  mul.wide.u32 %rd3, %r2, 4;
  add.s64 %rd4, %rd1, %rd3;
  add.s64 %rd5, %rd2, %rd3;
  ld.global.f32 %f1, [%rd4];
  st.global.f32 [%rd5], %f1;
DONE:
  ret;
}
)";

class Bytes {
 public:
  Bytes(const uint8_t* data, size_t size) : data_(data), left_(size) {}
  bool empty() const { return left_ == 0; }
  uint8_t Next() { return left_ == 0 ? 0 : (--left_, *data_++); }
  std::string Take(size_t most) {
    size_t count = std::min(most, left_);
    std::string taken(reinterpret_cast<const char*>(data_), count);
    data_ += count;
    left_ -= count;
    return taken;
  }

 private:
  const uint8_t* data_;
  size_t left_;
};

// A launch of `copy` from value 0 to value 1, value 2 threads, on the stream of value 5.
std::string WellFormedLaunch(ring::Request* request) {
  std::string parameters(20, '\0');
  std::memcpy(&parameters[0], &request->values[0], 8);
  std::memcpy(&parameters[8], &request->values[1], 8);
  const auto count = static_cast<uint32_t>(request->values[2]);
  std::memcpy(&parameters[16], &count, 4);
  const uint64_t one = 1 | 1ull << 32;
  const uint64_t launch[] = {0, one, 1 | request->values[2] << 32, one, 0, request->values[5], 0};
  std::copy(std::begin(launch), std::end(launch), request->values);
  return parameters;
}

// A call of cuBLAS that makes sense where its numbers do: function, flags and operations are the
// bits of value 6.
std::string WellFormedBlas(const ring::Request& request) {
  const uint64_t* const v = request.values;
  ring::BlasBody call{};
  std::memcpy(call.name, "cublas", 6);
  call.function = static_cast<uint32_t>(v[6] % ring::kBlasFunctions);
  call.flags = static_cast<uint32_t>(v[6] >> 4 & 3);
  call.transa = static_cast<int32_t>(v[6] >> 5 & 1);
  call.compute = 68;
  call.a = v[1];
  call.b = v[2];
  call.c = v[3];
  call.m = call.lda = call.ldb = call.ldc = static_cast<int64_t>(v[4]);
  call.n = call.k = static_cast<int64_t>(v[5]);
  call.batches = 1 + static_cast<int64_t>(v[6] & 1);
  call.alpha = call.beta = 0x3f800000;
  return {reinterpret_cast<const char*>(&call), sizeof call};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  kw::eval::DeviceSheet sheet;
  sheet.memory_bytes = 1 << 24;
  DeviceService service(kw::eval::OpenMessage{.sheet = sheet, .seed = 1, .memory_bytes = 1 << 20});
  auto loaded = service.LoadPtx({kPtx});
  KW_CHECK(loaded.ok, loaded.text);
  std::string exchange(512, '\x01');
  BeginMessage begin{3, 100'000, exchange.size(), {{"x", false, 0, 256}, {"y", true, 256, 256}}};
  auto began = service.Begin(begin, exchange);
  KW_CHECK(began.ok, began.text);

  std::vector<uint64_t> meanings = {began.addresses[0], began.addresses[1], began.stream, ~0ull,
                                    1ull << 63,         1ull << 32,         1ull << 20,   0x100,
                                    ~0ull - 255};
  ring::Request find{static_cast<uint32_t>(ring::Op::kFindKernel), 4, {}};
  KW_CHECK(service.Serve(find, "copy").error == 0, "the kernel is found");
  Bytes bytes(data, size);
  auto next_value = [&] {
    uint8_t byte = bytes.Next();
    return byte < 128 ? byte : meanings[byte % meanings.size()];
  };
  for (int requests = 0; requests < 200 && !bytes.empty(); ++requests) {
    uint8_t op = bytes.Next(), length = bytes.Next();
    ring::Request request{op < 224 ? 1 + op % ring::kOpCount : op, 0, {}};
    for (uint64_t& value : request.values) value = next_value();
    std::string body = bytes.Take(length);
    if (request.op == static_cast<uint32_t>(ring::Op::kLaunch) && length == 0) {
      body = WellFormedLaunch(&request);
    }
    if (request.op == static_cast<uint32_t>(ring::Op::kBlas) && length == 0) {
      body = WellFormedBlas(request);
    }
    // A length that is not the body's, once in a while.
    request.body_bytes = length == 255 ? ~0u : static_cast<uint32_t>(body.size());
    auto reply = service.Serve(request, body);
    KW_CHECK(reply.body.size() <= ring::kBodyBytes, "a reply fits the ring");
    KW_CHECK(!service.stopped() || reply.sticky != 0, "a stopped device says so");
    if (reply.error == 0 && reply.values[0] > 128) meanings.push_back(reply.values[0]);
    if (meanings.size() > 64) meanings.erase(meanings.begin() + 9);
  }
  auto outcome = service.End({true}, exchange.data());
  KW_CHECK(std::all_of(exchange.begin(), exchange.begin() + 256, [](char c) { return c == 1; }),
           "inputs in the exchange are the worker's");
  auto decoded = kw::eval::DecodeOutcome(kw::eval::EncodeOutcome(outcome));
  KW_CHECK(decoded && decoded->status == outcome.status, "the outcome survives the way");
  return 0;
}
