#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Shows once what grpagent does, with real work, and takes everything away again: an instance of its
# own is used, so that an agent which runs on this machine is not disturbed. It builds nothing and
# installs nothing: that is done by `sudo make demo`, which ends with this script.
#
# Ends with 1 when anything is not as promised.
#
# environment: BUILD, where grpagent and grpctl are (build/)
set -euo pipefail
exec </dev/null

ROOT=$(cd "$(dirname "$0")/.." && pwd)
BUILD=$(realpath -m "${BUILD:-$ROOT/build}")
INSTANCE=demo-$$
PINS=/sys/fs/bpf/grpagent/$INSTANCE
JOBS=$(nproc)
# So many programs each loop starts at least.
PROGRAMS=1500
# The leaf groups, as listed in tables.
GROUPS_OF_OURS=(project:/compile project:/loops tenant:/ann tenant:/ben)

export PATH=$BUILD:/usr/sbin:$PATH GRPAGENT_INSTANCE=$INSTANCE LC_ALL=C.UTF-8
# The one who runs us has his own ideas of these, and curl must not ask a proxy for loopback.
unset MAKEFLAGS MAKELEVEL MFLAGS MAKEOVERRIDES O http_proxy all_proxy ALL_PROXY GRPAGENT_RUNDIR

dir=
agent=
v1=
declare -A worker=() started=() # process of each workload, and when it began

# --- small things ------------------------------------------------------------------------

die() {
	echo "demo: $*" >&2
	exit 1
}

heading() {
	printf '\n\n== %s\n' "$*"
}

# run LINE: shows it as a user would type it, and does it
run() {
	printf '\n$ %s\n' "${1% 2>&1}"
	eval "$1"
}

# promise WHAT ACTUAL EXPECTED
promise() {
	[[ $2 == "$3" ]] || die "NOT AS PROMISED: $1: $2, not $3"
	printf '  as promised: %s: %s\n' "$1" "$2"
}

# wait_until SECONDS COMMAND...
wait_until() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		((SECONDS < end)) || die "took too long: $*"
		sleep 0.05 # lint: sleep-ok a step of a poll with a deadline
	done
}

# Fields of /proc/PID/stat from the third on; the name may hold anything.
stat_fields() {
	local line
	line=$(cat "/proc/$1/stat" 2>/dev/null) || return
	echo "${line##*) }"
}

# Field 22, so that a number which came round again is nobody's.
start_time() {
	stat_fields "$1" | cut -d ' ' -f 20
}

# CPU time of a process and of its children that have ended, in ms: utime to cstime.
cpu_ms() {
	stat_fields "$1" | awk -v hz="$(getconf CLK_TCK)" '{ print int(($12 + $13 + $14 + $15) * 1000 / hz) }'
}

has_cpu_ms() {
	(($(cpu_ms "$1") >= $2))
}

is_gone() {
	[[ ! -e /proc/$1 || $(stat_fields "$1") == Z* ]]
}

# --- the end, however it comes --------------------------------------------------------------

end_workers() {
	local name
	for name in "${!worker[@]}"; do
		[[ $(start_time "${worker[$name]}") == "${started[$name]}" ]] || continue
		kill -KILL -- "-${worker[$name]}" 2>/dev/null
		wait "${worker[$name]}" 2>/dev/null
	done
}

