// extract: from a model's answer to source text, and the structural precheck.
//
// Fails fast, in microseconds, before any compiler. A malformed answer is an attempt that has
// ended: it uses no compile and no test. Where an answer is in doubt it passes, and the compiler
// decides. Pure functions; any thread.
//
//   Extraction taken = ExtractCandidate(answer, "stop", task);
//   if (!taken.ok) feedback = taken.feedback;     // "line 12: '{' is never closed: ..."
#pragma once

#include <string>
#include <string_view>

#include "kw/eval/task.h"

namespace kw::eval {

struct Extraction {
  bool ok = false;
  std::string source;  // the candidate, when ok (and, when it can be told, when not)
  // Stable code when not ok, see docs/formats/verdict.md: empty, truncated, runaway,
  // fence_unclosed, no_code, unbalanced, unterminated, no_entry_point, entry_not_extern_c,
  // wrong_parameters, no_global_kernel, too_large, not_text
  std::string reason;
  std::string feedback;  // what the author should change, with the line where there is one
  int line = 0;          // in `source`, 1-based; 0: none
};

// The last complete code fence that holds an entry point, or the XML file form
// (<file name="kernel.cu">...</file> and FlashInfer-Bench's variants), or bare code.
// finish_reason: as the endpoint gave it ("stop", "length", ...), or
// "runaway" of a stream that was stopped at a loop; "" is unknown.
Extraction ExtractCandidate(std::string_view answer, std::string_view finish_reason,
                            const Task& task);

// The structural check alone, for a file that a user wrote.
Extraction PrecheckSource(std::string_view source, const Task& task);

}  // namespace kw::eval
