// What cuBLAS refuses, and what a call means: a pure function of the guest's message, of which
// nothing is believed.
#pragma once

#include <string>

#include "blas_message.h"
#include "kw/eval/blas.h"

namespace kw::eval {

struct BlasVerdict {
  ring::BlasStatus status = ring::kBlasSuccess;
  std::string text;          // what is wrong, for the author
  bool unsupported = false;  // cuBLAS has it, and the emulator has not
  bool nonsense = false;     // no library of ours sends this
  bool nothing = false;      // a size is zero: there is nothing to do
  bool to_host = false;      // the result goes back with the answer
  BlasCall call;
};
BlasVerdict CheckBlas(const ring::BlasBody& body);

}  // namespace kw::eval
