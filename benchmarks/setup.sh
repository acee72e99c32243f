#!/bin/sh
# Installs what the benchmarks compare with: wrk, ab, h2load, hey, JMeter and nginx from Debian, Locust by uv.
set -eu

here=$(dirname "$0")/../scripts

sudo=
[ "$(id -u)" -eq 0 ] || sudo=sudo
$sudo apt-get update -q
$sudo apt-get install -q -y --no-install-recommends wrk apache2-utils nghttp2-client nginx-light hey jmeter jmeter-http default-jdk-headless
python=$("$here/find-python")
"$("$here/find-uv" "$python")" tool install --python "$python" locust
