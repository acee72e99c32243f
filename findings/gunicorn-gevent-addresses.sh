#!/usr/bin/env bash
# gunicorn with gevent: each further --bind adds another --worker-connections.
#
# Versions  gunicorn 27.0.1, gevent 26.9.0
# Source    gunicorn/workers/ggevent.py, GeventWorker.run: `pool = Pool(self.worker_connections)` is inside
#           `for s in self.sockets`, so each listening socket of a worker has a pool of its own.
# Guess     "The maximum number of simultaneous clients" (its documentation) of a worker, whatever address they come to:
#           4. gthread, the other worker that has this setting, counts its connections in one place (nr_conns).
# Seen      The limit is multiplied by the number of addresses, so `-b 0.0.0.0:8000 -b [::]:8000` may need twice as many
#           database connections as one of them.
# Output    --worker-connections 4, 1 address:   4 requests at once
#           --worker-connections 4, 2 addresses: 8 requests at once
#           --worker-connections 4, 3 addresses: 12 requests at once
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/start.bash"
at_once
install gunicorn==27.0.1 gevent==26.9.0 packaging==26.3

for addresses in 1 2 3; do
    ports=() binds=() clients=()
    for ((i = 0; i < addresses; i++)); do
        ports+=("$(free_port)")
        binds+=(--bind "127.0.0.1:${ports[i]}")
    done
    AT_ONCE=$((4 * addresses)) serve gunicorn --no-control-socket --worker-class gevent --worker-connections 4 \
        "${binds[@]}" at_once:app
    for port in "${ports[@]}"; do answers "$port"; done
    for port in "${ports[@]}"; do hold 10 "$port"; done
    wait "${clients[@]}"
    most=$(curl --silent --max-time 30 "http://127.0.0.1:${ports[0]}/")
    printf -- '--worker-connections 4, %-12s %s requests at once\n' \
        "$addresses address$([ "$addresses" = 1 ] || echo es):" "$most"
    [ "$most" = $((4 * addresses)) ] || changed "expected $((4 * addresses))"
done
