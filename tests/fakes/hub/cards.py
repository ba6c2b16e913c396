"""The Hub's look at a card's head before it takes it: the rules a card of ours could break."""

from __future__ import annotations

from typing import Any

import yaml

from fakes.hub.state import Hub
from fakes.hub.wire import Answer, Request, route

LICENSES = {
    "apache-2.0", "mit", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc0-1.0", "other", "unknown",
}  # fmt: skip
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


@route("POST", r"/api/validate-yaml")
def validate(hub: Hub, request: Request) -> Answer:
    asked = request.json()
    head = asked["content"].split("---", 2)
    errors = ["there is no head between two lines of ---"] if len(head) < 3 or head[0].strip() else []
    values: Any = {}
    if not errors:
        try:
            values = yaml.safe_load(head[1])
        except yaml.YAMLError as error:
            errors.append(f"the head is no YAML: {error}")
    if not errors:
        errors = _faults(values, asked.get("repoType") or "model") if isinstance(values, dict) else ["no mapping"]
    answer = {"errors": [{"message": error} for error in errors], "warnings": []}
    return Answer(answer, 400 if errors else 200)


def _faults(values: dict[str, Any], kind: str) -> list[str]:
    faults = []
    if values.get("license", "other") not in LICENSES:
        faults.append(f'"license" {values["license"]!r} is not known')
    for name in ("language", "tags"):
        items = values.get(name, [])
        if not all(isinstance(item, str) for item in (items if isinstance(items, list) else [items])):
            faults.append(f'"{name}" must be text')
    if kind == "space":
        if values.get("sdk") not in ("gradio", "static", "docker"):
            faults.append('"sdk" is missing')
        faults += [
            f'"{name}" must be a colour' for name in ("colorFrom", "colorTo") if values.get(name, "red") not in COLOURS
        ]
    for model in values.get("model-index", []):
        if not isinstance(model.get("name"), str):
            faults.append('"model-index[0].name" is required')
        for result in model.get("results", []):
            needed = {"task": {"type"}, "dataset": {"name", "type"}}
            for part, keys in needed.items():
                if keys - (result.get(part) or {}).keys():
                    faults.append(f'"model-index[0].results[0].{part}" lacks {sorted(keys)}')
            for metric in result.get("metrics", []):
                if not isinstance(metric.get("value"), int | float | str) or "type" not in metric:
                    faults.append('"model-index[0].results[0].metrics" needs type and value')
    return faults