remove_v1() {
	rmdir "$v1"/*/ "$v1" 2>/dev/null
	[[ ! -e $v1 ]]
}

end_agent() {
	[[ -n $agent ]] || return 0
	kill -TERM "$agent" 2>/dev/null
	wait_until 30 is_gone "$agent"
	agent=
}

cleanup() {
	local status=$?
	trap - EXIT
	trap '' INT TERM HUP
	set +e
	end_workers
	(end_agent) || status=1
	if [[ -e $PINS ]]; then
		grpagent --instance "$INSTANCE" --unload || status=1
	fi
	if [[ -n $v1 ]]; then
		(wait_until 10 remove_v1) || status=1
	fi
	[[ -z $dir ]] || rm -rf "$dir"
	if [[ -e $PINS || -e /run/grpagent/$INSTANCE ]]; then
		echo "demo: left behind: $PINS or /run/grpagent/$INSTANCE" >&2
		status=1
	fi
	exit "$status"
}

# --- the agent ---------------------------------------------------------------------------

agent_answers() {
	is_gone "$agent" && die "the agent has ended: $(tail -n 1 "$dir/agent.log")"
	[[ -S /run/grpagent/$INSTANCE/control.sock ]] && grpctl ping >/dev/null 2>&1
}

# In a session of its own, as a service would be; Ctrl-C is for us.
start_agent() {
	printf '\n$ grpagent --instance %s --metrics 127.0.0.1:0 &\n' "$INSTANCE"
	: >"$dir/agent.log"
	setsid grpagent --instance "$INSTANCE" --metrics 127.0.0.1:0 >>"$dir/agent.log" 2>&1 &
	agent=$!
	disown "$agent"
	wait_until 30 agent_answers
	cat "$dir/agent.log"
}

kill_agent() {
	printf '\n$ kill -KILL %d\n' "$agent"
	kill -KILL "$agent"
	wait_until 10 is_gone "$agent"
	agent=
}

own_ns() {
	grpctl --json usage "$1" | jq '.[0].usage_own_ns'
}

has_ns() {
	(($(own_ns "$1") >= $2))
}

event() {
	grpctl get "$1" cpuacct.events | awk -v name="$2" '$1 == name { print $2 }'
}

has_forks() {
	(($(event "$1" forks) >= $2))
}

# What must be the same after a restart: the tree, and where the loops are.
snapshot() {
	local name
	for name in project tenant; do
		grpctl --json tree "$name:/" | jq -c '.[] | [.hierarchy, .group, .children, .uid, .gid, .mode]'
	done
	grpctl which "${worker[loop-ann]}" "${worker[loop-ben]}"
}

# --- the kernel's own groups -----------------------------------------------------------------

# Sets v1; leaves it empty where there is nothing to compare with.
make_v1() {
	local root
	root=$(awk '$3 == "cgroup" && $4 ~ /(^|,)cpuacct(,|$)/ { print $2; exit }' /proc/mounts)
	[[ -n $root ]] && mkdir "$root/grpagent-$INSTANCE" 2>/dev/null || return 0
	v1=$root/grpagent-$INSTANCE
	mkdir "$v1/compile" "$v1/loop-ann" "$v1/loop-ben"
}

# v1_ns NAME...: of these workloads together
v1_ns() {
	local name sum=0
	for name; do
		((sum += $(<"$v1/$name/cpuacct.usage"))) || true
	done
	echo "$sum"
}

# --- workloads --------------------------------------------------------------------------------

# Told by the kernel only once it is off its CPU: blocked in a read of one byte of descriptor 0.
is_blocked() {
	[[ $(cat "/proc/$1/syscall" 2>/dev/null) =~ ^[0-9]+\ 0x0\ 0x[0-9a-f]+\ 0x1\  ]]
}

# launch NAME GROUPS WORK: a shell that waits while it is put into our groups and into the kernel's,
# so that both count from the same nanosecond on, and then does WORK.
launch() {
	local name=$1 groups=$2 work=$3 gate pid
	mkfifo "$dir/$name.gate"
	exec {gate}<>"$dir/$name.gate"
	setsid bash -c "read -r _ && exec </dev/null && $work" <&"$gate" >"$dir/$name.out" 2>&1 {gate}>&- &
	pid=$!
	worker[$name]=$pid
	started[$name]=$(start_time "$pid")
	wait_until 10 is_blocked "$pid"
	[[ -z $v1 ]] || echo "$pid" >"$v1/$name/cgroup.procs"
	run "grpctl attach $groups $pid    # a shell that waits, and will do: $work"
	is_blocked "$pid" || die "the shell has not waited"
	echo >&"$gate"
	exec {gate}>&-
}

finish() {
	local name=$1
	wait "${worker[$name]}" || die "$name has failed: $(tail -n 3 "$dir/$name.out")"
	unset "worker[$name]"
}

all_figures() {
	local group
	for group in "${GROUPS_OF_OURS[@]}"; do
		own_ns "$group"
	done
	[[ -z $v1 ]] || v1_ns compile loop-ann loop-ben
}

# The last switch of a task that was waited for may still be to come.
is_quiet() {
	[[ $(all_figures) == "$(all_figures)" ]]
}

# --- the story ---------------------------------------------------------------------------------

show_groups() {
	heading "Groups in two hierarchies: by project, and by tenant"
	run 'grpctl mount -o cpuacct project'
	run 'grpctl mount -o cpuacct tenant'
	run 'grpctl mkdir project:/compile project:/loops tenant:/ann tenant:/ben'
	run 'grpctl hierarchies'
}

show_work() {
	# shellcheck disable=SC2016 # for the shells that do it
	local loop='n=0; until [[ $n -ge '$PROGRAMS' && -e stop ]]; do /bin/true; n=$((n + 1)); done; echo $n'
	heading "Work: ann compiles this project; ann and ben start /bin/true again and again"
	cd "$dir"
	launch compile project:/compile,tenant:/ann "make -j$JOBS -C $ROOT O=$dir/build all"
	launch loop-ann project:/loops,tenant:/ann "$loop"
	launch loop-ben project:/loops,tenant:/ben "$loop"
	wait_until 60 has_forks tenant:/ben 300
	wait_until 60 has_ns project:/compile 1000000000

	heading "Meanwhile: the same tasks in both trees"
	run 'grpctl tree project:/'
	run 'grpctl tree tenant:/'
	run 'grpctl usage -r project:/'
	run "grpctl which ${worker[loop-ann]}"
}

show_kill() {
	local group before after status=0 was ms
	local -A used=()
	heading "The agent is killed while the work goes on"
	was=$(snapshot)
	for group in "${GROUPS_OF_OURS[@]}"; do
		used[$group]=$(own_ns "$group")
	done
	kill_agent
	run 'grpctl ping 2>&1' || status=$?
	promise "exit status of grpctl without an agent" "$status" 3
	ms=$(cpu_ms "${worker[loop-ben]}")
	wait_until 60 has_cpu_ms "${worker[loop-ben]}" $((ms + 300))
	printf '\nWith no agent there, the loop of ben has used %d ms more by now.\n' \
		$(($(cpu_ms "${worker[loop-ben]}") - ms))
	start_agent
	run 'grpctl tree project:/'
	run 'grpctl tree tenant:/'
	printf '\n%-18s %20s %20s\n' 'CPU time in ns' 'before the kill' 'after the restart'
	for group in "${GROUPS_OF_OURS[@]}"; do
		before=${used[$group]}
		after=$(own_ns "$group")
		printf '%-18s %20d %20d\n' "$group" "$before" "$after"
		((after >= before)) || die "NOT AS PROMISED: $group has lost time"
	done
	((after > before)) || die "NOT AS PROMISED: nothing was counted without an agent"
	[[ $(snapshot) == "$was" ]] || die "NOT AS PROMISED: the tree is another one"
	promise "tree, owners, modes and the groups of the loops" same same
}

show_counts() {
	local programs_ann programs_ben
	heading "The work ends; nothing was missed while the agent was dead"
	: >"$dir/stop"
	finish loop-ann
	finish loop-ben
	finish compile
	wait_until 30 is_quiet
	programs_ann=$(<"$dir/loop-ann.out")
	programs_ben=$(<"$dir/loop-ben.out")
	printf '\nThe shells themselves say: %d programs by ann, %d by ben, all dead by now.\n' \
		"$programs_ann" "$programs_ben"
	run 'grpctl get tenant:/ben cpuacct.events'
	promise "births in tenant:/ben" "$(event tenant:/ben forks)" "$programs_ben"
	promise "programs executed in tenant:/ben" "$(event tenant:/ben execs)" "$programs_ben"
	promise "ends in tenant:/ben, with the shell's own" "$(event tenant:/ben exits)" $((programs_ben + 1))
	promise "births in project:/loops" "$(event project:/loops forks)" $((programs_ann + programs_ben))
	promise "tasks that the audit had to correct" "$(grpctl --json status --audit | jq .audit_corrections)" 0
	promise "ns by project less ns by tenant" $(($(own_ns project:/compile) + $(own_ns project:/loops) \
		- $(own_ns tenant:/ann) - $(own_ns tenant:/ben))) 0
}

# metric_ns HIERARCHY GROUP: of taskgroup_cpu_seconds_total in the scrape
metric_ns() {
	awk -v name="taskgroup_cpu_seconds_total{hierarchy=\"$1\",group=\"$2\"}" \
		'$1 == name { sub(/\./, "", $2); sub(/^0+/, "", $2); print $2 }' "$dir/metrics"
}

show_metrics() {
	local address group
	heading "The same figures for Prometheus"
	address=$(grpctl --json status | jq -r .config.metrics)
	run "curl -sS http://$address/metrics >metrics"
	run "grep -E '^taskgroup_(cpu_seconds|forks)_total.*\"/[a-z]' metrics"
	for group in "${GROUPS_OF_OURS[@]}"; do
		promise "ns of $group in /metrics" "$(metric_ns "${group%%:*}" "${group#*:}")" "$(own_ns "$group")"
	done
}

# compare GROUP WORKLOAD...
compare() {
	local ours theirs
	ours=$(own_ns "$1")
	theirs=$(v1_ns "${@:2}")
	printf '%-18s %20d %20d %12d\n' "$1" "$ours" "$theirs" $((ours - theirs))
	[[ $ours == "$theirs" ]] || die "NOT AS PROMISED: $1 differs from the kernel's own accounting"
}

show_v1() {
	heading "Compared with the kernel's own accounting (cgroup v1 cpuacct)"
	if [[ -z $v1 ]]; then
		printf '\nNo v1 cpuacct is mounted here: there is nothing to compare with.\n'
		return
	fi
	printf '\n%-18s %20s %20s %12s\n' 'CPU time in ns' grpagent kernel difference
	compare project:/compile compile
	compare project:/loops loop-ann loop-ben
	compare tenant:/ann compile loop-ann
	compare tenant:/ben loop-ben
}

main() {
	local program
	((EUID == 0)) || die "it loads programs into the kernel: run it as root, as in: sudo make demo"
	for program in grpagent grpctl curl jq make setsid; do
		command -v "$program" >/dev/null || die "there is no $program: sudo make demo gets everything"
	done
	trap cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	dir=$(mktemp -d)
	make_v1

	heading "An agent in an instance of its own"
	start_agent
	show_groups
	show_work
	show_kill
	show_counts
	show_metrics
	show_v1

	heading "Everything goes again"
	end_agent
	run "grpagent --instance $INSTANCE --unload"
	promise "left in the kernel's BPF file system" "$(find "$PINS" 2>/dev/null | wc -l)" 0
	printf '\nDone in %d s. All as promised.\n' "$SECONDS"
}

main "$@"
