# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Processes that a test starts, watches and ends; part of lib.bash, which loads it.
# Each is written down in the test's state directory with its start time, so that
# cleanup ends it and nothing else.

# --- processes of ours -------------------------------------------------------------

# What is asked in each step of a poll sets a variable: most of what the tests cost are the forks of $(...).

# Sets STATE_OF_FILE and STATE, the state directories of the file and of the test. Not below bats' own:
# it removes those first when it is interrupted, and cleanup would not know any more what there is to end.
find_state() {
	STATE_OF_FILE=$BATS_RUN_TMPDIR.state/${BATS_TEST_FILENAME##*/}
	STATE=$STATE_OF_FILE${BATS_TEST_NUMBER:+/$BATS_TEST_NUMBER}
	[[ -d $STATE ]] || mkdir -p "$STATE"
}

state_of_file() {
	echo "$BATS_RUN_TMPDIR.state/${BATS_TEST_FILENAME##*/}"
}

state_dir() {
	find_state
	echo "$STATE"
}

# Sets FIELDS to those of /proc/PID/stat behind the name (which may hold anything), the 3rd and on.
# Without a PID it would be the statistics of the machine, which never end.
read_stat() {
	local text=''
	[[ -n $1 ]] || return
	# to its end, which is no delimiter: hence false
	{ read -rd '' text <"/proc/$1/stat" || [[ -n $text ]]; } 2>/dev/null || return
	read -ra FIELDS <<<"${text##*) }"
}

# Field N of /proc/PID/stat
stat_of() {
	local FIELDS
	read_stat "$1" || return
	echo "${FIELDS[$2 - 3]}"
}

start_time() {
	stat_of "$1" 22
}

# identity PID: what makes it unmistakable, for the records
identity() {
	local FIELDS=()
	read_stat "$1" || true
	echo "$1 ${FIELDS[22 - 3]-}"
}

# is_running PID [START]: no zombie, and still the same process
is_running() {
	local FIELDS
	read_stat "$1" && [[ ${FIELDS[0]} != [ZX] ]] || return
	[[ -z ${2-} || ${FIELDS[22 - 3]} == "$2" ]]
}

is_gone() {
	! is_running "$@"
}

# spawn NAME COMMAND...: in the background, dies with the test. Never in a subshell.
# Output: $(output NAME). Process: $(spawned NAME).
spawn() {
	local name=$1
	find_state
	shift
	setpriv --pdeathsig KILL "$@" >"$STATE/$name.out" 2>"$STATE/$name.err" </dev/null 3>&- 4>&- &
	echo $! >"$STATE/$name.pid"
	identity $! >>"$STATE/processes"
}

spawned() {
	find_state
	cat "$STATE/$1.pid"
}

output() {
	find_state
	cat "$STATE/$1.out"
}

errors() {
	find_state
	cat "$STATE/$1.err"
}

# await NAME SECONDS: its exit status, once it has ended
await() {
	local pid
	find_state
	read -r pid <"$STATE/$1.pid"
	wait_until "$2" is_gone "$pid"
	wait "$pid"
}

has_printed() {
	find_state
	[[ -s $STATE/$1.out ]]
}

# stop NAME: SIGTERM, then its exit status is not looked at
stop() {
	local pid
	find_state
	read -r pid <"$STATE/$1.pid"
	kill -TERM "$pid" 2>/dev/null || true
	wait_until 30 is_gone "$pid"
}

# end PID START: whatever it takes, after TERM_SECONDS (10) by force
end_process() {
	is_running "$@" || return 0
	kill -TERM "$1" 2>/dev/null
	wait_until "${TERM_SECONDS:-10}" is_gone "$@" 2>/dev/null && return
	kill -KILL "$1" 2>/dev/null
	wait_until 10 is_gone "$@"
}

end_processes() {
	local pid start status=0
	[[ -e $1/processes ]] || return 0
	while read -r pid start; do
		end_process "$pid" "$start" || status=1
	done <"$1/processes"
	return "$status"
}

# wait_asleep TID...: off its CPU, so that its time stands still
wait_asleep() {
	local tid
	for tid; do
		wait_until 30 is_asleep "$tid"
	done
}

is_asleep() {
	local first
	read -r first _ <"/proc/$1/syscall" && [[ $first != running ]]
}

# --- a process with threads that do as they are told (tests/support/threads.c) -------

# start_threads N [WRAPPER...]: sets TIDS; TIDS[0] is the leader, the last one
# reads the commands
start_threads() {
	local n=$1
	find_state
	shift
	rm -f "$STATE/threads.in" "$STATE/threads.out"
	mkfifo "$STATE/threads.in" "$STATE/threads.out"
	exec {TELL}<>"$STATE/threads.in" {HEAR}<>"$STATE/threads.out"
	setpriv --pdeathsig KILL "$@" "$SUPPORT/threads" "$n" <&"$TELL" >&"$HEAR" 3>&- 4>&- &
	identity $! >>"$STATE/processes"
	hear
	assert_equal "$REPLY" ready "threads"
	list_threads
}

list_threads() {
	tell tids
	# shellcheck disable=SC2034 # for the tests
	read -ra TIDS <<<"${REPLY#tids }"
}

# tell COMMAND...: sets REPLY
tell() {
	echo "$*" >&"$TELL"
	hear
}

hear() {
	read -r -t $((60 * SLOW)) -u "$HEAR" REPLY || fail "no answer from threads"
}
