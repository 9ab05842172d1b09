"""On which days something repeats: certain weekdays, a day of each month, or every so many days."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import IntEnum

from campaigns.when import Wall

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAY = timedelta(days=1)


class Unit(IntEnum):
    WEEKLY = 1
    MONTHLY = 2
    DAILY = 3


@dataclass(frozen=True)
class Rule:
    """From `starts` on: weekly on `weekdays` (Monday is 0), monthly on day `number`, or every `number` days.

    In a month that is too short the last day stands for the 29th, 30th and 31st.
    """

    unit: Unit
    starts: date
    weekdays: tuple[int, ...] = ()
    number: int = 1

    def on_or_after(self, day: date) -> date:
        """The first day of the rule that is not before this one."""
        day = max(day, self.starts)
        if self.unit == Unit.WEEKLY:
            return next(d for d in (day + n * DAY for n in range(7)) if d.weekday() in self.weekdays)
        if self.unit == Unit.DAILY:
            return self.starts + -(-(day - self.starts).days // self.number) * self.number * DAY
        here = self._in_month_of(day)
        return here if here >= day else self._in_month_of(day.replace(day=28) + 4 * DAY)

    def after(self, day: date) -> Iterator[date]:
        """The days of the rule after this one, without end."""
        while True:
            day = self.on_or_after(day + DAY)
            yield day

    def _in_month_of(self, day: date) -> date:
        return day.replace(day=min(self.number, monthrange(day.year, day.month)[1]))

    @property
    def words(self) -> str:
        """Every Monday and Thursday; every month on the 31st or the last day; every 3 days."""
        if self.unit == Unit.WEEKLY:
            if len(self.weekdays) == 7:
                return "Every day"
            *first, last = (WEEKDAYS[number] for number in sorted(self.weekdays))
            return f"Every {', '.join(first)} and {last}" if first else f"Every {last}"
        if self.unit == Unit.DAILY:
            return "Every day" if self.number == 1 else f"Every {self.number} days"
        last_day = " or the last day" if self.number > 28 else ""
        return f"Every month on the {ordinal(self.number)}{last_day}"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def first_of(rule: Rule, clock: time, zone: str, now: datetime) -> Wall:
    """The first day of the rule on which this time of day is still ahead."""
    walls = (Wall.at(day, clock, zone) for day in rule.after(rule.starts - DAY))
    return next(wall for wall in walls if wall.instant > now)
