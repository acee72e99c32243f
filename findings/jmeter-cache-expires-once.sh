#!/usr/bin/env bash
# JMeter: an answer in its HTTP cache that has expired once is never fresh again, and one with nothing but an ETag is
# fresh for a year.
#
# Versions  JMeter 5.5, as it is in the source distribution of py-jmeter-dsl 0.5b0; Java 17. Needs Java 8 or newer.
# Source    protocol/http/control/CacheManager.java, setCache(): a URL that has an entry keeps that entry, so neither a
#           304 nor a new 200 makes it younger (5.6.3 and the main branch do the same). calcExpiresDate(): without
#           Expires, max-age and Last-Modified, an answer with a tag expires in a year.
# Guess     As RFC 9111, 4.3.4 has it: a 304 with max-age=1 renews what is kept, so of requests 0.6 s apart every second
#           one is sent. Without any lifetime an answer is asked for on condition each time.
# Seen      From its first end on, each request is sent, with If-None-Match. With nothing but a tag, it is sent once. A
#           load test of a site whose answers live shorter than the test offers up to twice the requests that browsers
#           would send, and one whose answers have only tags far fewer.
# Output    max-age=1 and a tag, 7 requests 0.6 s apart: sent 6, with If-None-Match 5
#           a tag alone,         7 requests 0.6 s apart: sent 1, with If-None-Match 0
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
jmeter_install

cat >server.py <<'PY'
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Tagged(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asked = self.headers.get("If-None-Match")
        print(self.path, asked, flush=True)
        self.send_response(304 if asked == '"1"' else 200)
        self.send_header("ETag", '"1"')
        if self.path == "/aging":
            self.send_header("Cache-Control", "max-age=1")
        body = b"" if asked else b"ok"
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Tagged).serve_forever()
PY

python3 - <<'PY' >plan.jmx
def element(kind, below="", gui="", **said):
    texts = "".join(f'<stringProp name="{name.replace("__", ".")}">{text}</stringProp>' for name, text in said.items())
    head = f'{kind} guiclass="{gui}" testclass="{kind}" testname="{kind}" enabled="true"'
    return f"<{head}>{texts}</{kind}><hashTree>{below}</hashTree>"

request = element(
    "HTTPSamplerProxy",
    HTTPSampler__domain="127.0.0.1",
    HTTPSampler__port="${__P(port)}",
    HTTPSampler__path="${__P(path)}",
    HTTPSampler__method="GET",
    HTTPSampler__use_keepalive="true",
)
# Without the class of its window, a request leaves it out.
cache = element("CacheManager", gui="CacheManagerGui", useExpires="true", clearEachIteration="false")
pause = element("ConstantTimer", ConstantTimer__delay="600")
group = element("ThreadGroup", cache + pause + request, ThreadGroup__num_threads="1", ThreadGroup__ramp_time="0")
loops = '<elementProp name="ThreadGroup.main_controller" elementType="LoopController">'
loops += '<boolProp name="LoopController.continue_forever">false</boolProp>'
loops += '<stringProp name="LoopController.loops">7</stringProp></elementProp></ThreadGroup>'
group = group.replace("</ThreadGroup>", loops, 1)
print(f'<jmeterTestPlan version="1.2"><hashTree>{element("TestPlan", group)}</hashTree></jmeterTestPlan>')
PY

port=$(free_port)
serve python3 server.py "$port"
answers "$port"

sent() { # path, what is expected
    timeout 60 java -Xmx256m -Djava.awt.headless=true -jar home/bin/ApacheJMeter.jar -n -t plan.jmx \
        -j "$here/jmeter.log" -Jport="$port" -Jpath="$1" >jmeter.out 2>&1 || { cat jmeter.out >&2; exit 2; }
    found="sent $(grep -c "^$1 " "$server_log"), with If-None-Match $(grep -c "^$1 \"1\"" "$server_log" || true)"
    echo "$1: $found"
    [ "$found" = "$2" ] || changed "expected $2"
}

sent /aging "sent 6, with If-None-Match 5"
sent /tagged "sent 1, with If-None-Match 0"
