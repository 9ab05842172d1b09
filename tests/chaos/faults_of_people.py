"""People press twice, together, at the last moment, or change what is being sent; and the web server dies of it."""

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from http.client import HTTPException
from re import search
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from campaigns.authoring import NotEditable, update_campaign
from campaigns.models import Campaign
from campaigns.when import Wall
from dispatcher import operations
from people.groups import delete_group
from people.models import Recipient
from tests.chaos.fault import fault
from tests.chaos.scene import Scene
from tests.chaos.trials import Trial, opt_out, write
from tests.make import make_group

Status = Campaign.Status


def together(how_many: int, press: Callable[[], object]) -> list[object]:
    """What each of so many people is answered who press at the same moment; None where nobody answered."""
    barrier, answers = threading.Barrier(how_many), []

    def one() -> None:
        barrier.wait(30)
        try:
            answers.append(press())
        except (OSError, HTTPException):
            answers.append(None)
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(how_many)]
    [thread.start() for thread in threads]
    [thread.join(120) for thread in threads]
    return answers


def draft(scene: Scene, people: int = 30) -> Trial:
    trial = scene.patiently(lambda: write(people))
    scene.trials.append(trial)
    return trial


@fault("F5", "kill -9 of the web server while Send is pressed")
def kill_web(scene: Scene) -> None:
    trials = [draft(scene) for _ in range(4)]
    for trial in trials:
        path, headers = f"/api/campaigns/{trial.campaign.pk}/send", scene.as_program(trial)
        reaper = threading.Timer(scene.luck.uniform(0, 0.15), lambda: scene.house.kill("web"))
        reaper.start()
        with suppress(OSError, HTTPException):
            status, _, _ = scene.house.ask(path, body='{"target": "all"}', headers=headers)
            scene.must(status != 200 or trial.status != Status.DRAFT, "Send was answered, but nothing is sent")
        reaper.join()
        scene.wait(lambda: is_there(scene), 60)
    for trial in trials:
        if trial.status == Status.DRAFT:
            trial.campaign.everyone = True
            scene.must(not trial.books.total, "half a launch was left behind")
            Campaign.objects.filter(pk=trial.campaign.pk).update(everyone=True)
            scene.press(trial, operations.launch)


def is_there(scene: Scene) -> bool:
    try:
        return scene.house.ask("/login/", seconds=5)[0] == 200
    except (OSError, HTTPException):
        return False


@fault("F22", "twelve, then fifty people press Send together")
def press_together(scene: Scene) -> None:
    for how_many in (2, 12, 50):
        trial = draft(scene)
        path, headers = f"/api/campaigns/{trial.campaign.pk}/send", scene.as_program(trial)
        answers = together(
            how_many,
            lambda path=path, headers=headers: scene.house.ask(path, body='{"target": "all"}', headers=headers)[0],
        )
        scene.tell(f"{how_many} pressed Send: {dict(Counter(answers))}")
        scene.must(answers.count(200) == 1, f"of {how_many} who pressed Send these were answered: {Counter(answers)}")
        scene.must(set(answers) <= {200, 409, 503}, f"those who lost were answered {Counter(answers)}")


@fault("F23", "a double click, and the form sent once more afterwards")
def double_click(scene: Scene) -> None:
    trial = draft(scene)
    headers = scene.as_member(trial)
    page = f"/campaigns/{trial.campaign.pk}"
    _, html, _ = scene.house.ask(f"{page}/check/", headers=headers)
    seal = search(r'name="checked" value="([^"]+)"', html)
    scene.must(seal, "the check page offers nothing to send")
    form = urlencode({"checked": seal[1] if seal else ""})

    def click() -> int:
        return scene.house.ask(f"{page}/send/", body=form, headers=headers)[0]

    answers = [*together(2, click), click()]
    scene.must(set(answers) <= {303, 409}, f"a double click is answered {answers}")
    scene.must(trial.status not in (Status.DRAFT, Status.PREPARING), "a double click sent nothing")


@fault("F27", "a pause as the last message is settled")
def pause_at_the_end(scene: Scene) -> None:
    for _ in range(6):
        trial = scene.launch(5, profile=scene.luck.choice(("perfect", "leopard")))
        scene.sleep(0, 0.6)
        if scene.press(trial, operations.pause) and trial.books.pending:
            scene.must_stand_still(trial, 0.3)
            scene.press(trial, operations.resume)


