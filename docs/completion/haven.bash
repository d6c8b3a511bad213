# Made by `npm run docs` from the definitions of the commands. Do not edit.
# Source it from ~/.bashrc, or copy it to /usr/share/bash-completion/completions/ under the name of each command.

_haven_words() {
  local prefix=""
  [[ $cur == *,* ]] && prefix="${cur%,*},"
  COMPREPLY=($(compgen -P "$prefix" -W "$1" -- "${cur##*,}"))
}

_haven_haget() {
  local cur prev
  cur="${COMP_WORDS[COMP_CWORD]}"; prev="${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  case "$prev" in
    -f) _haven_words "syslog_facility pathprefix master mastered not_mastered service_is_on all_logical_hosts all_physical_hosts physical_hosts is_maint names_on_subnets private_links vfstab_file cluster_name local_physical_host members all_services services logical_addresses all_networks network_state interfaces"; return ;;
    -h) _haven_words "$(haget -f all_logical_hosts 2>/dev/null; haget -f all_physical_hosts 2>/dev/null)"; return ;;
    -s) _haven_words "$(haget -f all_services 2>/dev/null)"; return ;;
    --network) :; return ;;
    -a) :; return ;;
  esac
  if [[ $cur == -* ]]; then _haven_words "-f -h -s --network -a -S --json --help --version"; return; fi
  _haven_words "$(haget -f all_logical_hosts 2>/dev/null; haget -f all_physical_hosts 2>/dev/null)"
}
complete -F _haven_haget haget

_haven_hareg() {
  local cur prev
  cur="${COMP_WORDS[COMP_CWORD]}"; prev="${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  case "$prev" in
    -r) :; return ;;
    -m) _haven_words "START START_NET STOP STOP_NET ABORT ABORT_NET FM_INIT FM_START FM_STOP FM_CHECK"; return ;;
    -b) COMPREPLY=($(compgen -d -- "$cur")); return ;;
    -t) _haven_words "START START_NET STOP STOP_NET ABORT ABORT_NET FM_INIT FM_START FM_STOP FM_CHECK"; return ;;
    -d) _haven_words "$(haget -f all_services 2>/dev/null)"; return ;;
    -h) _haven_words "$(haget -f all_logical_hosts 2>/dev/null)"; return ;;
    -v) :; return ;;
    -a) :; return ;;
    -p) :; return ;;
    -u) _haven_words "$(haget -f all_services 2>/dev/null)"; return ;;
    -q) _haven_words "$(haget -f all_services 2>/dev/null)"; return ;;
    -M) _haven_words "START START_NET STOP STOP_NET ABORT ABORT_NET FM_INIT FM_START FM_STOP FM_CHECK"; return ;;
    -T) _haven_words "START START_NET STOP STOP_NET ABORT ABORT_NET FM_INIT FM_START FM_STOP FM_CHECK"; return ;;
    -y) _haven_words "$(haget -f all_services 2>/dev/null)"; return ;;
    -n) _haven_words "$(haget -f all_services 2>/dev/null)"; return ;;
  esac
  if [[ $cur == -* ]]; then _haven_words "-r -m -b -t -d -h -v -a -p -s -u -q -M -T -D -V -A -P -B -y -n -Y -N --plan --json --help --version"; return; fi
  :
}
complete -F _haven_hareg hareg

_haven_hastat() {
  local cur prev
  cur="${COMP_WORDS[COMP_CWORD]}"; prev="${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  case "$prev" in
    -m) :; return ;;
    -i) :; return ;;
  esac
  if [[ $cur == -* ]]; then _haven_words "-m -i --json --help --version"; return; fi
  :
}
complete -F _haven_hastat hastat

_haven_haswitch() {
  local cur prev
  cur="${COMP_WORDS[COMP_CWORD]}"; prev="${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  case "$prev" in
    --apply) :; return ;;
  esac
  if [[ $cur == -* ]]; then _haven_words "-m -r --plan --apply --json --help --version"; return; fi
  _haven_words "$(haget -f all_physical_hosts 2>/dev/null) $(haget -f all_logical_hosts 2>/dev/null)"
}
complete -F _haven_haswitch haswitch

_haven_pnmset() {
  local cur prev
  cur="${COMP_WORDS[COMP_CWORD]}"; prev="${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  case "$prev" in
    -c) :; return ;;
    -o) :; return ;;
    --network) :; return ;;
    -d) :; return ;;
    --switch) :; return ;;
    -h) _haven_words "$(haget -f all_physical_hosts 2>/dev/null)"; return ;;
  esac
  if [[ $cur == -* ]]; then _haven_words "-c -o --network -d --switch -h --json --help --version"; return; fi
  :
}
complete -F _haven_pnmset pnmset

_haven_pnmstat() {
  local cur prev
  cur="${COMP_WORDS[COMP_CWORD]}"; prev="${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  case "$prev" in
    -c) :; return ;;
    -h) _haven_words "$(haget -f all_physical_hosts 2>/dev/null)"; return ;;
  esac
  if [[ $cur == -* ]]; then _haven_words "-l -c -s -h --json --help --version"; return; fi
  :
}
complete -F _haven_pnmstat pnmstat

