"""Streams of a Python client against an endpoint, for bench/llm: the same load as bench_llm_load.

    llm_peer.py openai|litellm|httpx BASE_URL STREAMS CHUNKS RATE

Each piece of text is taken out of its chunk, as whoever streams does. Prints one JSON object.
"""
import asyncio
import json
import os
import resource
import sys
import time

CLOSING_EVENTS = 3  # behind the text; the server keeps its pace with them

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # it would fetch one otherwise


def peers(kind, base_url):
    messages = [{"role": "user", "content": "stream"}]
    if kind == "openai":
        import httpx
        import openai
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        client = openai.AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0, timeout=600,
                                    http_client=httpx.AsyncClient(limits=limits, timeout=600))

        async def pieces(number, most):
            stream = await client.chat.completions.create(
                model="mock", messages=[{"role": "user", "content": f"stream {number}"}],
                max_tokens=most, stream=True, stream_options={"include_usage": True})
            async for chunk in stream:
                if chunk.choices and chunk.choices[0].delta.content:
                    yield chunk.choices[0].delta.content
    elif kind == "litellm":
        import litellm
        litellm.suppress_debug_info = True

        async def pieces(number, most):
            stream = await litellm.acompletion(
                model="openai/mock", api_base=base_url, api_key="none", max_retries=0,
                messages=[{"role": "user", "content": f"stream {number}"}], max_tokens=most,
                stream=True, stream_options={"include_usage": True}, timeout=600)
            async for chunk in stream:
                if chunk.choices and chunk.choices[0].delta.content:
                    yield chunk.choices[0].delta.content
    else:
        import httpx
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        client = httpx.AsyncClient(limits=limits, timeout=600)

        async def pieces(number, most):
            body = {"model": "mock", "messages": messages, "max_tokens": most, "stream": True}
            async with client.stream("POST", base_url + "/chat/completions", json=body) as answer:
                async for line in answer.aiter_lines():
                    if line.startswith("data: {"):
                        choices = json.loads(line[6:])["choices"]
                        if choices and choices[0]["delta"].get("content"):
                            yield choices[0]["delta"]["content"]
    return pieces


def seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def percentile(values, share):
    values = sorted(values)
    return values[int(share * (len(values) - 1))] if values else 0


async def main(kind, base_url, streams, chunks, rate):
    pieces = peers(kind, base_url)
    ideal = (chunks - 1 + CLOSING_EVENTS) / rate if rate > 0 else 0
    delays, counts = [], []

    async def follow(number):
        first = None
        count = 0
        async for _ in pieces(number, chunks * 4):
            count += 1
            if first is None:
                first = time.monotonic()
        delays.append((time.monotonic() - first - ideal) * 1000)
        counts.append(count)

    before, began = seconds(), time.monotonic()
    await asyncio.gather(*(follow(number) for number in range(streams)))
    wall, cpu = time.monotonic() - began, seconds() - before
    print(json.dumps({
        "streams": streams, "chunks": sum(counts), "wall_s": wall, "cpu_s": cpu,
        "cpu_us_per_chunk": cpu * 1e6 / sum(counts),
        "delay_ms_p50": percentile(delays, 0.5), "delay_ms_p99": percentile(delays, 0.99),
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]),
                     float(sys.argv[5])))
