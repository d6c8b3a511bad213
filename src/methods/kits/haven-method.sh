# Functions for methods written in shell. Source it first thing; it lies in the PATH of every method:
#
#     . haven-method.sh
#     start() { haven_start_daemon "$HA_PATHPREFIX/web.pid" "$HA_PATHPREFIX/web.log" /usr/sbin/webd -f; }
#     haven_for_each_mastered start
#
# POSIX sh. It reads the method's own arguments, so source it before you shift them. Every function returns 0 for done or yes, 1 for no or failed;
# none waits without a bound. The pid files are those of the TypeScript kit: `pid start-time boot-id`.

HAVEN_MASTERED=$1
HAVEN_NOT_MASTERED=$2
HAVEN_TIMEOUT_S=${3:-60}

# haven_log WORD...: writes a line to the log of this run.
haven_log() {
  printf '%s\n' "$*" >&2
}

# haven_masters LOGICAL_HOST: whether this physical host masters it (for this service).
haven_masters() {
  [ -n "$1" ] || return 1
  case ",$HAVEN_MASTERED," in *,"$1",*) return 0 ;; esac
  return 1
}

# haven_for_each_mastered COMMAND [WORD...]: runs the command with each mastered logical host as its last word; goes on after a failure, and tells it.
haven_for_each_mastered() {
  haven_for_each "$HAVEN_MASTERED" "$@"
}

# haven_for_each_not_mastered COMMAND [WORD...]: the same for the logical hosts that this physical host does not master.
haven_for_each_not_mastered() {
  haven_for_each "$HAVEN_NOT_MASTERED" "$@"
}

# haven_for_each LIST COMMAND [WORD...]: the same for a comma-separated list.
haven_for_each() {
  haven_left=$1
  shift
  haven_status=0
  while [ -n "$haven_left" ]; do
    haven_one=${haven_left%%,*}
    case $haven_left in *,*) haven_left=${haven_left#*,} ;; *) haven_left= ;; esac
    # In a shell of its own: what the command does to variables and directories is over with it.
    ("$@" "$haven_one") || haven_status=1
  done
  return $haven_status
}

# haven_running PID_FILE: whether the process of the file lives; its pid is then in haven_pid. Zombies, and others that got its pid, do not count.
haven_running() {
  haven_pid= haven_ticks= haven_boot=
  # Without an end of line `read` fails although it has read.
  { read -r haven_pid haven_ticks haven_boot <"$1"; } 2>/dev/null || :
  case $haven_pid in '' | 0* | *[!0-9]*) return 1 ;; esac
  haven_now=$(haven_start_of "$haven_pid") || return 1
  [ -z "$haven_ticks" ] || [ "$haven_ticks $haven_boot" = "$haven_now" ]
}

# haven_start_daemon PID_FILE LOG_FILE PROGRAM [WORD...]: starts a program that stays in the foreground, in a session of its own, unless it runs already.
haven_start_daemon() {
  if haven_running "$1"; then return 0; fi
  haven_file=$1 haven_log_file=$2
  shift 2
  setsid "$@" </dev/null >>"$haven_log_file" 2>&1 &
  haven_pid=$!
  haven_now=$(haven_start_of "$haven_pid") || haven_now=
  if [ -n "$haven_now" ] && echo "$haven_pid $haven_now" >"$haven_file.new" && mv -f "$haven_file.new" "$haven_file"; then return 0; fi
  # Nobody would find it again.
  kill -9 "$haven_pid" 2>/dev/null || :
  haven_code=0
  wait "$haven_pid" 2>/dev/null || haven_code=$?
  if [ -n "$haven_now" ]; then haven_log "$1 was ended, as $haven_file cannot be written"; else haven_log "$1 has ended at once, with exit code $haven_code; read $haven_log_file"; fi
  return 1
}

# haven_stop_daemon PID_FILE SECONDS: TERM, and KILL after so many seconds; removes the pid file. 0 = it does not run.
haven_stop_daemon() {
  if haven_running "$1"; then
    kill "$haven_pid" 2>/dev/null
    kill -CONT "$haven_pid" 2>/dev/null
    if ! haven_wait "$2" haven_not_running "$1"; then
      haven_log "process $haven_pid is still there ${2} s after TERM: KILL"
      kill -9 "$haven_pid" 2>/dev/null
      haven_wait 2 haven_not_running "$1" || return 1
    fi
  fi
  rm -f "$1"
}

# haven_not_running PID_FILE
haven_not_running() {
  ! haven_running "$1"
}

# haven_wait SECONDS COMMAND [WORD...]: tries the command until it succeeds or has been tried for so long: often in the first second, in which most
# of what is waited for happens, then every tenth of a second.
haven_wait() {
  haven_left_ms=$((${1} * 1000))
  haven_often_ms=1000
  shift
  until "$@"; do
    if [ "$haven_left_ms" -le 0 ]; then return 1; fi
    if [ "$haven_often_ms" -gt 0 ]; then
      haven_often_ms=$((haven_often_ms - 20))
      haven_left_ms=$((haven_left_ms - 20))
      sleep 0.02
    else
      haven_left_ms=$((haven_left_ms - 100))
      sleep 0.1
    fi
  done
}

# haven_start_of PID: prints `start-time boot-id` of a living process that is no zombie.
haven_start_of() {
  { read -r haven_stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  read -r haven_boot_id </proc/sys/kernel/random/boot_id || return 1
  # The command in brackets may hold blanks and brackets; behind the last bracket the fields of proc(5) go on with number 3, the state.
  haven_fields=${haven_stat##*) }
  # shellcheck disable=SC2086 # to be split
  set -- $haven_fields
  case $1 in Z | X) return 1 ;; esac
  shift 19
  echo "$1 $haven_boot_id"
}
