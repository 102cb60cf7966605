#include "recorded_row.h"

#include <fmt/format.h>
#include <zstd.h>

#include <climits>
#include <memory>

#include "kw/base.h"
#include "kw/base/json.h"

namespace kw::recording {
namespace {

constexpr std::string_view kAnswer = "the recorded answer";

Json UsageToJson(const TokenUsage& usage) {
  return {{"prompt", usage.prompt},
          {"completion", usage.completion},
          {"cached", usage.cached},
          {"reasoning", usage.reasoning},
          {"estimated", usage.estimated}};
}

Json RunawayToJson(const RunawayLoop& loop) {
  return {{"unit", loop.unit},
          {"repeats", loop.repeats},
          {"in_reasoning", loop.in_reasoning},
          {"dropped_bytes", loop.dropped_bytes},
          {"tokens_saved", loop.tokens_saved}};
}

Result<int64_t> ReadCount(ObjectReader& reader, const std::string& key) {
  KW_ASSIGN(const int64_t count, reader.Required<int64_t>(key));
  if (count >= 0) return count;
  return Fail(ErrorCode::kInvalid, fmt::format("{}: '{}' is {}", reader.where(), key, count));
}

const Json& MemberOrNull(ObjectReader& reader, const std::string& key) {
  static const Json null;
  const Json* member = reader.Find(key);
  return member == nullptr ? null : *member;
}

Result<TokenUsage> ReadUsage(const Json& json) {
  ObjectReader reader(json, fmt::format("{}: usage", kAnswer));
  TokenUsage usage;
  KW_ASSIGN(usage.prompt, ReadCount(reader, "prompt"));
  KW_ASSIGN(usage.completion, ReadCount(reader, "completion"));
  KW_ASSIGN(usage.cached, ReadCount(reader, "cached"));
  KW_ASSIGN(usage.reasoning, ReadCount(reader, "reasoning"));
  KW_ASSIGN(usage.estimated, reader.Required<bool>("estimated"));
  KW_TRY(reader.RejectUnknown());
  return usage;
}

Result<RunawayLoop> ReadRunaway(const Json& json) {
  ObjectReader reader(json, fmt::format("{}: runaway", kAnswer));
  RunawayLoop loop;
  KW_ASSIGN(loop.unit, reader.Required<std::string>("unit"));
  KW_ASSIGN(loop.repeats, ReadCount(reader, "repeats"));
  KW_ASSIGN(loop.in_reasoning, reader.Required<bool>("in_reasoning"));
  KW_ASSIGN(loop.dropped_bytes, ReadCount(reader, "dropped_bytes"));
  KW_ASSIGN(loop.tokens_saved, ReadCount(reader, "tokens_saved"));
  KW_TRY(reader.RejectUnknown());
  return loop;
}

tl::unexpected<Error> FailCorrupt(std::string_view what, std::string_view why) {
  return Fail(ErrorCode::kCorrupt, fmt::format("{} is damaged: {}", what, why));
}

}  // namespace

std::string Pack(std::string_view text) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                     &ZSTD_freeCCtx);
  KW_CHECK(context != nullptr, "no memory to compress with");
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  const size_t size =
      ZSTD_compress2(context.get(), packed.data(), packed.size(), text.data(), text.size());
  KW_CHECK(ZSTD_isError(size) == 0, ZSTD_getErrorName(size));
  packed.resize(size);
  return packed;
}

Result<std::string> Unpack(std::string_view packed, std::string_view what) {
  const unsigned long long said = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (said == ZSTD_CONTENTSIZE_ERROR || said == ZSTD_CONTENTSIZE_UNKNOWN) {
    return FailCorrupt(what, "no zstd data that says its size");
  }
  if (said > kMaxRecordedBytes) {
    return Fail(ErrorCode::kLimit,
                fmt::format("{} says that it holds {} bytes; at most {} are read", what, said,
                            kMaxRecordedBytes));
  }
  std::string text(static_cast<size_t>(said), '\0');
  const size_t size = ZSTD_decompress(text.data(), text.size(), packed.data(), packed.size());
  if (ZSTD_isError(size) != 0) return FailCorrupt(what, ZSTD_getErrorName(size));
  if (size != text.size()) return FailCorrupt(what, "it holds less than it says");
  return text;
}

