"""Images of functions: the first build, the build after a saved file, and an unchanged one.

Each for a Python function without packages, with a small one and with 20 MB of 2,000 files; beside
them what the engine's own builder needs after the same edit, from a Dockerfile that copies packages
and sources, interleaved. Packages are wheels that are made here, so no network is needed.

    python -m benchmarks.build [--rounds 20]
"""

import argparse
import asyncio
import io
import os
import random
import tarfile
import tempfile
import time
import uuid
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.report import percentile_95, save, table
from knlite.runtime.docker.engine import Engine, NoEngine, find_engine
from knlite.runtime.docker.function_code import code_in
from knlite.runtime.docker.runtime import DockerRuntime, open_runtime
from knlite.serving.workload import FunctionProject

BASE = "python:3.11-slim"
FUNC = "async def handle(scope, receive, send):\n    pass\n"
SIZES = {"no packages": 0, "a small package": 1, "20 MB of packages": 2000}
"""Files of 10 kB that the packages have."""
DOCKERFILE = f"FROM {BASE}\nCOPY packages /opt/packages\nCOPY function /function\n"


@dataclass
class Case:
    """A function, and how long its images took in seconds."""

    folder: Path
    name: str
    packages: Path
    first: float = 0.0
    edited: list[float] = field(default_factory=list)
    unchanged: list[float] = field(default_factory=list)
    dockerfile: list[float] = field(default_factory=list)


async def main(rounds: int) -> None:
    """Measure, print, write."""
    engine = await find_engine(os.environ)
    if isinstance(engine, NoEngine):
        raise SystemExit(engine.why)
    with tempfile.TemporaryDirectory() as folder:
        runtime = await open_runtime(
            engine,
            gateway_port=1,
            hosts=lambda: (),
            function_code=code_in(Path(folder, "cache"), {**os.environ, "UV_OFFLINE": "1"}),
        )
        cases = {what: case(Path(folder), what, files) for what, files in SIZES.items()}
        try:
            for each in cases.values():
                each.first = await build(runtime, each)
                copied(engine, each)
            for _ in range(rounds):
                for each in cases.values():
                    edit(each)
                    each.edited.append(await build(runtime, each))
                    each.unchanged.append(await build(runtime, each))
                    each.dockerfile.append(await asyncio.to_thread(copied, engine, each))
        finally:
            for each in cases.values():
                clean(engine, each)
    report(cases, rounds)


def case(folder: Path, what: str, files: int) -> Case:
    """A function whose package has that many *files*."""
    made = folder / what.replace(" ", "-")
    made.mkdir()
    name = f"bench{uuid.uuid4().hex[:8]}"
    packages = made.with_suffix(".packages")
    packages.mkdir()
    found = Case(made, name, packages)
    edit(found)
    if files:
        wheel = made.with_suffix(".wheels") / "ballast-1.0-py3-none-any.whl"
        wheel.parent.mkdir()
        fill(wheel, packages, files)
        (made / "requirements.txt").write_text(f"{wheel}\n")
        (made / "func.py").write_text(f"import ballast\n{FUNC}")
    return found


def fill(wheel: Path, packages: Path, files: int) -> None:
    """A wheel with that many files, and the same files in *packages*."""
    source = random.Random(7)
    info = "ballast-1.0.dist-info"
    content = {"ballast/__init__.py": "", f"{info}/RECORD": ""}
    content[f"{info}/METADATA"] = "Metadata-Version: 2.1\nName: ballast\nVersion: 1.0\n"
    content[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nTag: py3-none-any\n"
    for number in range(files):
        text = "".join(f"X{source.getrandbits(64):x} = {number}\n" for _ in range(420))
        content[f"ballast/m{number}.py"] = text
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in content.items():
            archive.writestr(name, text)
            (packages / name).parent.mkdir(exist_ok=True)
            (packages / name).write_text(text)


def edit(each: Case) -> None:
    """Save it with other code than ever before."""
    file = each.folder / "func.py"
    old = file.read_text() if file.exists() else FUNC
    file.write_text(f"{old.partition('# ')[0]}# {uuid.uuid4()}\n")


async def build(runtime: DockerRuntime, each: Case) -> float:
    """Seconds until its image is there."""
    project = FunctionProject(
        folder=str(each.folder), name=each.name, language="python", image="", invoke="http"
    )
    began = time.perf_counter()
    await runtime.prepare(project, lambda text, share=None: None)
    return time.perf_counter() - began


def copied(engine: Engine, each: Case) -> float:
    """Seconds of the engine's own builder, as ``docker build`` of the folder would use it."""
    began = time.perf_counter()
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as archive:
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(DOCKERFILE)
        archive.addfile(member, io.BytesIO(DOCKERFILE.encode()))
        archive.add(each.packages, "packages")
        archive.add(each.folder, "function")
    context.seek(0)
    steps: Any = engine.client.build(
        fileobj=context, custom_context=True, tag=f"knlite-benchmark/{each.name}", rm=True,
        forcerm=True, decode=True,
    )  # fmt: skip
    for step in steps:
        if "error" in step:
            raise SystemExit(step["error"])
    return time.perf_counter() - began


def clean(engine: Engine, each: Case) -> None:
    """Remove its images."""
    label = f"function.knative.dev/name={each.name}"
    for image in engine.client.images(filters={"label": label}):
        engine.client.remove_image(image["Id"], force=True)
    engine.client.remove_image(f"knlite-benchmark/{each.name}", force=True)


def report(cases: dict[str, Case], rounds: int) -> None:
    """Print and write the results."""
    rows = []
    for what, each in cases.items():
        spread = [
            f"{median(values) * 1000:.0f} / {percentile_95(values) * 1000:.0f}"
            for values in (each.edited, each.unchanged, each.dockerfile)
        ]
        ratio = median(each.edited) / median(each.dockerfile)
        rows.append([what, f"{each.first * 1000:.0f}", *spread, f"{ratio:.2f}"])
    heads = ["function", "first", "edited", "unchanged", "edited, by Dockerfile", "ratio"]
    text = "\n\n".join(
        [
            f"{rounds} interleaved rounds, after the first build; milliseconds, median / 95th"
            " percentile. *edited* is an image after a saved file, *unchanged* one whose files are"
            " the same; the ratio is that of knlite to the engine's own builder.",
            table(heads, rows),
        ]
    )
    data: dict[str, Any] = {
        what: {
            "first": each.first,
            "edited": each.edited,
            "unchanged": each.unchanged,
            "dockerfile": each.dockerfile,
        }
        for what, each in cases.items()
    }
    save("build", "Images of functions", text, {"rounds": rounds, "functions": data})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    asyncio.run(main(parser.parse_args().rounds))
