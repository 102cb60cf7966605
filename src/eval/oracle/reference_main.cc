// kwright-reference OBJECT: calls a task's `reference` for the oracle (reference_wire.h), in a
// process of its own because task folders are foreign. Only the pipes to the oracle lead out; the
// object runs nothing before the cage is shut (docs/design/sandbox.md).
#include <dlfcn.h>
#include <fcntl.h>
#include <ffi.h>
#include <link.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "guarded_buffer.h"
#include "kw/base/confine.h"
#include "kw/base/constructors.h"
#include "kw/base/error.h"
#include "kw/base/file.h"
#include "kw/base/process.h"
#include "reference_wire.h"

namespace kw::eval {
namespace {

using Function = void();

constexpr uint64_t kMaxCallBytes = 8ULL << 30;
constexpr rlim_t kCpuSecondsACall = 20;
// A NaN, and an integer, that no reference writes by chance.
constexpr uint64_t kUnwritten = 0x7ff8dead5eed0bad;

int answer_fd = -1;
// What the handler below may look at when the call crashes.
const std::vector<GuardedBuffer>* live_buffers = nullptr;

// Only what is safe after a crash: no allocation.
void AnswerFault(const char* text) {
  const auto length = static_cast<uint32_t>(std::strlen(text));
  char frame[1024];
  const uint64_t payload = 1 + sizeof length + length;
  std::memcpy(frame, &payload, 8);
  frame[8] = 'F';
  std::memcpy(frame + 9, &length, 4);
  std::memcpy(frame + 13, text, length);
  const ssize_t ignored = write(answer_fd, frame, 13 + length);
  static_cast<void>(ignored);
}

void OnCrash(int number, siginfo_t* info, void*) {
  char text[512];
  std::snprintf(text, sizeof text, "it crashed: %s", strsignal(number));
  if (number == SIGABRT) {
    std::snprintf(text, sizeof text, "it aborted (an uncaught exception or a failed check)");
  } else if (number == SIGXCPU) {
    std::snprintf(text, sizeof text, "it took more than %d s of CPU time for one case",
                  static_cast<int>(kCpuSecondsACall));
  } else if ((number == SIGSEGV || number == SIGBUS) && live_buffers != nullptr) {
    std::snprintf(text, sizeof text, "it crashed at an address outside its arguments");
    for (const GuardedBuffer& buffer : *live_buffers) {
      int64_t element = 0;
      if (!buffer.Holds(info->si_addr, &element)) continue;
      const auto count = static_cast<int64_t>(buffer.bytes() / 8);
      const char* what =
          element >= 0 && element < count ? "it wrote to the input" : "it went out of bounds of";
      std::snprintf(text, sizeof text, "%s '%s': element %lld of %lld", what, buffer.name().c_str(),
                    static_cast<long long>(element), static_cast<long long>(count));
    }
  }
  AnswerFault(text);
  _exit(1);
}

void WatchCrashes() {
  static char stack[1 << 16];
  stack_t alternative{};
  alternative.ss_sp = stack;
  alternative.ss_size = sizeof stack;
  sigaltstack(&alternative, nullptr);
  struct sigaction action {};
  action.sa_sigaction = OnCrash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND;
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGXCPU, SIGSYS}) {
    sigaction(number, &action, nullptr);
  }
}

// Everything but computing, memory, the two pipes, and opening to read (for the loader) is refused
// from here on.
bool RefuseCalls() {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  if (filter == nullptr) return false;
  bool good = true;
  for (const int call : {SCMP_SYS(read),          SCMP_SYS(write),          SCMP_SYS(poll),
                         SCMP_SYS(ppoll),         SCMP_SYS(mmap),           SCMP_SYS(munmap),
                         SCMP_SYS(mremap),        SCMP_SYS(mprotect),       SCMP_SYS(madvise),
                         SCMP_SYS(brk),           SCMP_SYS(futex),          SCMP_SYS(rt_sigreturn),
                         SCMP_SYS(rt_sigaction),  SCMP_SYS(rt_sigprocmask), SCMP_SYS(sigaltstack),
                         SCMP_SYS(clock_gettime), SCMP_SYS(getrusage),      SCMP_SYS(setrlimit),
                         SCMP_SYS(getpid),        SCMP_SYS(gettid),         SCMP_SYS(getrandom),
                         SCMP_SYS(sched_yield),   SCMP_SYS(fstat),          SCMP_SYS(newfstatat),
                         SCMP_SYS(close),         SCMP_SYS(pread64),        SCMP_SYS(lseek),
                         SCMP_SYS(seccomp),       SCMP_SYS(exit),           SCMP_SYS(exit_group)}) {
    good = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) == 0 && good;
  }
  // Of itself only.
  good = good && seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
                                  SCMP_A0(SCMP_CMP_EQ, 0)) == 0;
  good = good && seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                  SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(getpid()))) == 0;
  good = good && seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, kWritingFlags, 0)) == 0;
  good = good && seccomp_load(filter) == 0;
  seccomp_release(filter);
  return good;
}

