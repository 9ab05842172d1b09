"""What was measured, told in text, JSON or as the table of docs/performance.md."""

import json
import os
import platform
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict

from django.conf import settings

from tests.bench.notebook import Bar, Notebook, Series, figure
from tests.bench.options import Options


def text(notebooks: Sequence[Notebook], options: Options) -> str:
    lines = [f"{key}: {value}" for key, value in about(options).items()]
    for notebook in notebooks:
        lines += ["", notebook.title]
        lines += [
            f"  {one.name:<64} {figure(one.median):>9} {one.unit:<10} {spread(one)}" for one in series_of(notebook)
        ]
        lines += [f"  {verdict(bar)}: {bar.name} is {figure(bar.value)}, {bar.demand}" for bar in notebook.bars]
    return "\n".join(lines)


def markdown(notebooks: Sequence[Notebook], options: Options) -> str:
    lines = [*(f"- {key}: {value}" for key, value in about(options).items()), ""]
    lines += ["| benchmark | bar | demanded | median | spread | |", "|---|---|--:|--:|--:|---|"]
    for notebook in notebooks:
        lines += [
            f"| {notebook.title} | {bar.name} | {bar.demand} | {figure(bar.value)} {bar.unit} "
            f"| {spread(notebook.series[bar.name])} | {verdict(bar)} |"
            for bar in notebook.bars
        ]
    lines += ["", "| benchmark | figure | median | spread |", "|---|---|--:|--:|"]
    for notebook in notebooks:
        barred = {bar.name for bar in notebook.bars}
        lines += [
            f"| {notebook.title} | {one.name} | {figure(one.median)} {one.unit} | {spread(one)} |"
            for one in series_of(notebook)
            if one.name not in barred
        ]
    return "\n".join(lines)


def as_json(notebooks: Sequence[Notebook], options: Options) -> str:
    told = {
        notebook.title: {
            "series": {one.name: {"unit": one.unit, "values": one.values} for one in series_of(notebook)},
            "bars": [asdict(bar) | {"is_met": bar.is_met} for bar in notebook.bars],
        }
        for notebook in notebooks
    }
    return json.dumps({"about": about(options), "benchmarks": told}, indent=2)


FORMS: dict[str, Callable[[Sequence[Notebook], Options], str]] = {
    "text": text,
    "markdown": markdown,
    "json": as_json,
}


def about(options: Options) -> dict[str, str]:
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    return {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, load {load}",
        "commit": commit(),
        "size": f"{options.people:,} people, {options.rounds} rounds, {options.viewers:,} viewers",
    }


def commit() -> str:
    asked = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=settings.BASE_DIR, capture_output=True, text=True
    )
    return asked.stdout.strip() or "not known"


def series_of(notebook: Notebook) -> list[Series]:
    return list(notebook.series.values())


def spread(series: Series) -> str:
    return f"{figure(min(series.values))} to {figure(max(series.values))}"


def verdict(bar: Bar) -> str:
    return "met" if bar.is_met else "MISSED"
