"""What a worker calls itself on the batches it holds."""


def owner_of(host: str | None, pid: int | None, name: str) -> str:
    """What stands on the batches that a worker holds: the process that forks for each job, so that it can be found.

    The name RQ drew for it tells apart two containers in which host and process have the same names.
    """
    return f"{host}:{pid}:{name[:8]}"
