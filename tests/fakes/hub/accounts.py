"""Who a token belongs to and what it may do."""

from __future__ import annotations

from fakes.hub.state import Hub, Token
from fakes.hub.wire import Answer, Refused, Request, route


@route("GET", r"/api/whoami-v2")
def whoami(hub: Hub, request: Request) -> Answer:
    if request.token is None:
        raise Refused(401, "Invalid username or password.")
    return Answer(
        {
            "type": "user",
            "id": f"id-of-{request.token.user}",
            "name": request.token.user,
            "fullname": request.token.user.title(),
            "isPro": not hub.gradio_costs,
            "canPay": not hub.gradio_costs,
            "orgs": [{"type": "org", "name": name, "roleInOrg": "write"} for name in request.token.orgs],
            "auth": {"type": "access_token", "accessToken": _access(request.token)},
        }
    )


def _access(token: Token) -> dict[str, object]:
    access: dict[str, object] = {"displayName": "of a test", "role": token.role}
    if token.role == "fineGrained":
        access["fineGrained"] = {
            "canReadGatedRepos": True,
            "global": [],
            "scoped": [
                {
                    "entity": {"name": name, "type": "model" if "/" in name else "user"},
                    "permissions": ["repo.content.read", "repo.write"],
                }
                for name in token.writes
            ]
            + [{"entity": {"name": token.user, "type": "user"}, "permissions": ["repo.content.read"]}],
        }
    return access
