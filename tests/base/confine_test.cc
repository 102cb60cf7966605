#include "kw/base/confine.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "kw/base/file.h"
#include "kw/base/process.h"

namespace kw {
namespace {

// What a child of this process answers.
int InChild(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

ProcessExit Confined(const std::string& script, const Confinement::Files& files) {
  return *RunProcess({.argv = {"/bin/sh", "-c", script},
                      .environment = {"PATH=/usr/bin:/bin"},
                      .confinement = Confinement::Make(files)});
}

const Confinement::Files kSystem = {.read = {"/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache"},
                                    .write = {"/dev/null"}};

TEST(Confine, EveryLayerSaysWhatItIs) {
  const std::vector<CageLayer> layers = ProbeLayers();
  EXPECT_EQ(layers.size(), 7u);
  for (const CageLayer& layer : layers) {
    EXPECT_TRUE(layer.active || !layer.required) << layer.name << ": " << layer.why;
    if (!layer.active) std::cerr << "not here: " << layer.name << ": " << layer.why << "\n";
  }
}

TEST(Confine, WithoutRightsNoFileCanBeOpened) {
  if (LandlockVersion() == 0) GTEST_SKIP() << "this kernel has no Landlock";
  EXPECT_EQ(
      InChild([] {
        if (GiveUpRights() != nullptr) return 1;
        for (const char* path : {"/etc/passwd", "/dev/null", "/proc/self/maps", "/", "/tmp"}) {
          if (open(path, O_RDONLY) >= 0 || errno != EACCES) return 2;
        }
        return open("/tmp/kwright-confine", O_CREAT | O_WRONLY, 0600) >= 0 ? 3 : 0;
      }),
      0);
}

TEST(Confine, AMemoryFileCanStillBeOpened) {
  EXPECT_EQ(InChild([] {
              const int file = memfd_create("object", 0);
              if (GiveUpRights() != nullptr) return 1;
              const std::string path = "/proc/self/fd/" + std::to_string(file);
              return open(path.c_str(), O_RDONLY) >= 0 ? 0 : 2;
            }),
            0);
}

TEST(Confine, WithoutRightsRootIsNobodyWithoutCapabilities) {
  EXPECT_EQ(InChild([] {
              if (GiveUpRights() != nullptr) return 1;
              if (getuid() == 0 && setuid(0) != 0) return 2;
              return setgid(4711) == 0 || chroot("/") == 0 ? 3 : 0;
            }),
            0);
}

TEST(Confine, WithoutRightsTheNetworkIsEmpty) {
  for (const CageLayer& layer : ProbeLayers()) {
    if (layer.name == "network" && !layer.active) GTEST_SKIP() << layer.why;
  }
  EXPECT_EQ(InChild([] {
              if (GiveUpRights() != nullptr) return 1;
              const int fd = socket(AF_INET, SOCK_DGRAM, 0);
              sockaddr_in there{};
              there.sin_family = AF_INET;
              there.sin_port = htons(9);
              there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
              const auto* address = reinterpret_cast<sockaddr*>(&there);
              return fd >= 0 && connect(fd, address, sizeof there) == 0 ? 2 : 0;
            }),
            0);
}

TEST(Confinement, AProgramReadsAndWritesWhatItMay) {
  if (LandlockVersion() == 0) GTEST_SKIP() << "this kernel has no Landlock";
  const ScratchDirectory mine = *ScratchDirectory::Make("mine");
  const ScratchDirectory other = *ScratchDirectory::Make("other");
  ASSERT_TRUE(WriteFileAtomic(other.path() + "/secret", "do not tell"));
  Confinement::Files files = kSystem;
  files.write.push_back(mine.path());
  const std::string script = "cd " + mine.path() + " && mkdir in && echo hi > in/f && cat in/f";
  EXPECT_EQ(Confined(script, files).out, "hi\n");
  const ProcessExit refused = Confined("cat " + other.path() + "/secret", files);
  EXPECT_NE(refused.code, 0);
  EXPECT_EQ(refused.out, "");
  EXPECT_NE(Confined("echo x > " + other.path() + "/new", files).code, 0);
  EXPECT_NE(Confined("rm " + other.path() + "/secret", files).code, 0);
  EXPECT_NE(Confined("cat /etc/passwd", files).code, 0);
  EXPECT_NE(Confined("ls /proc/1", files).code, 0);
  EXPECT_NE(Confined("echo x > /usr/bin/kwright-confine", files).code, 0);
  EXPECT_EQ(Confined("echo x > /dev/null", files).code, 0);
}

TEST(Confinement, AProgramHasNoNetworkAndKeepsItsChildren) {
  const Confinement::Files all = {.read = {"/"}, .write = {"/"}};
  const ProcessExit tcp = *RunProcess({.argv = {"bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9"},
                                       .confinement = Confinement::Make(all)});
  EXPECT_NE(tcp.code, 0);
  EXPECT_NE(tcp.err.find("not permitted"), std::string::npos) << tcp.err;
  EXPECT_EQ(Confined("echo $(echo a | tr a b)", all).out, "b\n");
}

}  // namespace
}  // namespace kw
