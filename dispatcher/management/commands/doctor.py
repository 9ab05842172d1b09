from django.core.management.base import BaseCommand

from dispatcher.doctor import EXAMINATIONS, examine
from dispatcher.doctor.finding import Finding, Problem


class Command(BaseCommand):
    help = "Says what is wrong with this installation and what to type; exits 1 when something is."
    requires_system_checks = []  # the doctor runs them, and says what they find like all the rest

    def handle(self, *args, **options) -> None:
        found = examine()
        problems = sum(isinstance(finding, Problem) for finding in found)
        for finding in found:
            self.say(finding)
        looked = f"{len(EXAMINATIONS)} things looked at"
        if found:
            self.stdout.write(f"{looked}: {number(problems, 'problem')}, {number(len(found) - problems, 'note')}.")
        else:
            self.stdout.write(self.style.SUCCESS(f"All is well: {looked}."))
        if problems:
            raise SystemExit(1)

    def say(self, finding: Finding) -> None:
        word, style = ("Problem", self.style.ERROR) if isinstance(finding, Problem) else ("Note", self.style.WARNING)
        self.stdout.write(f"{style(word)}  {finding.sentence}")
        if finding.remedy:
            self.stdout.write(f"{'':>{len(word)}}  -> {finding.remedy}")


def number(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"
