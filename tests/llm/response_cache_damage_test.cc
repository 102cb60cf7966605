// Recordings that are damaged, or no recordings: an error that names the file, and the file stays.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zstd.h>

#include "response_cache_fixture.h"
#include "src/llm/recorded_row.h"

namespace kw {
namespace {

using testing::HasSubstr;

class CacheDamageTest : public ResponseCacheFixture {
 protected:
  // 40 answers of 1 KB each.
  std::string MakeRecording() const {
    {
      const ScriptedModel inner([](const ChatRequest& request) {
        std::string noise;
        Random random(*request.seed);
        while (noise.size() < 1000) noise += static_cast<char>('a' + random.Below(26));
        return Says(noise);
      });
      const auto model = Recorder(inner);
      for (uint64_t seed = 0; seed < 40; ++seed) {
        ChatRequest request = Ask("p");
        request.seed = seed;
        model->Complete(request).value();
      }
    }
    return ReadFile(file()).value();
  }

  void Write(const std::string& bytes) const { ASSERT_TRUE(WriteFileAtomic(file(), bytes)); }

  void ExpectRefused(const std::string& bytes, ErrorCode code, const std::string& words) const {
    Write(bytes);
    for (CacheMode mode : {CacheMode::kRecord, CacheMode::kReplay}) {
      const auto cache = ResponseCache::Open(file(), mode);
      ASSERT_FALSE(cache);
      EXPECT_EQ(cache.error().code, code) << cache.error().ToString();
      EXPECT_THAT(cache.error().message, HasSubstr(file()));
      EXPECT_THAT(cache.error().message, HasSubstr(words));
      EXPECT_EQ(ReadFile(file()).value(), bytes);
    }
  }

