#!/usr/bin/env bash
# JMeter's dashboard: median and percentiles are those of the last 20,000 requests, all other figures those of the run.
#
# Versions  JMeter 5.5, as it is in the source distribution of py-jmeter-dsl 0.5b0; main (June 2026) has the same. Needs
#           Java 8 or newer.
# Source    report/processor/PercentileAggregator.java of JMeter: values go into DescriptiveStatistics of Commons Math
#           with a window of jmeter.reportgenerator.statistic_window, which forgets the oldest one for each that comes
#           when it is full. StatisticsSummaryConsumer.java, aggregateSample(), has one for each label and one for
#           "Total", in the order of the file. The mean, the errors and the maximum are counted beside it.
# Guess     The window, whose documentation speaks of accuracy against memory, is how percentiles are estimated: from a
#           sample of the run, so that they are a little off. 20,000 is more than a percentile needs.
# Seen      Of a run that is 1 s at full load and 10 ms while the last users leave, the 99 % line says 10 ms, next to a
#           mean of 505 ms and a maximum of 1 s. statistics.json, which pipelines read, has the same. Two runs with the
#           same requests in another order differ by a factor of 100. Only -1 means the whole run.
# Output    slow, then quick:  40000 requests, mean 505, max 1000, median 10, 90 % 10, 99 % 10
#           quick, then slow:  40000 requests, mean 505, max 1000, median 1000, 90 % 1000, 99 % 1000
#           slow, then quick, statistic_window=-1: 40000 requests, mean 505, max 1000, median 505, 90 % 1000, 99 % 1000
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
jmeter_install

cat >result.py <<'PY' # a result file as JMeter writes it, of as many requests of the first duration as of the second
import sys

print(
    "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,"
    "grpThreads,allThreads,URL,Latency,IdleTime,Connect"
)
for number in range(40000):
    took = sys.argv[1 + number // 20000]
    begun = 1700000000000 + number * 10
    print(f"{begun},{took},index,200,OK,users 1-1,text,true,,200,100,1,1,http://127.0.0.1/,{took},0,0")
PY
cat >figures.py <<'PY'
import json

total = json.load(open("report/statistics.json"))["Total"]
names = ("meanResTime", "maxResTime", "medianResTime", "pct1ResTime", "pct3ResTime")
mean, longest, median, pct90, pct99 = (round(total[name]) for name in names)
print(f"{total['sampleCount']} requests, mean {mean}, max {longest}, median {median}, 90 % {pct90}, 99 % {pct99}")
PY

look() { # what is looked at, the two durations in milliseconds, what is expected, properties for JMeter
    rm -rf report
    python3 result.py "$2" "$3" >run.jtl
    timeout 120 java -Xmx512m -Djava.awt.headless=true -jar home/bin/ApacheJMeter.jar -g run.jtl -o report \
        -j "$here/jmeter.log" "${@:5}" >jmeter.out 2>&1 || { cat jmeter.out >&2; exit 2; }
    found=$(python3 figures.py)
    echo "$1: $found"
    [ "$found" = "$4" ] || changed "expected $4"
}

all="40000 requests, mean 505, max 1000"
look "slow, then quick" 1000 10 "$all, median 10, 90 % 10, 99 % 10"
look "quick, then slow" 10 1000 "$all, median 1000, 90 % 1000, 99 % 1000"
look "slow, then quick, statistic_window=-1" 1000 10 "$all, median 505, 90 % 1000, 99 % 1000" \
    -Jjmeter.reportgenerator.statistic_window=-1
