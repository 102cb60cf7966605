// An HTTP client of the tests that hides nothing: the bytes as they came, and how the connection
// ended.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kw/base/json.h"

namespace kw::raw {

struct Answer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;                                          // without chunk framing
  bool whole = false;      // the terminal chunk came, or as many bytes as were promised
  bool reset = false;      // the connection ended with RST
  size_t http_chunks = 0;  // pieces of the body, where it was chunked
  std::string pieces;      // the HTTP chunks, each closed by a byte of 0x1f
  std::string bytes;       // everything

  std::string Header(const std::string& name) const;
  Json ToJson() const;  // null where the body is none
};

// A connection to 127.0.0.1.
class Connection {
 public:
  explicit Connection(int port);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  void Send(const std::string& bytes);
  // Everything until the other side ends the connection.
  std::string ReadToEnd(bool* reset = nullptr);
  // At least so many bytes, unless the connection ends.
  std::string ReadSome(size_t bytes);

 private:
  int socket_ = -1;
};

std::string RequestText(const std::string& method, const std::string& path,
                        const std::string& body = "", const std::string& headers = "");
Answer ParseAnswer(std::string bytes, bool reset = false);

// On a connection of its own, which is closed behind the answer.
Answer Get(int port, const std::string& path, const std::string& headers = "");
Answer Post(int port, const std::string& path, const std::string& body,
            const std::string& headers = "");
Answer Post(int port, const std::string& path, const Json& body);

// The data of the events of a stream, whatever its line ends; comments are left out.
struct Event {
  std::string name, data;
};
std::vector<Event> EventsOf(const std::string& body);
// Of chat completions: the deltas' texts under a key, joined.
std::string Joined(const std::vector<Event>& events, const std::string& key = "content");

}  // namespace kw::raw
