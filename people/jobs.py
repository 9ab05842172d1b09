"""What the chores workers are rung for."""

from people import carrying, list_looks


def carry_out_import(import_id: int) -> None:
    carrying.carry_out(import_id)


def look_at_people() -> None:
    list_looks.look_due()
