"""Machines that the Hub rents out, with what they cost: looked up each time, since prices change. Rents none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ownvoice.errors import UsageError
from ownvoice.publishing.hub import Hub

Purpose = Literal["spaces", "jobs"]

FREE = "cpu-basic"
ZERO = "zero-a10g"
"""Graphics cards that a Space gets for as long as it computes; see https://huggingface.co/docs/hub/spaces-zerogpu."""

_HOURS = {"minute": 60.0, "hour": 1.0, "second": 3600.0}
"""Units of the Hub's prices in an hour."""


@dataclass(frozen=True)
class Hardware:
    """One kind of machine."""

    name: str
    """As the Hub calls it: cpu-basic, t4-small..."""
    title: str
    dollars_an_hour: float

    @property
    def has_graphics_card(self) -> bool:
        return not self.name.startswith("cpu-")

    @property
    def sentence(self) -> str:
        """What and how much, for the person."""
        price = f"${self.dollars_an_hour:.2f} an hour" if self.dollars_an_hour else "nothing by the hour"
        return f"{self.title} ({self.name}) costs {price}"


def list_hardware(hub: Hub, purpose: Purpose) -> list[Hardware]:
    """The machines the Hub rents out, with their prices today, in its own order.

    Raises
    ------
    HubError
        when it cannot be asked.
    """
    offered = hub.call(
        lambda api: api.list_spaces_hardware() if purpose == "spaces" else api.list_jobs_hardware(),
        where="the Hub's machines",
    )
    return [Hardware(kind.name, kind.pretty_name, kind.unit_cost_usd * _HOURS[kind.unit_label]) for kind in offered]


def find_hardware(hub: Hub, purpose: Purpose, name: str) -> Hardware:
    """A kind of machine and its price today.

    Raises
    ------
    UsageError
        when the Hub does not rent out any ``name``; it lists those it does.
    HubError
        when it cannot be asked.
    """
    kinds = {kind.name: kind for kind in list_hardware(hub, purpose)}
    if name not in kinds:
        raise UsageError("the Hub has no such machine", where=name, mend=f"Choose one of: {', '.join(kinds)}")
    return kinds[name]
