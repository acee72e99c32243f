#!/usr/bin/env bash
# FastAPI: while `def` views hold the 40 threads, `async def` views answer, but give no file, and take no large one.
#
# Versions  fastapi 0.165.0, starlette 1.10.0, anyio 4.16.0, uvicorn 0.54.0
# Source    starlette/responses.py, FileResponse: os.stat() by anyio.to_thread.run_sync(), and each part of the file by
#           anyio.open_file(), which does the same. starlette/staticfiles.py: lookup_path(). UploadFile.write of
#           starlette/datastructures.py: on a thread from the part of an upload on that goes beyond the 1 MB of
#           MultiPartParser.spool_max_size. All of them take one of AnyIO's 40 tokens, as `def` views do.
# Guess     The limit of 40 is one of `def` views. An `async def` view with a FileResponse or an UploadFile is
#           asynchronous throughout, and a size makes no difference but for the time of the transfer.
# Seen      Both wait for a view to end, and so do static files. An upload of 100 KB is answered at once, the same with
#           2 MB is not. A check of the server's health by an `async def` view sees nothing of it.
# Output    40 `def` views hold their threads
#           a plain `async def` view:   answered
#           an upload of 100 KB:        answered
#           an upload of 2 MB:          no answer within 3 s
#           a FileResponse:             no answer within 3 s
#           a static file:              no answer within 3 s
#           39 `def` views hold their threads
#           an upload of 2 MB:          answered
#           a FileResponse:             answered
#           a static file:              answered
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
install fastapi==0.165.0 starlette==1.10.0 anyio==4.16.0 uvicorn==0.54.0 python-multipart==0.0.34

cat >views.py <<'PY'
import pathlib
import threading
import time

from fastapi import FastAPI, UploadFile
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

app = FastAPI()
app.mount("/static", StaticFiles(directory="static"))
lock = threading.Lock()
held = 0

@app.get("/")
async def index():
    return held

@app.get("/file")
async def file():
    return FileResponse("static/large")

@app.post("/upload")
async def upload(file: UploadFile):
    return file.size

@app.get("/held/{number}")
def view(number: int):
    global held
    with lock:
        held += 1
    end = time.monotonic() + 120
    while not pathlib.Path(f"release-{number}").exists() and time.monotonic() < end:
        time.sleep(0.2)
    with lock:
        held -= 1
PY
mkdir static
head -c 100000 /dev/zero >static/small
head -c 2000000 /dev/zero >static/large

port=$(free_port)
url=http://127.0.0.1:$port
serve uvicorn --lifespan off --no-access-log --port "$port" views:app
answers "$port"

held() { # wait until so many views hold a thread
    for _ in {1..300}; do [ "$(curl --silent --max-time 5 "$url/")" = "$1" ] && return || sleep 0.1; done
    echo "not $1 views" >&2
    exit 2
}

look() { # what is looked at, what is expected, the request
    local seen=answered failed=0
    curl --silent --fail --max-time 3 --output /dev/null "${@:3}" || failed=$?
    case $failed in
    0) ;;
    28) seen="no answer within 3 s" ;;
    *) echo "curl ended with $failed" >&2; exit 2 ;;
    esac
    printf '%-27s %s\n' "$1:" "$seen"
    [ "$seen" = "$2" ] || changed "expected: $2"
}

for number in {1..40}; do curl --silent --max-time 120 --output /dev/null "$url/held/$number" & done
held 40
echo "40 \`def\` views hold their threads"
look "a plain \`async def\` view" "answered" "$url/"
look "an upload of 100 KB" "answered" --form file=@static/small "$url/upload"
look "an upload of 2 MB" "no answer within 3 s" --form file=@static/large "$url/upload"
look "a FileResponse" "no answer within 3 s" "$url/file"
look "a static file" "no answer within 3 s" "$url/static/small"
touch release-1
held 39
echo "39 \`def\` views hold their threads"
look "an upload of 2 MB" "answered" --form file=@static/large "$url/upload"
look "a FileResponse" "answered" "$url/file"
look "a static file" "answered" "$url/static/small"
touch release-{2..40}
