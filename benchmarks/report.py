"""What every benchmark prints about where it ran, and where its results go."""

import json
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles
from typing import Any

RESULTS = Path(__file__).parent / "results"


def machine() -> dict[str, str]:
    """The machine, the versions and the commit."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "machine": f"{len(models) or '?'} x {models[0] if models else platform.processor()}",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "knlite": version("knlite"),
        "commit": _commit(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def percentile_95(values: Sequence[float]) -> float:
    """The 95th percentile, between samples."""
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


def summary(values: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    return {"median": median(values), "p95": percentile_95(values)}


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table that also reads well in a terminal."""
    widths = [max(len(row[i]) for row in (heads, *rows)) for i in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)) + " |"

    return "\n".join([line(heads), line(["-" * width for width in widths]), *map(line, rows)])


def save(name: str, title: str, text: str, data: Mapping[str, Any]) -> None:
    """Print *text*, and write it with *data* under ``benchmarks/results``."""
    RESULTS.mkdir(exist_ok=True)
    where = machine()
    about = "\n".join(f"* {key}: {value}" for key, value in where.items())
    page = f"# {title}\n\n{about}\n\n{text}\n"
    print(page)
    (RESULTS / f"{name}.md").write_text(page, encoding="utf-8")
    document = {"about": where, **data}
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _commit() -> str:
    """The commit, marked if anything but results differs from it."""
    try:
        commit = _git("rev-parse", "--short", "HEAD")
        changed = _git("status", "--porcelain", "--", ".", ":!benchmarks/results")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit}-dirty" if changed else commit


def _git(*arguments: str) -> str:
    root = Path(__file__).parents[1]
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, cwd=root)
    return done.stdout.strip()
