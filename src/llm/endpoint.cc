#include "endpoint.h"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <algorithm>
#include <memory>

namespace kw::llm {
namespace {

// Shorter ones ("x", "key") are placeholders; to cut them out of messages would garble these.
constexpr size_t kShortestSecret = 4;

struct UrlCleanup {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using ParsedUrl = std::unique_ptr<CURLU, UrlCleanup>;

std::string Part(const ParsedUrl& url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, flags) != CURLUE_OK) return "";
  std::string copy = text;
  curl_free(text);
  return copy;
}

bool IsLocalHost(const std::string& host) {
  const std::string name = ToLower(host);
  const auto ends_with = [&name](std::string_view end) {
    return name.size() > end.size() && name.substr(name.size() - end.size()) == end;
  };
  in_addr address{};
  const bool loopback = inet_pton(AF_INET, name.c_str(), &address) == 1 &&
                        (ntohl(address.s_addr) >> 24 == 127 || address.s_addr == INADDR_ANY);
  return loopback || name == "localhost" || ends_with(".localhost") || name == "[::1]";
}

bool HasControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; });
}

}  // namespace

Result<Endpoint> Endpoint::Make(const std::string& base_url, const std::string& api_key) {
  const auto invalid = [&base_url](const std::string& why) {
    // Not the URL itself: it may hold a password.
    return Fail(ErrorCode::kInvalid,
                "the endpoint's base URL " + why +
                    "; it looks like http://localhost:8000/v1 or https://api.example.com/v1" +
                    (base_url.find('@') == std::string::npos ? ", not '" + base_url + "'" : ""));
  };
  std::string text(Trim(base_url));
  while (!text.empty() && text.back() == '/') text.pop_back();
  if (text.empty()) return invalid("is empty");
  if (text.find("://") == std::string::npos) return invalid("has no http:// or https://");
  const ParsedUrl url(curl_url());
  if (HasControlCharacter(text) ||
      curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) {
    return invalid("is no URL");
  }
  const std::string scheme = ToLower(Part(url, CURLUPART_SCHEME));
  if (scheme != "http" && scheme != "https") return invalid("is no http or https URL");
  if (!Part(url, CURLUPART_QUERY).empty() || !Part(url, CURLUPART_FRAGMENT).empty()) {
    return invalid("has a '?' or '#' part");
  }
  Endpoint endpoint;
  endpoint.base_ = text;
  endpoint.is_local_ = IsLocalHost(Part(url, CURLUPART_HOST));
  endpoint.key_ = Trim(api_key);
  if (HasControlCharacter(endpoint.key_)) {
    return Fail(ErrorCode::kInvalid,
                "the API key holds a line break or another control character: it is one line");
  }
  for (const std::string& secret : {endpoint.key_, Part(url, CURLUPART_PASSWORD),
                                    Part(url, CURLUPART_PASSWORD, CURLU_URLDECODE)}) {
    if (secret.size() >= kShortestSecret) endpoint.secrets_.push_back(secret);
  }
  curl_url_set(url.get(), CURLUPART_USER, nullptr, 0);
  curl_url_set(url.get(), CURLUPART_PASSWORD, nullptr, 0);
  endpoint.shown_ = Part(url, CURLUPART_URL);
  while (!endpoint.shown_.empty() && endpoint.shown_.back() == '/') endpoint.shown_.pop_back();
  return endpoint;
}

std::string Endpoint::Redact(std::string_view text) const {
  std::string out(text);
  for (const std::string& secret : secrets_) {
    const std::string needle = ToLower(secret);
    std::string lower = ToLower(out);
    size_t at = 0;
    while ((at = lower.find(needle, at)) != std::string::npos) {
      constexpr std::string_view kInstead = "[key]";
      out.replace(at, needle.size(), kInstead);
      lower.replace(at, needle.size(), kInstead);
      at += kInstead.size();
    }
  }
  return out;
}

}  // namespace kw::llm
