// What is written on a connection in answer to one request, step by step: bytes, then what follows.
// Faults are here; sockets and clocks are not.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fault_plan.h"
#include "wire_form.h"

namespace kw::mock {

struct Step {
  enum class Then {
    kPaced,   // the next step comes at the stream's pace
    kPause,   // ... after pause_us
    kFinish,  // the answer is whole as HTTP; the connection may serve another request
    kClose,   // the connection ends
    kReset,   // ... with RST
  };
  Then then = Then::kPaced;
  int64_t pause_us = 0;
  int texts = 0;  // chunks of text in this step
};

class Reply {
 public:
  virtual ~Reply() = default;
  // Appends the next bytes; not called again after kFinish, kClose or kReset.
  virtual Step Write(std::string& out) = 0;
};

// How the client's request lets the answer be framed.
struct Framing {
  bool http11 = true;  // chunks can be sent
  bool close = false;  // the client wants the connection closed, or cannot keep it
};

struct Header {
  std::string name, value;
};
std::string HttpHead(int status, const std::vector<Header>& headers, const Framing& framing);

// A body with a length, perhaps in two pieces with a pause before each.
class PlainReply : public Reply {
 public:
  struct Piece {
    std::string bytes;
    int64_t pause_before_us = 0;
  };
  PlainReply(std::vector<Piece> pieces, Step::Then end) : pieces_(std::move(pieces)), end_(end) {}
  Step Write(std::string& out) override;

 private:
  std::vector<Piece> pieces_;
  size_t next_ = 0;
  bool paused_ = false;
  Step::Then end_;
};

struct ReplyPace {
  int chunk_bytes = 4;
  int64_t latency_us = 0, stall_us = 0;
};

// Server-sent events, with `fault` made in them.
class StreamReply : public Reply {
 public:
  StreamReply(const Asked& asked, const Answer& answer, std::optional<Fault> fault, ReplyPace pace,
              Framing framing);
  Step Write(std::string& out) override;

 private:
  bool Is(FaultKind kind) const { return fault_ && fault_->kind == kind; }
  void ChangeSegments();
  bool FaultIsDue() const;
  // Breaks the stream, or lets it go on changed (nothing).
  std::optional<Step> MakeFault(std::string& out);
  void NextEvent(int& texts);  // appends to event_
  void SkipChunk();
  size_t ChunkEnd(const MockText& text) const;
  Step WriteSplit(int texts, std::string& out);
  Step End(Step step, std::string& out) const;
  void Frame(std::string_view bytes, std::string& out) const;
  bool done() const { return segment_ == segments_.size(); }

  Protocol protocol_;
  std::string newline_;
  std::vector<Segment> segments_;
  size_t segment_ = 0, at_ = 0;       // at_: of the segment's text
  size_t text_bytes_ = 0, sent_ = 0;  // of all segments
  std::optional<Fault> fault_;
  bool fault_made_ = false, head_sent_ = false;
  int events_ = 0;
  ReplyPace pace_;
  Framing framing_;
  std::string event_, chunk_;
  std::string pending_;  // of an event that goes out in pieces
};

// All events of a stream, without head and framing.
std::string WholeStream(const Asked& asked, const Answer& answer, const ReplyPace& pace);

// A body with a length, and `fault` made in it; `delay_us` comes before the head.
std::unique_ptr<Reply> MakePlainReply(std::string body, std::string_view type,
                                      std::optional<Fault> fault, int64_t delay_us,
                                      const ReplyPace& pace, const Framing& framing);

// The faults that come instead of an answer; nullptr for the others. `now_us`: Unix time.
struct RefusalOptions {
  int64_t retry_after_s = 1;
  std::string redirect_to;
};
std::unique_ptr<Reply> MakeRefusal(FaultKind kind, Protocol protocol, std::string_view target,
                                   const RefusalOptions& options, int64_t now_us,
                                   const Framing& framing);
std::unique_ptr<Reply> MakeErrorReply(Protocol protocol, const WireError& error,
                                      std::vector<Header> headers, const Framing& framing);

// Whether a fault can be made in this answer at all, and whether the answer is whole nevertheless.
bool AppliesTo(FaultKind kind, const Asked& asked, const Answer& answer);
bool LeavesWhole(FaultKind kind);

}  // namespace kw::mock
