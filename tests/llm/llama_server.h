// llama.cpp's own server with a real, small model, for one suite of tests. It lives in the virtual
// environment of scripts/llm-env, .venv/llm or $KWRIGHT_LLM_VENV; without one the tests skip.
#pragma once

#include <gmock/gmock.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "kw/base/file.h"
#include "kw/base/json.h"
#include "kw/base/process.h"
#include "kw/llm.h"
#include "raw_http.h"

namespace kw {

class LlamaServer : public ::testing::Test {
 protected:
  static constexpr const char* kKey = "sk-llama-server-test-key";
  static constexpr const char* kPrompt = "Name three things that are blue.";
  // At temperature 0 its answer fills any context.
  static constexpr const char* kLongPrompt =
      "Count from 1 to 1000, each number on a line of its own.";
  static constexpr int kContextTokens = 256;  // of each slot
  static constexpr int kSlots = 4;

  static void SetUpTestSuite() { Start({}); }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }
  static void Start(const std::vector<std::string>& more) {
    const char* named = std::getenv("KWRIGHT_LLM_VENV");
    const std::string venv = named != nullptr ? named : KW_SOURCE_DIR "/.venv/llm";
    if (!FileExists(venv + "/complete")) return;
    ProcessSpec spec;
    spec.argv = {venv + "/bin/python",
                 KW_SOURCE_DIR "/tests/llm/llama_server.py",
                 kKey,
                 "--slots",
                 std::to_string(kSlots),
                 "--tokens",
                 std::to_string(kContextTokens)};
    spec.argv.insert(spec.argv.end(), more.begin(), more.end());
    spec.inherit_environment = true;
    spec.discard_stderr = true;
    spec.die_with_parent = true;
    server_ = new Child(Child::Start(spec).value());
    LineReader lines(server_->out());
    address_ = lines.Next(120'000).value().value_or("");
  }
  void SetUp() override {
    if (server_ == nullptr) {
      GTEST_SKIP() << "SKIPPED: nothing was tested against a real server; make one with "
                      "scripts/llm-env (docs/endpoints.md)";
    }
    ASSERT_NE(address_, "") << "the server ended before it answered";
  }

  static HttpModelConfig Endpoint(const std::string& key = kKey) {
    HttpModelConfig endpoint;
    endpoint.base_url = address_ + "/v1";
    endpoint.api_key = key;
    return endpoint;
  }
  static std::unique_ptr<ChatModel> Open() { return MakeHttpModel(Endpoint()).value(); }
  // Each answer in one body.
  static std::unique_ptr<ChatModel> OpenUnstreamed() {
    HttpModelConfig endpoint = Endpoint();
    endpoint.stream.on = false;
    return MakeHttpModel(endpoint).value();
  }
  // Answers go on, whatever they say.
  static std::unique_ptr<ChatModel> OpenUnguarded() {
    HttpModelConfig endpoint = Endpoint();
    endpoint.stream.guard.enabled = false;
    return MakeHttpModel(endpoint).value();
  }
  static ChatRequest Ask(const std::string& text, double temperature = 0, uint64_t seed = 1) {
    ChatRequest request;
    request.model = "smollm2";
    request.messages = {{"user", text}};
    request.temperature = temperature;
    request.max_tokens = 24;
    request.seed = seed;
    return request;
  }

  // What the server itself says of its slots.
  static Json Slots() {
    const int port = std::stoi(address_.substr(address_.rfind(':') + 1));
    return raw::Get(port, "/slots", std::string("Authorization: Bearer ") + kKey + "\r\n").ToJson();
  }
  static int SlotsAtWork() {
    int at_work = 0;
    for (const Json& slot : Slots()) at_work += slot.at("is_processing").get<bool>() ? 1 : 0;
    return at_work;
  }
  // Waits, as long as it takes on a busy machine.
  template <typename Condition>
  static bool Eventually(Condition condition) {
    for (int i = 0; i < 6000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  static inline Child* server_ = nullptr;
  static inline std::string address_;
};

}  // namespace kw
