#include "cudart/trace.h"

#include <dlfcn.h>
#include <string.h>

#include "cudart/client.h"

#define KW_NO_HOOKS __attribute__((no_instrument_function))

namespace kw::cudart {
namespace {

// The call of the runtime that is under way.
struct {
  int depth;
  void* function;
  void* site;
  bool noted;  // its failure
} g_call;
uint64_t g_launch_site = 0;

bool OfProgram() {
  const auto* facts = Facts();
  return facts && facts->program;
}

}  // namespace

uint64_t CallSite() {
  Dl_info info;
  if (!g_call.site || !dladdr(g_call.site, &info)) return 0;
  return Number(g_call.site) - Number(info.dli_fbase);
}

void NoteLaunchSite() { g_launch_site = CallSite(); }

void NoteFailure(Error error) {
  if (g_call.noted || !OfProgram()) return;
  g_call.noted = true;
  Dl_info info;
  const bool named = g_call.function && dladdr(g_call.function, &info) && info.dli_sname;
  const char* name = named ? info.dli_sname : "a call of the runtime";
  const bool launch = strstr(name, "__cudaLaunchKernel") == name;
  const uint64_t values[] = {static_cast<uint64_t>(error), launch ? g_launch_site : CallSite()};
  Call(Op::kCallFailed, values, 2, name, strlen(name));
}

void NoteLookedAt(Error error) {
  if (error != eval::kCudaSuccess && OfProgram()) Ask(Op::kErrorLookedAt, error);
}

}  // namespace kw::cudart

// The compiler calls these at each function of this library, inlined ones too (-finstrument-
// functions): the first on the way in is the one that was called from outside.
extern "C" KW_NO_HOOKS void __cyg_profile_func_enter(void* function, void* site) {
  using kw::cudart::g_call;
  if (g_call.depth++ == 0) g_call = {1, function, site, false};
}
extern "C" KW_NO_HOOKS void __cyg_profile_func_exit(void*, void*) { --kw::cudart::g_call.depth; }
