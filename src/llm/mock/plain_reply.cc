#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "reply.h"

namespace kw::mock {
namespace {

using Pieces = std::vector<PlainReply::Piece>;
using Then = Step::Then;

constexpr std::string_view kPage =
    "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\n<body><center><h1>502 Bad "
    "Gateway</h1></center><hr><center>mock</center></body></html>\n";

std::string_view ReasonOf(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 307:
      return "Temporary Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Content Too Large";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    default:
      return "Overloaded";
  }
}

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7), whatever the locale.
std::string HttpDate(int64_t unix_s) {
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const time_t seconds = unix_s;
  tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[utc.tm_wday], utc.tm_mday,
                     kMonths[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

std::string WithHead(int status, std::vector<Header> headers, std::string_view type, size_t length,
                     std::string_view body, const Framing& framing) {
  headers.insert(headers.begin(), {"Content-Type", std::string(type)});
  headers.push_back({"Content-Length", std::to_string(length)});
  return HttpHead(status, headers, framing).append(body);
}

std::unique_ptr<Reply> One(std::string bytes, Then end = Then::kFinish, int64_t delay_us = 0) {
  return std::make_unique<PlainReply>(Pieces{{std::move(bytes), delay_us}}, end);
}

Pieces CutIntoPieces(const std::string& whole, size_t bytes, int64_t delay_us) {
  Pieces pieces;
  for (size_t at = 0; at < whole.size(); at += bytes) {
    pieces.push_back({whole.substr(at, bytes), pieces.empty() ? delay_us : 1000});
  }
  return pieces;
}

// Cut behind the first byte of some wide characters.
Pieces CutInCharacters(const std::string& whole, int64_t delay_us) {
  constexpr size_t kMost = 8;
  Pieces pieces;
  size_t from = 0;
  for (size_t i = 0; i + 1 < whole.size() && pieces.size() < kMost; ++i) {
    if (static_cast<unsigned char>(whole[i]) < 0xC0) continue;
    pieces.push_back({whole.substr(from, i + 1 - from), pieces.empty() ? delay_us : 1000});
    from = i + 1;
  }
  pieces.push_back({whole.substr(from), pieces.empty() ? delay_us : 1000});
  return pieces;
}

}  // namespace

std::string HttpHead(int status, const std::vector<Header>& headers, const Framing& framing) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", status, ReasonOf(status));
  for (const Header& header : headers) head += header.name + ": " + header.value + "\r\n";
  if (framing.close) head += "Connection: close\r\n";
  return head + "\r\n";
}

Step PlainReply::Write(std::string& out) {
  const Piece& piece = pieces_[next_];
  if (!paused_ && piece.pause_before_us > 0) {
    paused_ = true;
    return {Then::kPause, piece.pause_before_us};
  }
  paused_ = false;
  out += piece.bytes;
  if (++next_ == pieces_.size()) return {end_};
  return {Then::kPause, 0};
}

std::unique_ptr<Reply> MakePlainReply(std::string body, std::string_view type,
                                      std::optional<Fault> fault, int64_t delay_us,
                                      const ReplyPace& pace, const Framing& framing) {
  const auto answer = [&](size_t length, std::string_view bytes) {
    return WithHead(200, {}, type, length, bytes, framing);
  };
  const std::string whole = answer(body.size(), body);
  if (!fault) return One(whole, Then::kFinish, delay_us);
  const size_t half = static_cast<size_t>(fault->where * static_cast<double>(body.size()));
  const size_t half_whole = whole.size() - body.size() + half;
  switch (fault->kind) {
    case FaultKind::kSlowHead:
      return One(whole, Then::kFinish, delay_us + pace.stall_us);
    case FaultKind::kLongLength:
      return One(answer(body.size() + 100, body), Then::kClose, delay_us);
    case FaultKind::kShortLength:
      return One(answer(body.size() - body.size() / 3, body), Then::kClose, delay_us);
    case FaultKind::kResetMid:
      return One(whole.substr(0, half_whole), Then::kReset, delay_us);
    case FaultKind::kCut:
      return One(answer(half, std::string_view(body).substr(0, half)), Then::kFinish, delay_us);
    case FaultKind::kTruncate:
      return One(whole.substr(0, half_whole), Then::kClose, delay_us);
    case FaultKind::kStall:
      return std::make_unique<PlainReply>(Pieces{{whole.substr(0, half_whole), delay_us},
                                                 {whole.substr(half_whole), pace.stall_us}},
                                          Then::kFinish);
    case FaultKind::kBadJson:
      body.insert(1, ",");
      return One(answer(body.size(), body), Then::kFinish, delay_us);
    case FaultKind::kSplit:
      return std::make_unique<PlainReply>(CutIntoPieces(whole, 1 + whole.size() / 8, delay_us),
                                          Then::kFinish);
    case FaultKind::kSplitUtf8:
      return std::make_unique<PlainReply>(CutInCharacters(whole, delay_us), Then::kFinish);
    default:
      return One(whole, Then::kFinish, delay_us);
  }
}

