"""Each kind makes its fault where it can stand, and leaves other lines alone."""
import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import faults  # noqa: E402
import mutants  # noqa: E402
import report  # noqa: E402
import verdicts  # noqa: E402

# kind -> (line, one of the lines that it must become)
MADE = {
    "dropped_guard": [
        ("  if (i >= n) return;", "  if (false) return;"),
        ("  if (row < m && col < n) c[at] = sum;", "  if (row < m && true) c[at] = sum;"),
        ("    if (row < 0 || row >= height) continue;",
         "    if (row < 0 || false) continue;"),
        ("  t[i] = at < k ? a[at] : 0.0f;", "  t[i] = a[at];"),
    ],
    "off_by_one_bound": [
        ("  for (int i = 0; i < cols; ++i) s += x[i];",
         "  for (int i = 0; i <= cols; ++i) s += x[i];"),
        ("  for (int i = 0; i < cols; ++i) s += x[i];",
         "  for (int i = 0; i < (cols) - 1; ++i) s += x[i];"),
        ("  for (int i = 0; i < cols; ++i) s += x[i];",
         "  for (int i = 1; i < cols; ++i) s += x[i];"),
        ("  if (i >= n) return;", "  if (i > n) return;"),
    ],
    "wrong_identity": [
        ("  float largest = -FLT_MAX;", "  float largest = 0.0f;"),
        ("  float largest = -INFINITY;", "  float largest = FLT_MIN;"),
        ("  float sum = 0.0f;", "  float sum = 1;"),
    ],
    "assign_for_add": [("    sum += in[i];", "    sum = in[i];")],
    "missing_scaling": [
        ("  const float logit = dot * scale;", "  const float logit = dot;"),
        ("  y[i] = sum / (float)cols;", "  y[i] = sum;"),
    ],
    "missing_rescale": [("  total = total * kept + weight;", "  total = total + weight;")],
    "swapped_axes": [
        ("  c[row * n + col] = sum;", "  c[col * n + row] = sum;"),
        ("  sum += tile[ty][i];", "  sum += tile[i][ty];"),
        ("  const int64_t row = i / cols;", "  const int64_t row = i % cols;"),
        ("  go<<<blocks, 32, 0, stream>>>(a, c, m, n, k);",
         "  go<<<blocks, 32, 0, stream>>>(a, c, n, m, k);"),
    ],
    "wrong_stride": [
        ("  const float* in = x + row * cols;", "  const float* in = x + row * (cols + 1);"),
        ("  for (int64_t i = tid; i < n; i += THREADS) s += x[i];",
         "  for (int64_t i = tid; i < n; i += THREADS / 2) s += x[i];"),
    ],
    "missing_barrier": [("    __syncthreads();", "    ")],
    "narrowed_index": [
        ("  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;",
         "  const int16_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;"),
        ("  const int tid = threadIdx.x;", "  const int8_t tid = threadIdx.x;"),
    ],
    "half_accumulation": [
        ("    sum += in[i];", "    sum = __half2float(__float2half(sum + (in[i])));"),
        ("  total = total * kept + weight;",
         "  total = __half2float(__float2half(total * kept + weight));"),
    ],
    "tail_not_vectorised": [
        ("  for (int64_t i = tid; i < cols; i += 32) y[i] = x[i];",
         "  for (int64_t i = tid; i < cols / 4 * 4; i += 32) y[i] = x[i];"),
        ("    for (int64_t j = i; j < n; ++j) y[j] = x[j];", "    ;"),
        ("  if (i + 3 < n) {", "  if (i < n) {"),
        ("  const bool wide = cols % 4 == 0;", "  const bool wide = true;"),
    ],
    "size_assumed_to_divide": [
        ("  const int blocks = (n + threads - 1) / threads;",
         "  const int blocks = (n) / threads;"),
        ("  for (int64_t i = tid; i < cols; i += 32) y[i] = x[i];",
         "  for (int64_t i = tid; i < cols / 32 * 32; i += 32) y[i] = x[i];"),
    ],
}

# Nothing of any kind can be done to these.
HEALTHY = [
    "",
    "}",
    "#define THREADS 256",
    "#include <cfloat>",
    "// for (int i = 0; i < n; ++i) sum += x[i];",
    "  const float value = x[i];",
    "  y[i] = value > 0.0f ? value : 0.0f;",
    "  const float* in = x;",
]


