#!/usr/bin/env bash
# OpenTelemetry: the duration metric and the span of one request disagree, under WSGI and under ASGI, in opposite ways.
#
# Versions  opentelemetry-instrumentation-wsgi, -flask and -fastapi 0.66b1, SDK 1.45.1; flask 3.1.3, fastapi 0.165.0,
#           uvicorn 0.54.0
# Source    opentelemetry/instrumentation/wsgi, OpenTelemetryMiddleware.__call__: records the duration and takes the
#           request off http.server.active_requests in a `finally` that is left when the application has returned its
#           iterable. The span ends later, in _end_span_after_iterating(). Flask's instrumentation does the same with
#           the duration (_wrapped_app), and ends the span with the request's context (_teardown_request). In
#           opentelemetry/instrumentation/asgi, __call__, the duration ends when the application returns, so after its
#           background tasks, the span with the last part of the body (_get_otel_send).
# Guess     Both are the time of the request: about 2 s for what is streamed for 2 s, next to nothing for an answer
#           whose background task takes 2 s. In the histogram it is as in the trace.
# Seen      Under WSGI, a stream has a duration of 0 ms, and is not among the active requests while it runs: of a
#           service that streams, the dashboard shows an idle one that is as fast as can be. In Flask, the span is as
#           short. Under ASGI, the background task is a part of the duration, and of the active requests: an alert on
#           latency fires although each client has its answer within milliseconds.
# Output    WSGI, streamed for 2 s:            client 2.0 s, metric 0.0 s, span 2.0 s, active meanwhile 0
#           Flask, streamed for 2 s:           client 2.0 s, metric 0.0 s, span 0.0 s, active meanwhile 0
#           FastAPI, streamed for 2 s:         client 2.0 s, metric 2.0 s, span 2.0 s, active meanwhile 1
#           FastAPI, background task of 2 s:   client 0.0 s, metric 2.0 s, span 0.0 s, active meanwhile 1
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install opentelemetry-instrumentation-wsgi==0.66b1 opentelemetry-instrumentation-flask==0.66b1 \
    opentelemetry-instrumentation-fastapi==0.66b1 opentelemetry-sdk==1.45.1 flask==3.1.3 fastapi==0.165.0 \
    starlette==1.10.0 uvicorn==0.54.0

cat >measured.py <<'PY'
import asyncio
import http.client
import socket
import sys
import threading
import time
from wsgiref.simple_server import WSGIRequestHandler, make_server

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

reader, spans, tracing = InMemoryMetricReader(), InMemorySpanExporter(), TracerProvider()
tracing.add_span_processor(SimpleSpanProcessor(spans))
providers = {"meter_provider": MeterProvider([reader]), "tracer_provider": tracing}

def lines():
    for _ in range(4):
        time.sleep(0.5)
        yield b"line\n"

async def asynchronous_lines():
    for _ in range(4):
        await asyncio.sleep(0.5)
        yield b"line\n"

def wsgi():
    from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return lines()

    return OpenTelemetryMiddleware(app, **providers)

def flask():
    from flask import Flask, Response
    from opentelemetry.instrumentation.flask import FlaskInstrumentor

    app = Flask("views")
    FlaskInstrumentor().instrument_app(app, **providers)
    app.get("/")(lambda: Response(lines()))
    return app

def fastapi(background):
    from fastapi import BackgroundTasks, FastAPI
    from fastapi.responses import StreamingResponse
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    app = FastAPI()

    async def stream():
        return StreamingResponse(asynchronous_lines())

    async def task(tasks: BackgroundTasks):
        tasks.add_task(asyncio.sleep, 2)

    app.get("/")(task if background else stream)
    FastAPIInstrumentor.instrument_app(app, **providers)
    return app

def served(what):
    if what in ("wsgi", "flask"):
        class Quiet(WSGIRequestHandler):
            def log_message(self, *_):
                pass

        server = make_server("127.0.0.1", 0, {"wsgi": wsgi, "flask": flask}[what](), handler_class=Quiet)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.server_port
    import uvicorn

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(fastapi(what == "background"), log_level="warning", lifespan="off"))
    threading.Thread(target=server.run, args=([listener],), daemon=True).start()
    while not server.started:
        time.sleep(0.05)
    return listener.getsockname()[1]

def metrics():
    data = reader.get_metrics_data()
    scopes = [scope for each in data.resource_metrics for scope in each.scope_metrics] if data else []
    return {metric.name: metric.data.data_points[0] for scope in scopes for metric in scope.metrics}

took = 0

def asked(port):
    global took
    then = time.monotonic()
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    client.request("GET", "/")
    client.getresponse().read()
    took = time.monotonic() - then

port = served(sys.argv[1])
client = threading.Thread(target=asked, args=(port,))
client.start()
time.sleep(1)
active = metrics()["http.server.active_requests"].value
client.join()
end = time.monotonic() + 20
while "http.server.duration" not in (now := metrics()) and time.monotonic() < end:
    time.sleep(0.1)
time.sleep(0.5) # a span ends after the client has got the last part
span = next(span for span in spans.get_finished_spans() if span.name == "GET /")
metric = now["http.server.duration"].sum / 1000
print(f"{took:.1f} {metric:.1f} {(span.end_time - span.start_time) / 1e9:.1f} {active}")
PY

look() { # what is looked at, which, what is expected
    local found
    found=$(python3 measured.py "$2" 2>errors) || { cat errors >&2; exit 2; }
    read -r client metric span active <<<"$found"
    printf '%-34s client %s s, metric %s s, span %s s, active meanwhile %s\n' \
        "$1:" "$client" "$metric" "$span" "$active"
    [ "$(awk '{ print ($1 >= 1.5), ($2 >= 1.5), ($3 >= 1.5), $4 }' <<<"$found")" = "$3" ] || changed "expected: $3"
}

# Expected: client, metric and span of at least 1.5 s (1) or less (0), and the number of active requests
look "WSGI, streamed for 2 s" wsgi "1 0 1 0"
look "Flask, streamed for 2 s" flask "1 0 0 0"
look "FastAPI, streamed for 2 s" stream "1 1 1 1"
look "FastAPI, background task of 2 s" background "0 1 0 1"
