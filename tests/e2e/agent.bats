#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=alone
#
# The life of the agent as a program: exit statuses and their reasons, the lock of an instance,
# readiness and watchdog, ending, settings, --unload. What survives a kill is sigkill.bats. Alone, as an
# agent is to have nothing to do.

load lib

setup() {
	new_instance
}

# Also where no agent got as far as to be known to cleanup.
teardown() {
	cleanup && "$AGENT_BIN" --instance "$INSTANCE" --unload
}

# run_agent STATUS ARGUMENT...: an agent that ends by itself; sets output
run_agent() {
	run -"$1" timeout $((30 * SLOW)) "$AGENT_BIN" --instance "$INSTANCE" "${@:2}"
}

one_line() {
	assert_equal "$(wc -l <<<"$output")" 1 "lines of: $output"
}

socket() {
	echo "$RUN_DIR/$INSTANCE/control.sock"
}

@test "--help and --version" {
	run -0 "$AGENT_BIN" --help
	assert_match "$output" '--capacity-sets' help
	run -0 "$AGENT_BIN" --version
	assert_match "$output" '^grpagent [0-9]+\.[0-9]+' version
}

@test "wrong usage: 2, and what is wrong" {
	run_agent 2 --no-such-option
	assert_match "$output" 'unknown option --no-such-option' message
	run_agent 2 argument
	run_agent 2 --capacity-sets 0
	run_agent 2 --metrics nowhere
	run -2 "$AGENT_BIN" --instance a/b
	[[ ! -e $RUN_DIR/$INSTANCE ]] || fail "a run directory was made"
}

@test "a mistake in the file: 1, and its line" {
	local file=$BATS_TEST_TMPDIR/conf
	printf '# fine\ncapacity-sets = 100\ncolour = red\n' >"$file"
	run_agent 1 --config "$file"
	assert_match "$output" "$file:3: unknown key 'colour'" message
	one_line
	run_agent 1 --config /nonexistent
	assert_match "$output" '/nonexistent: No such file' message
	one_line
}

@test "the file is used, an option goes before it" {
	local file=$BATS_TEST_TMPDIR/conf
	printf 'capacity-sets = 100\ncapacity-groups = 200\n' >"$file"
	start_agent --config "$file" --capacity-groups 300
	assert_equal "$(ctl --json status | jq -r '.config["capacity-sets"]')" 100 sets
	assert_equal "$(ctl --json status | jq -r '.config["capacity-groups"]')" 300 groups
}

@test "without rights: 1, one line, nothing is left" {
	need setpriv
	local copy=$BATS_TEST_TMPDIR/grpagent
	chmod 755 "$BATS_TEST_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_SUITE_TMPDIR" "$BATS_RUN_TMPDIR"
	cp "$AGENT_BIN" "$copy"
	run -1 setpriv --reuid 65534 --regid 65534 --clear-groups "$copy" --instance "$INSTANCE"
	assert_match "$output" 'must run as root' message
	one_line
	# root in name only
	run -1 setpriv --bounding-set -bpf,-sys_admin --inh-caps -all "$copy" --instance "$INSTANCE"
	one_line
	assert_match "$output" 'missing cap-bpf' message
	[[ ! -e $(socket) ]] || fail "a socket was left"
}

@test "a second agent of the instance: 3; the first is not disturbed" {
	start_agent
	ctl mkdir /a
	run_agent 3
	assert_match "$output" 'another agent runs instance' message
	one_line
	run_agent 3 --unload
	ctl --json ls / | jq -e '.[0].group == "/a"' >/dev/null
}

@test "SIGTERM and SIGINT: 0, no socket, the kernel side goes on" {
	local signal
	for signal in TERM INT; do
		spawn agent "$AGENT_BIN" --instance "$INSTANCE" --metrics none
		wait_until 30 ctl ping
		ctl mkdir -p /kept
		kill "-$signal" "$(spawned agent)"
		await agent 30
		[[ ! -e $(socket) ]] || fail "the socket is still there"
		[[ -d $PINS/$INSTANCE ]] || fail "the kernel side is gone"
	done
	start_agent
	ctl --json ls / | jq -e '.[0].group == "/kept"' >/dev/null
}

# A socket says that the agent is ready; that of a killed one must go first.
@test "while an agent starts there is no socket" {
	start_agent
	kill_agent
	[[ -S $(socket) ]] || fail "a killed agent leaves its socket"
	run_agent 1 --capacity-sets 77
	[[ ! -e $(socket) ]] || fail "an agent that cannot run leaves a socket"
}

is_held() {
	[[ $(stat_of "$1" 3) == T ]]
}

