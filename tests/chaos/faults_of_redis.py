"""Redis forgets, refuses, hangs, dies, fills up, or carries what nobody asked for."""

import signal

import django_rq
from redis import Redis
from rq.job import Job
from rq.serializers import JSONSerializer

from dispatcher import operations
from tests.chaos.fault import fault
from tests.chaos.scene import Scene
from tests.chaos.trials import write
from tests.house import WORKERS
from tests.wire import Fault
from wires.queue import DISPATCH

AT_MOST = 10  # seconds until a page answers without Redis; two, but for a busy machine
QUEUE = "rq:queue:dispatch"


def redis() -> Redis:
    return django_rq.get_connection("dispatch")


@fault("F9", "poison on the queue: garbage, an unknown function, another serializer")
def poison(scene: Scene) -> None:
    began = {name: scene.house.processes[name].pid for name in WORKERS}
    for _ in range(3):
        connection = redis()
        connection.hset("rq:job:garbage", mapping={"data": b"\xff\x00garbage", "created_at": "never"})
        connection.rpush(QUEUE, "garbage", "no-such-job")
        strange = Job.create("os.system", args=("true",), connection=connection, serializer=JSONSerializer)
        pickled = Job.create(DISPATCH, connection=connection)
        for job in (strange, pickled):
            job.save()
            connection.rpush(QUEUE, job.id)
        scene.sleep(0.5, 1)
    eaten = scene.wait(lambda: redis().lpos(QUEUE, "garbage") is None, 30)
    scene.must(eaten, "the poison stays on the queue")
    scene.sleep(1)
    alive = {name: scene.house.processes[name].pid for name in WORKERS if scene.house.processes[name].poll() is None}
    scene.must(alive == began, "a worker died of the poison")


def send_meanwhile(scene: Scene) -> None:
    """Somebody presses Send while Redis is away: the answer comes soon, and the clock sees to the rest."""
    trial = scene.patiently(lambda: write(50))
    scene.trials.append(trial)
    path = f"/api/campaigns/{trial.campaign.pk}/send"
    status, text, seconds = scene.house.ask(path, body='{"target": "all"}', headers=scene.as_program(trial))
    scene.tell(f"pressed Send without Redis: {status} after {seconds:.1f} s")
    scene.must(status in (200, 202), f"Send without Redis answers {status}: {text[:200]}")
    scene.must(seconds < AT_MOST, f"Send without Redis takes {seconds:.1f} s")
    status, _, seconds = scene.house.ask(f"/campaigns/{trial.campaign.pk}/", headers=scene.as_member(trial))
    scene.must(status == 200 and seconds < AT_MOST, f"the page without Redis: {status} after {seconds:.1f} s")


@fault("F10", "Redis takes no connection while somebody presses Send")
def redis_refuses(scene: Scene) -> None:
    scene.house.to_redis.break_by(Fault("open", "hang up"))
    scene.house.to_redis.cut()
    send_meanwhile(scene)
    scene.sleep(1, 3)
    scene.house.to_redis.mend()


@fault("F11", "Redis takes every connection and says nothing")
def redis_hangs(scene: Scene) -> None:
    scene.house.to_redis.break_by(Fault("there", "hang"))
    send_meanwhile(scene)
    scene.sleep(1, 3)
    scene.house.to_redis.mend()


@fault("F12", "FLUSHALL, twenty times")
def flush(scene: Scene) -> None:
    for _ in range(20):
        redis().flushall()
        scene.sleep(0.05, 0.4)


@fault("F13", "kill -9 of Redis, which keeps nothing, and a new one")
def restart_redis(scene: Scene) -> None:
    scene.house.valkey.stop(signal.SIGKILL)
    scene.house.others_killed += 1
    scene.sleep(0.5, 3)
    scene.house.valkey.start()


@fault("F14", "Redis is full")
def full_redis(scene: Scene) -> None:
    redis().config_set("maxmemory", "1")
    trial = scene.patiently(lambda: write(50))
    scene.trials.append(trial)
    scene.press(trial, operations.launch)
    status, text, _ = scene.house.ask("/health")
    scene.must(status in (200, 503), f"/health with a full Redis answers {status}: {text[:200]}")
    scene.sleep(1, 3)
    redis().config_set("maxmemory", "0")


@fault("F15", "a thousand rings at once")
def thousand_rings(scene: Scene) -> None:
    queue = django_rq.get_queue("dispatch")
    for _ in range(1000):
        queue.enqueue(DISPATCH)
    scene.sleep(5)
    queue.empty()
