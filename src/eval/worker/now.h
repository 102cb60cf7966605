#pragma once

#include <cstdint>

#include "kw/base/clock.h"

namespace kw::eval {

// For deadlines.
inline int64_t NowMs() { return SystemClock().MonotonicMicros() / 1000; }

}  // namespace kw::eval
