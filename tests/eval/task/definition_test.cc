#include <vector>

#include "sample.h"

namespace kw::eval {
namespace {

TEST(Definition, ReadsEveryField) {
  const Task task = Loaded(Sample());
  EXPECT_EQ(task.name, "pick");
  EXPECT_EQ(task.op_type, "gather");
  EXPECT_EQ(task.description, "Picks rows.");
  EXPECT_EQ(task.tags, std::vector<std::string>{"native"});
  EXPECT_EQ(task.constraints, std::vector<std::string>{"picked <= rows"});
  ASSERT_EQ(task.axes.size(), 3u);
  EXPECT_EQ(task.axes[0].name, "rows");
  EXPECT_TRUE(task.axes[0].is_var);
  EXPECT_EQ(task.axes[0].description, "Rows.");
  EXPECT_FALSE(task.axes[2].is_var);
  EXPECT_EQ(task.axes[2].value, 4);
  ASSERT_EQ(task.inputs.size(), 3u);
  EXPECT_EQ(task.inputs[0].shape, (std::vector<std::string>{"rows", "cols"}));
  EXPECT_EQ(task.inputs[1].dtype, DType::kInt32);
  EXPECT_TRUE(task.inputs[2].is_scalar);
  ASSERT_EQ(task.outputs.size(), 2u);
  EXPECT_EQ(task.outputs[1].name, "where");
  EXPECT_NE(task.reference_python.find("def run"), std::string::npos);
}

TEST(Definition, KeepsTheBytesWithTheKeysThatItDoesNotKnow) {
  const Task task = Loaded(Sample());
  EXPECT_EQ(task.definition_json, Sample()["definition.json"]);
  EXPECT_EQ(task.files.at("workloads.jsonl"), Sample()["workloads.jsonl"]);
}

struct DefinitionFault {
  const char *from, *to;
  std::vector<std::string> told;
};

TEST(Definition, NamesFileAndFieldOfEveryFault) {
  const std::vector<DefinitionFault> faults = {
      {R"("name": "pick",)", "", {"definition.json: name", "is missing"}},
      {R"("pick")", "7", {"definition.json: name", "text"}},
      {R"("pick")", R"("Pick")", {"definition.json: name", "lower-case"}},
      {R"("pick")", R"("../pick")", {"definition.json: name"}},
      {R"("pick")", R"("..")", {"definition.json: name"}},
      {R"("gather")", R"("a b")", {"definition.json: op_type"}},
      {R"("Picks rows.")", "3", {"definition.json: description"}},
      {R"(["native"])", R"([""])", {"definition.json: tags"}},
      {R"("axes": {)", R"("axis": {)", {"definition.json: axes", "is missing"}},
      {R"("type": "var", "desc)",
       R"("type": "variable", "desc)",
       {"axes.rows.type", "'variable'", "var"}},
      {R"("rows": {"type")", R"("1rows": {"type")", {"axes.1rows", "identifier"}},
      {R"("value": 4)", R"("value": 0)", {"axes.cols.value"}},
      {R"("value": 4)", R"("value": -4)", {"axes.cols.value"}},
      {R"("value": 4)", R"("value": 4.5)", {"axes.cols.value"}},
      {R"("value": 4)", R"("value": 99999999999999999999)", {"axes.cols.value"}},
      {R"("value": 4)", R"("value": 18446744073709551615)", {"axes.cols.value"}},
      {R"(, "value": 4)", "", {"axes.cols.value"}},
      {R"("picked": {"type": "var"})",
       R"("rows": {"type": "var"})",
       {"definition.json: rows", "twice"}},
      {R"(["rows", "cols"])", R"(["row", "cols"])", {"inputs.x.shape", "'row'", "'rows'"}},
      {R"(["rows", "cols"])", R"(["rows", 4])", {"inputs.x.shape"}},
      {R"(["rows", "cols"])", R"("rows")", {"inputs.x.shape"}},
      {R"("shape": ["rows", "cols"], )", "", {"inputs.x.shape", "is missing"}},
      {R"("float32")", R"("float31")", {"inputs.x.dtype", "'float31'", "'float32'"}},
      {R"("float32")", R"("float4_e2m1")", {"inputs.x.dtype", "float4_e2m1 is not supported"}},
      {R"("dtype": "int32")", R"("type": "int32")", {"inputs.index.dtype"}},
      {R"("x": {"shape")", R"("x y": {"shape")", {"inputs.x y", "identifier"}},
      {R"("y": {"shape": ["picked", "cols"])",
       R"("y": {"shape": null)",
       {"outputs.y.shape", "scalar"}},
      {R"("y": {)", R"("x": {)", {"outputs.x", "input"}},
      {R"("where": {)", R"("y": {)", {"definition.json: y", "twice"}},
      {R"("reference": ")", R"("ref": ")", {"definition.json: reference"}},
      {"def run(", "def main(", {"definition.json: reference", "'run'"}},
      {"def run(", "  def run(", {"definition.json: reference", "'run'"}},
      {"picked <= rows", "picked <= row", {"constraints[0]", "'row'", "'rows'"}},
      {"picked <= rows", "picked <=", {"constraints[0]"}},
      {"picked <= rows", "__import__(1)", {"constraints[0]"}},
      {"\"name\"", "name", {"definition.json"}},
  };
  for (const DefinitionFault& fault : faults)
    ExpectError(With("definition.json", fault.from, fault.to), fault.told);
}

TEST(Definition, RefusesWhatIsNoObject) {
  ExpectError(WithFile("definition.json", "[]"), {"definition.json"});
  ExpectError(WithFile("definition.json", "{"), {"definition.json"});
  ExpectError(WithFile("definition.json", " \n"), {"definition.json", "empty"});
  ExpectError(WithFile("definition.json", "{\"name\": \"\xff\"}"), {"definition.json"});
  ExpectError(WithFile("definition.json", std::string(100000, '[')), {"definition.json"});
}

TEST(Definition, AcceptsTheOlderNameOfFloat8) {
  Files files = With("definition.json", R"("float32")", R"("float8_e4m3")");
  EXPECT_EQ(Loaded(files).inputs[0].dtype, DType::kFloat8E4M3);
}

TEST(Definition, AConstraintOnValuesIsKeptAndNotAShapeFilter) {
  const Task task = Loaded(With("definition.json", "picked <= rows", "picked == index[-1].item()"));
  EXPECT_EQ(task.constraints.size(), 1u);
  EXPECT_TRUE(SatisfiesConstraints(task, {{"rows", 1}, {"picked", 2}, {"cols", 4}}).value());
}

TEST(DTypeNames, RoundTrip) {
  for (int i = 0; i <= static_cast<int>(DType::kBool); ++i) {
    const auto dtype = static_cast<DType>(i);
    EXPECT_EQ(DTypeFromName(DTypeName(dtype)), dtype);
    EXPECT_GT(DTypeBytes(dtype), 0);
    EXPECT_EQ(IsFloat(dtype), DefaultTolerance(dtype).absolute > 0) << DTypeName(dtype);
  }
  EXPECT_FALSE(DTypeFromName("float").has_value());
}

}  // namespace
}  // namespace kw::eval
