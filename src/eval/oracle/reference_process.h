// A running kwright-reference: one task's reference, ready to be called.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kw/base/memory_watch.h"
#include "kw/base/process.h"
#include "reference_wire.h"

namespace kw::eval {

// Used by one thread at a time. After an error it is of no more use.
class ReferenceProcess {
 public:
  static Result<std::unique_ptr<ReferenceProcess>> Start(const std::string& program,
                                                         const std::string& object,
                                                         int64_t memory_bytes);

  // The outputs, one after the other. kInvalid: a fault of the reference, in words that follow
  // "reference.cpp: "; kTimeout: the machine was too slow; kIo, kUnavailable: trouble of ours, or
  // a machine too small for it.
  [[nodiscard]] Result<std::string> Call(const std::vector<ReferenceArgument>& arguments);

 private:
  ReferenceProcess(Child child, int64_t memory_bytes);
  Result<std::string> TakeAnswer(char kind, uint64_t max_bytes, const Patience& patience);
  // From now on, its memory watched.
  Patience WatchedPatience();

  Child child_;
  MemoryWatch memory_;
};

}  // namespace kw::eval
