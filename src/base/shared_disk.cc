#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "kw/base/file.h"

namespace kw {
namespace {

// The f_type of statfs(2), from its manual page and the file systems' own headers.
constexpr std::array<uint32_t, 15> kSharedKinds = {
    0x00006969,  // NFS
    0x0000517b,  // SMB
    0xff534d42,  // CIFS
    0xfe534d42,  // SMB 2
    0x0bd00bd0,  // Lustre
    0x47504653,  // GPFS
    0x19830326,  // BeeGFS
    0x00c36400,  // Ceph
    0x5346414f,  // AFS
    0x6b414653,  // kAFS
    0x01021997,  // 9P
    0x65735546,  // FUSE: may be anything
    0x7461636f,  // OCFS2
    0x01161970,  // GFS2
    0xaad7aaea,  // PanFS
};

}  // namespace

bool IsOnSharedFileSystem(const std::string& path) {
  struct statfs info {};
  if (statfs(path.empty() ? "." : path.c_str(), &info) != 0) return true;
  return std::find(kSharedKinds.begin(), kSharedKinds.end(), static_cast<uint32_t>(info.f_type)) !=
         kSharedKinds.end();
}

}  // namespace kw
