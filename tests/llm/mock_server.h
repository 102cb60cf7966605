// An HTTP server inside the test, on a free port of this machine, for everything that a real
// endpoint does once in a while: errors, rate limits, silence, half an answer.
//
//   MockServer server([](const MockRequest& request) { return MockReply::Chat("hello"); });
//   auto model = MakeHttpModel({.base_url = server.base_url()});
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace kw {

struct MockRequest {
  std::string method, path, body;
  std::map<std::string, std::string> headers;  // names in lower case
  int number = 0;                              // 0 for the server's first request
};

struct MockReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  int64_t delay_ms = 0;             // before the head
  bool reset = false;               // no answer: the connection is reset
  std::optional<size_t> cut_after;  // closes after so many bytes of the body
  int64_t hold_ms = 0;              // says nothing more for so long, as if more were to come
  bool chunked = false;             // transfer encoding instead of a length
  std::string raw;                  // not empty: exactly these bytes, then the connection closes

  // A chat completion. The content stands in the JSON as it is given: invalid UTF-8 stays.
  static MockReply Chat(const std::string& content, const std::string& finish_reason = "stop");
  static MockReply Error(int status, const std::string& body);
};

class MockServer {
 public:
  // Called from the connections' threads, several at once.
  using Handler = std::function<MockReply(const MockRequest&)>;
  explicit MockServer(Handler handler);
  ~MockServer();

  std::string base_url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1"; }
  int port() const { return port_; }
  std::vector<MockRequest> requests() const;
  int connections() const { return connections_; }
  int most_at_once() const { return most_at_once_; }  // requests under way

 private:
  void Accept();
  void Serve(int socket);
  bool Answer(int socket, const MockReply& reply);
  // In small steps, so that the server can be closed meanwhile.
  void Sleep(int64_t ms) const;

  const Handler handler_;
  int listener_ = -1, port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0}, at_once_{0}, most_at_once_{0};
  mutable std::mutex mutex_;
  std::vector<MockRequest> requests_;
  std::vector<int> sockets_;
  std::vector<std::thread> threads_;
  std::thread accepting_;
};

}  // namespace kw
