// Runs a fuzz target without libFuzzer: each seed of the corpus, and seeded mutations of them.
// It finds what a few thousand inputs find; scripts/fuzz looks longer and with coverage.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "kw/base.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int kMutants = 2000;
constexpr size_t kLargestMutated = 4096;

std::vector<std::string> ReadSeeds(const std::string& folder) {
  std::vector<std::string> seeds = {""};
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (auto text = kw::ReadFile(entry.path().string())) seeds.push_back(std::move(*text));
  }
  return seeds;
}

void Mutate(std::string& text, const std::vector<std::string>& seeds, kw::Random& random) {
  const size_t at = random.Below(text.size() + 1);
  switch (random.Below(6)) {
    case 0:
      if (at < text.size()) text[at] = static_cast<char>(random.Next32());
      break;
    case 1:
      text.insert(at, 1, static_cast<char>(random.Next32()));
      break;
    case 2:
      text.erase(at, random.Below(16));
      break;
    case 3:
      text.resize(at);
      break;
    case 4:
      text.insert(at, text.substr(at, random.Below(64)));
      break;
    default: {
      const std::string& other = seeds[random.Below(seeds.size())];
      text.insert(at, other.substr(random.Below(other.size() + 1), random.Below(64)));
    }
  }
}

void Feed(const std::string& text) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> seeds = ReadSeeds(argc > 1 ? argv[1] : "");
  for (const std::string& seed : seeds) Feed(seed);
  kw::Random random(1);
  for (int i = 0; i < kMutants; ++i) {
    std::string text = seeds[random.Below(seeds.size())];
    if (text.size() > kLargestMutated) text.resize(kLargestMutated);
    for (uint64_t left = 1 + random.Below(8); left > 0; --left) Mutate(text, seeds, random);
    Feed(text);
  }
  std::printf("%d inputs\n", kMutants + static_cast<int>(seeds.size()));
  return 0;
}
