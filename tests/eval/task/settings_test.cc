#include <vector>

#include "sample.h"

namespace kw::eval {
namespace {

TEST(Settings, ReadsEveryKey) {
  const Task task = Loaded(Sample());
  EXPECT_EQ(task.axes[0].sizes, (std::vector<int64_t>{1, 31, 32, 33}));
  EXPECT_TRUE(task.axes[1].sizes.empty());
  EXPECT_EQ(task.inputs[0].range, (std::pair<double, double>{-4, 4}));
  EXPECT_EQ(task.inputs[1].kind, InputKind::kIndex);
  EXPECT_EQ(task.inputs[1].index_of, "rows");
  EXPECT_TRUE(task.inputs[1].unique);
  EXPECT_EQ(task.inputs[2].values, (std::vector<double>{0.5, 2}));
  EXPECT_EQ(task.outputs[1].selects, "x");
  ASSERT_EQ(task.tolerance.size(), 1u);
  EXPECT_EQ(task.tolerance.at(DType::kFloat32).absolute, 1e-4);
  EXPECT_EQ(task.tolerance.at(DType::kFloat32).relative, 1e-5);
  EXPECT_TRUE(task.bitwise);
  EXPECT_EQ(task.groups, (std::vector<std::string>{"tiny", "nonfinite"}));
  EXPECT_EQ(task.cost_flops, "picked*cols");
  EXPECT_EQ(task.cost_bytes, "4*(rows + 2*picked)*cols");
  EXPECT_EQ(task.allowed_libraries, std::vector<std::string>{"cublas"});
}

TEST(Settings, AllKeysAreOptional) {
  for (const Files& files : {WithFile("task.toml", ""), WithFile("task.toml", "# nothing\n")}) {
    const Task task = Loaded(files);
    EXPECT_EQ(task.inputs[1].kind, InputKind::kAny);
    EXPECT_FALSE(task.bitwise);
    EXPECT_TRUE(task.allowed_libraries.empty());
  }
  Files files = Sample();
  files.erase("task.toml");
  EXPECT_EQ(LoadError(files), "");
}

TEST(Settings, SumsInHalfAreAllowedWhereThereIsHalf) {
  Files files = WithFile("task.toml", "[allow]\nhalf_accumulators = true\n");
  std::string& definition = files["definition.json"];
  const std::string from = "\"dtype\": \"float32\"";
  definition.replace(definition.find(from), from.size(), "\"dtype\": \"bfloat16\"");
  EXPECT_TRUE(Loaded(files).half_accumulators);
  files["task.toml"] = "";
  EXPECT_FALSE(Loaded(files).half_accumulators);
}

TEST(Settings, EveryFloatOutputHasATolerance) {
  const Task task = Loaded(WithFile("task.toml", ""));
  ASSERT_EQ(task.tolerance.size(), 1u);  // the integer output is exact
  const Tolerance tolerance = task.tolerance.at(DType::kFloat32);
  EXPECT_EQ(tolerance.absolute, DefaultTolerance(DType::kFloat32).absolute);
  EXPECT_EQ(tolerance.relative, DefaultTolerance(DType::kFloat32).relative);
}

TEST(Settings, AToleranceThatIsGivenIsTakenAsItIs) {
  const Task task = Loaded(WithFile("task.toml", "[tolerance]\nfloat32 = 1e-3\n"));
  EXPECT_EQ(task.tolerance.at(DType::kFloat32).absolute, 1e-3);
  EXPECT_EQ(task.tolerance.at(DType::kFloat32).relative, 0);
}

TEST(Settings, ReadsTheOtherKindsOfInput) {
  Files files = WithFile("task.toml",
                         "[inputs.index]\nkind = \"indptr\"\ntotal = \"rows\"\n"
                         "[inputs.x]\nkind = \"positive\"\nrange = [0.5, 2]\n"
                         "[inputs.scale]\nrange = [1, 2]\n");
  Task task = Loaded(files);
  EXPECT_EQ(task.inputs[1].kind, InputKind::kIndptr);
  EXPECT_EQ(task.inputs[1].indptr_total, "rows");
  EXPECT_EQ(task.inputs[0].kind, InputKind::kPositive);
  EXPECT_TRUE(task.inputs[2].range.has_value());
  task = Loaded(WithFile("task.toml", "[inputs.index]\nkind = \"permutation\"\nof = \"picked\"\n"));
  EXPECT_EQ(task.inputs[1].kind, InputKind::kPermutation);
  EXPECT_EQ(task.inputs[1].index_of, "picked");
}

struct SettingsFault {
  std::string toml;
  std::vector<std::string> told;
};

TEST(Settings, NamesFileAndFieldOfEveryFault) {
  const std::string index = "[inputs.index]\n", x = "[inputs.x]\n", scale = "[inputs.scale]\n";
  const std::vector<SettingsFault> faults = {
      {"[tolerances]\nfloat32 = 1\n", {"task.toml", "'tolerances'", "'tolerance'"}},
      {"axes = 3\n", {"task.toml: axes", "table"}},
      {"[axes.rows]\nsize = [1]\n", {"task.toml: axes.rows", "'size'", "'sizes'"}},
      {"[axes.row]\nsizes = [1]\n", {"task.toml: axes", "'row'", "'rows'"}},
      {"[axes.cols]\nsizes = [4]\n", {"task.toml: axes.cols", "const"}},
      {"[axes.rows]\nsizes = []\n", {"task.toml: axes.rows.sizes", "empty"}},
      {"[axes.rows]\nsizes = [0]\n", {"task.toml: axes.rows.sizes", "0"}},
      {"[axes.rows]\nsizes = [-3]\n", {"task.toml: axes.rows.sizes", "-3"}},
      {"[axes.rows]\nsizes = [1, 2, 1]\n", {"task.toml: axes.rows.sizes", "twice"}},
      {"[axes.rows]\nsizes = [99999999999]\n", {"task.toml: axes.rows.sizes", "99999999999"}},
      {"[axes.rows]\nsizes = [1.5]\n", {"task.toml: axes.rows", "'sizes'"}},
      {"[axes.rows]\nsizes = \"1\"\n", {"task.toml: axes.rows", "'sizes'"}},
      {"[axes]\nrows = [1]\n", {"task.toml: axes.rows", "table"}},
      {"[inputs.z]\nrange = [0, 1]\n", {"task.toml: inputs", "'z'"}},
      {x + "rnage = [0, 1]\n", {"task.toml: inputs.x", "'rnage'", "'range'"}},
      {x + "range = [1]\n", {"task.toml: inputs.x.range", "two"}},
      {x + "range = [1, 1]\n", {"task.toml: inputs.x.range", "less"}},
      {x + "range = [2, 1]\n", {"task.toml: inputs.x.range", "less"}},
      {x + "range = [nan, 1]\n", {"task.toml", "range"}},
      {x + "range = [0, inf]\n", {"task.toml", "range"}},
      {x + "range = [0, 1e39]\n", {"task.toml: inputs.x.range", "float32"}},
      {x + "range = \"0..1\"\n", {"task.toml: inputs.x", "'range'"}},
      {index + "range = [0.5, 2]\n", {"task.toml: inputs.index.range", "integer"}},
      {index + "range = [0, 3000000000]\n", {"task.toml: inputs.index.range", "int32"}},
      {index + "kind = \"indexes\"\nof = \"rows\"\n",
       {"inputs.index.kind", "'indexes'", "'index'"}},
      {index + "kind = \"index\"\n", {"task.toml: inputs.index.of", "needed"}},
      {index + "kind = \"index\"\nof = \"row\"\n", {"inputs.index.of", "'row'", "'rows'"}},
      {index + "kind = \"index\"\nof = \"rows\"\nrange = [0, 1]\n", {"inputs.index.range"}},
      {index + "kind = \"index\"\nof = \"rows\"\ntotal = \"rows\"\n", {"inputs.index.total"}},
      {index + "kind = \"indptr\"\nof = \"rows\"\n", {"inputs.index.total", "needed"}},
      {index + "kind = \"permutation\"\nof = \"rows\"\n", {"inputs.index.of", "last axis"}},
      {index + "of = \"rows\"\n", {"task.toml: inputs.index.of"}},
      {index + "unique = true\n", {"task.toml: inputs.index.unique"}},
      {index + "unique = 1\n", {"task.toml: inputs.index", "'unique'"}},
      {index + "kind = 3\n", {"task.toml: inputs.index", "'kind'"}},
      {x + "kind = \"index\"\nof = \"rows\"\n", {"task.toml: inputs.x", "integer"}},
      {x + "kind = \"indptr\"\ntotal = \"rows\"\n", {"task.toml: inputs.x", "integer"}},
      {x + "kind = \"positive\"\nrange = [-1, 1]\n", {"task.toml: inputs.x.range", "below 0"}},
      {x + "values = [1]\n", {"task.toml: inputs.x.values", "scalar"}},
      {scale + "values = []\n", {"task.toml: inputs.scale.values"}},
      {scale + "values = [true]\n", {"task.toml: inputs.scale.values"}},
      {scale + "values = [nan]\n", {"task.toml", "values"}},
      {scale + "values = [1]\nrange = [0, 1]\n", {"task.toml: inputs.scale", "not both"}},
      {scale + "kind = \"positive\"\n", {"task.toml: inputs.scale.kind"}},
      {"[outputs.z]\nselects = \"x\"\n", {"task.toml: outputs", "'z'"}},
      {"[outputs.where]\nselects = \"z\"\n", {"task.toml: outputs.where.selects", "'z'"}},
      {"[outputs.where]\nselects = \"scale\"\n", {"task.toml: outputs.where.selects"}},
      {"[outputs.y]\nselects = \"x\"\n", {"task.toml: outputs.y.selects", "integer"}},
      {"[outputs.where]\nselect = \"x\"\n", {"task.toml: outputs.where", "'select'"}},
      {"[tolerance]\nfloat32 = 0\n", {"task.toml: tolerance.float32", "more than 0"}},
      {"[tolerance]\nfloat32 = -1e-3\n", {"task.toml: tolerance.float32", "more than 0"}},
      {"[tolerance]\nfloat32 = nan\n", {"task.toml", "float32"}},
      {"[tolerance]\nfloat32 = inf\n", {"task.toml", "float32"}},
      {"[tolerance]\nfloat32 = \"1e-3\"\n", {"task.toml: tolerance.float32"}},
      {"[tolerance]\nfloat23 = 1e-3\n", {"task.toml: tolerance", "'float23'", "'float32'"}},
      {"[tolerance]\nfloat16 = 1e-3\n", {"task.toml: tolerance.float16", "no output"}},
      {"[tolerance]\nint64 = 1\n", {"task.toml: tolerance.int64", "exact"}},
      {"[tolerance]\nrelative = 1e-3\n", {"task.toml: tolerance.relative", "table"}},
      {"[tolerance.relative]\nfloat32 = 0\n", {"tolerance.relative.float32", "more than 0"}},
      {"[tolerance.relative]\nfloat32 = 1\n", {"tolerance.relative.float32", "below 1"}},
      {"[determinism]\nbitwise = 1\n", {"task.toml: determinism", "'bitwise'"}},
      {"[determinism]\nbits = true\n", {"task.toml: determinism", "'bits'"}},
      {"[groups]\nalso = [\"small\"]\n", {"task.toml: groups.also", "'small'", "tiny"}},
      {"[groups]\nalso = [\"tiny\", \"tiny\"]\n", {"task.toml: groups.also", "twice"}},
      {"[groups]\nalso = \"tiny\"\n", {"task.toml: groups", "'also'"}},
      {"[groups]\ntiny = true\n", {"task.toml: groups", "'tiny'", "also"}},
      {"groups = [\"tiny\"]\n", {"task.toml: groups", "table"}},
      {"[cost]\nflops = \"rows*col\"\n", {"task.toml: cost.flops", "'col'", "'cols'"}},
      {"[cost]\nflops = \"rows*\"\n", {"task.toml: cost.flops"}},
      {"[cost]\nbytes = \"\"\n", {"task.toml: cost.bytes"}},
      {"[cost]\nbytes = 4\n", {"task.toml: cost", "'bytes'"}},
      {"[cost]\nbytes = \"1 - rows\"\n", {"workloads.jsonl: line 1", "cost.bytes"}},
      {"[cost]\nflops = \"1/(rows - 8)\"\n", {"workloads.jsonl: line 1", "cost.flops"}},
      {"[cost]\nflop = \"1\"\n", {"task.toml: cost", "'flop'", "'flops'"}},
      {"[allow]\nlibraries = [\"cubla\"]\n", {"task.toml: allow.libraries", "'cubla'", "'cublas'"}},
      {"[allow]\nlibrary = []\n", {"task.toml: allow", "'library'"}},
      {"[allow]\nhalf_accumulators = true\n",
       {"task.toml: allow.half_accumulators", "no output is float16 or bfloat16"}},
      {"[axes.rows\n", {"task.toml"}},
  };
  for (const SettingsFault& fault : faults)
    ExpectError(WithFile("task.toml", fault.toml), fault.told);
}

}  // namespace
}  // namespace kw::eval
