// Follows the code fences of an answer while it comes, so that a client can ask whether the answer
// is complete as soon as a fence has closed, and knows whether one is open at the end.
//
//   FenceWatch fences;
//   if (fences.Feed(piece) && request.is_complete && request.is_complete(content)) CloseStream();
//
// It reads fences as the extraction of candidates does, so that both see the same ones:
// CommonMark's fences of backticks or tildes, and what models make of them:
//   - any indentation; three marks or more; a closing fence is at least as long as the opening one;
//   - a fence may open behind text ("Here it is: ```cuda") and close behind code ("}```"; not
//   behind
//     a comment);
//   - a fence with an info word inside a fence begins a new one: the outer one was never closed;
//   - a closing fence may have text behind it, but for a single word.
// A line is decided when it ends, as "```" may still become "```cuda": Finish ends the last one.
//
// O(1) time a byte and O(1) memory, however long a line is. Any bytes; pieces may end anywhere.
// One thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace kw::llm {

class FenceWatch {
 public:
  // True when a fence closed within this piece.
  bool Feed(std::string_view piece);
  // The stream has ended, and so has its last line. True when that line closes a fence. Text may
  // not follow.
  bool Finish();

  // A fence is open, by the lines that have ended.
  bool open() const { return open_length_ > 0; }
  int64_t closed_count() const { return closed_; }

 private:
  // What follows a run of marks, with the white space around it taken off.
  struct Rest {
    bool any = false;
    bool has_space = false, has_backtick = false;
    bool word_ended = false;  // by a blank, '{' or ','; more follows
    bool word_is_bad = false;
    int word_size = 0;
    bool blank_waits = false, space_waits = false, odd_waits = false;  // matter if more follows

    void Read(char c);
    bool BeginsWithInfoWord() const;
    bool IsInfoWord() const;
  };
  struct Line {
    bool begun = false;
    char first = 0;  // that is no white space
    char last = 0;
    int64_t head_run = 0;  // marks that the line begins with
    bool in_head_run = false;
    Rest behind_head;
    int64_t tick_run = 0;  // the first backticks, wherever they stand
    bool in_tick_run = false;
    Rest behind_ticks;
    int64_t tail_run = 0;  // the backticks that the line ends with
    bool has_comment = false;
  };

  void Read(char c);
  bool EndLine();
  void Open(char mark, int64_t length);
  bool Close();

  Line line_;
  char open_mark_ = 0;
  int64_t open_length_ = 0;  // 0: none is open
  int64_t closed_ = 0;
};

}  // namespace kw::llm
