// Lessons about CUDA kernels as a run learns them, and the same advice in other words.
#pragma once

#include <string>
#include <vector>

#include "kw/memory.h"

namespace kw::memory {

struct Lesson {
  std::string title, description, content;
  std::string paraphrase;  // says the same with other words
};

const std::vector<Lesson>& Lessons();

MemoryItem ItemOf(const Lesson& lesson, const std::string& outcome = "success");
// An item of one text, for where the words do not matter.
MemoryItem ItemSaying(const std::string& text, const std::string& outcome = "success");
BankChange ChangeOf(const std::string& run, const std::string& step, std::vector<MemoryItem> items);

}  // namespace kw::memory
