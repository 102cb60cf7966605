// The file of recorded answers: docs/formats/response-cache.md. The one place that knows SQLite
// here. Not thread-safe: one object a thread, or a lock.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recorded_row.h"

namespace kw::recording {

class RecordingFile {
 public:
  enum class Access { kRead, kWrite };  // kWrite makes a missing file
  [[nodiscard]] static Result<std::unique_ptr<RecordingFile>> Open(const std::string& path,
                                                                   Access access);
  // Another connection to a file that is open, for another thread: not checked again.
  [[nodiscard]] Result<std::unique_ptr<RecordingFile>> OpenBeside() const;
  ~RecordingFile();

  [[nodiscard]] Result<std::optional<StoredRow>> Find(const std::string& key);
  // In a transaction of its own. False where the key is there already: what is there stays.
  // `flush`: it survives the death of the machine too, not only that of the process.
  [[nodiscard]] Result<bool> Insert(const StoredRow& row, bool flush);
  // The row whose sketch is most like `sketch`, the oldest of these; none in an empty file.
  [[nodiscard]] Result<std::optional<StoredRow>> Nearest(std::string_view sketch);
  // Up to `limit` rows with ids above `after`, in their order.
  [[nodiscard]] Result<std::vector<StoredRow>> List(int64_t after, int64_t limit);
  [[nodiscard]] Result<int64_t> Entries();
  [[nodiscard]] Result<int64_t> Bytes();
  [[nodiscard]] Result<bool> HoldsSimulated();
  // One file without others beside it, if nobody else has it open. Else whoever closes it last
  // does.
  void JoinLogs();

 private:
  struct Connection;
  explicit RecordingFile(std::unique_ptr<Connection> connection);
  std::unique_ptr<Connection> connection_;
};

}  // namespace kw::recording
