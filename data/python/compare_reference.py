"""Compares what reference.cpp computes with the Definition's Python reference, in float64.

    python compare_reference.py DEFINITION.json FOLDER [OUTPUT=INPUT ...]

FOLDER holds a folder a case, as `kwright tasks check --python` writes them: input_NAME.npy (what a
candidate sees) and expected_NAME.npy (reference.cpp). OUTPUT=INPUT: an output of indices along the
last axis of that input, right where it selects the same value. Prints one line of JSON: the number
of cases, the largest difference and where it is, or what is wrong. Needs torch and numpy.
"""
import json
import os
import pathlib
import sys

import numpy
import torch

# Of sums of thousands of terms in float64, relative to the case's largest elements, or to SMALL where
# those are next to nothing: 1 + erf(x) has no digits left where the result vanishes.
ALLOWED = 1e-9
SMALL = 1e-3


def load_run(definition):
    """The function `run` of the definition, computing in float64 throughout."""
    text = definition["reference"]
    for narrow in ("float32", "float16", "bfloat16"):
        text = text.replace("torch." + narrow, "torch.float64")
    text = text.replace(".float()", ".double()").replace(".half()", ".double()")
    names = {}
    exec(compile(text, "the definition's reference", "exec"), names)  # that is what it is for
    return names["run"]


def load_inputs(definition, case):
    inputs = {}
    for name, spec in definition["inputs"].items():
        values = numpy.load(case / f"input_{name}.npy")
        if values.dtype.kind == "f":
            values = values.astype(numpy.float64)
        inputs[name] = values.item() if spec["shape"] is None else torch.from_numpy(values)
    return inputs


def differences(got, expected, selected):
    """Per element, relative to it and to the largest elements; infinite where a NaN is wrong."""
    if selected is not None:
        at = numpy.take_along_axis
        rows = selected.reshape(-1, selected.shape[-1])
        places = len(rows), -1
        same = (at(rows, got.reshape(places).astype(numpy.int64), 1) ==
                at(rows, expected.reshape(places), 1))
        return numpy.where(same.reshape(expected.shape), 0.0, numpy.inf)
    if expected.dtype.kind != "f":
        return numpy.where(got == expected, 0.0, numpy.inf)
    got = got.astype(numpy.float64)
    finite = numpy.abs(expected[numpy.isfinite(expected)])
    size = numpy.abs(expected) + max(finite.max() if finite.size else 0.0, SMALL)
    with numpy.errstate(all="ignore"):
        error = numpy.abs(got - expected) / size
    same = (got == expected) | (numpy.isnan(got) & numpy.isnan(expected))
    error = numpy.where(same, 0.0, error)
    return numpy.where(numpy.isnan(error), numpy.inf, error)


def compare_case(run, definition, case, selects):
    """(largest difference, where and what) of a case."""
    inputs = load_inputs(definition, case)
    outputs = run(**inputs)
    names = list(definition["outputs"])
    if isinstance(outputs, dict):
        outputs = [outputs[name] for name in names]
    elif torch.is_tensor(outputs):
        outputs = [outputs]
    worst = (0.0, "")
    for name, output in zip(names, outputs, strict=True):
        got, expected = output.numpy(), numpy.load(case / f"expected_{name}.npy")
        if got.shape != expected.shape:
            return float("inf"), f"{name} has the shape {list(got.shape)} in Python"
        selected = inputs[selects[name]].numpy() if name in selects else None
        error = differences(got, expected, selected)
        if error.size == 0 or error.max() <= worst[0]:
            continue
        place = numpy.unravel_index(int(error.argmax()), error.shape)
        where = ", ".join(str(int(i)) for i in place)
        worst = (float(error.max()), f"case {case.name}, {name}[{where}]: {got[place]:.17g} in "
                 f"Python, {expected[place]:.17g} in reference.cpp")
    return worst


def main():
    definition = json.loads(pathlib.Path(sys.argv[1]).read_text())
    cases = sorted(pathlib.Path(sys.argv[2]).iterdir())
    selects = dict(pair.split("=", 1) for pair in sys.argv[3:])
    torch.set_default_dtype(torch.float64)
    run = load_run(definition)
    worst = (0.0, "")
    for case in cases:
        worst = max(worst, compare_case(run, definition, case, selects))
    largest = worst[0] if numpy.isfinite(worst[0]) else 1e300
    print(json.dumps({"cases": len(cases), "largest": largest, "allowed": ALLOWED,
                      "where": worst[1], "torch": torch.__version__}))


if __name__ == "__main__":
    try:
        main()
    except Exception as error:  # the definition's code may raise anything
        where = error.__traceback__
        while where.tb_next is not None:
            where = where.tb_next
        place = f"{os.path.basename(where.tb_frame.f_code.co_filename)}:{where.tb_lineno}"
        print(json.dumps({"error": f"{type(error).__name__}: {error} ({place})"}))