_haven_scadmin() {
  local cur prev
  cur="${COMP_WORDS[COMP_CWORD]}"; prev="${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  case "$prev" in
    --cluster) :; return ;;
    --host) :; return ;;
    --database) :; return ;;
    --database-ca) :; return ;;
    --database-cert) :; return ;;
    --database-key) :; return ;;
    --database-user) :; return ;;
    --database-password-file) :; return ;;
    --address) :; return ;;
    --port) :; return ;;
    --token) :; return ;;
    --interface) :; return ;;
    --for) _haven_words "host witness"; return ;;
    --ttl) :; return ;;
    --lost) :; return ;;
    --join) :; return ;;
    --last) :; return ;;
    --reason) :; return ;;
  esac
  if [[ $cur == -* ]]; then _haven_words "--cluster --host --database --database-ca --database-cert --database-key --database-user --database-password-file --address --port --token --interface --for --ttl --force --lost --join -a -m -r --last --plan --yes --reason --even-if-alive --json --help --version"; return; fi
  if (( COMP_CWORD == 1 )); then _haven_words "setup startcluster startnode stopnode token join evict switch history timeline explain clear database fence confirm-down witness voters"; return; fi
  case "${COMP_WORDS[1]}" in
    setup) :; return ;;
    startcluster) _haven_words "$(haget -f all_physical_hosts 2>/dev/null)"; return ;;
    startnode) :; return ;;
    stopnode) :; return ;;
    token) :; return ;;
    join) :; return ;;
    evict) _haven_words "$(haget -f all_physical_hosts 2>/dev/null)"; return ;;
    switch) _haven_words "$(haget -f all_physical_hosts 2>/dev/null) $(haget -f all_logical_hosts 2>/dev/null)"; return ;;
    history) :; return ;;
    timeline) :; return ;;
    explain) _haven_words "$(haget -f all_logical_hosts 2>/dev/null)"; return ;;
    clear) _haven_words "$(haget -f all_logical_hosts 2>/dev/null)"; return ;;
    database) if (( COMP_CWORD == 2 )); then _haven_words "check backup restore migrate"; return; fi; COMPREPLY=($(compgen -f -- "$cur")); return ;;
    fence) _haven_words "$(haget -f all_physical_hosts 2>/dev/null)"; return ;;
    confirm-down) _haven_words "$(haget -f all_physical_hosts 2>/dev/null)"; return ;;
    witness) :; return ;;
    voters) if (( COMP_CWORD == 2 )); then _haven_words "remove address recover start stop"; return; fi; :; return ;;
  esac
  :
}
complete -F _haven_scadmin scadmin

_haven_scconf() {
  local cur prev
  cur="${COMP_WORDS[COMP_CWORD]}"; prev="${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  case "$prev" in
    -L) _haven_words "$(haget -f all_logical_hosts 2>/dev/null)"; return ;;
    -n) _haven_words "$(haget -f all_physical_hosts 2>/dev/null)"; return ;;
    -g) :; return ;;
    -i) :; return ;;
    --on-stuck) _haven_words "stay abort"; return ;;
    --switchback) _haven_words "automatic manual"; return ;;
    -l) :; return ;;
    -T) :; return ;;
    --physical-host) _haven_words "$(haget -f all_physical_hosts 2>/dev/null)"; return ;;
    --public-names) :; return ;;
    --private-links) :; return ;;
    --interface) :; return ;;
    --no-interface) :; return ;;
    --network) :; return ;;
    --role) _haven_words "internal client both none"; return ;;
    --probe) :; return ;;
    --heartbeat-ms) :; return ;;
    --suspect-ms) :; return ;;
    --disk-group) :; return ;;
    --define) :; return ;;
    --timings) _haven_words "default fast relaxed"; return ;;
    --stamp-ms) :; return ;;
    --guard-ms) :; return ;;
    --abort-ms) :; return ;;
    --margin-ms) :; return ;;
    --takeovers-max) :; return ;;
    --takeover-window-ms) :; return ;;
    --evictions-max) :; return ;;
    --eviction-window-ms) :; return ;;
    --parallel-moves-max) :; return ;;
    --fence-device) :; return ;;
    --agent) _haven_words "command fence-agent"; return ;;
    --program) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    --option) :; return ;;
    --hosts) _haven_words "$(haget -f all_physical_hosts 2>/dev/null)"; return ;;
    --plug) :; return ;;
    --action) _haven_words "off reboot"; return ;;
    --timeout) :; return ;;
    --fence-levels) :; return ;;
    --fence-share) :; return ;;
    --fence-window-ms) :; return ;;
    --fence-delay-ms) :; return ;;
    --fence-status-ms) :; return ;;
    --rejoins-max) :; return ;;
    --rejoin-window-ms) :; return ;;
    --syslog-facility) :; return ;;
    -f) COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  if [[ $cur == -* ]]; then _haven_words "-L -n -g -i -m --on-stuck --change --switchback -r -l -T -p -s --physical-host --public-names --private-links --interface --no-interface --network --role --probe --heartbeat-ms --suspect-ms --disk-group --define --timings --stamp-ms --guard-ms --abort-ms --margin-ms --takeovers-max --takeover-window-ms --evictions-max --eviction-window-ms --parallel-moves-max --fence-device --agent --program --option --hosts --plug --action --timeout --fence-levels --fence-share --fence-window-ms --fence-delay-ms --fence-status-ms --rejoins-max --rejoin-window-ms --syslog-facility -f --prune --plan --json --help --version"; return; fi
  if (( COMP_CWORD == 1 )); then _haven_words "export diff apply"; return; fi
  case "${COMP_WORDS[1]}" in
    export) :; return ;;
    diff) :; return ;;
    apply) :; return ;;
  esac
  _haven_words "$(haget -f all_services 2>/dev/null) $(haget -f all_logical_hosts 2>/dev/null)"
}
complete -F _haven_scconf scconf
