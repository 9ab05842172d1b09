"""The provider is slow, wants us slower, keeps its answers, talks nonsense, is away, or says no."""

from datetime import timedelta

from django.utils import timezone

from dispatcher.models import Attempt, Message
from simulator.models import Outage
from tests.chaos.fault import fault
from tests.chaos.scene import Scene
from tests.chaos.trials import Trial


def some_of(scene: Scene, trial: Trial, least: int = 30) -> None:
    """Let it work for a while."""
    scene.wait(lambda: trial.books.done >= least, 30)


@fault("F35", "answers that take as long as a call may last")
def slow_provider(scene: Scene) -> None:
    for keys in (True, False):
        some_of(scene, scene.launch(60, keys=keys, profile="rails"), 10)


@fault("F36", "429 with a Retry-After, and with one that makes no sense")
def too_fast(scene: Scene) -> None:
    for seconds in (0.3, -1):
        trial = scene.launch(40, profile="perfect", busy=10, retry_after=seconds)
        some_of(scene, trial, 10)
        counted = Message.objects.filter(campaign=trial.campaign, retry_count__gt=0, last_error__contains="429")
        scene.must(not counted.exists(), "a 429 used up a try")


@fault("F37", "messages are accepted and the answer never comes, or the connection drops")
def never_answers(scene: Scene) -> None:
    for keys in (True, False):
        some_of(scene, scene.launch(150, keys=keys, hang=4, drop=8))


@fault("F38", "answers nobody understands")
def nonsense(scene: Scene) -> None:
    for keys in (True, False):
        some_of(scene, scene.launch(150, keys=keys, garbage=12))


@fault("F39", "the provider is away for six seconds")
def outage(scene: Scene) -> None:
    trial = scene.keep_busy()
    until = timezone.now() + timedelta(seconds=6)
    Outage.objects.update_or_create(workspace=trial.campaign.workspace, defaults={"until": until})
    tries = Attempt.objects.filter(message__campaign=trial.campaign).count()
    scene.sleep(6.5)
    burnt = Attempt.objects.filter(message__campaign=trial.campaign, error__contains="outage").count()
    scene.tell(f"{Attempt.objects.filter(message__campaign=trial.campaign).count() - tries} tries meanwhile")
    scene.must(not burnt, f"{burnt} tries were used up on a provider that was away")


@fault("F40", "a refusal for good: a wrong number, a closed mailbox")
def refusals(scene: Scene) -> None:
    for keys in (True, False):
        some_of(scene, scene.launch(200, keys=keys, profile="quick"))