  void Execute(const std::string& sql) const {
    SQLite::Database(file(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec(sql);
  }

  Result<ChatAnswer> AskSeed0() const {
    ChatRequest request = Ask("p");
    request.seed = 0;
    return Replayer()->Complete(request);
  }
};

TEST_F(CacheDamageTest, RefusesWhatIsNoRecording) {
  const std::string whole = MakeRecording();
  ExpectRefused("my notes\n", ErrorCode::kCorrupt, "no recording of answers");
  ExpectRefused(std::string("SQLite format 3\0", 16), ErrorCode::kCorrupt, "no recording");
  std::string noise;
  Random random(3);
  while (noise.size() < 10'000) noise += static_cast<char>(random.Next32());
  ExpectRefused(noise, ErrorCode::kCorrupt, "left as it is");
  ExpectRefused(whole.substr(0, 50), ErrorCode::kCorrupt, "no recording");
}

TEST_F(CacheDamageTest, RefusesADatabaseOfAnotherKind) {
  Execute("CREATE TABLE run (format INTEGER); INSERT INTO run VALUES (1)");
  ExpectRefused(ReadFile(file()).value(), ErrorCode::kCorrupt, "no recording of answers");
}

TEST_F(CacheDamageTest, RefusesATruncatedFile) {
  const std::string whole = MakeRecording();
  ExpectRefused(whole.substr(0, whole.size() / 2), ErrorCode::kCorrupt, "is damaged");
  ExpectRefused(whole.substr(0, 4096), ErrorCode::kCorrupt, "is damaged");
}

TEST_F(CacheDamageTest, RefusesOtherFormatsAndOtherTables) {
  MakeRecording();
  const std::string whole = ReadFile(file()).value();
  Execute("PRAGMA user_version = 2");
  ExpectRefused(ReadFile(file()).value(), ErrorCode::kConflict, "format 2");
  Write(whole);
  Execute("CREATE TRIGGER t AFTER INSERT ON answer BEGIN DELETE FROM answer; END");
  ExpectRefused(ReadFile(file()).value(), ErrorCode::kCorrupt, "other tables");
}

TEST_F(CacheDamageTest, RefusesAFolderInItsPlace) {
  ASSERT_EQ(mkdir(file().c_str(), 0700), 0);
  const auto cache = ResponseCache::Open(file(), CacheMode::kRecord);
  EXPECT_EQ(cache.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(cache.error().message, HasSubstr(file()));
}

TEST_F(CacheDamageTest, NeverAnswersWrongFromARecordingWithBrokenBytes) {
  const std::string whole = MakeRecording();
  const std::string right = AskSeed0().value().content;
  Random random(11);
  int refused = 0;
  for (int round = 0; round < 60; ++round) {
    std::string bytes = whole;
    for (int i = 0; i < 20; ++i) bytes[random.Below(bytes.size())] ^= 0x55;
    Write(bytes);
    const auto model = MakeCachingModel(nullptr, Config(CacheMode::kReplay));
    if (!model) {
      EXPECT_THAT(model.error().message, HasSubstr(file()));
      ++refused;
      continue;
    }
    ChatRequest request = Ask("p");
    request.seed = 0;
    const auto answer = (*model)->Complete(request);
    if (answer) {
      EXPECT_EQ(answer->content, right);
    } else {
      EXPECT_THAT(answer.error().message, HasSubstr(file()));
    }
  }
  EXPECT_GT(refused, 0);
}

TEST_F(CacheDamageTest, RefusesARowThatIsNoAnswer) {
  MakeRecording();
  const std::string other = recording::Pack("{}");
  const auto set = [&](const std::string& column, const std::string& bytes) {
    SQLite::Database db(file(), SQLite::OPEN_READWRITE);
    SQLite::Statement update(db, "UPDATE answer SET " + column + " = ?");
    update.bind(1, static_cast<const void*>(bytes.data()), static_cast<int>(bytes.size()));
    update.exec();
  };
  set("answer", other);
  EXPECT_THAT(AskSeed0().error().message, HasSubstr("'content' is missing"));
  EXPECT_THAT(AskSeed0().error().message, HasSubstr(file()));
  set("answer", "not packed");
  EXPECT_EQ(AskSeed0().error().code, ErrorCode::kCorrupt);
  EXPECT_FALSE(Open(CacheMode::kReplay)->ListRequests(10));
  set("request", other);
  EXPECT_THAT(AskSeed0().error().message, HasSubstr("its key is not its hash"));
}

TEST(RecordedRow, RefusesToUnpackMoreThanItsBound) {
  // A frame that says that it holds 1 TiB: a few bytes.
  std::string bomb("\x28\xB5\x2F\xFD\xC0\x00", 6);
  bomb += std::string("\x00\x00\x00\x00\x00\x01\x00\x00", 8);
  bomb += std::string("\x01\x00\x00", 3);
  EXPECT_EQ(recording::Unpack(bomb, "it").error().code, ErrorCode::kLimit);
  // One that holds more than its bound in truth.
  const std::string large = recording::Pack(std::string(recording::kMaxRecordedBytes + 1, 'a'));
  EXPECT_LT(large.size(), 100'000U);
  EXPECT_EQ(recording::Unpack(large, "it").error().code, ErrorCode::kLimit);
  const std::string most = recording::Pack(std::string(recording::kMaxRecordedBytes, 'a'));
  EXPECT_EQ(recording::Unpack(most, "it").value().size(), recording::kMaxRecordedBytes);
  // A frame that does not say how much it holds.
  std::string unsaid = recording::Pack("a");
  EXPECT_EQ(recording::Unpack(unsaid.substr(0, 4), "it").error().code, ErrorCode::kCorrupt);
  unsaid.back() ^= 1;
  EXPECT_EQ(recording::Unpack(unsaid, "it").error().code, ErrorCode::kCorrupt);
}

TEST(RecordedRow, RefusesAnswersOfTheWrongShape) {
  const std::string whole = recording::EncodeAnswer(Says("x"));
  ASSERT_TRUE(recording::DecodeAnswer(whole));
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = whole;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return recording::DecodeAnswer(text.replace(at, from.size(), to));
  };
  EXPECT_FALSE(with("\"content\":\"x\"", "\"content\":1"));
  EXPECT_FALSE(with("\"retries\":0", "\"retries\":-1"));
  EXPECT_FALSE(with("\"retries\":0", "\"retries\":3000000000"));
  EXPECT_FALSE(with("\"cost_usd\":0.0", "\"cost_usd\":1e999"));
  EXPECT_FALSE(with("\"latency_us\":0", "\"latency_us\":1.5"));
  EXPECT_FALSE(with("\"usage\":{", "\"usage\":{\"more\":1,"));
  EXPECT_FALSE(with("\"retries\"", "\"unknown\":1,\"retries\""));
  EXPECT_FALSE(with("\"retries\"", "\"runaway\":null,\"retries\""));
  EXPECT_FALSE(recording::DecodeAnswer("[" + std::string(3'000'000, ',') + "]"));
}

}  // namespace
}  // namespace kw
