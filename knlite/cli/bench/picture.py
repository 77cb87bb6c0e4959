"""The picture of a measurement: every sample as a point, the median as a line."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from knlite.errors import InvalidInput

SHOWN = 2000
"""Points of a series, at most."""


def require(file: Path) -> None:
    """Raise ``InvalidInput`` if no picture can be drawn into *file*: before it is measured."""
    if find_spec("matplotlib") is None:
        raise InvalidInput(
            "--png needs matplotlib, which is not installed", fix="pip install 'knlite[bench]'"
        )
    if file.suffix.lower() != ".png":
        raise InvalidInput(
            f"{file} does not end in .png", fix=f"write --png {file.with_suffix('.png')}"
        )
    if not file.absolute().parent.is_dir():
        raise InvalidInput(f"there is no folder {file.parent}", fix="make it first")


def draw(title: str, series: Mapping[str, Sequence[float]], file: Path) -> None:
    """Draw *series*, in seconds by name, into *file*. Raises ``InvalidInput``."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    figure = Figure(figsize=(1.5 * len(series) + 2, 4.2), dpi=120)
    axis = figure.subplots()
    for place, values in enumerate(series.values()):
        shown = values[:: max(1, len(values) // SHOWN)]
        spread = [place + (index % 9 - 4) * 0.03 for index in range(len(shown))]
        # Nothing takes no time: a clock of tenths of a millisecond says 0 now and then.
        milliseconds = [max(0.05, 1000 * value) for value in shown]
        axis.plot(spread, milliseconds, "o", markersize=4, alpha=0.4 if len(shown) < 200 else 0.1)
        middle = max(0.05, 1000 * median(values))
        axis.hlines(middle, place - 0.3, place + 0.3, color="black", linewidth=1.5)
        axis.annotate(f"{middle:.3g}", (place + 0.32, middle), va="center", fontsize=8)
    axis.set_yscale("log")
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_xticks(range(len(series)), list(series), fontsize=9)
    axis.set_xlim(-0.6, len(series) - 0.2)
    axis.set_ylabel("ms")
    axis.grid(axis="y", alpha=0.3)
    axis.set_title(f"{title} (lines: medians)", fontsize=10)
    figure.tight_layout()
    try:
        figure.savefig(file)
    except OSError as exc:
        raise InvalidInput(f"{file} cannot be written", cause=str(exc)) from exc
