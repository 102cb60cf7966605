#include "raw_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "kw/base.h"

namespace kw::raw {

std::string Answer::Header(const std::string& name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

Json Answer::ToJson() const { return ParseJson(body, "answer").value_or(Json()); }

Connection::Connection(int port) {
  socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  KW_CHECK(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "connect");
}

Connection::~Connection() { close(socket_); }

void Connection::Send(const std::string& bytes) {
  size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t sent = send(socket_, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    if (sent <= 0) return;
    at += static_cast<size_t>(sent);
  }
}

std::string Connection::ReadToEnd(bool* reset) {
  std::string bytes;
  char block[65536];
  while (true) {
    const ssize_t got = recv(socket_, block, sizeof block, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      if (reset != nullptr) *reset = got < 0 && errno == ECONNRESET;
      return bytes;
    }
    bytes.append(block, static_cast<size_t>(got));
  }
}

std::string Connection::ReadSome(size_t least) {
  std::string bytes;
  char block[65536];
  while (bytes.size() < least) {
    const ssize_t got = recv(socket_, block, sizeof block, 0);
    if (got <= 0) break;
    bytes.append(block, static_cast<size_t>(got));
  }
  return bytes;
}

std::string RequestText(const std::string& method, const std::string& path, const std::string& body,
                        const std::string& headers) {
  std::string text = method + " " + path + " HTTP/1.1\r\nHost: mock\r\n" + headers;
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text + "\r\n" + body;
}

namespace {

void ReadChunks(std::string_view bytes, Answer& answer) {
  while (true) {
    const size_t line = bytes.find("\r\n");
    if (line == bytes.npos) return;
    const size_t size = std::strtoul(std::string(bytes.substr(0, line)).c_str(), nullptr, 16);
    bytes.remove_prefix(line + 2);
    if (size == 0) {
      answer.whole = bytes.starts_with("\r\n");
      return;
    }
    ++answer.http_chunks;
    answer.body += bytes.substr(0, size);
    answer.pieces.append(bytes.substr(0, size)).append("\x1f");
    if (bytes.size() < size + 2) return;
    bytes.remove_prefix(size + 2);
  }
}

}  // namespace

Answer ParseAnswer(std::string bytes, bool reset) {
  Answer answer;
  answer.reset = reset;
  answer.bytes = std::move(bytes);
  const size_t end = answer.bytes.find("\r\n\r\n");
  if (end == std::string::npos) return answer;
  const std::string head = answer.bytes.substr(0, end);
  const std::vector<std::string_view> lines = Lines(head);
  answer.status = std::atoi(std::string(lines[0].substr(9)).c_str());
  for (size_t i = 1; i < lines.size(); ++i) {
    const size_t colon = lines[i].find(':');
    answer.headers.emplace_back(ToLower(lines[i].substr(0, colon)),
                                Trim(lines[i].substr(colon + 1)));
  }
  const std::string_view rest = std::string_view(answer.bytes).substr(end + 4);
  if (answer.Header("transfer-encoding") == "chunked") {
    ReadChunks(rest, answer);
  } else {
    answer.body = rest;
    answer.whole = answer.Header("content-length") == std::to_string(rest.size());
  }
  return answer;
}

namespace {

Answer Exchange(int port, const std::string& request) {
  Connection connection(port);
  connection.Send(request);
  bool reset = false;
  std::string bytes = connection.ReadToEnd(&reset);
  return ParseAnswer(std::move(bytes), reset);
}

}  // namespace

Answer Get(int port, const std::string& path, const std::string& headers) {
  return Exchange(port, RequestText("GET", path, "", "Connection: close\r\n" + headers));
}

Answer Post(int port, const std::string& path, const std::string& body,
            const std::string& headers) {
  return Exchange(port, RequestText("POST", path, body, "Connection: close\r\n" + headers));
}

Answer Post(int port, const std::string& path, const Json& body) {
  return Post(port, path, DumpJson(body));
}

std::vector<Event> EventsOf(const std::string& body) {
  std::vector<Event> events;
  Event event;
  for (const std::string_view line : Lines(body)) {
    if (line.empty()) {
      if (!event.data.empty()) events.push_back(std::move(event));
      event = {};
    } else if (line.starts_with("data: ")) {
      event.data = line.substr(6);
    } else if (line.starts_with("event: ")) {
      event.name = line.substr(7);
    }
  }
  return events;
}

std::string Joined(const std::vector<Event>& events, const std::string& key) {
  std::string text;
  for (const Event& event : events) {
    const Result<Json> json = ParseJson(event.data, "event");
    if (!json || !json->is_object() || !json->contains("choices")) continue;
    if (json->at("choices").empty()) continue;
    const Json& delta = json->at("choices").at(0).at("delta");
    if (delta.contains(key)) text += delta.at(key).get<std::string>();
  }
  return text;
}

}  // namespace kw::raw
