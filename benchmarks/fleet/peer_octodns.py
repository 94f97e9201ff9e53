"""octoDNS, which plans DNS zones from YAML: unchanged records, from YAML to YAML."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.fleet.bench import Bench
from benchmarks.fleet.measure import Cost, run
from benchmarks.fleet.rows import Row, numbers, shown

VERSION = "1.22.0"
_IN_ZONE = 1_000
_CONFIG = """\
providers:
  source: {{class: octodns.provider.yaml.YamlProvider, directory: ./source}}
  target: {{class: octodns.provider.yaml.YamlProvider, directory: ./target}}
zones:
{zones}"""
_ZONE = "  {name}.: {{sources: [source], targets: [target]}}\n"
_RECORD = "record-{number:07}: {{ttl: 300, type: A, value: 10.{a}.{b}.{c}}}\n"


def octodns(bench: Bench) -> Iterator[Row]:
    """As many unchanged records as the fleet has image sets, in one zone and in small zones."""
    size = bench.fleet.size
    program = _installed(bench.tools / f"octodns-{VERSION}")
    for name, in_zone in (("one zone", size), (f"zones of {_IN_ZONE:,}", _IN_ZONE)):
        folder = bench.folder / f"octodns-{in_zone}"
        _write(folder, size, in_zone)
        cost = _cost(program, folder)
        slug = "octodns-one" if in_zone == size else "octodns-many"
        case = f"octoDNS {VERSION}, {size:,} unchanged records in {name}"
        yield Row(slug, case, shown(cost), numbers=numbers(cost))
        if size <= _IN_ZONE:
            return


def _cost(program: Path, folder: Path) -> Cost:
    return run([str(program), "--config-file", "config.yaml"], folder)


def _installed(folder: Path) -> Path:
    """Install octoDNS in a virtual environment, unless it is there; return its program."""
    program = folder / "bin" / "octodns-sync"
    if not program.exists():
        shutil.rmtree(folder, ignore_errors=True)
        run([sys.executable, "-m", "venv", str(folder)], Path.cwd())
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q"]
        run([*pip, "--disable-pip-version-check", f"octodns=={VERSION}"], Path.cwd())
    return program


def _write(folder: Path, size: int, in_zone: int) -> None:
    """The configuration, and each zone at the source and at the target alike."""
    names = [f"zone{number:05}.example" for number in range(-(-size // in_zone))]
    for side in ("source", "target"):
        (folder / side).mkdir(parents=True)
        for number, name in enumerate(names):
            first = number * in_zone
            rows = (_record(one) for one in range(first, min(first + in_zone, size)))
            (folder / side / f"{name}.yaml").write_text("---\n" + "".join(rows))
    zones = "".join(_ZONE.format(name=name) for name in names)
    (folder / "config.yaml").write_text(_CONFIG.format(zones=zones))


def _record(number: int) -> str:
    a, b, c = number >> 16 & 255, number >> 8 & 255, number & 255
    return _RECORD.format(number=number, a=a, b=b, c=c)
