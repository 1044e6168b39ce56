# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Processes that a test starts, watches and ends; part of lib.bash, which loads it.
# Each is written down in the test's state directory with its start time, so that
# cleanup ends it and nothing else.

# --- processes of ours -------------------------------------------------------------

# Not below bats' own directories: it removes those first when it is interrupted, and
# cleanup would not know any more what there is to end.
state_of_file() {
	echo "$BATS_RUN_TMPDIR.state/${BATS_TEST_FILENAME##*/}"
}

state_dir() {
	local dir
	dir=$(state_of_file)${BATS_TEST_NUMBER:+/$BATS_TEST_NUMBER}
	mkdir -p "$dir"
	echo "$dir"
}

# Field N of /proc/PID/stat, counted from 3 on (the name may hold anything). Without a PID it
# would be the statistics of the machine, which never end.
stat_of() {
	local line fields
	[[ -n $1 ]] || return
	line=$(cat "/proc/$1/stat" 2>/dev/null) || return
	read -ra fields <<<"${line##*) }"
	echo "${fields[$2 - 3]}"
}

start_time() {
	stat_of "$1" 22
}

# identity PID: what makes it unmistakable, for the records
identity() {
	echo "$1 $(start_time "$1")"
}

# is_running PID [START]: no zombie, and still the same process
is_running() {
	local state
	state=$(stat_of "$1" 3) && [[ $state != [ZX] ]] || return
	[[ -z ${2-} || $(start_time "$1") == "$2" ]]
}

is_gone() {
	! is_running "$@"
}

# spawn NAME COMMAND...: in the background, dies with the test. Never in a subshell.
# Output: $(output NAME). Process: $(spawned NAME).
spawn() {
	local name=$1 dir
	dir=$(state_dir)
	shift
	setpriv --pdeathsig KILL "$@" >"$dir/$name.out" 2>"$dir/$name.err" </dev/null 3>&- 4>&- &
	echo $! >"$dir/$name.pid"
	identity $! >>"$dir/processes"
}

spawned() {
	cat "$(state_dir)/$1.pid"
}

output() {
	cat "$(state_dir)/$1.out"
}

errors() {
	cat "$(state_dir)/$1.err"
}

# await NAME SECONDS: its exit status, once it has ended
await() {
	local pid
	pid=$(spawned "$1")
	wait_until "$2" is_gone "$pid"
	wait "$pid"
}

has_printed() {
	[[ -s $(state_dir)/$1.out ]]
}

# stop NAME: SIGTERM, then its exit status is not looked at
stop() {
	local pid
	pid=$(spawned "$1")
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
	local dir n=$1
	dir=$(state_dir)
	shift
	rm -f "$dir/threads.in" "$dir/threads.out"
	mkfifo "$dir/threads.in" "$dir/threads.out"
	exec {TELL}<>"$dir/threads.in" {HEAR}<>"$dir/threads.out"
	setpriv --pdeathsig KILL "$@" "$SUPPORT/threads" "$n" <&"$TELL" >&"$HEAR" 3>&- 4>&- &
	identity $! >>"$dir/processes"
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
