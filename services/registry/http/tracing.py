"""Traces with OpenTelemetry: requests, the commits they are in, and what read models make of their events.

Nothing here is imported unless ``REGISTRY_OTLP_ENDPOINT`` is set; the libraries come with the extra ``otel``.
"""

from collections.abc import Sequence
from typing import Any

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from registry import __version__
from registry.http.lines import SERVER_ERROR
from registry.http.told import Told

TIMEOUT = 2
"""Seconds that the collector has to take spans: for no longer may one that is gone hold up the end of a process."""
SERVICE = "agreement-registry"
CARRIED = (b"traceparent", b"tracestate")

_propagator = TraceContextTextMapPropagator()


class Tracing:
    """Makes spans. What it keeps between two calls belongs to whoever called it."""

    def __init__(self, processor: SpanProcessor) -> None:
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": SERVICE, "service.version": __version__}),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("registry", __version__)

    def begin(self, scope: Any) -> Any:
        """Begin the span of a request, in the trace that its header ``traceparent`` names (W3C Trace Context)."""
        carrier = {
            name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in CARRIED
        }
        parent = _propagator.extract(carrier, Context())
        span = self._tracer.start_span(scope["method"], parent, SpanKind.SERVER)
        return span, context.attach(trace.set_span_in_context(span, parent))

    def end(self, span: Any, method: str, told: Told, status: int) -> None:
        """End the span of a request, under the names of OpenTelemetry's conventions for HTTP."""
        begun, token = span
        context.detach(token)
        begun.update_name(f"{method} {told.template}")
        begun.set_attributes(
            {
                "http.request.method": method,
                "http.route": told.template,
                "http.response.status_code": status,
                "registry.request_id": told.request_id,
            }
        )
        if told.principal:
            begun.set_attribute("registry.principal", told.principal)
        if told.position:
            begun.set_attribute("registry.position", told.position)
        if told.problem:
            begun.set_attribute("error.type", told.problem)
        if status >= SERVER_ERROR:
            begun.set_status(Status(StatusCode.ERROR))
        begun.end()

    def current(self) -> SpanContext:
        """Give what the request under way is known by."""
        return trace.get_current_span().get_span_context()

    def committed(self, requests: Sequence[SpanContext], began: int, events: int) -> None:
        """Make the span of a commit, linked to the requests in it."""
        links = [Link(each) for each in requests if each.is_valid]
        attributes = {"registry.requests": len(requests), "registry.events": events}
        self._tracer.start_span(
            "commit", Context(), links=links, attributes=attributes, start_time=began
        ).end()

    def applied(self, read_model: str, events: Sequence[tuple[int, str]], began: int) -> None:
        """Make a span for each event that a read model has taken in, in the trace of its ``traceparent``."""
        for position, traceparent in events:
            parent = _propagator.extract({"traceparent": traceparent}, Context())
            attributes: dict[str, str | int] = {
                "registry.read_model": read_model,
                "registry.position": position,
            }
            self._tracer.start_span(
                f"project {read_model}", parent, SpanKind.CONSUMER, attributes, start_time=began
            ).end()

    def close(self) -> None:
        """Send what waits, and make no more spans."""
        self._provider.shutdown()


def open_tracing(endpoint: str) -> Tracing:
    """Begin to send traces to a collector over OTLP/HTTP."""
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=TIMEOUT)
    return Tracing(BatchSpanProcessor(exporter, export_timeout_millis=TIMEOUT * 1000))
