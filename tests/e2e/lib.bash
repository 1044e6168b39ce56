# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the end-to-end tests share: a private agent, v1 groups of the kernel as
# the oracle, processes that are ours to end, and comparing the two sides. To be
# loaded by *.bats; it starts nothing by itself. Everything that a test makes is
# written down under its temporary directory and taken away by `cleanup`, which
# belongs in every teardown: it fails the test when something stays behind.
#
# environment
#	BUILD		where grpagent, grpctl and test/support are (build/)
#	AGENT_BIN	the agent to run ($BUILD/grpagent)
#	SLOW		factor for every deadline (1); a guest without KVM wants 5
#	STORM_SECONDS	how long storms last (3, with SOAK=1 60, with QUICK=1 1)
#	SOAK		1: long runs
#	QUICK		1: short runs

bats_require_minimum_version 1.5.0

# shellcheck source-path=SCRIPTDIR source=processes.bash
. "$BATS_TEST_DIRNAME/processes.bash"

# by_length SHORT NORMAL LONG: the one for a run of this length
by_length() {
	case $QUICK,$SOAK in
	*,1) echo "$3" ;;
	1,*) echo "$1" ;;
	*) echo "$2" ;;
	esac
}

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
BUILD=$(realpath -m "${BUILD:-$ROOT/build}")
SUPPORT=$BUILD/test/support
TEST_AGENT=$BUILD/test/grpagent
AGENT_BIN=${AGENT_BIN:-$BUILD/grpagent}
export GRPCTL=${GRPCTL:-$BUILD/grpctl}
SLOW=${SLOW:-1}
SOAK=${SOAK:-}
QUICK=${QUICK:-}
STORM_SECONDS=${STORM_SECONDS:-$(by_length 1 3 60)}
export LC_ALL=C.UTF-8
# jq is asked so often that the tests wait for its start; gojq's takes half of the time.
GOJQ=$BUILD/test/gojq
[[ -e $GOJQ/jq ]] || {
	mkdir -p "$GOJQ"
	ln -sf "$(type -P gojq || type -P jq)" "$GOJQ/jq"
}
PATH=$GOJQ:$PATH

START_SECONDS=30
QUIET_SECONDS=60
PINS=/sys/fs/bpf/grpagent
RUN_DIR=/run/grpagent

# --- saying what is wrong --------------------------------------------------------

fail() {
	echo "$*" >&2
	return 1
}

# assert_equal ACTUAL EXPECTED WHAT...
assert_equal() {
	[[ $1 == "$2" ]] || fail "${*:3}: $1, expected $2$(difference "$1" "$2")"
}

difference() {
	if [[ $1 =~ ^-?[0-9]+$ && $2 =~ ^-?[0-9]+$ ]]; then
		echo " (difference $(($1 - $2)))"
	fi
}

# assert_json ACTUAL EXPECTED WHAT...: the same values; the order in an object means nothing
assert_json() {
	[[ $(jq -n --argjson a "$1" --argjson b "$2" '$a == $b') == true ]] ||
		fail "${*:3}: $1, expected $2"
}

# assert_match TEXT REGEX WHAT...
assert_match() {
	[[ $1 =~ $2 ]] || fail "${*:3}: '$1' does not match $2"
}

# assert_between VALUE LOW HIGH WHAT...
assert_between() {
	(($2 <= $1 && $1 <= $3)) || fail "${*:4}: $1 is not between $2 and $3"
}

# Skips the test unless all programs are there.
need() {
	local program
	for program; do
		[[ $(type -P "$program") ]] || skip "no $program here"
	done
}

# Skips the test in a build with sanitizers: they keep freed memory, and do not go with valgrind.
need_plain_build() {
	! grep -q __asan_init "$AGENT_BIN" || skip "built with sanitizers"
}

# Skips the test where it would hit others than itself: only a guest of tests/vm is all ours.
need_guest() {
	[[ -e /job && $(uname -n) == guest ]] || skip "hits the whole machine: only in a guest"
}

# --- time ------------------------------------------------------------------------

step() {
	sleep 0.02 # lint: sleep-ok a step of a poll with a deadline
}

# wait_until SECONDS COMMAND...: what it says on stderr is shown only if it never succeeds
wait_until() {
	local seconds=$(($1 * SLOW)) end
	shift
	end=$((SECONDS + seconds))
	until "$@" 2>/dev/null; do
		((SECONDS >= end)) || { step && continue; }
		"$@" || fail "not within $seconds s: $*"
		return
	done
}

# One scheduler tick in ns; the longest there is where the kernel does not say.
tick_ns() {
	local hz
	hz=$({ zcat /proc/config.gz || cat "/boot/config-$(uname -r)"; } 2>/dev/null |
		sed -n 's/^CONFIG_HZ=//p')
	echo $((1000000000 / ${hz:-100}))
}

# --- the agent -----------------------------------------------------------------------

