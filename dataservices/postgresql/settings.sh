# What every method of this service needs to know of one logical host. Sourced; not executable.

# read_settings LOGICAL_HOST: sets prefix, data, ADDRESS, PORT, OWNER, BIN. 1 = the service has no settings there.
read_settings() {
  prefix=${HAVEN_ROOT%/}/$1
  OWNER=postgres PORT=5432 DATA=pgdata BIN=
  if [ ! -r "$prefix/postgresql/postgresql.conf.sh" ]; then return 1; fi
  . "$prefix/postgresql/postgresql.conf.sh"
  data=$prefix/$DATA
  if [ -z "$BIN" ]; then
    # Debian keeps each major version in a directory of its own; the data say which one they belong to.
    BIN=/usr/lib/postgresql/$(cat "$data/PG_VERSION" 2>/dev/null)/bin
  fi
}

# as_owner WORD...: runs a program as the owner of the data; PostgreSQL refuses to run as root.
as_owner() {
  if [ "$(id -u)" -eq 0 ]; then setpriv --reuid="$OWNER" --regid="$OWNER" --init-groups "$@"; else "$@"; fi
}

# is_running: whether a PostgreSQL of this physical host runs on the data.
is_running() {
  as_owner "$BIN/pg_ctl" status -s -D "$data" >/dev/null 2>&1 && [ -n "$(postmasters)" ]
}

# postmasters: prints the pids of the processes of this physical host that have the data as their working directory.
postmasters() {
  for cwd in /proc/[0-9]*/cwd; do
    if [ "$(readlink "$cwd" 2>/dev/null)" = "$data" ]; then pid=${cwd#/proc/} && echo "${pid%/cwd}"; fi
  done
}
