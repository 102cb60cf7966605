// A row of a recording, from and to bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "kw/response_cache.h"
#include "request_key.h"

namespace kw::recording {

// As the file holds it. Anybody may have made it.
struct StoredRow {
  int64_t id = 0;
  std::string key;              // the content hash of the unpacked request
  std::string request, answer;  // packed
  std::string sketch;
  bool simulated = false;
  int64_t recorded_unix_us = 0;
};

// zstd, with its size and a checksum.
std::string Pack(std::string_view text);
// kCorrupt for bytes that Pack never makes, kLimit for those that say that they hold more than
// kMaxRecordedBytes: nothing is allocated for these. `what` names the bytes in errors.
[[nodiscard]] Result<std::string> Unpack(std::string_view packed, std::string_view what);

// All fields, as JSON.
std::string EncodeAnswer(const ChatAnswer& answer);
[[nodiscard]] Result<ChatAnswer> DecodeAnswer(std::string_view text);

// The request's text, if it is the one that the row's key names.
[[nodiscard]] Result<std::string> RequestTextOf(const StoredRow& row);
[[nodiscard]] Result<ChatAnswer> AnswerOf(const StoredRow& row);
// Both, read whole.
[[nodiscard]] Result<RecordedCall> DescribeRow(const StoredRow& row);

}  // namespace kw::recording
