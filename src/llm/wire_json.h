// JSON as endpoints write it: read leniently, since nothing about it is promised.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "kw/base/error.h"
#include "kw/base/json.h"

namespace kw::llm {

// Of an answer that an error shows.
inline constexpr size_t kShownBytes = 300;

// Bytes that are no UTF-8, and halves of surrogate pairs, become U+FFFD: one broken character must
// not cost the whole answer. kParse shows how the body begins.
Result<Json> ParseBody(std::string_view body);

// The same of an event of a stream, whose texts may begin or end inside a character: bytes that are
// no UTF-8 stand in them as marks (utf8_joiner.h), where `marked` says so.
Result<Json> ParseEvent(std::string_view data, bool* marked);

// The data of an event (SseParser::kPadding bytes behind it may be read), as it is; the next one
// takes its place. One parser serves a thread: with a thousand streams, those of each would never
// be in the processor's caches.
simdjson::simdjson_result<simdjson::dom::element> ParsePlainEvent(std::string_view data);

// Null where the object has no such member, or it is null.
const Json* Member(const Json& json, const char* key);
// "" where it is no text.
std::string StringMember(const Json& json, const char* key);
// Absent or odd counts are 0: usage is a courtesy of the endpoint. `object` may be null.
int64_t CountMember(const Json* object, const char* key);

// The endpoint's own words in the body of an error answer: the message (and kind) of the common
// JSON forms, the text of an HTML page, else the body as it is; one line. "" when the body says
// nothing.
std::string ErrorWords(std::string_view body);

}  // namespace kw::llm
