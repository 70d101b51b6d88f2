"""Which promises of released contracts newer ones do not keep: to who posts, to who reads, to who listens."""

from collections.abc import Iterator, Mapping
from typing import Any

from registry.cli.narrowing import Break, Schemas

FIRST_PROBLEM = 400
"""The first status that is a problem: how a request fails may change."""

Contracts = Mapping[str, Any]
"""Documents by the name of their file."""


def breaks(old: Contracts, new: Contracts) -> list[Break]:
    """Find every promise of the older contracts that the newer ones break."""
    return sorted(set(_breaks(old, new)))


def _breaks(old: Contracts, new: Contracts) -> Iterator[Break]:
    for name, before in old.items():
        after = new.get(name)
        if after is None:
            yield Break(name, "is gone")
        elif name == "openapi.json":
            yield from _of_openapi(before, after)
        elif name == "asyncapi.json":
            yield from _of_asyncapi(before, after)
        else:
            yield from Schemas(before, after).compare(before, after, "sent", name)


def _of_openapi(before: Any, after: Any) -> Iterator[Break]:
    schemas = Schemas(before, after)
    for path, methods in before["paths"].items():
        if path not in after["paths"]:
            yield Break(path, "is gone")
            continue
        for method, operation in methods.items():
            where = f"{method.upper()} {path}"
            if method not in after["paths"][path]:
                yield Break(where, "is gone")
            else:
                yield from _of_operation(schemas, operation, after["paths"][path][method], where)


def _of_operation(schemas: Schemas, before: Any, after: Any, where: str) -> Iterator[Break]:
    if before.get("operationId") != after.get("operationId"):
        yield Break(where, f"is no longer called {before.get('operationId')}")
    yield from _of_parameters(schemas, before, after, where)
    old, new = before.get("requestBody"), after.get("requestBody")
    if old and not new:
        yield Break(where, "takes no body any more")
    if new and new.get("required") and not (old and old.get("required")):
        yield Break(where, "needs a body now")
    if old and new:
        for media_type, form in old["content"].items():
            if media_type not in new["content"]:
                yield Break(where, f"does not take {media_type} any more")
            else:
                there = new["content"][media_type]["schema"]
                yield from schemas.compare(form["schema"], there, "sent", f"{where} {media_type}")
    for status, answer in before["responses"].items():
        if status.isdigit() and int(status) < FIRST_PROBLEM:
            yield from _of_answer(schemas, answer, after["responses"].get(status), f"{where} {status}")


def _of_parameters(schemas: Schemas, before: Any, after: Any, where: str) -> Iterator[Break]:
    old, new = (
        {(one["in"], one["name"]): one for one in operation.get("parameters", ())}
        for operation in (before, after)
    )
    for key, parameter in old.items():
        name = f"{where} {parameter['name']}"
        if key not in new:
            yield Break(name, "is gone")  # and what is unknown is refused
        else:
            yield from schemas.compare(parameter["schema"], new[key]["schema"], "sent", name)
    for key, parameter in new.items():
        if parameter.get("required") and not old.get(key, {}).get("required"):
            yield Break(f"{where} {parameter['name']}", "is required now")


def _of_answer(schemas: Schemas, before: Any, after: Any, where: str) -> Iterator[Break]:
    if after is None:
        yield Break(where, "is gone")
        return
    for name in before.get("headers", {}):
        if name not in after.get("headers", {}):
            yield Break(f"{where} {name}", "is gone")
    for media_type, form in before.get("content", {}).items():
        there = after.get("content", {}).get(media_type)
        if there is None:
            yield Break(f"{where} {media_type}", "is gone")
        else:
            yield from schemas.compare(form["schema"], there["schema"], "read", f"{where} {media_type}")


def _of_asyncapi(before: Any, after: Any) -> Iterator[Break]:
    schemas = Schemas(before, after)
    for kind in ("channels", "operations"):
        for name in before[kind].keys() - after[kind].keys():
            yield Break(f"{kind}/{name}", "is gone")
    for name, channel in before["channels"].items():
        there = after["channels"].get(name, channel)
        if there["address"] != channel["address"]:
            yield Break(f"channels/{name}", f"is no longer at {channel['address']}")
        for message in channel["messages"].keys() - there["messages"].keys():
            yield Break(f"channels/{name}/{message}", "is gone")
    for name, message in before["components"]["messages"].items():
        if name in after["components"]["messages"]:
            there = after["components"]["messages"][name]
            yield from schemas.compare(message["payload"], there["payload"], "read", f"messages/{name}")
    for name, operation in before["operations"].items():
        if name in after["operations"]:
            old, new = (one["bindings"]["http"]["query"] for one in (operation, after["operations"][name]))
            yield from schemas.compare(old, new, "sent", f"operations/{name}")
