#include <string_view>
#include <unordered_map>

#include "ptx.h"

namespace kw::eval::ptx {

Type TypeNamed(std::string_view name) {
  static const std::unordered_map<std::string_view, Type> kTypes = {
      {"pred", Type::kPred}, {"b8", Type::kB8},       {"u8", Type::kU8},
      {"s8", Type::kS8},     {"b16", Type::kB16},     {"u16", Type::kU16},
      {"s16", Type::kS16},   {"f16", Type::kF16},     {"bf16", Type::kBf16},
      {"b32", Type::kB32},   {"u32", Type::kU32},     {"s32", Type::kS32},
      {"f32", Type::kF32},   {"f16x2", Type::kF16x2}, {"bf16x2", Type::kBf16x2},
      {"tf32", Type::kTf32}, {"u16x2", Type::kU16x2}, {"s16x2", Type::kS16x2},
      {"b64", Type::kB64},   {"u64", Type::kU64},     {"s64", Type::kS64},
      {"f64", Type::kF64},   {"b128", Type::kB128}};
  const auto found = kTypes.find(name);
  return found == kTypes.end() ? Type::kNone : found->second;
}

int Bytes(Type type) {
  if (type >= Type::kB128) return 16;
  if (type >= Type::kB64) return 8;
  if (type >= Type::kB32) return 4;
  if (type >= Type::kB16) return 2;
  return type >= Type::kB8 ? 1 : 0;
}

bool IsSigned(Type type) {
  return type == Type::kS8 || type == Type::kS16 || type == Type::kS32 || type == Type::kS64;
}

bool IsFloat(Type type) {
  return type == Type::kF16 || type == Type::kBf16 || type == Type::kF32 || type == Type::kF64;
}

}  // namespace kw::eval::ptx
