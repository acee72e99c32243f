#!/usr/bin/env bash
# Channels: the synchronous consumers of a process share one thread, and messages to asynchronous ones wait for it, too.
#
# Versions  channels 4.3.2, django 5.2.19, asgiref 3.13.0, daphne 4.2.3, uvicorn 0.54.0
# Source    channels/consumer.py: SyncConsumer.dispatch is wrapped by database_sync_to_async, whose thread_sensitive is
#           that of asgiref's SyncToAsync, True. Without a ThreadSensitiveContext, which Django's own ASGI handler makes
#           for each request and Channels for no connection, that is a single thread. AsyncConsumer.dispatch awaits
#           aclose_old_connections() before it calls the handler of a message, and that is a sync_to_async(), too.
# Guess     WebsocketConsumer "calls handlers in a threadpool", as its docstring has it: four clients whose handler
#           takes 1 s are done after 1 s, like four requests to a `def` view. An AsyncWebsocketConsumer that blocks
#           nothing and has no database is not concerned.
# Seen      The four take 4 s. While they run, a message to the asynchronous consumer waits until all of them are done.
# Output    daphne:  4 `def` views 1.0 s, 4 synchronous consumers 4.0 s; an asynchronous one 0.0 s alone, 4.0 s beside
#           uvicorn: 4 `def` views 1.0 s, 4 synchronous consumers 4.0 s; an asynchronous one 0.0 s alone, 4.0 s beside
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install channels==4.3.2 django==5.2.19 asgiref==3.13.0 daphne==4.2.3 uvicorn==0.54.0 websockets==16.0

cat >views.py <<'PY'
import time

import django
from django.conf import settings

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="none")
django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from django.urls import path

def view(request):
    if request.path != "/":
        time.sleep(1)
    return HttpResponse("ok")

class Blocking(WebsocketConsumer):
    def receive(self, text_data=None, bytes_data=None):
        self.send("begun")
        time.sleep(1)
        self.send("done")

class Quick(AsyncWebsocketConsumer):
    async def receive(self, text_data=None, bytes_data=None):
        await self.send("done")

urlpatterns = [path("", view), path("slow", view)]
consumers = URLRouter([path("blocking", Blocking.as_asgi()), path("quick", Quick.as_asgi())])
app = ProtocolTypeRouter({"http": get_asgi_application(), "websocket": consumers})
PY
cat >client.py <<'PY'
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from websockets.sync.client import connect

port = sys.argv[1]
threads = ThreadPoolExecutor(4)

def view(number):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/slow", timeout=30) as answer:
        answer.read()

def finish(connection):
    while connection.recv(timeout=30) != "done":
        pass

def ask(connection):
    then = time.monotonic()
    connection.send("now")
    finish(connection)
    return time.monotonic() - then

def all_of(work, those):
    then = time.monotonic()
    list(threads.map(work, those))
    return time.monotonic() - then

views = all_of(view, range(4))
blocking = [connect(f"ws://127.0.0.1:{port}/blocking", proxy=None) for _ in range(4)]
quick = connect(f"ws://127.0.0.1:{port}/quick", proxy=None)
consumers = all_of(ask, blocking)
alone = ask(quick)
for connection in blocking:
    connection.send("now")
blocking[0].recv(timeout=30) # "begun"
beside = ask(quick)
print(f"{views:.1f} {consumers:.1f} {alone:.1f} {beside:.1f}")
PY

look() { # name, server, its arguments
    local port views consumers alone beside
    port=$(free_port)
    serve "${@:2}" --port "$port" views:app
    answers "$port"
    read -r views consumers alone beside < <(python3 client.py "$port") || exit 2
    printf '%-8s 4 `def` views %s s, 4 synchronous consumers %s s; an asynchronous one %s s alone, %s s beside\n' \
        "$1:" "$views" "$consumers" "$alone" "$beside"
    [ "${views%.*}" -lt 3 ] || changed "expected views at once"
    [ "${consumers%.*}" -ge 3 ] || changed "expected one synchronous consumer after the other"
    [ "${alone%.*}" -lt 1 ] || changed "expected an asynchronous consumer to answer at once"
    [ "${beside%.*}" -ge 2 ] || changed "expected that an asynchronous consumer waits"
}

look daphne daphne
look uvicorn uvicorn --lifespan off --no-access-log
