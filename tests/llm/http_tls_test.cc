// The client over TLS, and over HTTP/2 where that is offered: nghttpx in front of a mock server.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>

#include "http_ask.h"
#include "kw/base.h"
#include "kw/base/process.h"

namespace kw {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

// One that nobody has now.
int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  KW_CHECK(bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
               getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0,
           "a free port");
  close(fd);
  return ntohs(address.sin_port);
}

bool Listens(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  const bool listens = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return listens;
}

class TlsEndpoint : public ::testing::Test {
 protected:
  void SetUp() override {
    const ProcessExit made =
        RunProcess({.argv = {"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                             "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key_, "-out",
                             certificate_, "-subj", "/CN=localhost", "-addext",
                             "subjectAltName=IP:127.0.0.1", "-days", "2"}})
            .value();
    ASSERT_EQ(made.code, 0) << made.err;
    ProcessSpec proxy;
    proxy.argv = {"/usr/sbin/nghttpx",
                  "--conf=/dev/null",
                  "--workers=1",
                  "--no-location-rewrite",
                  "--frontend=127.0.0.1," + std::to_string(port_),
                  "--backend=127.0.0.1," + std::to_string(server_.port()),
                  "--accesslog-file=" + log_,
                  "--accesslog-format=$remote_port $alpn",
                  "--errorlog-file=" + folder_.path() + "/errors",
                  key_,
                  certificate_};
    proxy.discard_stderr = true;
    proxy.die_with_parent = true;
    proxy_.emplace(Child::Start(proxy).value());
    for (int i = 0; i < 500 && !Listens(port_); ++i) usleep(20'000);
    ASSERT_TRUE(Listens(port_)) << "nghttpx (package nghttp2-proxy) does not start";
  }

  std::unique_ptr<ChatModel> Open(const std::string& ca_file) {
    return MakeHttpModel({.base_url = "https://127.0.0.1:" + std::to_string(port_) + "/v1",
                          .api_key = "sk-tls-test-0123456789",
                          .ca_file = ca_file,
                          .retry_base_ms = 1})
        .value();
  }

  const ScratchDirectory folder_ = ScratchDirectory::Make("tls").value();
  const std::string key_ = folder_.path() + "/key.pem", certificate_ = folder_.path() + "/cert.pem",
                    log_ = folder_.path() + "/log";
  const int port_ = FreePort();
  MockServer server_{[](const MockRequest&) { return MockReply::Chat("hello"); }};
  std::optional<Child> proxy_;
};

TEST_F(TlsEndpoint, RequestsAtOnceShareAConnectionOfHttp2) {
  const auto model = Open(certificate_);
  std::vector<std::promise<std::string>> answers(8);
  for (size_t i = 0; i < answers.size(); ++i) {
    model->Submit(Ask("question " + std::to_string(i)), [&answers, i](Result<ChatAnswer> answer) {
      answers[i].set_value(answer ? answer->content : answer.error().ToString());
    });
  }
  for (auto& answer : answers) EXPECT_EQ(answer.get_future().get(), "hello");
  EXPECT_THAT(server_.requests(), SizeIs(8));
  // Written when an answer is through, which is perhaps after it was read.
  std::vector<std::string> lines;
  for (int i = 0; i < 250 && lines.size() < 8; ++i) {
    usleep(20'000);
    lines.clear();
    const std::string log = ReadFile(log_).value_or("");
    for (std::string_view line : Lines(log)) {
      if (!line.empty()) lines.emplace_back(line);
    }
  }
  ASSERT_THAT(lines, SizeIs(8));
  EXPECT_THAT(lines[0], HasSubstr(" h2"));
  EXPECT_THAT(lines, Each(lines[0]));
}

TEST_F(TlsEndpoint, IsAskedNothingWhereNobodyVouchesForIt) {
  const auto answer = Open("")->Complete(Ask("hi"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(answer.error().message,
              AllOf(HasSubstr("certificate is not trusted"), Not(HasSubstr("tried"))));
  EXPECT_THAT(server_.requests(), SizeIs(0));
}

}  // namespace
}  // namespace kw
