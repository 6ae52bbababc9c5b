"""`stepwell cache [clear]`: how much compiled code is kept, and where."""

from __future__ import annotations

import argparse
import os


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `stepwell cache`."""
    parser.add_argument("action", nargs="?", choices=["show", "clear"], default="show", help="default: show")


def execute(arguments: argparse.Namespace) -> int:
    """Show or clear."""
    from stepwell.backends.cpu.cache import ObjectCache

    cache = ObjectCache.default()
    if cache.folder is None:
        print("the cache is off (STEPWELL_CACHE=0)" if os.environ.get("STEPWELL_CACHE") == "0" else "the cache is off")
        return 0
    if arguments.action == "clear":
        print(f"{cache.folder}: removed {_entries(cache.clear())}")
        return 0
    statistics = cache.statistics()
    used, limit = statistics.size / 2**20, statistics.limit / 2**20
    print(f"{statistics.folder}: {_entries(statistics.entries)}, {used:.1f} MiB of at most {limit:.0f} MiB")
    return 0


def _entries(count: int) -> str:
    return f"{count} {'entry' if count == 1 else 'entries'}"
