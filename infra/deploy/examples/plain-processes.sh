#!/bin/sh
# Starts and stops one service of a release as a plain process; deploy.ts sets RELEASE, SERVICE and INSTANCE.
#   plain-processes.sh start|stop <folder>
# <folder>/blue and <folder>/green hold the two releases, <folder>/<release>.env and <folder>/<release>-<instance>.env (optional) their
# settings, one NAME='value' a line. Output, process id and exit code are kept in <folder>/run.
set -eu
action=$1 folder=$2
mkdir -p "$folder/run"
run=$folder/run/$RELEASE-$INSTANCE

# Whether the process with that id is ours: after a reboot it may be another one.
is_ours() {
  { tr '\0' ' ' <"/proc/$1/cmdline"; } 2>/dev/null | grep -q "services/$SERVICE/src/main.ts"
}

case $action in
  start)
    rm -f "$run.exit" "$run.pid"
    set -a
    . "$folder/$RELEASE.env"
    if [ -f "$folder/$RELEASE-$INSTANCE.env" ]; then . "$folder/$RELEASE-$INSTANCE.env"; fi
    set +a
    cd "$folder/$RELEASE"
    # A session of its own: Ctrl-C of a deploy does not reach it.
    RUN=$run setsid sh -c '
      sh -c "echo \$\$ >\"\$RUN.pid\"; exec node \"services/\$SERVICE/src/main.ts\"" && code=0 || code=$?
      echo "$code" >"$RUN.exit"
    ' >>"$run.log" 2>&1 </dev/null &
    while [ ! -s "$run.pid" ]; do sleep 0.05; done
    ;;
  stop)
    [ -f "$run.pid" ] || exit 0
    pid=$(cat "$run.pid")
    if is_ours "$pid"; then kill -TERM "$pid" 2>/dev/null || true; fi
    while is_ours "$pid"; do sleep 0.1; done
    rm -f "$run.pid"
    # Written just after the end; missing after a reboot.
    sleep 0.1
    code=$(cat "$run.exit" 2>/dev/null || echo 0)
    [ "$code" = 0 ] || echo "$RELEASE $INSTANCE ended with exit code $code: $(tail -n 3 "$run.log")" >&2
    exit "$code"
    ;;
esac
