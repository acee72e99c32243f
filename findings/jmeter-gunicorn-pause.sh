#!/usr/bin/env bash
# JMeter and gunicorn: requests after a pause of 3 s all fail, those after 1 s or 6 s do not.
#
# Versions  JMeter 5.5, as it is in the source distribution of py-jmeter-dsl 0.5b0; gunicorn 27.0.1 with threads; Java
#           17. Needs Java 8 or newer.
# Source    HTTPHC4Impl.java of JMeter (main has the same): a kept connection is looked at before it is used only if it
#           was idle for more than 4.9 s (httpclient4.validate_after_inactivity), and nothing is repeated
#           (httpclient4.retrycount is 0). gunicorn/workers/gthread.py, murder_keepalived(): closes an idle connection
#           after --keep-alive, 2 s by default, and its answers have no Keep-Alive header that would tell of it.
# Guess     A client that finds its kept connection closed opens another one, as browsers, curl and requests do: the
#           server closed it seconds ago, so nothing of the request was read. The length of a pause has no influence.
# Seen      With pauses between --keep-alive and 4.9 s, each request behind a pause fails with NoHttpResponseException
#           (or a reset), and the server's log has nothing of it. A timer of random length makes it a share that looks
#           like overload. Servers that keep connections for 5 s or longer (uvicorn, waitress, cheroot, nginx) do not
#           meet it: either their connection is open, or JMeter looks. A new iteration begins with a new connection
#           (httpclient.reset_state_on_thread_group_iteration), so it needs a pause within one.
# Output    pause of 1 s:                            0 of 3 failed
#           pause of 3 s:                            3 of 3 failed
#           pause of 6 s:                            0 of 3 failed
#           pause of 3 s, JMeter looks after 1.5 s:  0 of 3 failed
#           pause of 3 s, gunicorn --keep-alive 6:   0 of 3 failed
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
jmeter_install
install gunicorn==27.0.1

cat >plain.py <<'PY'
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
PY
python3 - <<'PY' >plan.jmx
def element(kind, below="", more="", **said):
    texts = "".join(f'<stringProp name="{name.replace("__", ".")}">{text}</stringProp>' for name, text in said.items())
    head = f'{kind} guiclass="" testclass="{kind}" testname="{kind}" enabled="true"'
    return f"<{head}>{texts}{more}</{kind}><hashTree>{below}</hashTree>"

def request(path, below=""):
    return element(
        "HTTPSamplerProxy",
        below,
        HTTPSampler__domain="127.0.0.1",
        HTTPSampler__port="${__P(port)}",
        HTTPSampler__path=path,
        HTTPSampler__method="GET",
        HTTPSampler__use_keepalive="true",
    )

pause = element("ConstantTimer", ConstantTimer__delay="${__P(pause)}")
loops = '<elementProp name="ThreadGroup.main_controller" elementType="LoopController">'
loops += '<boolProp name="LoopController.continue_forever">false</boolProp>'
loops += '<stringProp name="LoopController.loops">3</stringProp></elementProp>'
requests = request("/before") + request("/after", pause)
group = element("ThreadGroup", requests, loops, ThreadGroup__num_threads="1", ThreadGroup__ramp_time="0")
print(f'<jmeterTestPlan version="1.2"><hashTree>{element("TestPlan", group)}</hashTree></jmeterTestPlan>')
PY
cat >failed.py <<'PY'
import csv

rows = [row for row in csv.DictReader(open("result.jtl")) if row["URL"].endswith("/after")]
print(f"{sum(row['success'] == 'false' for row in rows)} of {len(rows)} failed")
PY

look() { # what is measured, its port, milliseconds of pause, what is expected, properties for JMeter
    rm -f result.jtl
    timeout 90 java -Xmx256m -Djava.awt.headless=true -jar home/bin/ApacheJMeter.jar -n -t plan.jmx \
        -j "$here/jmeter.log" -l result.jtl -Jport="$2" -Jpause="$3" "${@:5}" >jmeter.out 2>&1 ||
        { cat jmeter.out >&2; exit 2; }
    found=$(python3 failed.py)
    printf '%-40s %s\n' "$1:" "$found"
    [ "$found" = "$4" ] || changed "expected $4"
}

port=$(free_port)
serve gunicorn --no-control-socket --threads 2 --bind "127.0.0.1:$port" plain:app
answers "$port"
look "pause of 1 s" "$port" 1000 "0 of 3 failed"
look "pause of 3 s" "$port" 3000 "3 of 3 failed"
look "pause of 6 s" "$port" 6000 "0 of 3 failed"
look "pause of 3 s, JMeter looks after 1.5 s" "$port" 3000 "0 of 3 failed" -Jhttpclient4.validate_after_inactivity=1500
port=$(free_port)
serve gunicorn --no-control-socket --threads 2 --keep-alive 6 --bind "127.0.0.1:$port" plain:app
answers "$port"
look "pause of 3 s, gunicorn --keep-alive 6" "$port" 3000 "0 of 3 failed"
