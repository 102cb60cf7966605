// What the loader would run of a shared object before anybody could stop it. Who loads a stranger's
// object takes it out, loads, forbids itself what only the loader needed (confine.h), and runs it:
//
//   if (IndirectFunction(object)) ... refuse it
//   const Constructors constructors = TakeConstructors(&object);
//   ... dlopen(a file with these bytes); ForbidOpening();
//   RunConstructors(constructors, where it was loaded);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kw {

// Addresses relative to where the object is loaded.
struct Constructors {
  uint64_t init = 0;                    // DT_INIT, 0: none
  uint64_t array = 0, array_bytes = 0;  // DT_INIT_ARRAY: addresses of functions
};

// The first indirect function (attribute ifunc or target_clones) of the object: its name, "" where
// it has none. The loader runs its resolver while it binds symbols, and nobody can take that out.
std::optional<std::string> IndirectFunction(std::string_view object);

// Takes them out of the object, so that dlopen runs nothing of it, but for indirect functions. An
// object whose headers are no good is left as it is: the loader says why.
Constructors TakeConstructors(std::string* object);

// As the loader would: DT_INIT first, then the array in order.
void RunConstructors(const Constructors& constructors, uint64_t base);

}  // namespace kw
