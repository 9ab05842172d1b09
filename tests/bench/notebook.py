"""What was measured: series of values with their units, and the bars held against them."""

import statistics
import sys
from dataclasses import dataclass, field


@dataclass
class Series:
    """One figure, measured again and again: its median counts, its spread says how far to trust it."""

    name: str
    unit: str
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.values)


@dataclass(frozen=True)
class Bar:
    """What a figure has to reach: at least `least`, or at most `most`."""

    name: str
    value: float
    unit: str
    least: float | None = None
    most: float | None = None

    @property
    def is_met(self) -> bool:
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)

    @property
    def demand(self) -> str:
        if self.least is not None:
            return f"at least {figure(self.least)} {self.unit}"
        return f"at most {figure(self.most or 0)} {self.unit}"


class Notebook:
    """All that one benchmark measured in a run."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.series: dict[str, Series] = {}
        self.bars: list[Bar] = []

    def write(self, name: str, value: float, unit: str) -> None:
        self.series.setdefault(name, Series(name, unit)).values.append(value)
        print(f"{self.title}: {name}: {figure(value)} {unit}", file=sys.stderr)

    def median(self, name: str) -> float:
        return self.series[name].median

    def at_least(self, least: float, name: str) -> None:
        """Hold the median of a series against a bar."""
        series = self.series[name]
        self.bars.append(Bar(name, series.median, series.unit, least=least))

    def at_most(self, most: float, name: str) -> None:
        series = self.series[name]
        self.bars.append(Bar(name, series.median, series.unit, most=most))

    def divide(self, over: str, under: str) -> str:
        """Write the ratio of two series as a third, round by round: what slows a whole round cancels out."""
        name = f"{over} / {under}"
        for above, below in zip(self.series[over].values, self.series[under].values, strict=True):
            self.write(name, above / below if below else 0.0, "x")
        return name

    @property
    def missed(self) -> list[Bar]:
        return [bar for bar in self.bars if not bar.is_met]


def figure(value: float) -> str:
    """Three digits that matter, or all of a large number."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