# It is the last that is made: whoever finds it is answered by the agent of all groups.
@test "an agent that is starting cannot be reached: 3, and what to do; then it can" {
	local pid verb
	start_agent
	ctl mkdir /a
	kill_agent
	AGENT_BIN=$TEST_AGENT GRPAGENT_FAULT_HOLD=1 spawn_agent
	pid=$(agent_pid)
	wait_until 30 is_held "$pid"
	[[ -e $RUN_DIR/$INSTANCE/lock && ! -e $(socket) ]] || fail "it is not in the middle of its start"
	for verb in ping "ls /" "mkdir /b" "kill /a" status; do
		# shellcheck disable=SC2086 # words
		run -3 ctl $verb
		assert_match "$output" "^grpctl: ${verb%% *}: .* not reachable .*\(ENOENT\)" "$verb"
		assert_match "$output" "\(grpagent --instance $INSTANCE\), or try again .* starting" "$verb"
	done
	run -125 ctl exec /a -- true
	kill -CONT "$pid"
	wait_agent
	assert_equal "$(ctl --json ls / | jq -c '[.[].group]')" '["/a"]' groups
}

@test "another capacity than that of the instance: 1, until --unload" {
	start_agent --capacity-sets 50
	stop_agent
	run_agent 1 --capacity-sets 60
	assert_match "$output" 'unload' message
	one_line
	run_agent 0 --unload
	start_agent --capacity-sets 60
}

# change_meta OFFSET BYTE: of the record that says what the maps were made for
change_meta() {
	local map=$PINS/$INSTANCE/grp_meta bytes
	bytes=$(bpftool -j map lookup pinned "$map" key hex 00 00 00 00 |
		jq -r --argjson at "$1" --arg byte "$2" '.value | .[$at] = $byte | map(ltrimstr("0x")) | join(" ")')
	# shellcheck disable=SC2086 # words
	bpftool map update pinned "$map" key hex 00 00 00 00 value hex $bytes
}

@test "a layout that is not ours, another number of CPUs: 1, both numbers, the way out" {
	local cpus
	need bpftool
	start_agent
	cpus=$(ctl get / cpuacct.usage_percpu | wc -w)
	stop_agent
	change_meta 16 "$(printf '0x%02x' $((cpus + 1)))"
	run_agent 1
	assert_match "$output" "made for $((cpus + 1)) possible CPUs, this machine has $cpus: .*--unload" message
	one_line
	change_meta 4 0xff
	run_agent 1
	assert_match "$output" 'holds layout 255, this grpagent speaks [0-9]+: .*--unload' message
	one_line
	run_agent 0 --unload
	start_agent
}

@test "--unload without anything there: 0" {
	run_agent 0 --unload
	assert_equal "$output" "" output
	[[ ! -e $RUN_DIR/$INSTANCE ]] || fail "a run directory was left"
}

@test "another base directory for tests" {
	local base=$BATS_TEST_TMPDIR/run
	GRPAGENT_RUNDIR=$base spawn agent "$AGENT_BIN" --instance "$INSTANCE" --metrics none
	wait_until 30 test -S "$base/$INSTANCE/control.sock"
	GRPAGENT_RUNDIR=$base ctl ping >/dev/null
	stop agent
	GRPAGENT_RUNDIR=$base run_agent 0 --unload
}

@test "READY=1 when the socket is there, the watchdog is fed, STOPPING=1 at the end" {
	local python=/usr/bin/python3 notify=$BATS_TEST_TMPDIR/notify
	need "$python"
	cat >"$BATS_TEST_TMPDIR/listen.py" <<-'END'
		import os, socket, sys

		listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		listener.bind(sys.argv[1])
		while True:
		    for word in listener.recv(4096).decode().split():
		        print(word, os.path.exists(sys.argv[2]), flush=True)
	END
	spawn listener "$python" "$BATS_TEST_TMPDIR/listen.py" "$notify" "$(socket)"
	wait_until 30 test -S "$notify"
	NOTIFY_SOCKET=$notify WATCHDOG_USEC=400000 start_agent
	wait_until 30 grep -qx 'READY=1 True' "$(state_dir)/listener.out"
	wait_until 30 grep -q '^WATCHDOG=1' "$(state_dir)/listener.out"
	stop_agent
	wait_until 30 grep -q '^STOPPING=1' "$(state_dir)/listener.out"
	stop listener
}

turns() {
	awk '/^(non)?voluntary_ctxt_switches/ { sum += $2 } END { print sum }' "/proc/$(agent_pid)/status"
}

@test "an idle agent does not wake up" {
	local before
	start_agent --metrics 127.0.0.1:0
	ctl mkdir /a
	ctl exec /a -- true
	# Until what that has left is given back.
	wait_until 30 is_still
	before=$(turns)
	sleep 3 # lint: sleep-ok what must not happen is looked for over some time
	assert_between "$(turns)" "$before" $((before + 1)) "turns of an idle agent"
}

is_still() {
	local before
	before=$(turns)
	sleep 0.5 # lint: sleep-ok a step of a poll with a deadline
	[[ $(turns) == "$before" ]]
}

@test "one line at the start tells capacities and memory" {
	start_agent --capacity-sets 12345 --capacity-groups 45678
	assert_match "$(cat "$(agent_log)")" 'of 45678 groups, .* of 12345 sets, .* MiB' log
	# the same as status says, before anything was made
	assert_equal "$(sed -nE 's/.*CPUs?, ([0-9.]+ MiB) .*/\1/p' "$(agent_log)")" \
		"$(ctl status | sed -nE 's/^Memory: +//p')" "memory in the log and in status"
}
