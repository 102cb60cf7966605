#include "src/eval/oracle/replay.h"

#include <gtest/gtest.h>

#include "eval/oracle/fake_task.h"
#include "kw/base/file.h"

namespace kw::eval {
namespace {

Replay SampleReplay() {
  Replay replay;
  replay.task_name = "double";
  replay.task_folder = "data/tasks/double";
  replay.task_hash = "0123";
  replay.candidate_hash = "4567";
  replay.candidate_source = "extern \"C\" void run() {}\n// \xc3\xa9\n";
  replay.c = CaseOf({{"rows", 3}, {"cols", 33}}, "negative");
  replay.c.seed = 0xfedcba9876543210ULL;
  replay.c.scalars["eps"] = 1e-5f;
  replay.inputs_hash = "89ab";
  replay.device = "a100_sxm4";
  replay.status = "INCORRECT_NUMERICAL";
  replay.feedback = "line 1\nline 2";
  return replay;
}

TEST(Replay, ComesBackAsItWasStored) {
  ScratchDirectory folder = *ScratchDirectory::Make("replay");
  const Replay stored = SampleReplay();
  const std::string id = *StoreReplay(folder.path(), stored);
  const auto loaded = LoadReplay(folder.path(), id);
  ASSERT_TRUE(loaded) << loaded.error().ToString();
  EXPECT_EQ(loaded->id, id);
  EXPECT_EQ(loaded->task_name, stored.task_name);
  EXPECT_EQ(loaded->task_folder, stored.task_folder);
  EXPECT_EQ(loaded->task_hash, stored.task_hash);
  EXPECT_EQ(loaded->candidate_hash, stored.candidate_hash);
  EXPECT_EQ(loaded->candidate_source, stored.candidate_source);
  EXPECT_EQ(loaded->c.id, stored.c.id);
  EXPECT_EQ(loaded->c.seed, stored.c.seed);
  EXPECT_EQ(loaded->c.axes, stored.c.axes);
  EXPECT_EQ(loaded->c.group, stored.c.group);
  EXPECT_EQ(loaded->c.scalars, stored.c.scalars);
  EXPECT_EQ(loaded->inputs_hash, stored.inputs_hash);
  EXPECT_EQ(loaded->device, stored.device);
  EXPECT_EQ(loaded->status, stored.status);
  EXPECT_EQ(loaded->feedback, stored.feedback);
}

TEST(Replay, KeepsHowManyCallsCameBefore) {
  Replay replay = SampleReplay();
  EXPECT_EQ(FormatReplay(replay).find("calls_before"), std::string::npos);
  replay.c.calls_before = 231;
  replay.id = ReplayId(replay);
  const auto again = ParseReplay(FormatReplay(replay), "a replay");
  ASSERT_TRUE(again) << again.error().ToString();
  EXPECT_EQ(again->c.calls_before, 231);
  replay.c.calls_before = kMaxCallsBefore + 1;
  EXPECT_FALSE(ParseReplay(FormatReplay(replay), "a replay"));
}

TEST(Replay, StoringTheSameFailureAgainChangesNothing) {
  ScratchDirectory folder = *ScratchDirectory::Make("replay");
  const std::string id = *StoreReplay(folder.path(), SampleReplay());
  Replay again = SampleReplay();
  again.feedback = "in other words";
  EXPECT_EQ(*StoreReplay(folder.path(), again), id);
  EXPECT_EQ(LoadReplay(folder.path(), id)->feedback, SampleReplay().feedback);
  EXPECT_EQ(ListDirectory(folder.path())->size(), 1u);
  Replay other = SampleReplay();
  other.c.seed += 1;
  EXPECT_NE(*StoreReplay(folder.path(), other), id);
}

TEST(Replay, SaysThatAnIdIsNotStored) {
  ScratchDirectory folder = *ScratchDirectory::Make("replay");
  EXPECT_EQ(LoadReplay(folder.path(), "0123456789ab").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(LoadReplay(folder.path(), "../../secret").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(LoadReplay(folder.path(), "").error().code, ErrorCode::kInvalid);
}

TEST(Replay, NoticesAChangedFile) {
  ScratchDirectory folder = *ScratchDirectory::Make("replay");
  const std::string id = *StoreReplay(folder.path(), SampleReplay());
  const std::string path = folder.path() + "/" + id + ".json";
  std::string text = *ReadFile(path);
  text.replace(text.find("negative"), 8, "original");
  ASSERT_TRUE(WriteFileAtomic(path, text));
  EXPECT_EQ(LoadReplay(folder.path(), id).error().code, ErrorCode::kCorrupt);
}

TEST(ParseReplay, RefusesWhatIsNoReplay) {
  for (const char* text : {"", "{}", "[]", "{\"version\": 3}", "{\"version\": 2, \"id\": 3}"}) {
    EXPECT_FALSE(ParseReplay(text, "a replay")) << text;
  }
  Replay replay = SampleReplay();
  replay.id = ReplayId(replay);
  std::string text = FormatReplay(replay);
  ASSERT_TRUE(ParseReplay(text, "a replay"));
  text.replace(text.find("\"33\"") == text.npos ? text.find("33") : text.find("\"33\""), 2, "-x");
  EXPECT_FALSE(ParseReplay(text, "a replay"));
}

}  // namespace
}  // namespace kw::eval
