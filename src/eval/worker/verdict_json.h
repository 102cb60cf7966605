// A verdict as JSON (design 4.3, docs/formats/verdict.md). Private: between rooms go native types.
#pragma once

#include <string>

#include "kw/base/json.h"
#include "kw/eval/worker.h"

namespace kw::eval {

Json VerdictJson(const Verdict& verdict);
Result<Verdict> ParseVerdict(const Json& json, const std::string& where);

Json CaseJson(const Case& c);
Result<Case> ParseCase(const Json& json, const std::string& where);

Json ResourcesJson(const std::vector<KernelResources>& resources);
Result<std::vector<KernelResources>> ParseResources(const Json& json, const std::string& where);

// The unsigned 64-bit number of a key; JSON readers elsewhere know only signed ones.
Result<uint64_t> RequiredUnsigned(ObjectReader& reader, const std::string& key);

}  // namespace kw::eval
