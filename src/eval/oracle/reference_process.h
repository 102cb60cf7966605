// A running kwright-reference: one task's reference, ready to be called.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kw/base/process.h"
#include "reference_wire.h"

namespace kw::eval {

// Used by one thread at a time. After an error it is of no more use.
class ReferenceProcess {
 public:
  static Result<std::unique_ptr<ReferenceProcess>> Start(const std::string& program,
                                                         const std::string& object);

  // The outputs, one after the other. kInvalid: a fault of the reference, in words that follow
  // "reference.cpp: "; kTimeout: the machine was too slow; kIo, kUnavailable: trouble of ours.
  [[nodiscard]] Result<std::string> Call(const std::vector<ReferenceArgument>& arguments);

 private:
  explicit ReferenceProcess(Child child) : child_(std::move(child)) {}
  Result<std::string> TakeAnswer(char kind, uint64_t max_bytes, int64_t deadline_us);

  Child child_;
};

}  // namespace kw::eval
