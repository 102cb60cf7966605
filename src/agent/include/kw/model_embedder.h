// The embedder of a memory bank whose vectors a model makes.
//
//   auto embedder = std::make_shared<ModelEmbedder>(std::move(model), "openai/text-embedding-3");
//   KW_ASSIGN(auto bank, Bank::Open(path, MakeBankEmbedder(embedder)));
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "kw/llm.h"
#include "kw/memory.h"

namespace kw {

// Thread-safe.
class ModelEmbedder {
 public:
  // `name` is of the model and of who serves it: vectors of two names never mix.
  ModelEmbedder(std::unique_ptr<EmbeddingModel> model, std::string name);

  struct Answer {
    std::vector<std::vector<float>> vectors;  // one a text, of unit length
    int64_t calls = 0;
    TokenUsage usage;
    double cost_usd = 0;
  };
  // In batches, so that no request grows beyond bounds. Errors of the model, and kParse for what no
  // vector can be made of: zeros, numbers that are none, or another dimension than before.
  [[nodiscard]] Result<Answer> Ask(const std::vector<std::string>& texts);
  // What Ask uses at most.
  struct Bound {
    int64_t calls = 0, tokens = 0;
    double cost_usd = 0;
  };
  Bound MostOf(const std::vector<std::string>& texts) const;

  const std::string& name() const { return name_; }
  int dimension() const { return dimension_; }  // 0: nothing was asked yet

 private:
  [[nodiscard]] Result<void> Normalise(const std::string& text, std::vector<float>& vector);

  const std::unique_ptr<EmbeddingModel> model_;
  const std::string name_;
  std::atomic<int> dimension_ = 0;
};

// What a bank is opened with. What it asks by itself, as a search from the command line does, is
// nobody's budget; a run asks through its journal and hands the vectors over.
std::unique_ptr<Embedder> MakeBankEmbedder(std::shared_ptr<ModelEmbedder> embedder);

}  // namespace kw
