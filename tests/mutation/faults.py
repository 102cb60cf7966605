"""The kinds of fault that tests/mutation/run makes, each a change of one line of CUDA.

A kind is a function from a line, without its comment, to the lines that it may become. It changes
one place at a time and yields nothing where it finds none. That a line still compiles is not
promised: what does not is no mutant.

README.md says what each kind stands for, and what none of them can show.
"""
import re

# What `if` does where its condition keeps threads or iterations away.
LEAVES = re.compile(r"\s*(?:return|continue|break)\b")
COMPARISON = re.compile(r" (<=|>=|<|>) ")
FLOAT_LITERAL = re.compile(r"\d\.\d*f?")
# a < b, or several of them joined by &&, in front of `?`.
SIZES_COMPARED = r"[\w.\[\]*/+ -]+ (?:<|>|<=|>=) [\w.\[\]*/+ -]+"
PICKED = re.compile(rf"({SIZES_COMPARED}(?: && {SIZES_COMPARED})*) \? ([^:]+) : ([^;,)]+)")


def sub(pattern, replacement):
    """All single replacements of a pattern in a line."""
    compiled = re.compile(pattern)

    def apply(line):
        for match in compiled.finditer(line):
            changed = line[:match.start()] + match.expand(replacement) + line[match.end():]
            if changed != line:
                yield changed
    return apply


def any_of(*operators):
    def apply(line):
        for operator in operators:
            yield from operator(line)
    return apply


def unless(pattern, operator):
    """An operator for the lines in which the pattern is not found."""
    compiled = re.compile(pattern)
    return lambda line: iter(()) if compiled.search(line) else operator(line)


def closing(line, opening):
    """Where the parenthesis at `opening` closes; -1 on another line."""
    depth = 0
    for at in range(opening, len(line)):
        depth += {"(": 1, ")": -1}.get(line[at], 0)
        if depth == 0:
            return at
    return -1


def ifs(line):
    """(begin, end) of each condition of an `if`, and whether it leaves."""
    for match in re.finditer(r"\bif \(", line):
        end = closing(line, match.end() - 1)
        if end > 0:
            yield match.end(), end, bool(LEAVES.match(line[end + 1:]))


def loops(line):
    """(begin, end) of the condition of each `for` that counts up."""
    for match in re.finditer(r"\bfor \([^;]*;([^;]*);(?! \w+ (?:/|>>)=)", line):
        yield match.start(1), match.end(1)


def parts(line, begin, end):
    """(begin, end) of each comparison of sizes in a condition, and what joins it to the next."""
    at = begin
    for piece in re.split(r"( && | \|\| )", line[begin:end]):
        if COMPARISON.search(piece) and not FLOAT_LITERAL.search(piece):
            yield at, at + len(piece)
        at += len(piece)


def guarded(line):
    """All comparisons that keep a thread or an iteration away: (begin, end, whole condition)."""
    for begin, end, _ in ifs(line):
        for part in parts(line, begin, end):
            yield *part, (begin, end)
    for match in PICKED.finditer(line):
        for part in parts(line, match.start(1), match.end(1)):
            yield *part, match.span(1)


def dropped_guard(line):
    for begin, end, leaves in ifs(line):
        sizes = list(parts(line, begin, end))
        if not sizes:
            continue
        always = "false" if leaves else "true"
        yield line[:begin] + always + line[end:]
        if len(re.split(r" && | \|\| ", line[begin:end])) > 1:
            for low, high in sizes:
                joined_by_or = " || " in line[begin:end]
                yield line[:low] + ("false" if joined_by_or else "true") + line[high:]
    for match in PICKED.finditer(line):
        sizes = list(parts(line, match.start(1), match.end(1)))
        if not sizes:
            continue
        lead = len(match.group(1)) - len(match.group(1).lstrip())
        yield line[:match.start(1) + lead] + match.group(2) + line[match.end():]
        if len(sizes) > 1:
            for low, high in sizes:
                yield line[:low] + " " * (low == match.start(1)) + "true" + line[high:]


def off_by_one_bound(line):
    other = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
    places = [(begin, end) for begin, end, _ in guarded(line)]
    for begin, end in loops(line):
        places += list(parts(line, begin, end))
    for begin, end in places:
        match = COMPARISON.search(line, begin, end)
        yield line[:match.start(1)] + other[match.group(1)] + line[match.end(1):]
        yield f"{line[:match.end()]}({line[match.end():end].strip()}) - 1{line[end:]}"
    yield from sub(r"(\bfor \(\w+ \w+ = )0;", r"\g<1>1;")(line)