# Names the private instance: INSTANCE.
new_instance() {
	local file=${BATS_TEST_FILENAME##*/}
	export INSTANCE=test-${file%.bats}-$$
}

# From now on in this file: the agent with stop points and the subsystems xa, xb and xs, see
# tests/subsys/test_subsys.h. For setup_file or setup, before start_agent.
use_test_agent() {
	[[ -x $TEST_AGENT ]] || skip "no $TEST_AGENT: the build for tests"
	export AGENT_BIN=$TEST_AGENT
}

# another_instance NAME: for this test, beside the one that its file has
another_instance() {
	export INSTANCE=$INSTANCE-$1
}

ctl() {
	"$GRPCTL" --instance "$INSTANCE" "$@"
}

# refused ERRNO VERB...: grpctl must fail with it, in the form of an error; sets REPLY to that
refused() {
	local status=0
	REPLY=$(ctl "${@:2}" 2>&1 >/dev/null) || status=$?
	assert_equal "$status" 1 "status of ${*:2} ($REPLY)"
	assert_match "$REPLY" "^grpctl: $2.*: .+ \($1\)\$" "${*:2}"
}

# agent_file NAME: the record NAME of the agent, which the test or its file has started. In a
# directory of their own, as processes are free in their names; an instance's has no dot.
agent_file() {
	find_agent
	echo "$AGENT.$1"
}

# Sets AGENT, with which the names of its records begin.
find_agent() {
	find_state
	AGENT=$STATE/agents
	[[ -e $AGENT/$INSTANCE.pid || ! -e $STATE_OF_FILE/agents/$INSTANCE.pid ]] ||
		AGENT=$STATE_OF_FILE/agents
	[[ -d $AGENT ]] || mkdir "$AGENT"
	AGENT+=/$INSTANCE
}

agent_log() {
	agent_file log
}

agent_pid() {
	local pid
	find_agent
	read -r pid _ <"$AGENT.pid"
	echo "$pid"
}

# spawn_agent [OPTION...]: not waited for
spawn_agent() {
	find_agent
	# shellcheck disable=SC2086 # AGENT_WRAP and AGENT_ARGS are words
	${AGENT_WRAP-} "$AGENT_BIN" --instance "$INSTANCE" ${AGENT_ARGS-} "$@" \
		>>"$AGENT.log" 2>&1 </dev/null 3>&- 4>&- &
	identity $! >"$AGENT.pid"
	# one that is stopped before its first update may be no job any more
	disown $! 2>/dev/null || true
}

agent_answers() {
	local pid
	find_agent
	read -r pid _ <"$AGENT.pid"
	if ! is_running "$pid"; then
		return 0 # there is nothing to wait for
	fi
	[[ -S $RUN_DIR/$INSTANCE/control.sock ]] && ctl ping >/dev/null 2>&1
}

wait_agent() {
	wait_until "$START_SECONDS" agent_answers || return
	is_running "$(agent_pid)" || fail "the agent has ended: $(tail -n 20 "$(agent_log)")"
}

start_agent() {
	spawn_agent "$@"
	wait_agent
}

# signal_agent SIGNAL: and until it is gone
signal_agent() {
	local pid start
	find_agent
	read -r pid start <"$AGENT.pid"
	is_running "$pid" "$start" || return 0
	# it may end by itself just now
	kill "-$1" "$pid" 2>/dev/null || true
	wait_until 30 is_gone "$pid" "$start"
}

stop_agent() {
	signal_agent TERM
}

kill_agent() {
	signal_agent KILL
}

restart_agent() {
	stop_agent
	start_agent "$@"
}

# rss_kb: of the agent, page by page. /proc/PID/status has it from counters that each CPU may be behind
# with by 32 pages.
rss_kb() {
	awk '$1 == "Rss:" { print $2 }' "/proc/$(agent_pid)/smaps_rollup"
}

# unload: nothing of the instance may stay
unload() {
	stop_agent || kill_agent
	"$AGENT_BIN" --instance "$INSTANCE" --unload || return
	[[ ! -e $PINS/$INSTANCE ]] || fail "left behind: $(find "$PINS/$INSTANCE")" || return
	rm -rf "${RUN_DIR:?}/$INSTANCE"
	rm -f "$(agent_file pid)"
}

unload_all() {
	local file name status=0
	for file in "$1"/agents/*.pid; do
		[[ -e $file ]] || continue
		name=${file##*/}
		INSTANCE=${name%.pid} unload || status=1
	done
	return "$status"
}

# --- the kernel's own accounting --------------------------------------------------------

v1_root() {
	awk '$3 == "cgroup" && $4 ~ /(^|,)cpuacct(,|$)/ { print $2; exit }' /proc/mounts
}

# make_v1 VARIABLE [BELOW]: a new group of the kernel; skips where there are none
make_v1() {
	local root dir
	root=${2:-$(v1_root)}
	[[ -n $root ]] || skip "no v1 cpuacct is mounted here"
	dir=$root/grpagent-${INSTANCE:-$$}-$1
	mkdir "$dir"
	echo "$dir" >>"$(state_dir)/v1"
	printf -v "$1" %s "$dir"
}

