"""The kernels that must be right, and the mutants that are made of them."""
import collections
import hashlib
import pathlib
import re

import faults

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

Kernel = collections.namedtuple("Kernel", "task path text")  # the path is relative to ROOT
# `rank` is the mutant's place among those of its kernel and kind.
Mutant = collections.namedtuple("Mutant", "id task kernel kind rank line before after text")


def id_of(task, text):
    """Names a kernel of a task by what it is: another text is another mutant."""
    return hashlib.sha256(f"{task}\n{text}".encode()).hexdigest()[:10]


def kernels(tasks=()):
    """The kernels to change. Each must pass: `run` judges them before their mutants."""
    found = [(path.parent.name, path) for path in sorted(ROOT.glob("data/tasks/*/*/baseline*.cu"))]
    found += [(path.parent.name, path)
              for path in sorted(ROOT.glob("tests/e2e/kernels/*/*.cu"))
              if path.read_text().startswith("// expect: PASSED")]
    found += [(path.parent.name, path)
              for path in sorted(ROOT.glob("tests/mutation/kernels/*/*.cu"))]
    found += [(named.group(1), path)
              for path in sorted(ROOT.glob("tests/attacks/legal/vectorised_loads.cu"))
              if (named := re.search(r"^// task: (\S+)", path.read_text(), re.M))]
    return [Kernel(task, str(path.relative_to(ROOT)), path.read_text()) for task, path in found
            if not tasks or task in tasks]


def with_include(text, header):
    return text if header in text else f"#include <{header}>\n{text}"


def of_kind(kernel, kind):
    """All mutants of one kind, in an order that a change elsewhere in the kernel does not touch."""
    lines = kernel.text.split("\n")
    bfloat16 = "cuda_bf16.h" in kernel.text
    made = {}
    for number, line in enumerate(lines):
        for changed in faults.changes(kind, line, bfloat16):
            whole = "\n".join(lines[:number] + [changed] + lines[number + 1:])
            if "__half2float" in changed:
                whole = with_include(whole, "cuda_fp16.h")
            name = id_of(kernel.task, whole)
            made.setdefault(name, Mutant(name, kernel.task, kernel.path, kind, 0, number + 1,
                                         line.split("//")[0].strip(), changed.strip(), whole))

    def order(mutant):
        occurrence = sum(line.split("//")[0].strip() == mutant.before
                         for line in lines[:mutant.line - 1])
        key = f"{mutant.task}/{kind}/{mutant.before}/{mutant.after}/{occurrence}"
        return hashlib.sha256(key.encode()).hexdigest()
    return [mutant._replace(rank=rank)
            for rank, mutant in enumerate(sorted(made.values(), key=order))]


def all_of(kernel, kinds=None):
    return [mutant for kind in kinds or faults.KINDS for mutant in of_kind(kernel, kind)]
