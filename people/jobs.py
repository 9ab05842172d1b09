"""What the chores workers are rung for."""

from people import imports


def carry_out_import(import_id: int) -> None:
    imports.carry_out(import_id)