v1_usage() {
	cat "$1/cpuacct.usage"
}

v1_is_empty() {
	! read -r _ <"$1/tasks"
}

# Its members descend from what the test put there.
remove_v1() {
	local pid dir=$1
	[[ -d $dir ]] || return 0
	while read -r pid; do
		kill -KILL "$pid" 2>/dev/null
	done <"$dir/cgroup.procs"
	wait_until 30 v1_is_empty "$dir" && rmdir "$dir"
}

remove_all_v1() {
	local dir status=0
	[[ -e $1/v1 ]] || return 0
	while read -r dir; do
		remove_v1 "$dir" || status=1
	done < <(tac "$1/v1")
	return "$status"
}

# --- reading groups -----------------------------------------------------------------------

# stat GROUP FIELD
group_stat() {
	ctl --json stat "$1" | jq -r ".$2"
}

# ns of the whole subtree, and of the group's own tasks
usage_ns() {
	ctl --json usage "$1" | jq -r '.[0].usage_ns'
}

usage_own_ns() {
	ctl --json usage "$1" | jq -r '.[0].usage_own_ns'
}

# event GROUP NAME: forks, execs, exits, switches, preempted, migrations
event() {
	ctl get "$1" cpuacct.events | awk -v name="$2" '$1 == name { print $2 }'
}

# group_of PID [HIERARCHY]
group_of() {
	ctl --json which "$1" |
		jq -r --arg h "${2:-default}" '.[0].places[] | select(.hierarchy == $h).group'
}

# Adds line to line, column by column.
add_up() {
	awk '{ for (i = 1; i <= NF; i++) sum[i] += $i; if (NF > n) n = NF }
		END { for (i = 1; i <= n; i++) printf "%s%.0f", (i > 1 ? " " : ""), sum[i]; print "" }'
}

# read_all FILE PLACE...: control file FILE of each, v1 directory or group of ours
read_all() {
	local file=$1 place
	shift
	for place; do
		if [[ -e $place/$file ]]; then
			cat "$place/$file"
		else
			ctl get "$place" "$file"
		fi
	done
}

is_empty() {
	if [[ -e $1/cpuacct.usage ]]; then
		v1_is_empty "$1"
	else
		ctl --json stat "$1" | jq -e '.tasks == 0 and .chargers == 0' >/dev/null
	fi
}

is_quiet() {
	local place
	for place; do
		is_empty "$place" || return
	done
	[[ $(read_all cpuacct.usage "$@") == "$(read_all cpuacct.usage "$@")" ]]
}

# wait_quiet PLACE...: no task, nobody who still charges, nothing that moves
wait_quiet() {
	wait_until "$QUIET_SECONDS" is_quiet "$@"
}

# counters: what the programs in the kernel have counted of themselves, those that are not 0
counters() {
	ctl --json status | jq -c '.counters | with_entries(select(.value != 0))'
}

# assert_exact "GROUP..." "V1DIR...": the sums agree to the nanosecond, also on each CPU
assert_exact() {
	local ours=() theirs=() file expected
	read -ra ours <<<"$1"
	read -ra theirs <<<"$2"
	for file in cpuacct.usage cpuacct.usage_percpu; do
		expected=$(read_all "$file" "${theirs[@]}" | add_up)
		assert_match "$expected" '^[0-9 ]*[1-9]' "$file of the kernel"
		assert_equal "$(read_all "$file" "${ours[@]}" | add_up)" "$expected" "$file of $1" ||
			fail "$(counters)" || return
	done
}

# audit: what a full pass had to correct, ever
audit() {
	ctl --json status --audit | jq .audit_corrections
}

# in_both GROUP V1DIR COMMAND...: the command, seen by both from its first instruction
in_both() {
	"$SUPPORT/oracle" --instance "$INSTANCE" --group "$1" --v1 "$2" -- "${@:3}" 3>&- 4>&-
}

# spawn_in_both NAME GROUP V1DIR COMMAND...: the same in the background
spawn_in_both() {
	spawn "$1" "$SUPPORT/oracle" --instance "$INSTANCE" --group "$2" --v1 "$3" \
		--pid "$(state_dir)/$1.command" -- "${@:4}"
	wait_until 30 test -s "$(state_dir)/$1.command"
}

# command_pid NAME: the process of COMMAND; `spawned` is the one that watches it
command_pid() {
	cat "$(state_dir)/$1.command"
}

# --- the end --------------------------------------------------------------------------------

# For teardown and teardown_file, in this order and to the end, whatever fails.
cleanup() {
	local dir status=0
	dir=$(state_dir)
	end_processes "$dir" || status=1
	remove_all_v1 "$dir" || status=1
	unload_all "$dir" || status=1
	((status)) || rm -r "$dir"
	rmdir "$(state_of_file)" "$BATS_RUN_TMPDIR.state" 2>/dev/null || true
	return "$status"
}
