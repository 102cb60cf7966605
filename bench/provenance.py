"""What a file of results says of where its figures come from."""
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent


def commit(*paths):
    """The commit that is checked out, with "+changes" where one of these paths differs from it."""
    def said(*arguments):
        return subprocess.run(["git", *arguments], cwd=ROOT, text=True, check=True,
                              stdout=subprocess.PIPE).stdout.strip()
    changed = paths and said("status", "--porcelain", "--", *paths)
    return said("rev-parse", "--short", "HEAD") + ("+changes" if changed else "")


def machine():
    with open("/proc/cpuinfo") as info:
        model = next((line.split(":", 1)[1].strip() for line in info
                      if line.startswith("model name")), "unknown")
    return f"{model} x {os.cpu_count()} cores"
