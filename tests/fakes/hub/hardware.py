"""What the Hub rents out, for Spaces and for jobs, and what it costs."""

from __future__ import annotations

from fakes.hub.state import Hub
from fakes.hub.wire import Answer, Request, route

JOBS = [("cpu-basic", "CPU Basic", 167), ("t4-small", "Nvidia T4 - small", 6667), ("l4x1", "1x Nvidia L4", 13333)]
SPACES = [("cpu-basic", "CPU Basic", 0), ("zero-a10g", "ZeroGPU", 0), ("t4-small", "Nvidia T4 - small", 6667)]
"""Name, title, and millionths of a dollar a minute."""


@route("GET", r"/api/(?P<purpose>jobs|spaces)/hardware")
def hardware(hub: Hub, request: Request, purpose: str) -> Answer:
    return Answer(
        [
            {
                "name": name,
                "prettyName": title,
                "cpu": "2 vCPU",
                "ram": "16 GB",
                "accelerator": None,
                "unitCostMicroUSD": cost,
                "unitCostUSD": cost / 1e6,
                "unitLabel": "minute",
            }
            for name, title, cost in (JOBS if purpose == "jobs" else SPACES)
        ]
    )
