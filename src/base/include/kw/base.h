// base: what every room stands on.
//
//   kw/base/error.h    Result<T>: trouble with the surroundings as a value; KW_CHECK for bugs
//   kw/base/hash.h     content hashes and derived seeds
//   kw/base/random.h   Philox, the one random generator: counter-based, the same on every machine
//   kw/base/clock.h    the clock as an argument
//   kw/base/file.h     whole files, atomically; scratch directories; where the program's data lies
//   kw/base/text.h     small text work: split, trim, the nearest known name
//   kw/base/log.h      messages for people, on stderr
// and, for those who need them (they cost compile time):
//   kw/base/json.h     JSON and TOML values, and a reader that refuses unknown keys
//   kw/base/process.h  child processes with limits; memory_watch.h: what they hold
//
// Example:
//   kw::Result<std::string> text = kw::ReadFile(path);
//   if (!text) return kw::Fail(std::move(text.error()).While("loading the task"));
#pragma once

#include "kw/base/clock.h"   // IWYU pragma: export
#include "kw/base/error.h"   // IWYU pragma: export
#include "kw/base/file.h"    // IWYU pragma: export
#include "kw/base/hash.h"    // IWYU pragma: export
#include "kw/base/log.h"     // IWYU pragma: export
#include "kw/base/random.h"  // IWYU pragma: export
#include "kw/base/text.h"    // IWYU pragma: export
