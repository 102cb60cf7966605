#include "mock_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "kw/base.h"

namespace kw {
namespace {

bool SendAll(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

// Reads until `buffer` holds `size` bytes; false at the end of the connection.
bool ReceiveUntil(int socket, std::string& buffer, size_t size) {
  char block[16384];
  while (buffer.size() < size) {
    const ssize_t got = recv(socket, block, sizeof block, 0);
    if (got <= 0) return false;
    buffer.append(block, static_cast<size_t>(got));
  }
  return true;
}

bool ReceiveHead(int socket, std::string& buffer, std::string& head) {
  size_t end = 0;
  while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
    if (!ReceiveUntil(socket, buffer, buffer.size() + 1)) return false;
  }
  head = buffer.substr(0, end);
  buffer.erase(0, end + 4);
  return true;
}

MockRequest ParseHead(const std::string& head) {
  MockRequest request;
  bool first = true;
  for (std::string_view line : Lines(head)) {
    if (first) {
      const std::vector<std::string_view> parts = Split(line, ' ');
      request.method = parts.at(0);
      request.path = parts.at(1);
      first = false;
      continue;
    }
    const size_t colon = line.find(':');
    request.headers[ToLower(line.substr(0, colon))] = Trim(line.substr(colon + 1));
  }
  return request;
}

}  // namespace

MockReply MockReply::Chat(const std::string& content, const std::string& finish_reason) {
  MockReply reply;
  reply.body = R"({"id":"c","object":"chat.completion","model":"mock-model","choices":[{"index":0,)"
               R"("message":{"role":"assistant","content":")" +
               content + R"("},"finish_reason":")" + finish_reason +
               R"("}],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}})";
  return reply;
}

MockReply MockReply::Error(int status, const std::string& body) {
  MockReply reply;
  reply.status = status;
  reply.body = body;
  return reply;
}

MockServer::MockServer(Handler handler) : handler_(std::move(handler)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  KW_CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0, "bind");
  KW_CHECK(listen(listener_, 256) == 0, "listen");
  KW_CHECK(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0, "name");
  port_ = ntohs(address.sin_port);
  accepting_ = std::thread([this] { Accept(); });
}

MockServer::~MockServer() {
  stopping_ = true;
  shutdown(listener_, SHUT_RDWR);
  accepting_.join();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (int socket : sockets_) shutdown(socket, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
  for (int socket : sockets_) close(socket);
  close(listener_);
}

std::vector<MockRequest> MockServer::requests() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return requests_;
}

void MockServer::Accept() {
  while (!stopping_) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ++connections_;
    const std::lock_guard<std::mutex> lock(mutex_);
    sockets_.push_back(socket);
    threads_.emplace_back([this, socket] { Serve(socket); });
  }
}

void MockServer::Serve(int socket) {
  std::string buffer, head;
  bool open = true;
  while (open && ReceiveHead(socket, buffer, head)) {
    MockRequest request = ParseHead(head);
    const size_t length = std::strtoul(request.headers["content-length"].c_str(), nullptr, 10);
    if (!ReceiveUntil(socket, buffer, length)) break;
    request.body = buffer.substr(0, length);
    buffer.erase(0, length);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      request.number = static_cast<int>(requests_.size());
      requests_.push_back(request);
    }
    const int now = ++at_once_;
    int most = most_at_once_;
    while (now > most && !most_at_once_.compare_exchange_weak(most, now)) {
    }
    const MockReply reply = handler_(request);
    Sleep(reply.delay_ms);
    --at_once_;
    open = Answer(socket, reply);
  }
  shutdown(socket, SHUT_RDWR);
}

void MockServer::Sleep(int64_t ms) const {
  for (int64_t slept = 0; slept < ms && !stopping_; slept += 5) {
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min<int64_t>(5, ms - slept)));
  }
}

bool MockServer::Answer(int socket, const MockReply& reply) {
  if (reply.reset) {
    // Dissolving the association of a connected socket with a linger of 0 sends RST at once; the
    // descriptor itself is closed by the destructor.
    const linger now{1, 0};
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    sockaddr unspecified{};
    unspecified.sa_family = AF_UNSPEC;
    connect(socket, &unspecified, sizeof unspecified);
    return false;
  }
  if (!reply.raw.empty()) {
    SendAll(socket, reply.raw);
    return false;
  }
  std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " Mock\r\n";
  for (const auto& [name, value] : reply.headers) head += name + ": " + value + "\r\n";
  const size_t length = reply.body.size() + (reply.hold_ms > 0 ? 1000 : 0);
  head += reply.chunked ? "Transfer-Encoding: chunked\r\n\r\n"
                        : "Content-Length: " + std::to_string(length) + "\r\n\r\n";
  std::string body = reply.body;
  if (reply.chunked) {
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", body.size());
    body = size + body + "\r\n0\r\n\r\n";
  }
  const std::string sent = reply.cut_after ? body.substr(0, *reply.cut_after) : body;
  const bool is_sent = SendAll(socket, head + sent);
  Sleep(reply.hold_ms);
  return is_sent && !reply.cut_after && reply.hold_ms == 0;
}

}  // namespace kw
