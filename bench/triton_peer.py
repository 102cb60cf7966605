"""The Triton side of bench/triton: kernels under Triton's interpreter, launched on demand.

Started in a folder of inputs, as one process of bench/triton's own environment. For each line
"KERNEL SIZES.. INPUTS.." on stdin it launches the kernel once and answers with the seconds of
processor and of wall time; KERNEL.triton then holds the output.
"""
import os
import sys
import time

os.environ["TRITON_INTERPRET"] = "1"
import numpy  # noqa: E402
import torch  # noqa: E402
import triton  # noqa: E402
import triton.language as tl  # noqa: E402


@triton.jit
def softmax(x, y, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    at = tl.arange(0, BLOCK)
    inside = at < cols
    v = tl.load(x + row * cols + at, mask=inside, other=-float("inf"))
    e = tl.exp(v - tl.max(v, axis=0))
    tl.store(y + row * cols + at, e / tl.sum(e, axis=0), mask=inside)


@triton.jit
def matmul(a, b, c, m, n, k, stride_a, stride_b, stride_c, TILE: tl.constexpr, DEPTH: tl.constexpr):
    rows = tl.program_id(0) * TILE + tl.arange(0, TILE)
    cols = tl.program_id(1) * TILE + tl.arange(0, TILE)
    deep = tl.arange(0, DEPTH)
    left = a + rows[:, None] * stride_a + deep[None, :]
    right = b + deep[:, None] * stride_b + cols[None, :]
    total = tl.zeros((TILE, TILE), dtype=tl.float32)
    for done in range(0, k, DEPTH):
        inside = deep < k - done
        x = tl.load(left, mask=(rows[:, None] < m) & inside[None, :], other=0.0)
        y = tl.load(right, mask=inside[:, None] & (cols[None, :] < n), other=0.0)
        total += tl.dot(x, y)
        left += DEPTH
        right += DEPTH * stride_b
    at = c + rows[:, None] * stride_c + cols[None, :]
    tl.store(at, total, mask=(rows[:, None] < m) & (cols[None, :] < n))


@triton.jit
def matmul_exact(a, b, c, n, TILE: tl.constexpr, DEPTH: tl.constexpr):
    rows = tl.program_id(0) * TILE + tl.arange(0, TILE)
    cols = tl.program_id(1) * TILE + tl.arange(0, TILE)
    deep = tl.arange(0, DEPTH)
    left = a + rows[:, None] * n + deep[None, :]
    right = b + deep[:, None] * n + cols[None, :]
    total = tl.zeros((TILE, TILE), dtype=tl.float32)
    for _ in range(0, n, DEPTH):
        total += tl.dot(tl.load(left), tl.load(right))
        left += DEPTH
        right += DEPTH * n
    tl.store(c + rows[:, None] * n + cols[None, :], total)


def launch_softmax(x, y, rows, cols):
    softmax[(rows,)](x, y, cols, BLOCK=triton.next_power_of_2(cols))


def launch_matmul(tile, depth):
    def launch(a, b, c, n):
        grid = (triton.cdiv(n, tile), triton.cdiv(n, tile))
        matmul[grid](a, b, c, n, n, n, n, n, n, TILE=tile, DEPTH=depth)
    return launch


def launch_exact(tile, depth):
    def launch(a, b, c, n):
        matmul_exact[(n // tile, n // tile)](a, b, c, n, TILE=tile, DEPTH=depth)
    return launch


KERNELS = {
    "softmax": launch_softmax,
    "matmul_16": launch_matmul(16, 16),
    "matmul_64": launch_matmul(64, 32),
    "matmul_64_16_deep": launch_matmul(64, 16),
    "matmul_64_64_deep": launch_matmul(64, 64),
    "matmul_16_exact": launch_exact(16, 16),
    "matmul_64_exact": launch_exact(64, 32),
}


def main():
    torch.set_num_threads(1)
    print("triton", triton.__version__, flush=True)
    for line in sys.stdin:
        kernel, sizes, inputs = (part.split(",") for part in line.split())
        tensors = [torch.from_numpy(numpy.fromfile(name, dtype=numpy.float32)) for name in inputs]
        output = torch.full_like(tensors[0], float("nan"))
        start = time.process_time(), time.perf_counter()
        KERNELS[kernel[0]](*tensors, output, *map(int, sizes))
        seconds = time.process_time() - start[0], time.perf_counter() - start[1]
        output.numpy().tofile(f"{kernel[0]}.triton")
        print(*seconds, flush=True)


if __name__ == "__main__":
    main()