class Faults(unittest.TestCase):
    def test_makes_each_kind_on_a_line_that_can_have_it(self):
        self.assertEqual(set(MADE), set(faults.KINDS))
        for kind, examples in MADE.items():
            for before, after in examples:
                with self.subTest(kind=kind, line=before):
                    self.assertIn(after, faults.changes(kind, before))

    def test_leaves_other_lines_alone(self):
        for kind in faults.KINDS:
            for line in HEALTHY:
                with self.subTest(kind=kind, line=line):
                    self.assertEqual(faults.changes(kind, line), [])

    def test_changes_one_place_at_a_time(self):
        made = faults.changes("missing_scaling", "  y = a * scale + b * scale;")
        self.assertEqual(made, ["  y = a + b * scale;", "  y = a * scale + b;"])

    def test_sums_of_a_bfloat16_kernel_are_rounded_to_bfloat16(self):
        made = faults.changes("half_accumulation", "  sum += x[i];", bfloat16=True)
        self.assertEqual(made, ["  sum = __bfloat162float(__float2bfloat16(sum + (x[i])));"])

    def test_comparisons_of_values_are_no_guards(self):
        self.assertEqual(faults.changes("dropped_guard", "  if (v > 0.0f) s += v;"), [])


class Mutants(unittest.TestCase):
    TEXT = "if (a >= n) return;\nfor (int i = 0; i < n; ++i) sum += x[i];\n"

    def test_each_differs_from_its_kernel_in_one_line(self):
        kernel = mutants.Kernel("relu", "k.cu", self.TEXT)
        made = mutants.all_of(kernel)
        self.assertGreater(len(made), 5)
        self.assertEqual(len({m.id for m in made if m.kind == "off_by_one_bound"}),
                         sum(m.kind == "off_by_one_bound" for m in made))
        for mutant in made:
            lines = mutant.text.replace("#include <cuda_fp16.h>\n", "").split("\n")
            different = [i for i, (a, b) in enumerate(zip(lines, self.TEXT.split("\n"))) if a != b]
            self.assertEqual(different, [mutant.line - 1])

    def test_an_id_changes_with_the_kernel(self):
        one = mutants.of_kind(mutants.Kernel("relu", "k.cu", self.TEXT), "assign_for_add")
        other = mutants.of_kind(mutants.Kernel("relu", "k.cu", self.TEXT + "\n"), "assign_for_add")
        self.assertEqual([m.after for m in one], [m.after for m in other])
        self.assertNotEqual([m.id for m in one], [m.id for m in other])

    def test_a_change_elsewhere_leaves_the_choice_as_it_is(self):
        first = mutants.of_kind(mutants.Kernel("relu", "k.cu", self.TEXT), "off_by_one_bound")
        again = mutants.of_kind(mutants.Kernel("relu", "k.cu", "int a;\n" + self.TEXT),
                                "off_by_one_bound")
        self.assertEqual([m.after for m in first], [m.after for m in again])

    def test_every_kind_finds_something_in_the_kernels_that_are_there(self):
        kinds = {m.kind for kernel in mutants.kernels() for m in mutants.all_of(kernel)}
        self.assertEqual(kinds, set(faults.KINDS))


def record(status, group="original", reason="numerical"):
    case = {"id": "c03", "group": group, "axes": {}, "kind": "fuzz"} if status != "PASSED" else None
    return {"status": status, "reason": reason, "stage": "oracle", "case": case}


