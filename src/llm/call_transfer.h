// A call of an endpoint: one that is tried again where that may help, and whose errors say what to
// change.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "endpoint.h"
#include "kw/llm.h"
#include "kw/model_table.h"
#include "transfer_loop.h"
#include "wire.h"

namespace kw::llm {

// What all calls of one endpoint share.
struct EndpointRoom {
  HttpModelConfig config;
  Endpoint endpoint;
  const Wire& wire;
  WireTraits traits;
  std::shared_ptr<TransferLoop> loop;

  static Result<std::shared_ptr<const EndpointRoom>> Make(HttpModelConfig config);
  double Cost(const std::string& model, const TokenUsage& usage) const {
    return config.table ? config.table->Cost(model, usage) : 0;
  }
  RequestLimits limits() const {
    return {config.max_in_flight, config.requests_per_minute, config.tokens_per_minute};
  }
};

// Collects the answer, and decides about another try.
class CallTransfer : public Transfer {
 public:
  // A body of "" makes it a GET.
  CallTransfer(std::shared_ptr<const EndpointRoom> room, std::string path, std::string body);

  HttpRequest Request() const override;
  void Begin() override;
  bool Receive(std::string_view bytes) override;
  std::optional<Again> End(const TransferEnd& end) override;

 protected:
  // The whole body of an answer with status 200 is in received_. Exactly one of the two is called
  // last, once; Success may ask for another try instead.
  virtual std::optional<Again> Success() = 0;
  virtual void Failed(Error error) = 0;

  // What Success may find: no answer at all, or one that says that it is an error.
  std::optional<Again> Malformed(const std::string& why);
  std::optional<Again> HiddenError(int status, const std::string& words);
  // Why `parse` finds no answer in the body, and how the body begins: without the key, since what
  // is parsed is without it.
  template <class Parse>
  std::string NoAnswer(Parse parse) const {
    const auto parsed = parse(room_->endpoint.Redact(received_));
    return parsed ? "the answer is malformed" : parsed.error().message;
  }

  const std::shared_ptr<const EndpointRoom> room_;
  std::string received_;
  int retries_ = 0;
  int64_t began_us_ = 0;

 private:
  std::optional<Again> TryAgain(const TransferEnd& end, const Error& error);
  std::optional<Again> AgainOrFail(bool worth_it, const TransferEnd& end, Error error);
  Error ErrorOf(const TransferEnd& end) const;
  Error StatusError(int status, const std::string& words) const;
  Error MakeError(ErrorCode code, const std::string& message) const;

  const std::string path_, body_;
  const uint64_t hash_;
};

}  // namespace kw::llm
