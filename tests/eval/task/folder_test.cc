// Whole folders: files, hash, the library.
#include <set>

#include "kw/base/file.h"
#include "sample.h"

namespace kw::eval {
namespace {

void WriteFolder(const std::string& folder, const Files& files) {
  ASSERT_TRUE(MakeDirectories(folder));
  for (const auto& [name, text] : files) ASSERT_TRUE(WriteFileAtomic(folder + "/" + name, text));
}

TEST(Folder, NamesTheFileThatIsMissing) {
  for (const char* name : {"definition.json", "workloads.jsonl", "baseline.cu"}) {
    Files files = Sample();
    files.erase(name);
    ExpectError(files, {name, "missing", "folder"});
    ExpectError(WithFile(name, "  \n"), {name, "empty"});
  }
}

TEST(Folder, AnImportedTaskMayLackAReference) {
  Files files = Sample();
  files.erase("reference.cpp");
  EXPECT_EQ(Loaded(files).reference_cpp, "");
  ExpectError(WithFile("reference.cpp", "int main() {}\n"),
              {"reference.cpp", "extern \"C\" void reference(const double* x"});
}

TEST(Folder, TakesTheBaselineOfTheHighestComputeCapabilityNotAbove) {
  const Task task = Loaded(Sample());
  EXPECT_EQ(task.BaselineFor(80), "// plain\n");
  EXPECT_EQ(task.BaselineFor(89), "// plain\n");
  EXPECT_EQ(task.BaselineFor(90), "// sm90\n");
  EXPECT_EQ(task.BaselineFor(99), "// sm90\n");
  EXPECT_EQ(task.BaselineFor(120), "// sm100\n");
}

TEST(Folder, RefusesABaselineOfNoComputeCapability) {
  for (const char* name : {"baseline.sm9x.cu", "baseline.sm.cu", "baseline.90.cu",
                           "baseline.sm90a.cu", "baseline.sm9000.cu"}) {
    ExpectError(WithFile(name, "// x\n"), {name});
  }
}

TEST(Folder, HashCoversWhatDecidesAVerdictAndNothingElse) {
  const std::string hash = Loaded(Sample()).hash;
  EXPECT_EQ(hash.size(), 32u);
  EXPECT_EQ(Loaded(Sample()).hash, hash);
  EXPECT_EQ(LoadTaskFiles(Sample(), "elsewhere")->hash, hash);
  EXPECT_EQ(Loaded(WithFile("README.md", "changed\n")).hash, hash);
  std::set<std::string> hashes = {hash};
  for (const char* name : {"definition.json", "workloads.jsonl", "task.toml", "reference.cpp",
                           "baseline.cu", "baseline.sm90.cu"}) {
    EXPECT_TRUE(hashes.insert(Loaded(WithFile(name, Sample()[name] + "\n")).hash).second) << name;
  }
  Files renamed = Sample();
  renamed["baseline.sm89.cu"] = renamed["baseline.sm90.cu"];
  renamed.erase("baseline.sm90.cu");
  EXPECT_TRUE(hashes.insert(Loaded(renamed).hash).second);
}

TEST(Folder, LoadsTheSameFromDiskAndFromMemory) {
  Result<ScratchDirectory> scratch = ScratchDirectory::Make("task-test");
  ASSERT_TRUE(scratch) << scratch.error().ToString();
  WriteFolder(scratch->path(), Sample());
  const Result<Task> task = LoadTask(scratch->path());
  ASSERT_TRUE(task) << task.error().ToString();
  EXPECT_EQ(task->hash, Loaded(Sample()).hash);
  EXPECT_EQ(task->folder, scratch->path());
  const Result<Task> again = LoadTaskFiles(task->files, "wire");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->hash, task->hash);
}

TEST(Folder, SaysWhichFolderIsNotThere) {
  const Result<Task> task = LoadTask("/nowhere/at/all");
  ASSERT_FALSE(task);
  EXPECT_EQ(task.error().code, ErrorCode::kNotFound);
  EXPECT_NE(task.error().message.find("/nowhere/at/all"), std::string::npos);
}

class LibraryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Result<ScratchDirectory> scratch = ScratchDirectory::Make("library-test");
    ASSERT_TRUE(scratch) << scratch.error().ToString();
    scratch_.emplace(*std::move(scratch));
    root_ = scratch_->path();
    WriteFolder(root_ + "/gather/pick", Sample());
  }
  std::optional<ScratchDirectory> scratch_;
  std::string root_;
};

TEST_F(LibraryTest, ListsAndLoadsByNameAndByFolder) {
  WriteFolder(root_ + "/other/abc", Sample());
  const Result<TaskLibrary> library = TaskLibrary::Open(root_);
  ASSERT_TRUE(library) << library.error().ToString();
  EXPECT_EQ(library->Names(), (std::vector<std::string>{"abc", "pick"}));
  EXPECT_TRUE(library->Load("pick"));
  EXPECT_TRUE(library->Load(root_ + "/gather/pick"));
  const Result<Task> unknown = library->Load("pikc");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::kNotFound);
  EXPECT_NE(unknown.error().message.find("'pick'"), std::string::npos) << unknown.error().message;
  const Result<Task> no_folder = library->Load("./pick");
  ASSERT_FALSE(no_folder);
  EXPECT_EQ(no_folder.error().code, ErrorCode::kNotFound);
}

TEST_F(LibraryTest, RefusesAFolderWhoseNameIsNotTheTasks) {
  WriteFolder(root_ + "/gather/abc", Sample());
  const Result<TaskLibrary> library = TaskLibrary::Open(root_);
  ASSERT_TRUE(library);
  const Result<Task> task = library->Load("abc");
  ASSERT_FALSE(task);
  EXPECT_NE(task.error().message.find("'pick'"), std::string::npos) << task.error().message;
}

TEST_F(LibraryTest, RefusesTwoTasksOfOneName) {
  WriteFolder(root_ + "/other/pick", Sample());
  const Result<TaskLibrary> library = TaskLibrary::Open(root_);
  ASSERT_FALSE(library);
  EXPECT_EQ(library.error().code, ErrorCode::kConflict);
  EXPECT_NE(library.error().message.find("other/pick"), std::string::npos);
}

TEST_F(LibraryTest, SaysThatARootIsNotThere) {
  const Result<TaskLibrary> library = TaskLibrary::Open(root_ + "/none");
  ASSERT_FALSE(library);
  EXPECT_EQ(library.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace kw::eval
