#include "kw/eval/device.h"

#include <mutex>
#include <optional>

#include "session.h"

namespace kw::eval {
namespace {

class EmulatorDevice : public Device {
 public:
  explicit EmulatorDevice(EmulatorDeviceConfig config) : config_(std::move(config)) {}

  std::string kind() const override { return "emulator"; }
  std::string name() const override { return config_.sheet.name; }
  const DeviceSheet& sheet() const override { return config_.sheet; }
  Result<OpenOutcome> Open(const OpenRequest& request) override {
    std::optional<ProcessPair> ready = TakeReady();
    const bool warm = ready.has_value();
    auto opened = EmulatorSession::Open(config_, request, std::move(ready));
    // The machine may have ended what waited.
    if (!opened && warm) opened = EmulatorSession::Open(config_, request, std::nullopt);
    if (!opened) return Fail(std::move(opened.error()).While("opening " + request.object_path));
    return opened;
  }
  void Prepare() override {
    const std::lock_guard lock(mutex_);
    if (ready_ && ready_->Alive()) return;
    ready_.reset();
    // What stands in the way is told by the Open that needs it.
    if (auto started = ProcessPair::Start(config_)) ready_.emplace(*std::move(started));
  }

 private:
  // The processes made ready by this thread, if any: they judge one candidate and no other.
  std::optional<ProcessPair> TakeReady() {
    const std::lock_guard lock(mutex_);
    if (!ready_ || ready_->owner != std::this_thread::get_id() || !ready_->Alive()) {
      return std::nullopt;
    }
    std::optional<ProcessPair> taken = std::move(ready_);
    ready_.reset();
    return taken;
  }

  EmulatorDeviceConfig config_;
  std::mutex mutex_;
  std::optional<ProcessPair> ready_;
};

}  // namespace

std::unique_ptr<Device> MakeEmulatorDevice(EmulatorDeviceConfig config) {
  return std::make_unique<EmulatorDevice>(std::move(config));
}

std::vector<CageLayer> ProbeCage() { return ProbeLayers(); }

}  // namespace kw::eval
