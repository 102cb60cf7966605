// The bank against bytes: as the file that is opened (damaged in one place, or any bytes at all),
// and as the text of a query. Whatever they are: an error or an answer, never a crash, and what a
// damaged bank still says is said again in the same way.
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "kw/base.h"
#include "kw/memory.h"

namespace {

struct Fixture {
  kw::ScratchDirectory folder = kw::ScratchDirectory::Make("bank-fuzz").value();
  std::string whole;  // the bytes of a small bank
  std::unique_ptr<kw::Bank> bank;

  std::string Path(const std::string& name) const { return folder.path() + "/" + name; }

  Fixture() {
    {
      auto small = kw::Bank::Open(Path("small.db"), kw::MakeHashEmbedder(16)).value();
      small->Apply(Change()).value();
    }
    whole = kw::ReadFile(Path("small.db")).value();
    bank = kw::Bank::Open(Path("bank.db"), kw::MakeHashEmbedder(16)).value();
    bank->Apply(Change()).value();
  }

  static kw::BankChange Change() {
    kw::BankChange change;
    change.run = "r";
    change.step = "s";
    for (const char* title : {"guard the tail", "start a maximum at minus infinity"}) {
      kw::MemoryItem item;
      item.title = title;
      item.from.outcome = "failure";
      change.new_items.push_back(item);
    }
    kw::Rule rule;
    rule.text = "Guard the tail.";
    rule.state = "kept";
    change.rules = {rule};
    return change;
  }
};

void Use(const std::string& path) {
  auto bank = kw::Bank::Open(path, kw::MakeHashEmbedder(16));
  if (!bank) return;
  (void)(*bank)->Stats();
  (void)(*bank)->Rules("");
  (void)(*bank)->Search({.text = "tail"});
  const auto dump = (*bank)->CanonicalDump();
  const auto again = (*bank)->CanonicalDump();
  if (dump.has_value() != again.has_value() || (dump && *dump != *again)) std::abort();
}

void Damage(std::string& bytes, const uint8_t* data, size_t size) {
  // Each four bytes of the input overwrite one byte of the bank: where (three), with what (one).
  for (size_t i = 0; i + 4 <= size; i += 4) {
    const size_t at =
        data[i] | static_cast<size_t>(data[i + 1]) << 8 | static_cast<size_t>(data[i + 2]) << 16;
    bytes[at % bytes.size()] = static_cast<char>(data[i + 3]);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Fixture fixture;
  if (size == 0) return 0;
  const std::string path = fixture.Path("input.db");
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 8) {
    case 0: {
      std::string bytes = fixture.whole;
      Damage(bytes, data + 1, size - 1);
      std::ofstream(path, std::ios::binary) << bytes;
      Use(path);
      break;
    }
    case 1:
      std::ofstream(path, std::ios::binary) << text;
      Use(path);
      break;
    default:
      (void)fixture.bank->Search({.text = text, .k = 2});
      return 0;
  }
  for (const char* suffix : {"", "-wal", "-shm"}) unlink((path + suffix).c_str());
  return 0;
}
