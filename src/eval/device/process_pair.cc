#include "process_pair.h"

#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "guest_output.h"
#include "kw/base/file.h"

namespace kw::eval {
namespace {

Result<std::pair<Descriptor, Descriptor>> SocketPair(int type) {
  int ends[2];
  if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) != 0) {
    return Fail(ErrorCode::kIo, std::string("socketpair: ") + std::strerror(errno));
  }
  return std::pair(Descriptor(ends[0]), Descriptor(ends[1]));
}

ProcessSpec ProgramSpec(std::string program, std::vector<std::pair<int, int>> descriptors) {
  ProcessSpec spec;
  spec.argv = {std::move(program)};
  spec.descriptors = std::move(descriptors);
  spec.no_new_privileges = true;
  spec.die_with_parent = true;
  spec.expendable = true;
  return spec;
}

}  // namespace

Result<ProcessPair> ProcessPair::Start(const EmulatorDeviceConfig& config) {
  KW_ASSIGN(Descriptor object, EmptyFile("object"));
  KW_ASSIGN(Descriptor guest_object, EmptyFile("object"));
  KW_ASSIGN(Descriptor guest_library, EmptyFile("library"));
  KW_ASSIGN(Ring ring, Ring::Make());
  KW_ASSIGN(Exchange exchange, Exchange::Make());
  KW_ASSIGN(auto channel, SocketPair(SOCK_STREAM));
  KW_ASSIGN(auto control, SocketPair(SOCK_SEQPACKET));
  Descriptor doorbell(eventfd(0, EFD_CLOEXEC));
  if (doorbell.get() < 0) return Fail(ErrorCode::kIo, "eventfd failed");

  const std::string programs = config.programs.empty() ? ProgramDirectory() : config.programs;
  ProcessSpec emulator_spec =
      ProgramSpec(programs + "/kwright-emulator", {{channel.second.get(), ring::kEmulatorChannelFd},
                                                   {ring.fd(), ring::kEmulatorRingFd},
                                                   {doorbell.get(), ring::kEmulatorDoorbellFd},
                                                   {object.get(), ring::kEmulatorObjectFd},
                                                   {exchange.fd(), ring::kEmulatorExchangeFd}});
  ProcessSpec guest_spec =
      ProgramSpec(programs + "/kwright-guest", {{ring.fd(), ring::kGuestRingFd},
                                                {doorbell.get(), ring::kGuestDoorbellFd},
                                                {control.second.get(), ring::kGuestControlFd},
                                                {guest_object.get(), ring::kGuestObjectFd},
                                                {guest_library.get(), ring::kGuestLibraryFd}});
  guest_spec.argv.push_back(std::to_string(config.guest_memory_bytes));
  std::optional<OutputPipes> pipes;
  if (config.program) {
    KW_ASSIGN(pipes, OutputPipes::Open(*config.program->output));
    guest_spec.descriptors.emplace_back(pipes->out.get(), ring::kGuestOutFd);
    guest_spec.descriptors.emplace_back(pipes->err.get(), ring::kGuestErrFd);
    guest_spec.argv.push_back(config.program->entry);
    for (const std::string& argument : config.program->arguments) {
      guest_spec.argv.push_back(argument);
    }
  }
  guest_spec.directory = "/";  // where the worker was started is nothing to a candidate
  guest_spec.no_address_randomisation = true;
  guest_spec.discard_stderr = true;
  KW_ASSIGN(Child guest, Child::Start(guest_spec));
  KW_ASSIGN(Child emulator, Child::Start(emulator_spec));
  return ProcessPair{std::this_thread::get_id(), std::move(emulator),
                     std::move(guest),           Channel(std::move(channel.first)),
                     std::move(control.first),   std::move(ring),
                     std::move(exchange),        std::move(object),
                     std::move(guest_object),    std::move(guest_library)};
}

bool ProcessPair::Alive() { return !emulator.Wait(0) && !guest.Wait(0); }

}  // namespace kw::eval