// What could not be had, or nullptr.
const char* Confine() {
  if (!LimitTo(RLIMIT_FSIZE, 0) || !LimitTo(RLIMIT_NPROC, 0) || !LimitTo(RLIMIT_CORE, 0) ||
      !LimitTo(RLIMIT_NOFILE, 64) || !LimitTo(RLIMIT_MEMLOCK, 0) || !LimitTo(RLIMIT_MSGQUEUE, 0)) {
    return "limits";
  }
  if (const char* hole = GiveUpRights()) return hole;
  return RefuseCalls() ? nullptr : "seccomp";
}

void AllowCpuForOneCall() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  rlimit limit{};
  getrlimit(RLIMIT_CPU, &limit);
  limit.rlim_cur =
      static_cast<rlim_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + 1 + kCpuSecondsACall;
  if (limit.rlim_max != RLIM_INFINITY && limit.rlim_cur > limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
  }
  setrlimit(RLIMIT_CPU, &limit);
}

std::string FaultAnswer(std::string_view text) {
  std::string answer = "F";
  const auto length = static_cast<uint32_t>(text.size());
  answer.append(reinterpret_cast<const char*>(&length), sizeof length);
  answer += text;
  return answer;
}

// A buffer's address, or a number, as libffi wants it.
union Slot {
  void* pointer;
  double real;
  int64_t integer;
  uint8_t truth;
};

Result<std::vector<GuardedBuffer>> MakeBuffers(const std::vector<ReferenceArgument>& arguments) {
  std::vector<GuardedBuffer> buffers;
  buffers.reserve(arguments.size());
  for (const ReferenceArgument& argument : arguments) {
    if (!argument.is_input() && !argument.is_output()) continue;
    KW_ASSIGN(GuardedBuffer buffer, GuardedBuffer::Make(argument.name, argument.count));
    if (argument.is_input()) {
      std::memcpy(buffer.data(), argument.bytes.data(), argument.bytes.size());
      buffer.Protect();
    } else {
      for (uint64_t i = 0; i < argument.count; ++i) {
        std::memcpy(buffer.data() + i * 8, &kUnwritten, 8);
      }
    }
    buffers.push_back(std::move(buffer));
  }
  return buffers;
}

bool Invoke(Function* function, const std::vector<ReferenceArgument>& arguments,
            const std::vector<GuardedBuffer>& buffers) {
  using Kind = ReferenceArgument::Kind;
  std::vector<Slot> slots(arguments.size());
  std::vector<void*> values;
  std::vector<ffi_type*> types;
  size_t buffer = 0;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const ReferenceArgument& argument = arguments[i];
    switch (argument.kind) {
      case Kind::kReal:
        slots[i].real = argument.real;
        types.push_back(&ffi_type_double);
        break;
      case Kind::kInteger:
        slots[i].integer = argument.integer;
        types.push_back(&ffi_type_sint64);
        break;
      case Kind::kBool:
        slots[i].truth = argument.integer != 0 ? 1 : 0;
        types.push_back(&ffi_type_uint8);
        break;
      default:
        slots[i].pointer = buffers[buffer++].data();
        types.push_back(&ffi_type_pointer);
    }
    values.push_back(&slots[i]);
  }
  ffi_cif interface;
  if (ffi_prep_cif(&interface, FFI_DEFAULT_ABI, static_cast<unsigned>(types.size()), &ffi_type_void,
                   types.data()) != FFI_OK) {
    return false;
  }
  live_buffers = &buffers;
  ffi_call(&interface, function, nullptr, values.data());
  live_buffers = nullptr;
  return true;
}