def bounds_rounded_down(*divisors):
    """The bound of a loop or of a thread's guard, rounded down to a multiple."""
    def apply(line):
        places = list(loops(line))
        places += [(begin, end) for begin, end, leaves in ifs(line)
                   if leaves and re.fullmatch(r"\w+ >= \w+", line[begin:end])]
        for begin, end in places:
            match = re.search(r" (?:<|>=) (\w+)$", line[begin:end])
            if not match or match.group(1).isupper() or match.group(1).isdigit():
                continue
            for divisor in divisors:
                name = match.group(1)
                yield f"{line[:begin + match.start(1)]}{name} / {divisor} * {divisor}{line[end:]}"
    return apply


def swapped_arguments(line):
    """Neighbouring sizes exchanged where a kernel is started."""
    if ">>>(" not in line and not re.match(r"\s+[\w, ]+\);$", line):
        return
    sizes = {"rows", "cols", "m", "n", "k", "q_len", "kv_len", "height", "width", "in_channels",
             "out_channels", "classes", "channels", "pixels", "num_tokens", "num_experts",
             "queries"}
    words = list(re.finditer(r"\b\w+\b", line))
    for first, second in zip(words, words[1:]):
        if {first.group(), second.group()} <= sizes and line[first.end():second.start()] == ", ":
            yield (line[:first.start()] + second.group() + ", " + first.group() +
                   line[second.end():])


def rounded(to, back):
    total = r"\b((?:\w+\.)?(?:s|v|sum|total|dot|acc|sums|squares|before|partial)(?:\[[^\]]+\])*)"
    return any_of(
        sub(total + r" \+= ([^;]+);", rf"\1 = {back}({to}(\1 + (\2)));"),
        sub(total + r" = (\1 \* \w+(?:\([^()]*\))? \+ [^;]+);", rf"\1 = {back}({to}(\2));"),
        sub(r"\b(value) \+= (__shfl[^;]+);", rf"\1 = {back}({to}(\1 + (\2)));"))


INDEX = r"(?:const )?int64_t"
STEPS = r"(?!THREADS|WARPS|blockDim|gridDim|stride|step|TILE|\d)"
SIZE = (r"(cols|rows|m|n|k|HEAD_DIM|PAGE_SIZE|KV_HEADS|q_len|kv_len|pixels|width|vocab_size"
        r"|num_experts)")

