"""Judges kernels, and keeps what came out: a run that is stopped loses nothing, and the next one
judges only what is new. A record is of (kernel, task folder, judge, effort)."""
import functools
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading

from mutants import ROOT

# Not built or not run: no statement about the judge.
NOT_VIABLE = {"COMPILE_ERROR", "MALFORMED", "UNSUPPORTED"}
# The machine was too busy, or the judge is broken: neither killed nor passed.
UNDECIDED = "UNDECIDED"
ATTEMPTS = 3
SECONDS = 300  # kwright answers within a minute on a machine that is not overloaded.
PROGRAMS = ["kwright", "kwright-worker", "kwright-emulator", "kwright-guest", "kwright-reference"]


class JudgeError(Exception):
    """The judge gave no verdict; says what it said instead."""


@functools.cache
def task_hash(task):
    """Of all files of a task's folder that decide a verdict."""
    folders = list(ROOT.glob(f"data/tasks/*/{task}"))
    if len(folders) != 1:
        raise JudgeError(f"data/tasks has {len(folders)} folders of the name {task}")
    digest = hashlib.sha256()
    for path in sorted(folders[0].iterdir()):
        if path.is_file() and not path.name.startswith("alternative_"):
            digest.update(f"{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def kind_of_case(case):
    """What an id stands for in the judge's schedule; docs/formats/replay.md."""
    if re.fullmatch(r"c\d+", case):
        return "fuzz"
    if case.endswith("-swapped"):
        return "fuzz, values swapped"
    if case.startswith("w-"):
        return "timed workload"
    if case.startswith("untimed"):
        return "untimed"
    return "endurance" if case.startswith("endurance") else "other"


def killer(verdict):
    """The case that failed first, before it was made small; None where no fuzz case did, but a
    call at a timed shape: those are not among the verdict's cases unless they were made small."""
    failed = [case for case in verdict.get("cases", []) if not case["ok"]]
    whole = [case for case in failed if not case["id"].endswith("-small")]
    if not whole:
        return None
    case = whole[0]
    kept = {key: case[key] for key in ("id", "axes", "group", "scalars", "calls_before")
            if key in case}
    return {**kept, "kind": kind_of_case(case["id"])}


def numbers(verdict):
    """How wrong it was, in a few figures."""
    failure = verdict.get("failure", {})
    times = re.search(r"([\d.e+]+) times the ([\d.e+-]+) allowed", verdict.get("feedback", ""))
    return {"max_abs": failure.get("max_abs"), "bad": failure.get("bad"),
            "total": failure.get("total"), "times_allowed": float(times[1]) if times else None}


class Judge:
    def __init__(self, binary, store):
        self.binary = pathlib.Path(binary).resolve()
        if not self.binary.exists():
            raise JudgeError(f"{binary} is not there: build it, or name it by --binary or KWRIGHT")
        digest = hashlib.sha256()
        for name in PROGRAMS:
            digest.update((self.binary.parent / name).read_bytes())
        self.identity = digest.hexdigest()[:12]
        self.store = pathlib.Path(store)
        self.lock = threading.Lock()
        self.known = {}
        self.older = {}
        text = self.store.read_text() if self.store.exists() else ""
        if text and not text.endswith("\n"):
            text = text[:text.rfind("\n") + 1]  # A run was killed while it wrote.
            self.store.write_text(text)
        for record in map(json.loads, text.splitlines()):
            key = (record["id"], record["task_hash"], record["effort"])
            (self.known if record["judge"] == self.identity else self.older)[key] = record

    def find(self, name, task, effort, older=False):
        """The record of an earlier run. `older`: also one of another build, if that one killed."""
        key = (name, task_hash(task), effort)
        if key in self.known or not older:
            return self.known.get(key)
        record = self.older.get(key)
        return record if record and record["status"] != "PASSED" else None

    def verdict_of(self, name, task, effort, text):
        """What kwright says; an empty object where it could say nothing, and why on stderr."""
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder) / f"{name}.cu"
            source.write_text(text)
            command = [self.binary, "eval", source, "--task", task, "--effort", effort, "--json"]
            environment = {"KWRIGHT_HOME": str(ROOT), **os.environ}
            try:
                done = subprocess.run(command, capture_output=True, text=True, env=environment,
                                      timeout=SECONDS)
                verdict = json.loads(done.stdout)
                if "status" in verdict:
                    return verdict
                said = done.stdout + done.stderr
            except subprocess.TimeoutExpired:
                said = f"no answer within {SECONDS} s"
            except ValueError:
                said = done.stdout + done.stderr
        print(f"tests/mutation/run: {name}, task {task}, {effort}: {said.strip()}", file=sys.stderr)
        return {}

    def judge(self, name, task, effort, text):
        """The record of a verdict; UNDECIDED, and not kept, where the surroundings prevent one."""
        for _ in range(ATTEMPTS):
            verdict = self.verdict_of(name, task, effort, text)
            if verdict and not verdict["environmental"]:
                record = {"id": name, "task": task, "task_hash": task_hash(task),
                          "effort": effort, "judge": self.identity, "status": verdict["status"],
                          "reason": verdict["reason"], "stage": verdict["stage"],
                          "case": killer(verdict), **numbers(verdict)}
                self.keep(record)
                return record
        return {"id": name, "task": task, "effort": effort, "status": UNDECIDED,
                "reason": verdict.get("reason", "no_verdict"), "stage": verdict.get("stage", ""),
                "case": None}

    def keep(self, record):
        self.store.parent.mkdir(parents=True, exist_ok=True)
        with self.lock, self.store.open("a") as out:
            self.known[record["id"], record["task_hash"], record["effort"]] = record
            out.write(json.dumps(record) + "\n")
