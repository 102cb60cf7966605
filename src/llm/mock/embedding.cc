#include <cctype>
#include <cmath>
#include <cstring>

#include "kw/base/hash.h"
#include "kw/base/json.h"
#include "kw/base/random.h"
#include "kw/base/text.h"
#include "wire_form.h"

namespace kw::mock {
namespace {

// Places of the vector that a word changes.
constexpr int kPlaces = 8;

void AddWord(const std::string& word, std::vector<float>& vector) {
  Random random(DeriveSeed(0, word));
  for (int i = 0; i < kPlaces; ++i) {
    const size_t place = random.Below(vector.size());
    vector[place] += random.Chance(0.5) ? 1.0f : -1.0f;
  }
}

std::string Base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t some = std::min<size_t>(3, bytes.size() - i);
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (k < some ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    for (size_t k = 0; k < 4; ++k) {
      text += k <= some ? kDigits[bits >> (18 - 6 * k) & 63] : '=';
    }
  }
  return text;
}

}  // namespace

std::vector<float> MockEmbedding(std::string_view text, int64_t dimension) {
  std::vector<float> vector(static_cast<size_t>(dimension));
  std::string word;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || std::isalnum(byte) != 0) {
      word += static_cast<char>(byte < 0x80 ? std::tolower(byte) : byte);
    } else if (!word.empty()) {
      AddWord(word, vector);
      word.clear();
    }
  }
  if (!word.empty()) AddWord(word, vector);
  double squares = 0;
  for (const float value : vector) squares += double{value} * value;
  // A text without words, or one whose words cancel out.
  if (squares == 0) {
    vector[0] = 1;
    return vector;
  }
  for (float& value : vector) value = static_cast<float>(value / std::sqrt(squares));
  return vector;
}

std::string EmbeddingsBody(const Asked& asked, int64_t dimension, bool with_usage) {
  Json data = Json::array();
  for (size_t i = 0; i < asked.texts.size(); ++i) {
    const std::vector<float> vector = MockEmbedding(asked.texts[i], dimension);
    std::string bytes(vector.size() * sizeof(float), '\0');
    std::memcpy(bytes.data(), vector.data(), bytes.size());
    data.push_back({{"object", "embedding"},
                    {"index", i},
                    {"embedding", asked.base64 ? Json(Base64(bytes)) : Json(vector)}});
  }
  Json body = {{"object", "list"}, {"data", std::move(data)}, {"model", asked.request.model}};
  if (with_usage) {
    body["usage"] = {{"prompt_tokens", asked.prompt_tokens}, {"total_tokens", asked.prompt_tokens}};
  }
  return DumpJson(body);
}

}  // namespace kw::mock