KINDS = {
    "dropped_guard": dropped_guard,
    "off_by_one_bound": off_by_one_bound,
    "wrong_identity": any_of(
        sub(r"-(?:FLT_MAX|INFINITY)", "0.0f"),
        sub(r"-(?:FLT_MAX|INFINITY)", "FLT_MIN"),
        sub(r"(?<!-)\bFLT_MAX", "0.0f"),
        sub(r"(\b(?:\w+\.)?\w*(?:sum|total|dot|acc|squares|before|s)\b(?:\[\w+\])* = )0(?:\.0f)?;",
            r"\g<1>1;")),
    "assign_for_add": sub(rf"(\]|\b\w+) \+= {STEPS}", r"\1 = "),
    "missing_scaling": any_of(
        sub(r" \* (?:scale|sm_scale|inv\w*|rstd\w*|weight\[\w+\]|rsqrtf\([^()]*\)"
            r"|__\w+2float\(weight\[\w+\]\)|1\.44\d+f)", ""),
        sub(r"\b0\.5f \* ", ""),
        sub(r" / (?:\(float\))?(?:sum|total|cols|count|length|state\.total|norm|s)\b", ""),
        sub(r" / (?:sqrtf\(\w[^()]*\)|6\.0f)", ""),
        sub(r"1\.0f / sqrtf\((.*)\);", r"sqrtf(\1);")),
    "missing_rescale": sub(r" \* (?:kept|correction|rescale|__?expf\([^()]*\)|expf\([^()]*\))", ""),
    "swapped_axes": any_of(
        sub(r"\bblockIdx\.x", "blockIdx.y"),
        sub(r"\bblockIdx\.y", "blockIdx.x"),
        sub(r"\bthreadIdx\.x", "threadIdx.y"),
        sub(r"\bthreadIdx\.y", "threadIdx.x"),
        sub(r"\b(row|r|image) \* (\w+) \+ (col|c|channel)\b", r"\3 * \2 + \1"),
        sub(r"(\w+)\[([a-z]\w*)\]\[([a-z]\w*)\]", r"\1[\3][\2]"),
        unless(r"\bfor \(", sub(r"(= \(?\w+) / (\w+);", r"\1 % \2;")),
        unless(r"\bfor \(", sub(r"(= \(?(?:int\)\()?\w+) % (\w+)", r"\1 / \2")),
        swapped_arguments),
    "wrong_stride": unless(r">>>|\bblocks\(|= \(unsigned\)", any_of(
        sub(r"(for \([^;]*;[^;]*; \w+ \+= )([A-Z]\w*|\d+)\b", r"\1\2 + 1"),
        sub(r"(for \([^;]*;[^;]*; \w+ \+= )([A-Z]\w*|\d+)\b", r"\1\2 / 2"),
        sub(r"(\w+\)?) \* " + SIZE + r"\b", r"\1 * (\2 + 1)"),
        sub(r"(\w+\)?) \* " + SIZE + r"\b", r"\1 * (\2 - 1)"),
        sub(r"\brow \* n\b", "row * m"),
        sub(r"\brow \* k\b", "row * n"),
        sub(r"\* n \+ col\b", "* k + col"))),
    "missing_barrier": sub(r"__sync(?:threads|warp)\(\);", ""),
    # Wider for what counts elements than for what counts rows, as the sizes that are tried are.
    "narrowed_index": any_of(
        sub(INDEX + r" (i = [^;]*blockDim\.x[^;]*;)", r"const int16_t \1"),
        sub(INDEX + r" (\w\w+ = [^;]*blockDim\.x[^;]*;)", r"const int8_t \1"),
        sub(INDEX + r" (\w+ = [^;]*\* (?:cols|rows|vocab_size)\b[^;]*;)", r"const int16_t \1"),
        sub(INDEX + r" (\w+ = [^;]*\* (?:q_len|kv_len)\b[^;]*;)", r"const int8_t \1"),
        sub(r"\(int64_t\)(blockIdx\.x \* (?:cols|vocab_size)\b)", r"(int16_t)(\1)"),
        sub(INDEX + r" ((?:row|col|query|token|head) = (?!\w \+ \w - 1))",
            r"const int8_t \1"),
        sub(r"(for \()int64_t (\w+ = (?:tid|threadIdx\.x)\b)", r"\1int8_t \2"),
        sub(r"\bconst int (tid = threadIdx\.x;)", r"const int8_t \1")),
    "half_accumulation": rounded("__float2half", "__half2float"),
    "tail_not_vectorised": any_of(
        bounds_rounded_down(4, 2),
        sub(r"(for \(\w+ j = )[^;]+(; j < \w+;)", r"\g<1>0\2"),
        sub(r"\bif \((\w+) \+ [31] < (\w+)\)", r"if (\1 < \2)"),
        sub(r"\bfor \(\w+ (?:tail|j) = .*[^{]$", ";"),
        sub(r" && \w+ % [248] == 0|\w+ % [248] == 0 && ", ""),
        sub(r"\w+ % [248] == 0", "true")),
    "size_assumed_to_divide": any_of(
        sub(r"\((\w[\w* ]*) \+ (\w+) - 1\) / \2", r"(\1) / \2"),
        sub(r"\((\w[\w* ]*) \+ \d+\) / (\d+)", r"(\1) / \2"),
        bounds_rounded_down(32, 16)),
}

# In a kernel of bfloat16 a sum that is "kept in half" is kept in bfloat16.
BFLOAT16_SUMS = rounded("__float2bfloat16", "__bfloat162float")


def changes(kind, line, bfloat16=False):
    """The lines that `line` becomes by a fault of that kind; its comment is left out."""
    code = line.split("//")[0].rstrip()
    if not code or code.lstrip().startswith("#"):
        return []
    operator = BFLOAT16_SUMS if bfloat16 and kind == "half_accumulation" else KINDS[kind]
    return [changed for changed in dict.fromkeys(operator(code)) if changed != code]
