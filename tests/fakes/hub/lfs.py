"""Large file storage: which contents are missing, their upload at once or in parts, and whether they came in whole."""

from __future__ import annotations

import hashlib

from fakes.hub.repos import ADDRESS, kind_of
from fakes.hub.state import Hub
from fakes.hub.wire import Answer, Refused, Request, route


@route("POST", rf"{ADDRESS}\.git/info/lfs/objects/batch")
def batch(hub: Hub, request: Request, prefix: str | None, repo: str) -> Answer:
    hub.writable(request, kind_of(prefix), repo)
    verify = {"href": f"{hub.url}{request.path.removesuffix('objects/batch')}verify"}
    objects = []
    for wanted in request.json()["objects"]:
        entry = {"oid": wanted["oid"], "size": wanted["size"]}
        if not hub.has(wanted["oid"]):
            entry["actions"] = {"upload": _upload(hub, wanted["oid"], wanted["size"]), "verify": verify}
        objects.append(entry)
    return Answer({"transfer": "basic", "objects": objects})


def _upload(hub: Hub, oid: str, size: int) -> dict[str, object]:
    if size < hub.multipart_from:
        return {"href": f"{hub.url}/storage/{oid}", "header": {}}
    parts = -(-size // hub.part_size)
    header = {str(number): f"{hub.url}/storage/{oid}/{number}" for number in range(1, parts + 1)}
    return {"href": f"{hub.url}/storage/{oid}/complete", "header": header | {"chunk_size": str(hub.part_size)}}


@route("PUT", r"/storage/(?P<oid>\w+)(?:/(?P<part>\d+))?")
def put(hub: Hub, request: Request, oid: str, part: str | None) -> Answer:
    name = f"{oid}.{part}" if part else oid
    if part is None and hashlib.sha256(request.body).hexdigest() != oid:
        raise Refused(400, "The content does not have the sha256 it was announced with")
    if not hub.has(oid):  # two clients may bring one content: what the first has had verified stays so
        (hub.folder / name).write_bytes(request.body)
        if part is None:
            hub.unverified.add(oid)
    return Answer(b"", headers={"ETag": f'"{hashlib.md5(request.body, usedforsecurity=False).hexdigest()}"'})


@route("POST", r"/storage/(?P<oid>\w+)/complete")
def complete(hub: Hub, request: Request, oid: str) -> Answer:
    if hub.has(oid):
        return Answer({})
    parts = [hub.folder / f"{oid}.{part['partNumber']}" for part in request.json()["parts"]]
    content = b"".join(part.read_bytes() for part in parts)
    for part in parts:
        part.unlink()
    if hashlib.sha256(content).hexdigest() != oid:
        raise Refused(400, "The parts do not have the sha256 they were announced with")
    hub.unverified.add(hub.store(content))
    return Answer({})


@route("POST", rf"{ADDRESS}\.git/info/lfs/verify")
def verify(hub: Hub, request: Request, prefix: str | None, repo: str) -> Answer:
    hub.writable(request, kind_of(prefix), repo)
    wanted = request.json()
    there = hub.folder / wanted["oid"]
    if not there.is_file() or there.stat().st_size != wanted["size"]:
        raise Refused(422, "The uploaded object is not complete")
    hub.unverified.discard(wanted["oid"])
    return Answer({})
