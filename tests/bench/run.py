"""`bin/bench`: measures side by side, again and again in one run; exits with 1 when a bar is missed."""

import argparse
from collections.abc import Callable, Sequence

from tests.bench import api, bring_in, freeze, latency, memory, pages, push, render, report, size, speed, start, wizard
from tests.bench.ground import at_rest
from tests.bench.notebook import Notebook
from tests.bench.options import Options

Benchmark = Callable[[Notebook, Options], None]
BENCHMARKS: dict[str, Benchmark] = {
    "speed": speed.measure,
    "size": size.measure,
    "freeze": freeze.measure,
    "import": bring_in.measure,
    "render": render.measure,
    "latency": latency.measure,
    "pages": pages.measure,
    "api": api.measure,
    "push": push.measure,
    "start": start.measure,
    "memory": memory.measure,
}
ON_REQUEST: dict[str, Benchmark] = {"wizard": wizard.measure}  # needs a browser


def main(words: Sequence[str] | None = None) -> int:
    asked = arguments(words)
    options = Options.of(asked)
    notebooks = []
    for name in asked.only or BENCHMARKS:
        at_rest()
        notebooks.append(Notebook(name))
        (BENCHMARKS | ON_REQUEST)[name](notebooks[-1], options)
    print(report.FORMS[asked.form](notebooks, options))
    return int(any(notebook.missed for notebook in notebooks))


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument("--only", type=names, metavar="NAME[,NAME]", help=f"of {', '.join(BENCHMARKS | ON_REQUEST)}")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured")
    parser.add_argument("--people", type=int, default=100_000, help="recipients of an ordinary campaign")
    parser.add_argument("--jobs", type=int, default=300, help="jobs the naive design is measured over")
    parser.add_argument("--viewers", type=int, help="browsers that watch: 500, or 1,000 with --full")
    parser.add_argument("--full", action="store_true", help="ten times the people, five million messages")
    forms = parser.add_mutually_exclusive_group()
    for form in ("json", "markdown"):
        forms.add_argument(f"--{form}", dest="form", action="store_const", const=form, help=f"print {form}")
    parser.set_defaults(form="text")
    return parser.parse_args(words)


def names(text: str) -> list[str]:
    chosen = text.split(",")
    if unknown := set(chosen) - (BENCHMARKS | ON_REQUEST).keys():
        raise argparse.ArgumentTypeError(f"there is no {' or '.join(sorted(unknown))}")
    return chosen
