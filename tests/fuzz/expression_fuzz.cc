// An expression has a finite value or an error; parentheses change nothing, and what is not
// evaluated does not fail.
#include <cmath>
#include <cstdint>
#include <string>

#include "kw/base/error.h"
#include "kw/eval/task.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::map<std::string, int64_t> axes = {{"m", 7}, {"n", 1}, {"k", 1 << 20}};
  const std::string text(reinterpret_cast<const char*>(data), std::min<size_t>(size, 2000));
  const auto value = kw::eval::EvaluateExpression(text, axes);
  if (!value) {
    KW_CHECK(!value.error().message.empty(), "a refusal says why");
    return 0;
  }
  KW_CHECK(std::isfinite(*value), "a value is finite");
  const auto inside = kw::eval::EvaluateExpression("(" + text + ")", axes);
  // One level more may be one too many.
  if (inside) KW_CHECK(*inside == *value, "parentheses change nothing");
  const auto unseen = kw::eval::EvaluateExpression("0 and (" + text + ")", axes);
  if (unseen) KW_CHECK(*unseen == 0, "what is not evaluated does not count");
  return 0;
}
