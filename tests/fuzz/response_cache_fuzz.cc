// A row of a recording that somebody sent: its packed bytes, and the texts in them. Whatever they
// are: an error of a known kind or an answer, in bounded memory; what was read is written again as
// the same text, and how it differs from another request is said in a bounded, valid text.
//
// The first byte says what the rest is: packed bytes, the text of an answer, the text of a request,
// or a sketch. Texts are packed first, so that mutations reach what is behind the packing.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "kw/base.h"
#include "src/llm/recorded_row.h"
#include "src/llm/request_diff.h"
#include "src/llm/request_sketch.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

void RequireError(const kw::Error& error) {
  Require(error.code == kw::ErrorCode::kCorrupt || error.code == kw::ErrorCode::kLimit ||
          error.code == kw::ErrorCode::kParse || error.code == kw::ErrorCode::kInvalid);
  Require(!error.message.empty() && kw::ToValidUtf8(error.message) == error.message);
}

void ReadAnswer(std::string_view text) {
  const auto answer = kw::recording::DecodeAnswer(text);
  if (!answer) return RequireError(answer.error());
  const std::string again = kw::recording::EncodeAnswer(*answer);
  const auto twice = kw::recording::DecodeAnswer(again);
  Require(twice && kw::recording::EncodeAnswer(*twice) == again);
  Require(kw::ToValidUtf8(answer->content) == answer->content);
}

void ReadRequest(std::string_view text) {
  const auto counted = kw::recording::ParseCanonicalRequest(text);
  if (!counted) return RequireError(counted.error());
  Require(kw::recording::DescribeDifference(*counted, *counted).empty());
  kw::recording::CountedRequest other = *counted;
  other.request.messages.push_back({"user", "more"});
  const std::string difference = kw::recording::DescribeDifference(*counted, other);
  Require(!difference.empty() && difference.size() <= kw::recording::kMaxDiffBytes);
  Require(kw::ToValidUtf8(difference) == difference);
  const std::string sketch = kw::recording::SketchOf(*counted);
  Require(kw::recording::CompareSketches(sketch, sketch).lines == 1);
}

void ReadRow(std::string request, std::string answer, bool has_right_key) {
  kw::recording::StoredRow row;
  const auto text = kw::recording::Unpack(request, "it");
  if (!text) RequireError(text.error());
  if (text && has_right_key) row.key = kw::ContentHash(*text);
  row.request = std::move(request);
  row.answer = std::move(answer);
  const auto call = kw::recording::DescribeRow(row);
  if (!call) return RequireError(call.error());
  Require(has_right_key && call->messages >= 0 && call->prompt_bytes >= 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 4) {
    case 0:
      if (const auto text = kw::recording::Unpack(bytes, "it")) {
        ReadAnswer(*text);
        ReadRequest(*text);
      } else {
        RequireError(text.error());
      }
      ReadRow(bytes, bytes, true);
      break;
    case 1: {
      ReadAnswer(bytes);
      kw::ChatRequest request;
      request.messages = {{"user", "hi"}};
      const std::string text = kw::recording::CanonicalRequest(request, "", 0).value();
      ReadRow(kw::recording::Pack(text), kw::recording::Pack(bytes), size % 2 == 0);
      break;
    }
    case 2:
      ReadRequest(bytes);
      ReadRow(kw::recording::Pack(bytes), kw::recording::Pack(kw::recording::EncodeAnswer({})),
              true);
      break;
    default: {
      const size_t half = bytes.size() / 2;
      const std::string_view all = bytes;
      const auto likeness = kw::recording::CompareSketches(all.substr(0, half), all.substr(half));
      Require(likeness.lines <= 1);
    }
  }
  return 0;
}
