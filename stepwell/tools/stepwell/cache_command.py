"""`stepwell cache [clear]`: how much compiled code is kept, and where."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `stepwell cache`."""
    parser.add_argument("action", nargs="?", choices=["show", "clear"], default="show")


def execute(arguments: argparse.Namespace) -> int:
    """Show or clear."""
    from stepwell.backends.cpu.cache import ObjectCache

    cache = ObjectCache.default()
    if arguments.action == "clear":
        print(f"removed {cache.clear()} entries")
        return 0
    statistics = cache.statistics()
    print(f"{statistics.folder}: {statistics.entries} entries, {statistics.size / 2**20:.1f} MiB of at most {statistics.limit / 2**20:.0f} MiB")
    return 0
