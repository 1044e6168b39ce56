# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Groups that are released, and the program that is told of it (tests/support/released.c),
# for release*.bats.
#
# shellcheck disable=SC2016 # scripts for another shell

setup() {
	new_instance
	PROGRAM=$BATS_TEST_TMPDIR/agent
	ln -s "$SUPPORT/released" "$PROGRAM"
	: >"$PROGRAM.log"
	N=0
}

teardown() {
	cleanup
}

# start [CONFIG-LINE...]: an agent of ours, whose default hierarchy has the program
start() {
	printf '%s\n' "$@" >"$BATS_TEST_TMPDIR/config"
	AGENT_ARGS="${AGENT_ARGS-} --config $BATS_TEST_TMPDIR/config" start_agent
	ctl set / release_agent "$PROGRAM"
}

# group NAME: a new one, to be announced
group() {
	ctl mkdir "$1"
	ctl set "$1" notify_on_release 1
}

# use GROUP...: a task comes in and goes
use() {
	local group
	for group; do
		ctl exec "$group" -- true
	done
}

# dwell NAME GROUP: a task that stays
dwell() {
	spawn "$1" "$GRPCTL" --instance "$INSTANCE" exec "$2" -- "$SUPPORT/burn" 1 --hold
	wait_until 30 has_printed "$1"
}

counter() {
	ctl --json status | jq ".counters.$1"
}

has_counter() {
	[[ $(counter "$1") == "$2" ]]
}

# runs [WORD]: the paths of all runs that have begun (or: "end"), in that order
runs() {
	sed -n "s/^${1-start} [0-9]* //p" "$PROGRAM.log"
}

has_run() {
	runs | grep -qxF "$1"
}

# run_count PATH
run_count() {
	runs | grep -cxF "$1" || true
}

has_runs() {
	(($(runs "$2" | wc -l) >= $1))
}

# settle: what was released up to now has had its turn, and has ended. They go one after
# the other, so a last one of ours comes behind them.
settle() {
	local last=/sentinel-$((++N))
	group "$last"
	use "$last"
	wait_until 30 has_run "$last"
	wait_until 30 has_counter releases_pending 0
	wait_until 30 has_counter release_agents 0
	ctl rmdir "$last"
}

# assert_runs [PATH...]: exactly these since the last call
assert_runs() {
	local expected=
	(($# == 0)) || expected=$(printf '%s\n' "$@")
	settle
	assert_equal "$(runs | grep -v '^/sentinel-')" "$expected" runs
	: >"$PROGRAM.log"
}

# hold: programs that are started from now on wait; let_go: all go on. Somebody else has
# the FIFO open, or what the test starts meanwhile would have it too.
hold() {
	mkfifo "$PROGRAM.hold"
	spawn holder bash -c 'exec 3<>"$1"; echo; exec sleep infinity' - "$PROGRAM.hold"
	wait_until 30 has_printed holder
}

let_go() {
	rm -f "$PROGRAM.hold"
	stop holder
}

# then_do LINE...: a shell script that the program becomes; $1 is the path of the group
then_do() {
	printf '#!/bin/bash\n' >"$PROGRAM.then"
	printf '%s\n' "GRPCTL='$GRPCTL --instance $INSTANCE'" "OUT='$PROGRAM.out'" "$@" >>"$PROGRAM.then"
	chmod +x "$PROGRAM.then"
}

is_in_log() {
	[[ $(in_log "$1") != 0 ]]
}

in_log() {
	grep -c -- "$1" "$(agent_log)" || true
}

is_removed() {
	! ctl stat "$1" >/dev/null 2>&1
}