@fault("P", "a pause in the middle, with a work-horse killed meanwhile")
def pause(scene: Scene) -> None:
    trial = scene.keep_busy()
    if scene.press(trial, operations.pause):
        scene.house.kill_horse(1)
        scene.must_stand_still(trial, 5)
        scene.press(trial, operations.resume)


@fault("F28", "a cancel in the middle; again, and then a resume")
def cancel(scene: Scene) -> None:
    trial = scene.launch(scene.people // 2, keys=scene.luck.random() < 0.5)
    scene.wait(lambda: trial.books.sent > 20, 60)
    if scene.press(trial, operations.cancel):
        trial.is_cancelled = True
        scene.must_stand_still(trial, 1)
        scene.must(not scene.press(trial, operations.cancel), "it was cancelled twice")
        scene.must(not scene.press(trial, operations.resume), "it went on after a cancel")
        ended = scene.wait(lambda: not trial.books.pending, 60)
        scene.must(ended, "what was cancelled does not end")


@fault("F29", "text, names and groups are changed while they are sent")
def edit(scene: Scene) -> None:
    trial = scene.keep_busy()
    try:
        update_campaign(Campaign.objects.get(pk=trial.campaign.pk), by=None, body="Something else")
        scene.must(False, "a text was changed while it was sent")
    except NotEditable:
        pass
    Recipient.objects.filter(workspace=trial.campaign.workspace_id).update(first_name="Changed", phone="")


@fault("F30", "people opt out while they wait")
def opt_out_meanwhile(scene: Scene) -> None:
    for _ in range(3):
        trial = scene.keep_busy()
        scene.patiently(lambda trial=trial: opt_out(trial, 30))
        scene.sleep(0.2)


@fault("F31", "people and their group are deleted while they are written to")
def delete_meanwhile(scene: Scene) -> None:
    trial = draft(scene, 300)
    group = make_group(trial.campaign.workspace, *Recipient.objects.filter(workspace=trial.campaign.workspace_id))
    Campaign.objects.filter(pk=trial.campaign.pk).update(everyone=False)
    trial.campaign.groups.set([group])
    scene.press(trial, operations.launch)
    delete_group(group, by=None)
    gone = Recipient.objects.filter(workspace=trial.campaign.workspace_id).order_by("-pk")[:40]
    Recipient.objects.filter(pk__in=list(gone.values_list("pk", flat=True))).delete()


@fault("F33", "due now by the clocks on the walls of far places")
def far_places(scene: Scene) -> None:
    for zone in ("Asia/Kathmandu", "Pacific/Chatham", "America/St_Johns"):
        trial = draft(scene)
        now = timezone.now()
        here = now.astimezone(ZoneInfo(zone))
        scene.press(trial, operations.schedule, at=Wall.at(here.date(), here.time(), zone))
        trial.campaign.refresh_from_db()
        scene.must(trial.campaign.scheduled_at == now.replace(second=0, microsecond=0), f"{zone} is another time")
        started = scene.wait(lambda trial=trial: trial.status not in (Status.SCHEDULED, Status.PREPARING), 60)
        scene.must(started, f"what is due now in {zone} is not sent")


@fault("F34", "no clock while two campaigns fall due, one of them long ago")
def missed(scene: Scene) -> None:
    scene.house.rest("clock")
    soon, late = scene.later(1), scene.later(3600)
    Campaign.objects.filter(pk=late.campaign.pk).update(scheduled_at=timezone.now() - timedelta(hours=25))
    scene.sleep(3)
    scene.must(soon.status == Status.SCHEDULED, "somebody else than the clock starts what is due")
    scene.house.start("clock")
    started = scene.wait(lambda: soon.status not in (Status.SCHEDULED, Status.PREPARING), 60)
    scene.must(started, "what fell due without a clock is not sent")
    asked = scene.wait(lambda: late.status == Status.DRAFT, 60)
    scene.must(asked, f"what was due yesterday is {late.status.label}")


@fault("R", "what failed is tried again, what is unknown sent again or taken for delivered")
def second_thoughts(scene: Scene) -> None:
    for trial in scene.trials[-4:]:
        scene.press(trial, operations.retry_failed)
        if trial.books.unknown:
            scene.press(trial, scene.luck.choice((operations.send_again, operations.assume_delivered)))
            trial.is_heard = False  # in doubt about an old key it may stay unknown
