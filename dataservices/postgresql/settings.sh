# What every method of this service needs to know of one logical host. Sourced; not executable.

# read_settings LOGICAL_HOST: sets prefix, data, ADDRESS, PORT, OWNER, BIN. 1 = the service has no settings there.
read_settings() {
  prefix=${HAVEN_ROOT%/}/$1
  OWNER=postgres PORT=5432 DATA=pgdata BIN=
  if [ ! -r "$prefix/postgresql/postgresql.conf.sh" ]; then return 1; fi
  . "$prefix/postgresql/postgresql.conf.sh"
  # Without symbolic links: the kernel tells working directories so.
  data=$(cd "$prefix/$DATA" 2>/dev/null && pwd -P) || data=$prefix/$DATA
  if [ -z "$BIN" ]; then
    # Debian keeps each major version in a directory of its own; the data say which one they belong to.
    BIN=/usr/lib/postgresql/$(cat "$data/PG_VERSION" 2>/dev/null)/bin
  fi
}

# as_owner WORD...: runs a program as the owner of the data; PostgreSQL refuses to run as root.
as_owner() {
  if [ "$(id -u)" -eq 0 ]; then setpriv --reuid="$OWNER" --regid="$OWNER" --init-groups "$@"; else "$@"; fi
}

# is_running: whether a PostgreSQL of this physical host runs on the data; its pid is then in pid. What a lost host has left does not count: its
# pid may be somebody else's here, but that one does not work in the data.
is_running() {
  { read -r pid <"$data/postmaster.pid"; } 2>/dev/null && [ "$(readlink "/proc/$pid/cwd")" = "$data" ]
}

is_not_running() {
  ! is_running
}

# accepts: whether the server accepts connections.
accepts() {
  "$BIN/pg_isready" -q -h "$ADDRESS" -p "$PORT" -t 2
}

# remains: prints the pids of the servers and their children on the data. One program looks for who works there: a look by the shell at each process of a
# machine would take longer than all the rest of a takeover. (Somebody else's shell may be there, too.)
remains() {
  for left in $(find /proc/[0-9]*/cwd -maxdepth 0 -lname "$data" 2>/dev/null); do
    { read -r name <"${left%/cwd}/comm"; } 2>/dev/null || continue
    if [ "$name" = postgres ]; then basename "${left%/cwd}"; fi
  done
}
