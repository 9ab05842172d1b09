"""PostgreSQL dies, forgets whom it spoke to, answers late or not, has no room, or waits for somebody."""

import signal
import threading
from contextlib import suppress
from http.client import HTTPException

import psycopg
from django.db import connection

from tests.chaos.fault import fault
from tests.chaos.scene import Scene
from tests.wire import Fault


@fault("F16", "PostgreSQL is stopped at once, as by a power cut (SIGQUIT), and started again", cuts=4)
def restart_postgres(scene: Scene) -> None:
    scene.house.postgres.stop(signal.SIGQUIT)
    connection.close()
    scene.sleep(0.1, 1)
    scene.house.postgres.start()


TERMINATE = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' ORDER BY random() LIMIT 1
"""


@fault("F17", "two hundred connections ended by the server, at random", cuts=200)
def terminate(scene: Scene) -> None:
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute(TERMINATE)
        scene.sleep(0.005, 0.05)


def break_wire(scene: Scene, broken: Fault, times: int, seconds: float) -> None:
    wire = scene.house.to_postgres
    wire.break_by(broken, times)
    scene.wait(lambda: wire.struck >= times, seconds)
    wire.mend()
    scene.tell(f"befell {wire.struck} connections")
    scene.must(wire.struck, "it befell nobody")


@fault("F18", "the connection is cut after COMMIT was sent: its answer is lost", cuts=30)
def lose_commits(scene: Scene) -> None:
    break_wire(scene, Fault("answer to commit", "hang up"), 30, 10)


@fault("W1", "the connection is cut before COMMIT arrives", cuts=30)
def lose_before_commit(scene: Scene) -> None:
    break_wire(scene, Fault("commit", "reset"), 30, 10)


@fault("W2", "the answer to COMMIT comes after the lease", cuts=3)
def late_commits(scene: Scene) -> None:
    break_wire(scene, Fault("answer to commit", "delay", seconds=6), 3, 8)


@fault("W3", "answers are cut off in the middle", cuts=20)
def half_answers(scene: Scene) -> None:
    break_wire(scene, Fault("back", "hang up", after=scene.luck.randint(400, 20_000)), 20, 8)


@fault("W4", "connections are closed by half", cuts=10)
def half_closed(scene: Scene) -> None:
    break_wire(scene, Fault("back", "half-close", seconds=1), 10, 8)


@fault("W5", "PostgreSQL is slow to reach", cuts=4)
def slow_wire(scene: Scene) -> None:
    break_wire(scene, Fault("back", "delay", seconds=0.2), 100, 6)


@fault("W6", "PostgreSQL is cut off for longer than a lease, and what was said arrives late", cuts=4)
def hanging_wire(scene: Scene) -> None:
    scene.house.to_postgres.break_by(Fault("there", "hang"))
    scene.sleep(5, 8)
    scene.house.to_postgres.mend()


@fault("F19", "every connection PostgreSQL has is taken", cuts=4)
def exhaust(scene: Scene) -> None:
    page = f"/campaigns/{scene.trials[-1].campaign.pk}/"
    headers = scene.as_member(scene.trials[-1])
    connection.ensure_connection()
    taken: list[psycopg.Connection] = []
    url = scene.house.environment["DATABASE_URL"]
    try:
        with suppress(psycopg.OperationalError):
            while len(taken) < 300:
                taken.append(psycopg.connect(url, connect_timeout=5))
        scene.tell(f"took {len(taken)} connections")
        scene.house.kill_horse()  # the next one finds no connection
        for _ in range(3):
            status, text, _ = scene.house.ask(page, headers=headers)
            scene.must(status in (200, 503), f"the page answers {status}: {text[:200]}")
            scene.sleep(0.4)
    finally:
        for one in taken:
            one.close()
    answers = scene.wait(lambda: scene.house.ask(page, headers=headers)[0] == 200, 30)
    scene.must(answers, "the page does not come back")


@fault("F20", "somebody holds the row of a campaign for twelve seconds")
def hold_a_row(scene: Scene) -> None:
    trial = scene.keep_busy()
    page = f"/campaigns/{trial.campaign.pk}/"
    headers = scene.as_member(trial)
    pressed: list[int] = []

    def press_pause() -> None:
        with suppress(OSError, HTTPException):
            pressed.append(scene.house.ask(f"{page}pause/", body="", headers=headers)[0])

    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as holder:
        holder.execute("SELECT FROM campaigns_campaign WHERE id = %s FOR UPDATE", [trial.campaign.pk])
        person = threading.Thread(target=press_pause)
        person.start()
        status, _, seconds = scene.house.ask(page, headers=headers)
        scene.must(status == 200 and seconds < 10, f"the page cannot be read: {status} after {seconds:.1f} s")
        scene.sleep(12)
        holder.rollback()
    person.join(60)
    scene.must(pressed and pressed[0] in (303, 503), f"Pause answers {pressed} while the row is held")