// The outputs, or what is wrong with them.
std::string Answer(const std::vector<ReferenceArgument>& arguments,
                   const std::vector<GuardedBuffer>& buffers) {
  std::string answer = "O";
  size_t next = 0;
  for (const ReferenceArgument& argument : arguments) {
    if (!argument.is_input() && !argument.is_output()) continue;
    const GuardedBuffer& buffer = buffers[next++];
    if (!buffer.FrontIntact()) {
      return FaultAnswer("it wrote in front of '" + buffer.name() + "'");
    }
    if (!argument.is_output()) continue;
    for (uint64_t i = 0; i < argument.count; ++i) {
      if (std::memcmp(buffer.data() + i * 8, &kUnwritten, 8) != 0) continue;
      return FaultAnswer("it did not write element " + std::to_string(i) + " of '" + buffer.name() +
                         "'");
    }
    answer.append(buffer.data(), buffer.bytes());
  }
  return answer;
}

std::string Call(Function* function, std::string_view payload) {
  Result<std::vector<ReferenceArgument>> arguments = DecodeReferenceCall(payload);
  if (!arguments) return FaultAnswer(arguments.error().message);
  Result<std::vector<GuardedBuffer>> buffers = MakeBuffers(*arguments);
  if (!buffers) return FaultAnswer(buffers.error().message);
  AllowCpuForOneCall();
  if (!Invoke(function, *arguments, *buffers)) return FaultAnswer("it cannot be called");
  return Answer(*arguments, *buffers);
}

// A memory file with the object, which can be opened when no other file can.
int MemoryFileOf(const std::string& object) {
  const int file = memfd_create("reference", MFD_CLOEXEC);
  if (file >= 0 && !WriteAll(file, object)) return -1;
  return file;
}

// The object's `reference`, called for the first time with the cage shut; nullptr after a fault
// was answered.
Function* Load(const char* path) {
  Result<std::string> object = ReadFile(path);
  if (!object) {
    AnswerFault("its object cannot be read");
    return nullptr;
  }
  if (IndirectFunction(*object)) {
    AnswerFault(
        "it has an indirect function (attribute ifunc or target_clones), whose resolver would run "
        "while it is being loaded: make it an ordinary function");
    return nullptr;
  }
  const Constructors constructors = TakeConstructors(&*object);
  const int file = MemoryFileOf(*object);
  LoadStandardLibraries();
  if (const char* hole = file < 0 ? "memory file" : Confine()) {
    char text[128];
    std::snprintf(text, sizeof text, "its process could not be confined (%s)", hole);
    AnswerFault(text);
    return nullptr;
  }
  const std::string place = "/proc/self/fd/" + std::to_string(file);
  void* library = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
  link_map* map = nullptr;
  if (library == nullptr || dlinfo(library, RTLD_DI_LINKMAP, &map) != 0) {
    AnswerFault("it cannot be loaded");
    return nullptr;
  }
  close(file);
  if (ForbidOpening() != nullptr) {
    AnswerFault("its process could not be confined (the second filter)");
    return nullptr;
  }
  void* symbol = dlsym(library, "reference");
  if (symbol == nullptr) {
    AnswerFault("it has no `extern \"C\" void reference(...)`");
    return nullptr;
  }
  RunConstructors(constructors, map->l_addr);
  return reinterpret_cast<Function*>(symbol);
}

int Main(int argc, char** argv) {
  IgnoreBrokenPipes();
  // What the reference prints must not get between the frames.
  const int calls = fcntl(0, F_DUPFD_CLOEXEC, 10);
  answer_fd = fcntl(1, F_DUPFD_CLOEXEC, 10);
  const int null = open("/dev/null", O_RDWR);
  if (argc != 2 || calls < 0 || answer_fd < 0 || null < 0) return 2;
  for (int fd = 0; fd < 3; ++fd) dup2(null, fd);
  close(null);
  WatchCrashes();
  AllowCpuForOneCall();
  Function* const function = Load(argv[1]);
  if (function == nullptr || !SendFrame(answer_fd, "R", {})) return 1;
  while (true) {
    Result<std::string> call = TakeFrame(calls, kMaxCallBytes, {});
    if (!call) return call.error().code == ErrorCode::kNotFound ? 0 : 1;
    if (!SendFrame(answer_fd, Call(function, *call), {})) return 1;
  }
}

}  // namespace
}  // namespace kw::eval

int main(int argc, char** argv) { return kw::eval::Main(argc, argv); }
