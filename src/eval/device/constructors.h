// What the loader would run of a shared object before anybody could stop it. The guest runs it
// itself, once it has forbidden the last of what the loader needs.
#pragma once

#include <cstdint>
#include <string>

namespace kw::eval {

// Addresses relative to where the object is loaded.
struct Constructors {
  uint64_t init = 0;                    // DT_INIT, 0: none
  uint64_t array = 0, array_bytes = 0;  // DT_INIT_ARRAY: addresses of functions
};

// Takes them out of the object, so that dlopen runs nothing of it but the resolvers of indirect
// functions. An object whose headers are no good is left as it is: the loader says why.
Constructors TakeConstructors(std::string* object);

}  // namespace kw::eval
