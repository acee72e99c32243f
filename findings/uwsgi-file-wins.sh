#!/usr/bin/env bash
# uWSGI: a configuration file that is given without --ini wins over the command line, wherever it is written.
#
# Versions  pyuwsgi 2.0.30.post1 (uWSGI 2.0.30)
# Source    core/init.c, uwsgi_commandline_config: all options are taken first, by getopt_long(). Words that are left
#           over are loaded after that (uwsgi_opt_load), so that what they set is appended. uwsgi_configure
#           (core/config.c) then applies everything in that order, and the last value of `threads` counts. --ini is
#           an option that acts at once (UWSGI_OPT_IMMEDIATE), so its place decides.
# Guess     `uwsgi app.ini --threads 5` overrides `threads = 3` of the file, be it because the command line wins, as in
#           gunicorn, or the last one, as uWSGI's documentation has it (files are expanded where they are named).
# Seen      3 threads, without a warning. `--ini app.ini --threads 5` has 5, and `--threads 5 --ini app.ini` has 3.
# Output    app.ini --threads 5:       3 requests at once
#           --threads 5 app.ini:       3 requests at once
#           --ini app.ini --threads 5: 5 requests at once
#           --threads 5 --ini app.ini: 3 requests at once
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
at_once
install pyuwsgi==2.0.30.post1

printf '[uwsgi]\nthreads = 3\n' >app.ini

look() { # number of requests that are expected at once, uWSGI's arguments
    local port most clients=() expected=$1
    shift
    port=$(free_port)
    AT_ONCE=$expected serve pyuwsgi --http-socket "127.0.0.1:$port" --wsgi-file at_once.py --die-on-term "$@"
    answers "$port"
    hold 10 "$port"
    wait "${clients[@]}"
    most=$(curl --silent --max-time 30 "http://127.0.0.1:$port/")
    printf '%-26s %s requests at once\n' "$*:" "$most"
    [ "$most" = "$expected" ] || changed "expected $expected"
}

look 3 app.ini --threads 5
look 3 --threads 5 app.ini
look 5 --ini app.ini --threads 5
look 3 --threads 5 --ini app.ini
