"""What the verdicts over all mutants come to: the figures, and the mutants that passed."""
import collections

from faults import KINDS
from verdicts import NOT_VIABLE, UNDECIDED

Judged = collections.namedtuple("Judged", "mutant records")  # effort -> record


def read_excused(path):
    """id -> (category, reason), of equivalent.txt."""
    excused = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        words = line.split(None, 2)
        if len(words) < 3 or words[1] not in ("same", "rounding", "unreached"):
            raise ValueError(f"{path.name}:{number}: wanted: ID same|rounding|unreached REASON")
        if words[0] in excused:
            raise ValueError(f"{path.name}:{number}: {words[0]} is there twice")
        excused[words[0]] = (words[1], words[2])
    return excused


def passed(records, effort):
    return effort in records and records[effort]["status"] == "PASSED"


def was_killed(records, effort):
    return effort in records and records[effort]["status"] != "PASSED"


def described(mutant):
    return {"id": mutant.id, "task": mutant.task, "kernel": mutant.kernel, "kind": mutant.kind,
            "line": mutant.line, "before": mutant.before, "after": mutant.after}


def count(values):
    return dict(collections.Counter(values).most_common())


def kind_of_killer(record):
    if record["case"]:
        return record["case"]["kind"]
    return "timed workload" if record["stage"] == "timing" else record["stage"]


def of_effort(viable, effort):
    records = [judged.records[effort] for judged in viable if effort in judged.records]
    killed = [record for record in records if record["status"] != "PASSED"]
    cases = [record["case"] for record in killed if record["case"]]
    return {
        "viable": len(records),
        "killed": len(killed),
        "percent": round(100.0 * len(killed) / max(1, len(records)), 2),
        "killed_by_reason": count(record["reason"] for record in killed),
        "killed_by_kind_of_case": count(kind_of_killer(record) for record in killed),
        "killed_by_group": count(case["group"] for case in cases),
        "killed_by_case": count(case["id"] for case in cases if case["kind"] == "fuzz"),
    }


def summary(judged, efforts, excused):
    refused = [j for j in judged
               if any(record["status"] in NOT_VIABLE for record in j.records.values())]
    undecided = [j for j in judged
                 if any(record["status"] == UNDECIDED for record in j.records.values())]
    left_out = {j.mutant.id for j in refused + undecided}
    compiled = [j for j in judged if j.mutant.id not in left_out]
    listed = [j for j in compiled if j.mutant.id in excused]
    viable = [j for j in compiled if j.mutant.id not in excused]
    kinds = {}
    for kind in KINDS:
        of_kind = [j for j in viable if j.mutant.kind == kind]
        kinds[kind] = {"viable": len(of_kind),
                       **{effort: sum(was_killed(j.records, effort) for j in of_kind)
                          for effort in efforts}}
    return {
        "mutants": len(judged),
        "not_compiled": len(refused),
        "undecided": [described(j.mutant) for j in undecided],
        "excused": count(excused[j.mutant.id][0] for j in listed),
        "viable": len(viable),
        "efforts": {effort: of_effort(viable, effort) for effort in efforts},
        "kinds": kinds,
        "survivors": [
            {**described(j.mutant),
             "passed_at": [effort for effort in efforts if passed(j.records, effort)]}
            for j in viable if any(passed(j.records, effort) for effort in efforts)],
        # Either the reason is wrong, or a right kernel was failed.
        "excused_but_killed": [
            {**described(j.mutant), "reason": excused[j.mutant.id][1],
             "killed_at": [effort for effort in efforts if was_killed(j.records, effort)]}
            for j in listed if any(was_killed(j.records, effort) for effort in efforts)],
    }


def table(judged, efforts):
    """One row a mutant that was killed: which case did it."""
    rows = []
    for mutant, records in judged:
        row = {"id": mutant.id, "kernel": mutant.kernel, "kind": mutant.kind}
        for effort in efforts:
            record = records.get(effort)
            if record:
                case = record["case"] or {}
                row[effort] = {"status": record["status"], "reason": record["reason"],
                               "stage": record["stage"], "case": case.get("id"),
                               "group": case.get("group"), "axes": case.get("axes")}
        rows.append(row)
    return rows
