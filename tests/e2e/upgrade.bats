#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# bats file_tags=long, alone
#
# Property 4: a new generation of the programs is attached while the old one
# still is, then the old one goes. Every hook runs twice in between: nothing may
# be counted twice, and nothing be missed when one of them leaves. The oracles
# are v1 cpuacct for the time and the storm's own totals for the counters.
#
# UPGRADES in the environment: how many starts under the storm (10).

load lib

setup() {
	new_instance
	KEPT=/sys/fs/bpf/grpagent-$INSTANCE
	start_agent
	ctl mkdir /a /b
	make_v1 V1
}

teardown() {
	drop_kept
	cleanup
}

# The links of the newest generation stay attached, whatever the agent removes.
keep_links() {
	local link
	need bpftool
	mkdir -p "$KEPT"
	for link in "$PINS/$INSTANCE"/links*/*; do
		bpftool link pin pinned "$link" "$KEPT/${KEPT_N:=0}"
		((KEPT_N += 1))
	done
	((KEPT_N))
}

drop_kept() {
	[[ ! -d $KEPT ]] || { find "$KEPT" -type f -delete && rmdir "$KEPT"; }
}

generation() {
	ctl --json status | jq .generation
}

assert_counters() {
	local births execs
	births=$(output storm | tail -n 1 | jq .births)
	execs=$(output storm | tail -n 1 | jq .execs)
	assert_equal $(($(event /a forks) + $(event /b forks))) "$births" "births"
	assert_equal $(($(event /a exits) + $(event /b exits))) $((births + 1)) "exits"
	assert_equal $(($(event /a execs) + $(event /b execs))) $((execs + 1)) "execs"
	assert_equal "$(group_stat /a '|[.tasks,.processes,.chargers]|@text')" "[0,0,0]" \
		"tasks, processes, chargers"
	assert_equal "$(audit)" 0 "corrections of the audit"
}

finish_storm() {
	kill -TERM "$(spawned storm)"
	await storm 60
	wait_quiet /a /b "$V1"
}

v1_beyond() {
	(($(v1_usage "$V1") >= $1))
}

# run_on MS: lets the storm use as much
run_on() {
	wait_until 60 v1_beyond $(($(v1_usage "$V1") + $1 * 1000000))
}

@test "4: generations come and go under the storm" {
	local i before
	spawn_in_both storm /a "$V1" "$SUPPORT/storm"
	for ((i = 0; i < ${UPGRADES:-10}; i++)); do
		before=$(generation)
		restart_agent
		(($(generation) > before))
		ctl attach --from /a /b
		ctl attach --from /b /a
	done
	finish_storm
	assert_exact "/a /b" "$V1"
	assert_counters
}

@test "4: two generations attached for a while, then the old one goes under the storm" {
	keep_links
	restart_agent
	spawn_in_both storm /a "$V1" "$SUPPORT/storm"
	run_on $((STORM_SECONDS * 300))
	ctl attach --from /a /b
	ctl attach --from /b /a
	run_on $((STORM_SECONDS * 300))
	drop_kept
	run_on $((STORM_SECONDS * 300))
	finish_storm
	assert_exact "/a /b" "$V1"
	assert_counters
}

@test "4: three generations, attached while the storm runs" {
	spawn_in_both storm /a "$V1" "$SUPPORT/storm"
	run_on $((STORM_SECONDS * 100))
	keep_links
	restart_agent
	run_on $((STORM_SECONDS * 100))
	keep_links
	restart_agent
	ctl attach --from /a /b
	run_on $((STORM_SECONDS * 100))
	ctl attach --from /b /a
	finish_storm
	assert_exact "/a /b" "$V1"
	assert_counters
}

# Switches and migrations are differences of what the kernel counts in the task, so
# two generations must come to the same as the task itself.
@test "4: switches are counted once by two generations" {
	local counted
	keep_links
	restart_agent
	start_threads 1 "$SUPPORT/oracle" --instance "$INSTANCE" --group /a --v1 "$V1" --
	for _ in {1..50}; do
		tell burn 1 1
	done
	wait_asleep "${TIDS[@]}"
	# from its exec on it is in the group; before it slept once, waiting for us
	counted=$(awk '/ctxt_switches/ { n += $2 } END { print n }' \
		"/proc/${TIDS[0]}/task/"*/status)
	assert_between "$(event /a switches)" $((counted - 10)) "$counted" \
		"switches of three threads"
	((counted > 100))
}

# After a stop in the middle there are two sets of links; one must go.
@test "4: a start cut short leaves no older generation behind" {
	local n links
	[[ -x $TEST_AGENT ]] || skip "no $TEST_AGENT: the build with stop points"
	stop_agent
	for n in 1 2 3; do
		AGENT_BIN=$TEST_AGENT GRPAGENT_FAULT_STOP=$n spawn_agent
		wait_until "$START_SECONDS" agent_answers
		kill_agent
	done
	start_agent
	links=("$PINS/$INSTANCE"/links*)
	assert_equal "${#links[@]}" 1 "generations of links"
	in_both /a "$V1" "$SUPPORT/storm" --seconds 1
	wait_quiet /a "$V1"
	assert_exact /a "$V1"
}
