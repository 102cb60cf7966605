// What kind of disk a folder lies on.
#pragma once

#include <string>

namespace kw::recording {

// True where several machines may share the folder (NFS, SMB, Lustre, FUSE, ...), and where that
// cannot be found out. SQLite's write-ahead log needs memory that processes share: not there.
bool IsOnSharedFileSystem(const std::string& folder);

}  // namespace kw::recording