std::unique_ptr<Reply> MakeErrorReply(Protocol protocol, const WireError& error,
                                      std::vector<Header> headers, const Framing& framing) {
  const std::string body = ErrorBody(protocol, error);
  return One(
      WithHead(error.status, std::move(headers), "application/json", body.size(), body, framing));
}

std::unique_ptr<Reply> MakeRefusal(FaultKind kind, Protocol protocol, std::string_view target,
                                   const RefusalOptions& options, int64_t now_us,
                                   const Framing& framing) {
  const auto error = [&](int status, const char* type, const char* words,
                         std::vector<Header> headers = {}) {
    return MakeErrorReply(protocol, {status, type, "", words}, std::move(headers), framing);
  };
  const auto page = [&](int status) {
    return One(WithHead(status, {}, "text/html", kPage.size(), kPage, framing));
  };
  const std::string seconds = std::to_string(options.retry_after_s);
  switch (kind) {
    case FaultKind::k429:
      return error(429, "rate_limit_exceeded", "Rate limit reached (simulated)",
                   {{"Retry-After", seconds}});
    case FaultKind::k429Date:
      return error(429, "rate_limit_exceeded", "Rate limit reached (simulated)",
                   {{"Retry-After", HttpDate(now_us / 1'000'000 + options.retry_after_s)}});
    case FaultKind::k500:
      return error(500, "server_error", "The server had an error (simulated)");
    case FaultKind::k502:
      return page(502);
    case FaultKind::k503:
      return error(503, "server_error", "The model is loading (simulated)",
                   {{"Retry-After", seconds}});
    case FaultKind::k529:
      return error(529, "overloaded_error", "Overloaded (simulated)");
    case FaultKind::kReset:
      return One("", Then::kReset);
    case FaultKind::kRedirect:
      return One(WithHead(307, {{"Location", options.redirect_to + std::string(target)}},
                          "text/plain", 0, "", framing));
    case FaultKind::kHtml:
      return page(200);
    case FaultKind::kEmpty:
      return One(WithHead(200, {}, "application/json", 0, "", framing));
    default:
      return nullptr;
  }
}

bool AppliesTo(FaultKind kind, const Asked& asked, const Answer& answer) {
  const bool embeddings = asked.protocol == Protocol::kEmbeddings;
  const auto is_wide = [](const MockText& text) {
    return std::any_of(text.base->begin(),
                       text.base->begin() + std::min(text.size, text.base->size()),
                       [](char c) { return static_cast<unsigned char>(c) >= 0xC0; });
  };
  switch (kind) {
    case FaultKind::kPlainJson:
    case FaultKind::kNoDone:
    case FaultKind::kCrlf:
    case FaultKind::kPings:
    case FaultKind::kCoalesce:
      return asked.stream;
    case FaultKind::kTwiceUsage:
      return asked.stream && (asked.include_usage || asked.protocol == Protocol::kMessages);
    case FaultKind::kNoUsage:
      return !asked.stream || asked.include_usage || asked.protocol == Protocol::kMessages;
    case FaultKind::kHalfChar:
      return asked.stream && (is_wide(answer.content) || is_wide(answer.reasoning));
    case FaultKind::kSplitUtf8:
      return !embeddings && (is_wide(answer.content) || is_wide(answer.reasoning));
    default:
      return true;
  }
}

bool LeavesWhole(FaultKind kind) {
  switch (kind) {
    case FaultKind::kSlowHead:
    case FaultKind::kPlainJson:
    case FaultKind::kStall:
    case FaultKind::kNoUsage:
    case FaultKind::kTwiceUsage:
    case FaultKind::kCrlf:
    case FaultKind::kPings:
    case FaultKind::kCoalesce:
    case FaultKind::kSplit:
    case FaultKind::kSplitUtf8:
    case FaultKind::kHalfChar:
      return true;
    default:
      return false;
  }
}

}  // namespace kw::mock
