// Where requests go, and what must not be said of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kw/base.h"

namespace kw::llm {

class Endpoint {
 public:
  // kInvalid: no http(s) URL, or a key that fits in no header.
  static Result<Endpoint> Make(const std::string& base_url, const std::string& api_key);

  // URL(".../v1", "/models") with the user and password that base_url may hold.
  std::string Url(std::string_view path) const { return base_ + std::string(path); }
  // Without them: for people.
  const std::string& shown() const { return shown_; }
  // A machine's own address: no proxy is asked.
  bool is_local() const { return is_local_; }
  const std::string& key() const { return key_; }
  // The text without the key and the password, whatever case they are written in. Endpoints do
  // echo them.
  std::string Redact(std::string_view text) const;

 private:
  std::string base_, shown_, key_;
  std::vector<std::string> secrets_;
  bool is_local_ = false;
};

}  // namespace kw::llm
