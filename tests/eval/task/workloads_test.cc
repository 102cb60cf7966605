#include <vector>

#include "sample.h"

namespace kw::eval {
namespace {

TEST(Workloads, ReadsTracesAndPlainWorkloads) {
  const Task task = Loaded(Sample());
  ASSERT_EQ(task.workloads.size(), 2u);
  const Workload& first = task.workloads[0];
  EXPECT_EQ(first.uuid, "a");
  EXPECT_EQ(first.axes, (std::map<std::string, int64_t>{{"rows", 8}, {"picked", 2}}));
  EXPECT_EQ(first.scalars, (std::map<std::string, double>{{"scale", 2}}));
  EXPECT_EQ(first.stored.at("index").path, "./blobs/i.safetensors");
  EXPECT_EQ(first.stored.at("index").tensor_key, "i");
  EXPECT_EQ(first.stored.count("x"), 0u);
  // A const axis may be repeated, with its value; it is no part of the workload.
  EXPECT_EQ(task.workloads[1].axes, (std::map<std::string, int64_t>{{"rows", 3}, {"picked", 3}}));
}

struct WorkloadsFault {
  std::string from, to;
  std::vector<std::string> told;
};

TEST(Workloads, NamesLineAndFieldOfEveryFault) {
  const std::string line = "workloads.jsonl: line 1";
  const std::vector<WorkloadsFault> faults = {
      {R"("definition": "pick")", R"("definition": "other")", {line, "definition", "pick"}},
      {R"("definition": "pick", )", "", {line, "definition"}},
      {R"("solution": null)", R"("solution": "s")", {line, "solution"}},
      {R"("evaluation": null)", R"("evaluation": {})", {line, "evaluation"}},
      {R"("workload": {)", R"("workloads": {)", {line}},
      {R"("uuid": "a")", R"("uuid": "")", {line, "uuid"}},
      {R"("uuid": "a")", R"("uuid": 3)", {line, "uuid"}},
      {R"("uuid": "a")", R"("uuid": "b")", {"workloads.jsonl: line 3", "'b'", "twice"}},
      {R"("rows": 8)", R"("row": 8)", {line, "'row'", "'rows'"}},
      {R"("rows": 8, )", "", {line, "rows"}},
      {R"("rows": 8)", R"("rows": 0)", {line, "rows", "0"}},
      {R"("rows": 8)", R"("rows": -8)", {line, "rows", "-8"}},
      {R"("rows": 8)", R"("rows": 8.5)", {line, "rows"}},
      {R"("rows": 8)", R"("rows": "8")", {line, "rows"}},
      {R"("rows": 8)", R"("rows": 9000000000000000000)", {line, "rows"}},
      {R"("rows": 8)", R"("rows": 18446744073709551615)", {line, "rows"}},
      {R"("rows": 8)", R"("rows": 1)", {line, "constraint 'picked <= rows'"}},
      {R"("axes": {"rows": 8, "picked": 2})", R"("axes": [8, 2])", {line, "axes"}},
      {R"("x": {"type": "random"})", R"("z": {"type": "random"})", {line, "'z'"}},
      {R"({"type": "random"})", R"({"type": "rand"})", {line, "inputs.x", "'rand'", "'random'"}},
      {R"({"type": "random"})", R"({"type": "scalar", "value": 1})", {line, "inputs.x", "tensor"}},
      {R"({"type": "random"})", R"("random")", {line, "inputs.x"}},
      {R"("value": 2)", R"("value": "2")", {line, "inputs.scale.value"}},
      {R"("value": 2)", R"("value": true)", {line, "inputs.scale.value"}},
      {R"("value": 2)", R"("value": 1e39)", {line, "inputs.scale.value", "float32"}},
      {R"(, "value": 2)", "", {line, "inputs.scale.value"}},
      {R"("./blobs/i.safetensors")", R"("../i.safetensors")", {line, "inputs.index.path"}},
      {R"("./blobs/i.safetensors")", R"("a/../../i")", {line, "inputs.index.path"}},
      {R"("./blobs/i.safetensors")", R"("/etc/passwd")", {line, "inputs.index.path"}},
      {R"("./blobs/i.safetensors")", R"("")", {line, "inputs.index.path"}},
      {R"("tensor_key": "i")", R"("key": "i")", {line, "inputs.index.tensor_key"}},
      {"{\"definition\"", "{definition", {line}},
      {"{\"definition\"", "3 {\"definition\"", {line}},
  };
  for (const WorkloadsFault& fault : faults) {
    ExpectError(With("workloads.jsonl", fault.from, fault.to), fault.told);
  }
}

TEST(Workloads, RefusesAFileWithoutAny) {
  ExpectError(WithFile("workloads.jsonl", "\n\n"), {"workloads.jsonl", "empty"});
  ExpectError(WithFile("workloads.jsonl", "[]\n"), {"workloads.jsonl: line 1", "object"});
}

TEST(Workloads, RefusesTensorsBeyondTheLimit) {
  ExpectError(With("workloads.jsonl", R"("rows": 8)", R"("rows": 2147483649)"),
              {"workloads.jsonl: line 1", "rows"});
  Files files = With("definition.json", R"("value": 4)", R"("value": 1024)");
  files["workloads.jsonl"] = R"({"uuid": "a", "axes": {"rows": 2147483648, "picked": 2}})";
  ExpectError(files, {"workloads.jsonl: line 1", "'x'", "2^40"});
}

TEST(Workloads, AllAxesSaysWhatIsMissing) {
  const Task task = Loaded(Sample());
  const auto all = task.AllAxes({{"rows", 5}, {"picked", 2}});
  ASSERT_TRUE(all);
  EXPECT_EQ(*all, (std::map<std::string, int64_t>{{"rows", 5}, {"picked", 2}, {"cols", 4}}));
  const auto missing = task.AllAxes({{"rows", 5}});
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("'picked'"), std::string::npos);
  EXPECT_FALSE(task.AllAxes({{"rows", 5}, {"picked", 2}, {"cols", 5}}));
  EXPECT_FALSE(task.AllAxes({{"rows", 5}, {"picked", 2}, {"deep", 5}}));
}

TEST(Workloads, ElementCountMultipliesAndGuardsAgainstOverflow) {
  const Task task = Loaded(Sample());
  EXPECT_EQ(ElementCount(task.inputs[0], {{"rows", 6}, {"cols", 4}}).value(), 24);
  EXPECT_EQ(ElementCount(task.inputs[2], {}).value(), 1);
  EXPECT_EQ(ElementCount(task.inputs[0], {{"rows", 1LL << 31}, {"cols", 1 << 9}}).value(),
            1LL << 40);
  const auto large = ElementCount(task.inputs[0], {{"rows", 1LL << 31}, {"cols", 1LL << 31}});
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, ErrorCode::kLimit);
  EXPECT_FALSE(ElementCount(task.inputs[0], {{"rows", 1}}));
  EXPECT_FALSE(ElementCount(task.inputs[0], {{"rows", 0}, {"cols", 4}}));
}

}  // namespace
}  // namespace kw::eval
