"""GET /docs: the description of the API as a page."""

from html import escape
from typing import Any

from litestar import Response

from registry.api.openapi import document
from registry.api.pages import details, page, prose, table
from registry.http.answer import Asked
from registry.http.parameters import query
from registry.http.problems import PROBLEM
from registry.http.routing import HTML_PAGE, Operation, read

Schema = dict[str, Any]


@read("/docs", Operation(tag="Operations", answers={200: HTML_PAGE}), same_for_all=True)
async def get_docs(request: Asked) -> Response[Any]:
    """Read this description as a page"""
    query(request)
    described = document(request.app)
    info, schemas = described["info"], described["components"]["schemas"]
    events = [name for name in schemas if name.startswith("agreement.")]
    others = [name for name in schemas if not name.startswith(("agreement.", "event.", "recorded."))]
    link = f'<a href="/openapi.json">OpenAPI {described["openapi"]}</a>'
    parts = [f"<h1>{escape(info['title'])}</h1>"]
    parts.append(f'<p class="soft">{prose(info["summary"])}. Version {info["version"]}; {link}.</p>')
    parts.extend(f"<p>{prose(paragraph)}</p>" for paragraph in info["description"].split("\n\n"))
    parts.extend(_tag(tag, described) for tag in described["tags"])
    parts.append('<h2 id="events">Event types</h2>')
    parts.append("<p>What <code>data</code> holds, by <code>type</code>.</p>")
    parts.extend(_schema(name, schemas[name]) for name in events)
    parts.append('<h2 id="schemas">Other schemas</h2>')
    parts.extend(_schema(name, schemas[name]) for name in others)
    return page(request, "API", "\n".join(parts))


def _tag(tag: dict[str, str], described: dict[str, Any]) -> str:
    parts = [f"<h2>{escape(tag['name'])}</h2>", f"<p>{prose(tag['description'])}.</p>"]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            if tag["name"] in operation["tags"]:
                parts.append(f'<h3 id="{operation["operationId"]}">{prose(operation["summary"])}</h3>')
                parts.append(
                    f'<p><span class="method">{method.upper()}</span> <code>{escape(path)}</code></p>'
                )
                parts.extend(_operation(operation, described["components"]["responses"]))
    return "\n".join(parts)


def _operation(operation: dict[str, Any], responses: dict[str, Any]) -> list[str]:
    parts = []
    if operation["description"]:
        parts.append(f"<p>{prose(operation['description'])}</p>")
    if operation["parameters"]:
        rows = [
            (
                f"<code>{escape(parameter['name'])}</code>",
                parameter["in"] + (", required" if parameter["required"] else ""),
                prose(parameter["description"]),
            )
            for parameter in operation["parameters"]
        ]
        parts.append(table(("Parameter", "In", "Meaning"), rows))
    if "requestBody" in operation:
        parts.append(f"<p>Body: {_content(operation['requestBody']['content'])}</p>")
    answers = [_answer(status, answer, responses) for status, answer in operation["responses"].items()]
    parts.append(table(("Status", "What comes back"), answers))
    return parts


def _answer(status: str, answer: dict[str, Any], responses: dict[str, Any]) -> tuple[str, str]:
    if "$ref" in answer:
        problem = responses[answer["$ref"].rpartition("/")[2]]
        kinds = problem["content"][PROBLEM]["schema"]["properties"]["type"]["enum"]
        links = [f'<a href="{kind}">{kind.rpartition("/")[2]}</a>' for kind in kinds]
        return f'<span class="bad">{status}</span>', ", ".join(links)
    headers = [
        f"<br><code>{escape(name)}</code>: {prose(header['description'])}"
        for name, header in answer["headers"].items()
    ]
    return status, _content(answer.get("content", {})) + "".join(headers)


def _content(content: dict[str, Any]) -> str:
    forms = [f"<code>{escape(name)}</code>: {_kind(form['schema'])}" for name, form in content.items()]
    return "<br>".join(forms)


def _schema(name: str, schema: Schema) -> str:
    required = schema.get("required", ())
    rows = [
        (
            f"<code>{escape(field)}</code>",
            _kind(value) + (", required" if field in required else ""),
            prose(value.get("description", "")),
        )
        for field, value in schema.get("properties", {}).items()
        if value is not False  # which may not be there
    ]
    fields = table(("Field", "Kind", "Meaning"), rows) if rows else f"<p>{_kind(schema)}</p>"
    return details(name, f"<p>{prose(schema.get('description', ''))}</p>\n{fields}")


def _kind(schema: Schema) -> str:
    """Say in a few words what a schema admits."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "discriminator" in schema:
        return 'one of the <a href="#events">event types</a>'
    for key, joint in (("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")):
        if key in schema and "properties" not in schema:
            return joint.join(map(_kind, schema[key]))
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if "enum" in schema:
        return ", ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if schema.get("type") == "array":
        return "list of " + _kind(schema.get("items", {}))
    kinds = schema.get("type", "anything")
    return escape(" or ".join(kinds) if isinstance(kinds, list) else kinds)