std::string EncodeAnswer(const ChatAnswer& answer) {
  Json json;
  json["content"] = answer.content;
  json["reasoning"] = answer.reasoning;
  json["finish_reason"] = answer.finish_reason;
  json["model"] = answer.model;
  json["usage"] = UsageToJson(answer.usage);
  if (answer.runaway) json["runaway"] = RunawayToJson(*answer.runaway);
  json["cost_usd"] = answer.cost_usd;
  json["latency_us"] = answer.latency_us;
  json["first_token_us"] = answer.first_token_us;
  json["retries"] = answer.retries;
  return DumpJson(json);
}

Result<ChatAnswer> DecodeAnswer(std::string_view text) {
  KW_TRY(CheckJsonSize(text, kAnswer));
  KW_ASSIGN(const Json json, ParseJson(text, kAnswer));
  ObjectReader reader(json, std::string(kAnswer));
  ChatAnswer answer;
  KW_ASSIGN(answer.content, reader.Required<std::string>("content"));
  KW_ASSIGN(answer.reasoning, reader.Required<std::string>("reasoning"));
  KW_ASSIGN(answer.finish_reason, reader.Required<std::string>("finish_reason"));
  KW_ASSIGN(answer.model, reader.Required<std::string>("model"));
  KW_ASSIGN(answer.usage, ReadUsage(MemberOrNull(reader, "usage")));
  if (reader.Has("runaway")) {
    KW_ASSIGN(answer.runaway, ReadRunaway(MemberOrNull(reader, "runaway")));
  }
  KW_ASSIGN(answer.cost_usd, reader.Required<double>("cost_usd"));
  KW_ASSIGN(answer.latency_us, ReadCount(reader, "latency_us"));
  KW_ASSIGN(answer.first_token_us, ReadCount(reader, "first_token_us"));
  KW_ASSIGN(const int64_t retries, ReadCount(reader, "retries"));
  if (retries > INT_MAX) {
    return Fail(ErrorCode::kInvalid, fmt::format("{}: 'retries' is {}", kAnswer, retries));
  }
  answer.retries = static_cast<int>(retries);
  KW_TRY(reader.RejectUnknown());
  return answer;
}

Result<std::string> RequestTextOf(const StoredRow& row) {
  KW_ASSIGN(std::string text, Unpack(row.request, "the recorded request"));
  if (ContentHash(text) != row.key) {
    return FailCorrupt("the recorded request", "its key is not its hash");
  }
  return text;
}

Result<ChatAnswer> AnswerOf(const StoredRow& row) {
  KW_ASSIGN(const std::string text, Unpack(row.answer, kAnswer));
  return DecodeAnswer(text);
}

Result<RecordedCall> DescribeRow(const StoredRow& row) {
  KW_ASSIGN(const std::string text, RequestTextOf(row));
  KW_ASSIGN(const CountedRequest counted, ParseCanonicalRequest(text));
  KW_ASSIGN(const ChatAnswer answer, AnswerOf(row));
  RecordedCall call;
  call.key = row.key;
  call.model = counted.request.model;
  call.variant = counted.variant;
  call.temperature = counted.request.temperature;
  call.seed = counted.request.seed;
  call.occurrence = counted.occurrence;
  call.messages = static_cast<int64_t>(counted.request.messages.size());
  for (const ChatMessage& message : counted.request.messages) {
    call.prompt_bytes += static_cast<int64_t>(message.content.size());
  }
  call.answer_bytes = static_cast<int64_t>(answer.content.size() + answer.reasoning.size());
  call.finish_reason = answer.finish_reason;
  call.usage = answer.usage;
  call.cost_usd = answer.cost_usd;
  call.simulated = row.simulated;
  call.recorded_unix_us = row.recorded_unix_us;
  return call;
}

}  // namespace kw::recording
