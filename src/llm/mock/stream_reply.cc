#include <charconv>

#include "reply.h"

namespace kw::mock {
namespace {

constexpr int kCoalesced = 5, kPieces = 8, kPingEvery = 3;
constexpr std::string_view kLastHttpChunk = "0\r\n\r\n";

bool BeginsWideCharacter(char c) { return static_cast<unsigned char>(c) >= 0xC0; }

// The usage of Anthropic's events stands inside of others: it goes alone.
void DropUsage(std::string& event) {
  constexpr std::string_view kUsage = ",\"usage\":{";
  const size_t at = event.find(kUsage);
  if (at != event.npos) event.erase(at, event.find('}', at) + 1 - at);
}

bool IsInTheMiddle(FaultKind kind) {
  switch (kind) {
    case FaultKind::kResetMid:
    case FaultKind::kCut:
    case FaultKind::kTruncate:
    case FaultKind::kStall:
    case FaultKind::kBadJson:
    case FaultKind::kErrorChunk:
      return true;
    default:
      return false;
  }
}

}  // namespace

StreamReply::StreamReply(const Asked& asked, const Answer& answer, std::optional<Fault> fault,
                         ReplyPace pace, Framing framing)
    : protocol_(asked.protocol),
      newline_(fault && fault->kind == FaultKind::kCrlf ? "\r\n" : "\n"),
      segments_(StreamSegments(asked, answer, newline_)),
      fault_(fault),
      pace_(pace),
      framing_(framing) {
  for (const Segment& segment : segments_) text_bytes_ += segment.text.size;
  ChangeSegments();
}

void StreamReply::ChangeSegments() {
  std::vector<Segment> changed;
  for (Segment& segment : segments_) {
    const bool usage = segment.part == Segment::Part::kUsage;
    if (Is(FaultKind::kNoDone) && segment.part == Segment::Part::kLast) continue;
    if (Is(FaultKind::kNoUsage)) {
      if (usage && protocol_ == Protocol::kChat) continue;
      if (protocol_ == Protocol::kMessages) DropUsage(segment.prefix);
    }
    if (usage && Is(FaultKind::kTwiceUsage)) changed.push_back(segment);
    changed.push_back(std::move(segment));
  }
  segments_ = std::move(changed);
}

Step StreamReply::Write(std::string& out) {
  if (!head_sent_) {
    head_sent_ = true;
    std::vector<Header> headers = {{"Content-Type", "text/event-stream; charset=utf-8"},
                                   {"Cache-Control", "no-cache"}};
    if (framing_.http11) headers.push_back({"Transfer-Encoding", "chunked"});
    out += HttpHead(200, headers, framing_);
    return {Step::Then::kPause, pace_.latency_us};
  }
  if (!pending_.empty()) return WriteSplit(0, out);
  if (FaultIsDue()) {
    fault_made_ = true;
    if (const std::optional<Step> step = MakeFault(out)) return *step;
  }
  event_.clear();
  int texts = 0;
  NextEvent(texts);
  if (Is(FaultKind::kCoalesce)) {
    for (int more = 1; more < kCoalesced && !done(); ++more) NextEvent(texts);
  }
  if (Is(FaultKind::kSplit) || Is(FaultKind::kSplitUtf8)) {
    pending_ = event_;
    return WriteSplit(texts, out);
  }
  Frame(event_, out);
  const Step step{.then = Step::Then::kPaced, .texts = texts};
  return done() ? End(step, out) : step;
}

bool StreamReply::FaultIsDue() const {
  if (!fault_ || fault_made_ || !IsInTheMiddle(fault_->kind) || segment_ == 0) return false;
  return static_cast<double>(sent_) >= fault_->where * static_cast<double>(text_bytes_);
}

std::optional<Step> StreamReply::MakeFault(std::string& out) {
  switch (fault_->kind) {
    case FaultKind::kResetMid:
      return Step{Step::Then::kReset};
    case FaultKind::kCut:
      return End({}, out);
    case FaultKind::kStall:
      return Step{Step::Then::kPause, pace_.stall_us};
    case FaultKind::kTruncate: {
      event_.clear();
      int texts = 0;
      NextEvent(texts);
      std::string framed;
      Frame(event_, framed);
      out.append(framed, 0, framed.size() / 2);
      return Step{Step::Then::kClose};
    }
    case FaultKind::kErrorChunk: {
      std::string event = ErrorEvent(protocol_, newline_);
      if (protocol_ == Protocol::kChat) event += "data: [DONE]" + newline_ + newline_;
      Frame(event, out);
      return End({}, out);
    }
    case FaultKind::kBadJson: {
      Frame(BrokenEvent(segments_[segment_], newline_), out);
      SkipChunk();
      return done() ? End({}, out) : Step{};
    }
    default:
      return std::nullopt;
  }
}

void StreamReply::SkipChunk() {
  const Segment& segment = segments_[segment_];
  if (segment.part == Segment::Part::kText) {
    at_ = ChunkEnd(segment.text);
    if (at_ < segment.text.size) return;
  }
  ++segment_;
  at_ = 0;
}

size_t StreamReply::ChunkEnd(const MockText& text) const {
  const size_t end = text.ChunkEnd(at_, static_cast<size_t>(pace_.chunk_bytes));
  if (!Is(FaultKind::kHalfChar)) return end;
  for (size_t i = at_; i < end; ++i) {
    if (BeginsWideCharacter(text.At(i))) return i + 1;
  }
  return end;
}

void StreamReply::NextEvent(int& texts) {
  if (Is(FaultKind::kPings) && events_ % kPingEvery == 0) {
    event_.append(": ping").append(newline_).append(newline_);
  }
  ++events_;
  const Segment& segment = segments_[segment_];
  event_ += segment.prefix;
  if (segment.part == Segment::Part::kText) {
    const size_t end = ChunkEnd(segment.text);
    chunk_.clear();
    segment.text.Append(at_, end, chunk_);
    AppendJsonEscaped(chunk_, event_);
    sent_ += end - at_;
    ++texts;
  }
  event_ += segment.suffix;
  SkipChunk();
}

Step StreamReply::WriteSplit(int texts, std::string& out) {
  size_t end = pending_.size();
  if (Is(FaultKind::kSplit)) {
    end = std::min(end, 1 + event_.size() / kPieces);
  } else {
    for (size_t i = 0; i + 1 < pending_.size(); ++i) {
      if (!BeginsWideCharacter(pending_[i])) continue;
      end = i + 1;
      break;
    }
  }
  Frame(std::string_view(pending_).substr(0, end), out);
  pending_.erase(0, end);
  if (pending_.empty()) {
    const Step step{.then = Step::Then::kPaced, .texts = texts};
    return done() ? End(step, out) : step;
  }
  // Now and then a pause, so that the client is sure to see the piece alone.
  return {Step::Then::kPause, events_ % 16 == 1 ? 1000 : 0, texts};
}

Step StreamReply::End(Step step, std::string& out) const {
  if (framing_.http11) out += kLastHttpChunk;
  step.then = framing_.http11 ? Step::Then::kFinish : Step::Then::kClose;
  return step;
}

void StreamReply::Frame(std::string_view bytes, std::string& out) const {
  if (!framing_.http11) {
    out += bytes;
    return;
  }
  char size[16];
  char* end = std::to_chars(size, size + sizeof size, bytes.size(), 16).ptr;
  out.append(size, end).append("\r\n").append(bytes).append("\r\n");
}

std::string WholeStream(const Asked& asked, const Answer& answer, const ReplyPace& pace) {
  StreamReply reply(asked, answer, std::nullopt, pace, {.http11 = false});
  std::string events;
  reply.Write(events);
  events.clear();  // the head
  while (reply.Write(events).then == Step::Then::kPaced) {
  }
  return events;
}

}  // namespace kw::mock
