#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
#
# Many releases, programs that hang, agents that are killed. Fails when a program is waited
# for or started without bound, and when a release is lost.
#
# RELEASES in the environment: how many the storm has (10000, with QUICK=1 500).
#
# shellcheck disable=SC2016 # scripts for another shell
# shellcheck source-path=SCRIPTDIR source=release_helper.bash

load lib
load release_helper

# --- many, slow and dead ----------------------------------------------------------------------------

# most_at_once: how many programs ran at a time, by their own lines
most_at_once() {
	awk '$1 == "start" && ++n > most { most = n } $1 == "end" { n-- } END { print most }' \
		"$PROGRAM.log"
}

@test "a storm of releases: none lost, none twice, a bounded number at a time" {
	local count=${RELEASES:-$(by_length 500 10000 10000)} begun
	AGENT_ARGS="--capacity-groups 32768" start
	ctl mkdir /storm
	ctl set /storm notify_on_release 1
	printf '/storm/%s\n' $(seq "$count") | xargs "$GRPCTL" --instance "$INSTANCE" mkdir
	printf '/storm/%s/c\n' $(seq "$count") | xargs "$GRPCTL" --instance "$INSTANCE" mkdir
	begun=$SECONDS
	printf '/storm/%s/c\n' $(seq "$count") | xargs "$GRPCTL" --instance "$INSTANCE" rmdir
	wait_until 240 has_runs "$count" end
	echo "$count releases in $((SECONDS - begun)) s, at most $(most_at_once) at a time"
	wait_until 30 has_counter release_agents 0
	assert_equal "$(runs | sort)" "$(printf '/storm/%s\n' $(seq "$count") | sort)" "runs"
	assert_between "$(most_at_once)" 1 16 "programs at a time"
	assert_equal "$(counter releases_started)" "$count" "releases started"
	assert_equal "$(counter releases_failed)" 0 "releases failed"
}

@test "tasks of 200 groups die at once" {
	start "release-agents = 4"
	ctl mkdir /many
	ctl set /many notify_on_release 1
	# shellcheck disable=SC2046 # words
	ctl mkdir $(printf '/many/%s ' {1..200})
	spawn tasks bash -c 'for i in {1..200}; do
		sleep infinity &
		"$GRPCTL" --instance "$INSTANCE" attach "/many/$i" $! || exit
	done
	echo all
	wait'
	wait_until 60 has_printed tasks
	ctl kill -r /many
	wait_until 60 has_runs 200 end
	settle
	assert_equal "$(runs | grep -v sentinel | sort)" "$(printf '/many/%s\n' {1..200} | sort)" runs
	assert_between "$(most_at_once)" 1 4 "programs at a time"
}

# The test build lets a program grow old in less than 10 s.
old_after() {
	[[ -x $TEST_AGENT ]] || skip "no $TEST_AGENT: the build with stop points"
	export AGENT_BIN=$TEST_AGENT GRPAGENT_FAULT_RELEASE_YOUNG_MS=$1
}

@test "a program that hangs stalls neither the others nor the loop" {
	old_after 500
	start "release-agents = 1"
	hold
	group /hangs
	use /hangs
	wait_until 30 has_run /hangs
	rm "$PROGRAM.hold"
	group /next
	group /deleted
	ctl set /deleted notify_on_release 0
	ctl set /deleted auto_delete 1
	use /next
	use /deleted
	# the agent answers, and what needs no program is done
	wait_until 30 is_removed /deleted
	wait_until 30 has_runs 1 end
	assert_equal "$(runs end)" /next "programs that have ended"
	wait_until 30 has_counter release_agents 1
	let_go
	assert_runs /hangs /next
}

@test "all programs hang: their number is bounded, nothing is lost, one warning" {
	local i
	old_after 20
	start "release-agents = 1"
	hold
	ctl mkdir /g
	ctl set /g notify_on_release 1
	for i in {1..20}; do
		ctl mkdir "/g/$i"
		use "/g/$i"
	done
	wait_until 30 has_counter release_agents 16
	wait_until 30 has_counter releases_pending 4
	ctl mkdir /deleted
	ctl set /deleted auto_delete 1
	use /deleted
	wait_until 30 is_removed /deleted
	assert_equal "$(runs | wc -l)" 16 "programs started"
	wait_until 30 is_in_log "do not end"
	let_go
	wait_until 30 has_runs 20 end
	assert_equal "$(runs | sort)" "$(printf '/g/%s\n' {1..20} | sort)" runs
	assert_equal "$(in_log "do not end")" 1 "warnings"
}

@test "released while there is no agent: announced at the next start" {
	start
	group /exits
	ctl mkdir /deleted
	ctl set /deleted auto_delete 1
	dwell one /exits
	dwell two /deleted
	kill_agent
	stop one
	stop two
	start_agent
	wait_until 30 is_removed /deleted
	assert_runs /exits
	restart_agent
	assert_runs
}

@test "killed while releases wait: the next agent works them off" {
	local i twice
	# nor do any hang yet, on a machine where all this takes long
	old_after 600000
	start "release-agents = 2"
	hold
	ctl mkdir /g
	ctl set /g notify_on_release 1
	for i in {1..30}; do
		ctl mkdir "/g/$i"
		use "/g/$i"
	done
	wait_until 30 has_runs 2 start
	wait_until 30 has_counter releases_pending 28
	kill_agent
	let_go
	start_agent
	wait_until 60 has_runs 30 end
	settle
	assert_equal "$(runs | grep -v sentinel | sort -u)" "$(printf '/g/%s\n' {1..30} | sort)" runs
	twice=$(($(runs | grep -vc sentinel) - 30))
	assert_equal "$twice" 0 "releases that were announced before and are again"
}

# is_over STATUS: killed, or all is done that an exec with that status leads to
is_over() {
	! is_running "$(agent_pid)" ||
		{ { (($1)) || has_run /g; } && has_counter releases_pending 0 && has_counter release_agents 0; }
}

# A program that was started and not yet written down is started again: never not at all.
@test "killed before each update on the way: announced once or twice, never not at all" {
	local n status stopped twice=0
	[[ -x $TEST_AGENT ]] || skip "no $TEST_AGENT: the build with stop points"
	start
	group /g
	# each time the same updates: its set is there
	use /g
	settle
	for ((n = 1; n < 50; n++)); do
		stop_agent
		: >"$PROGRAM.log"
		AGENT_BIN=$TEST_AGENT GRPAGENT_FAULT_STOP=$n GRPAGENT_FAULT_AFTER_READY=1 spawn_agent
		wait_until "$START_SECONDS" agent_answers
		status=0
		stopped=yes
		ctl exec /g -- true 2>/dev/null || status=$?
		wait_until 30 is_over "$status"
		! is_running "$(agent_pid)" || stopped=no
		restart_agent
		settle
		((status)) || assert_between "$(run_count /g)" 1 2 "runs, point $n"
		twice=$((twice + ($(run_count /g) == 2)))
		[[ $stopped == yes ]] || break
	done
	echo "$n points, $twice times announced again"
	((n > 3 && n < 50))
	assert_between "$twice" 1 3 "points at which it is announced again"
	assert_equal "$(audit)" 0 "corrections of the audit"
}
