// A judge's answer: yes only where [[Yes]] stands and [[No]] does not, and the other way round.
#include <cstdint>
#include <optional>
#include <string_view>

#include "kw/base/error.h"
#include "src/agent/model_output.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view answer(reinterpret_cast<const char*>(data), size);
  const std::optional<bool> judged = kw::ParseJudgement(answer);
  const bool yes = answer.find("[[Yes]]") != std::string_view::npos;
  const bool no = answer.find("[[No]]") != std::string_view::npos;
  KW_CHECK(judged.has_value() == (yes != no), "exactly one of the two decides");
  KW_CHECK(!judged || *judged == yes, "and says which");
  return 0;
}
