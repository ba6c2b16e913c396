"""Who a token belongs to and what it may do, from what the Hub answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Identity:
    """Who a token belongs to, and what it may do."""

    name: str
    organisations: tuple[str, ...] = ()
    role: str = ""
    """The Hub's word: read, write, fineGrained; empty where it does not say."""
    writable: tuple[str, ...] = ()
    """Of a fine-grained token: people, organisations and repositories it may write to."""
    only_reads: bool = False
    """Whether it can do nothing but read: no commit, no job, nothing that is paid for."""

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """From what ``HfApi.whoami`` returns."""
        access = answer.get("auth", {}).get("accessToken", {})
        role, fine = access.get("role", ""), access.get("fineGrained", {})
        scoped = fine.get("scoped", [])
        rights = [*fine.get("global", []), *(right for place in scoped for right in place["permissions"])]
        writable = (place["entity"]["name"] for place in scoped if "repo.write" in place["permissions"])
        organisations = tuple(organisation["name"] for organisation in answer.get("orgs", []))
        only_reads = role == "read" or (role == "fineGrained" and all(right.endswith(".read") for right in rights))
        return cls(answer["name"], organisations, role, tuple(dict.fromkeys(writable)), only_reads)

    def may_write(self, repo: str) -> bool:
        """Whether the Hub would take a commit to ``repo`` (OWNER/NAME), as far as the token says."""
        namespace = repo.partition("/")[0]
        if self.role == "read" or namespace not in (self.name, *self.organisations):
            return False
        return self.role != "fineGrained" or namespace in self.writable or repo in self.writable

    @property
    def places(self) -> tuple[str, ...]:
        """People, organisations and repositories the token may write to; none of one that only reads."""
        if self.role == "read":
            return ()
        return self.writable if self.role == "fineGrained" else (self.name, *self.organisations)

    @property
    def sentence(self) -> str:
        """Who and what, for the person."""
        may = f"write to: {', '.join(self.places)}" if self.places else "only read"
        return f"Logged in as {self.name}. This access token may {may}."