class Report(unittest.TestCase):
    def judged(self, name, quick, standard):
        mutant = mutants.Mutant(name, "relu", "k.cu", "dropped_guard", 0, 1, "a", "b", "")
        return report.Judged(mutant, {"quick": quick, "standard": standard})

    def test_counts_what_was_killed_what_passed_and_what_is_excused(self):
        killed, passed = record("INCORRECT_NUMERICAL", "ramp"), record("PASSED")
        judged = [self.judged("a", killed, killed), self.judged("b", passed, killed),
                  self.judged("c", passed, passed), self.judged("d", passed, passed)]
        result = report.summary(judged, ["quick", "standard"], {"d": ("same", "it is")})
        self.assertEqual(result["viable"], 3)
        self.assertEqual(result["efforts"]["quick"]["killed"], 1)
        self.assertEqual(result["efforts"]["standard"]["killed"], 2)
        self.assertEqual(result["efforts"]["standard"]["killed_by_group"], {"ramp": 2})
        self.assertEqual([s["id"] for s in result["survivors"]], ["b", "c"])
        self.assertEqual(result["excused_but_killed"], [])

    def test_an_effort_that_was_not_judged_counts_for_nothing(self):
        killed = record("INCORRECT_NUMERICAL")
        partly = self.judged("a", killed, killed)._replace(records={"quick": killed})
        result = report.summary([partly], ["quick", "standard"], {})
        self.assertEqual([result["efforts"][e]["viable"] for e in ("quick", "standard")], [1, 0])
        result = report.summary([partly], ["quick", "standard"], {"a": ("same", "it is")})
        self.assertEqual(result["excused_but_killed"][0]["killed_at"], ["quick"])

    def test_what_is_excused_and_killed_is_reported(self):
        killed = record("INCORRECT_NUMERICAL")
        result = report.summary([self.judged("d", killed, killed)], ["quick", "standard"],
                                {"d": ("same", "it is")})
        self.assertEqual([w["id"] for w in result["excused_but_killed"]], ["d"])
        self.assertEqual(result["viable"], 0)

    def test_what_does_not_compile_is_no_mutant(self):
        refused = record("COMPILE_ERROR")
        result = report.summary([self.judged("a", refused, refused)], ["quick", "standard"], {})
        self.assertEqual((result["viable"], result["not_compiled"]), (0, 1))

    def test_what_has_no_verdict_counts_neither_as_killed_nor_as_passed(self):
        result = report.summary([self.judged("a", record("PASSED"), record("UNDECIDED"))],
                                ["quick", "standard"], {})
        self.assertEqual((result["viable"], result["survivors"]), (0, []))
        self.assertEqual([m["id"] for m in result["undecided"]], ["a"])

    def test_an_excuse_needs_a_reason(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "equivalent.txt"
            path.write_text("# ids\n0123456789 same\n")
            with self.assertRaisesRegex(ValueError, "equivalent.txt:2"):
                report.read_excused(path)

    def test_every_excuse_names_a_mutant(self):
        excused = report.read_excused(mutants.ROOT / "tests/mutation/equivalent.txt")
        every = {m.id for kernel in mutants.kernels() for m in mutants.all_of(kernel)}
        self.assertEqual(set(excused) - every, set())


class Verdicts(unittest.TestCase):
    def test_the_killer_is_the_case_that_failed_before_it_was_made_small(self):
        verdict = {"cases": [{"id": "c00", "axes": {}, "group": "original", "ok": True},
                             {"id": "c01", "axes": {"n": 33}, "group": "ramp", "ok": False},
                             {"id": "c01-small", "axes": {"n": 1}, "group": "ramp", "ok": False}]}
        case = verdicts.killer(verdict)
        self.assertEqual((case["id"], case["axes"], case["kind"]), ("c01", {"n": 33}, "fuzz"))

    def test_a_half_written_record_and_those_of_another_judge_are_not_used(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in verdicts.PROGRAMS:
                (pathlib.Path(folder) / name).write_text(name)
            store = pathlib.Path(folder) / "verdicts.jsonl"
            judge = verdicts.Judge(f"{folder}/kwright", store)
            judge.keep({"id": "a", "task_hash": verdicts.task_hash("relu"), "effort": "quick",
                        "judge": judge.identity, "status": "PASSED"})
            judge.keep({"id": "b", "task_hash": verdicts.task_hash("relu"), "effort": "quick",
                        "judge": judge.identity, "status": "TIMEOUT"})
            with store.open("a") as out:
                out.write(json.dumps({"id": "c"})[:-3])
            again = verdicts.Judge(f"{folder}/kwright", store)
            self.assertEqual(again.find("a", "relu", "quick")["status"], "PASSED")
            self.assertIsNone(again.find("c", "relu", "quick"))
            (pathlib.Path(folder) / "kwright-worker").write_text("changed")
            changed = verdicts.Judge(f"{folder}/kwright", store)
            self.assertIsNone(changed.find("b", "relu", "quick"))
            self.assertIsNone(changed.find("a", "relu", "quick", older=True))
            self.assertEqual(changed.find("b", "relu", "quick", older=True)["status"], "TIMEOUT")


if __name__ == "__main__":
    unittest.main()
