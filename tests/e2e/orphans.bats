#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
#
# Births that find no room in task storage (a helper on that CPU is busy, memory
# is short): they are kept in a small table, adopted, and nothing is lost. The test
# build refuses storage to every Nth birth: in the first birth hook only (the
# second then adopts), or in both (an exec, a pass or the exit adopts).

load lib

setup() {
	new_instance
	export AGENT_BIN=$BUILD/test/grpagent
	G=/orphans
}

teardown() {
	cleanup
}

# start_with_fault EVERY BOTH [LOOPS [ROOM]]: every so many births find no room, in both hooks or
# the first; who adopts them takes so many turns, and finds room one of so many times
start_with_fault() {
	export GRPAGENT_FAULT_BIRTH_EVERY=$1 GRPAGENT_FAULT_BIRTH_BOTH=$2
	export GRPAGENT_FAULT_ADOPT_LOOPS=${3-0} GRPAGENT_FAULT_ADOPT_ROOM=${4-0}
	start_agent
	ctl mkdir "$G"
}

# storm_with_fault: the same, and the group's figures equal the storm's own and v1's
storm_with_fault() {
	local totals births
	start_with_fault "$@"
	make_v1 V1
	in_both "$G" "$V1" "$SUPPORT/storm" --seconds "$STORM_SECONDS" >"$BATS_TEST_TMPDIR/totals"
	wait_quiet "$G" "$V1"
	totals=$(cat "$BATS_TEST_TMPDIR/totals")
	births=$(jq .births <<<"$totals")
	# Not on each CPU: what a task ran before it was adopted is charged where that is noticed.
	assert_equal "$(ctl get "$G" cpuacct.usage)" "$(cat "$V1/cpuacct.usage")" "time of the group"
	assert_equal "$(event "$G" forks)" "$births" "births in the group"
	assert_equal "$(event "$G" execs)" $(($(jq .execs <<<"$totals") + 1)) "execs in the group"
	assert_equal "$(event "$G" exits)" $((births + 1)) "exits in the group"
	assert_equal "$(ctl status --json --audit | jq .audit_corrections)" 0 "corrections"
	[[ $(ctl status --json | jq .counters.birth_orphans) -gt 10 ]]
	assert_equal "$(ctl status --json | jq .counters.orphans_lost)" 0 "orphans lost"
	ctl rmdir "$G"
}

# Fails when the second hook counts a birth again that the first one has noted.
@test "no room in the first birth hook only" {
	storm_with_fault 3 0
}

# Fails when an orphan is not found again by its exec or exit, or by a pass.
@test "no room in any birth hook" {
	storm_with_fault 3 1
}

# A pass makes storage for one that was born without, and only then takes the birth from the table
# and names the set in the storage's word. Between these the task runs: it forks, and its child was
# taken for one of the root; it execs, and that was counted there; it exits and makes its last
# switch, and was left to the free hook. A pass that takes its time meets this in every storm.
@test "adoption that takes its time, while the adopted go on" {
	storm_with_fault 3 1 1000000
}

# The second hook, and a pass, found no room to adopt and then room to make storage of their own: the
# birth was counted twice, or what the task had run before the pass was nobody's.
@test "room that comes a moment after it was looked for, in the second birth hook" {
	storm_with_fault 3 0 0 2
}

@test "room that comes a moment after it was looked for, in a pass" {
	storm_with_fault 3 1 0 2
}

# A pass found no room and was not repeated: one that slept then could not be moved ("did not
# become stable"), which the storm's own first process met in one of six runs. These threads never
# exec, and one call moves them all: the passes for those born later, and for the call itself, find
# room for each of them in less than one of a thousand runs.
@test "one that sleeps is given room by a later pass, and is moved" {
	start_with_fault 1 1 0 8
	start_threads 16
	[[ $(ctl status --json | jq .counters.birth_orphans) -gt 16 ]] || fail "all births found room"
	ctl attach --thread "$G" "${TIDS[@]}"
	assert_equal "$(ctl get "$G" tasks | wc -l)" "${#TIDS[@]}" "tasks of the group"
	assert_equal "$(ctl status --json | jq .counters.orphans_lost)" 0 "orphans lost"
}

@test "time of orphans is exact, in the first hook's case" {
	start_with_fault 2 0
	make_v1 V1
	in_both "$G" "$V1" "$SUPPORT/storm" --seconds "$STORM_SECONDS" >/dev/null
	wait_quiet "$G" "$V1"
	assert_exact "$G" "$V1"
}
