#include "kw/eval/device.h"

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
    auto opened = EmulatorSession::Open(config_, request);
    if (!opened) return Fail(std::move(opened.error()).While("opening " + request.object_path));
    return opened;
  }

 private:
  EmulatorDeviceConfig config_;
};

}  // namespace

std::unique_ptr<Device> MakeEmulatorDevice(EmulatorDeviceConfig config) {
  return std::make_unique<EmulatorDevice>(std::move(config));
}

std::vector<CageLayer> ProbeCage() { return ProbeLayers(); }

}  // namespace kw::eval
