#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# bats file_tags=long
#
# Property 2: no task is missed and none is in two places, while a fork storm on
# all CPUs is moved to and fro. A birth that is not seen, or copied from a parent
# that has just been moved, shows as a count that does not come back to 0, as a
# task in the left group, or as a correction of the audit.
#
# MOVES in the environment: how often the whole tree is moved (200, with QUICK=1 40).

load lib

setup_file() {
	new_instance
	start_agent
}

teardown_file() {
	cleanup
}

setup() {
	G=/t$BATS_TEST_NUMBER
	MOVES=${MOVES:-$(by_length 40 200 200)}
	ctl mkdir "$G" "$G/a" "$G/b" "$G/never"
}

teardown() {
	cleanup
}

tasks() {
	group_stat "$1" tasks
}

assert_never_entered() {
	assert_equal "$(tasks "$1")" 0 "tasks of $1"
	assert_equal "$(usage_ns "$1")" 0 "ns of $1"
	assert_equal "$(event "$1" forks)" 0 "births in $1"
	assert_equal "$(event "$1" exits)" 0 "exits in $1"
}

# descendants PID: itself and all below, from /proc
descendants() {
	cat /proc/[0-9]*/stat 2>/dev/null | awk -v root="$1" '
	{
		pid = $1
		sub(/.*\) . /, "")
		up[pid] = $1
	}
	END {
		for (pid in up) {
			for (at = pid; at in up && at != root && at > 1; at = up[at])
				;
			if (at == root)
				print pid
		}
	}' | sort -n
}

# Members of GROUP by every way to ask: they must agree.
assert_members() {
	local pids tids
	pids=$(descendants "$2")
	tids=$(for pid in $pids; do ls "/proc/$pid/task"; done | sort -n)
	assert_equal "$(ctl get "$1" cgroup.procs)" "$pids" "processes of $1"
	assert_equal "$(ctl get "$1" tasks)" "$tids" "threads of $1"
	assert_equal "$(ctl --json ps "$1" | jq '.[].pid')" "$tids" "ps of $1"
	assert_equal "$(ctl --json ps -p "$1" | jq '.[].pid')" "$pids" "ps -p of $1"
	assert_equal "$(tasks "$1")" "$(wc -l <<<"$tids")" "count of tasks of $1"
	assert_equal "$(group_stat "$1" processes)" "$(wc -l <<<"$pids")" "count of processes of $1"
	# shellcheck disable=SC2086 # words
	assert_equal "$(ctl --json which $tids | jq -r '.[].places[] |
		select(.hierarchy == "default").group' | sort -u)" "$1" "where they say they are"
}

assert_nothing_left() {
	local group
	for group; do
		assert_equal "$(group_stat "$group" '|[.tasks,.processes,.chargers]|@text')" \
			"[0,0,0]" "tasks, processes, chargers of $group"
		assert_equal "$(ctl get "$group" tasks)" "" "list of $group"
	done
	assert_equal "$(audit)" 0 "corrections of the audit"
}

@test "2: a fork storm moved as a whole, to and fro" {
	local from=a to=b i totals
	make_v1 V1
	ctl mount -o cpuacct other
	ctl mkdir other:/never
	spawn_in_both storm "$G/a" "$V1" "$SUPPORT/storm" --hold 20
	for ((i = 0; i < MOVES; i++)); do
		ctl attach --from "$G/$from" "$G/$to"
		assert_equal "$(tasks "$G/$from")" 0 "tasks in the left group, move $i"
		(($(tasks "$G/$to") > 0))
		((i % 20)) || assert_equal "$(audit)" 0 "corrections of the audit, move $i"
		[[ $from == a ]] && from=b to=a || from=a to=b
	done
	kill -TERM "$(spawned storm)"
	wait_until 60 has_printed storm
	wait_quiet_but "$G/$from" 41
	assert_members "$G/$from" "$(command_pid storm)"
	assert_equal "$(ctl get "$G/$to" tasks)" "" "list of the left group"
	assert_equal "$(group_of $$)" / "group of a bystander"
	assert_equal "$(audit)" 0 "corrections of the audit"

	kill -TERM "$(spawned storm)"
	await storm 30
	wait_quiet "$G/a" "$G/b" "$V1"
	assert_nothing_left "$G/a" "$G/b"
	assert_never_entered "$G/never"
	assert_never_entered other:/never
	assert_exact "$G/a $G/b" "$V1"
	totals=$(output storm | tail -n 1)
	assert_equal $(($(event "$G/a" forks) + $(event "$G/b" forks))) "$(jq .births <<<"$totals")" \
		"births in both groups"
	assert_equal $(($(event "$G/a" exits) + $(event "$G/b" exits))) \
		$(($(jq .births <<<"$totals") + 1)) "exits in both groups"
}

# wait_quiet_but GROUP N: no more than the N that stay
wait_quiet_but() {
	wait_until 30 holds "$@"
}

holds() {
	[[ $(tasks "$1") == "$2" ]]
}

@test "2: into groups of two hierarchies at once: always both or neither" {
	local h=second i groups
	ctl mount -o cpuacct "$h"
	ctl mkdir "$h:/a" "$h:/b"
	spawn storm "$SUPPORT/oracle" --instance "$INSTANCE" --group "$G/a,$h:/a" -- \
		"$SUPPORT/storm"
	wait_until 30 has_tasks "$G/a"
	for ((i = 0; i < MOVES / 4; i++)); do
		ctl attach --from "$G/a" "$G/b,$h:/b"
		assert_equal "$(tasks "$G/a") $(tasks "$h:/a")" "0 0" "tasks left behind, move $i"
		ctl attach --from "$h:/b" "$G/a,$h:/a"
		assert_equal "$(tasks "$G/b") $(tasks "$h:/b")" "0 0" "tasks left behind, move $i"
		mapfile -t groups < <(ctl get "$G/a" tasks | head -n 20)
		ctl --json which "${groups[@]}" 2>/dev/null >"$BATS_TEST_TMPDIR/which" || (($? == 1))
		# exactly one group per hierarchy
		jq -e 'all(.[]; [.places[].hierarchy] | sort == unique)' "$BATS_TEST_TMPDIR/which"
	done
	kill -TERM "$(spawned storm)"
	await storm 60
	wait_quiet "$G/a" "$G/b" "$h:/a" "$h:/b"
	assert_nothing_left "$G/a" "$G/b" "$h:/a" "$h:/b"
	# the same tasks were in both
	for i in a b; do
		assert_equal "$(usage_ns "$h:/$i")" "$(usage_ns "$G/$i")" "ns in the second hierarchy"
		assert_equal "$(event "$h:/$i" forks)" "$(event "$G/$i" forks)" "births in the second"
	done
}

has_tasks() {
	(($(tasks "$1") > 0))
}

@test "2: four clients move one storm at the same time" {
	local n
	make_v1 V1
	spawn_in_both storm "$G/a" "$V1" "$SUPPORT/storm"
	for n in 1 2 3 4; do
		# a failure of one that another one overtakes is none; the storm's end is
		# shellcheck disable=SC2016
		spawn "client$n" bash -c '
			for ((i = 0; i < $1 / 4; i++)); do
				"$GRPCTL" --instance "$INSTANCE" attach --from "$2/a" "$2/b" || exit
				"$GRPCTL" --instance "$INSTANCE" attach --from "$2/b" "$2/a" || exit
			done' client "$MOVES" "$G"
	done
	for n in 1 2 3 4; do
		await "client$n" 200 || fail "client$n: $(errors "client$n")"
	done
	kill -TERM "$(spawned storm)"
	await storm 60
	wait_quiet "$G/a" "$G/b" "$V1"
	assert_nothing_left "$G/a" "$G/b"
	assert_never_entered "$G/never"
	assert_exact "$G/a $G/b" "$V1"
}

# As fast as the agent can: the nearer a move is to a birth, the likelier is a child
# that copies the group its parent has just left. Each move is followed by two looks.
@test "2: a fork storm moved without a pause" {
	local ab ba sa sb i
	ab='{"method":"org.grpagent.Attach","parameters":{"groups":["'$G'/b"],"pids":[],"from":"'$G'/a"}}'
	ba='{"method":"org.grpagent.Attach","parameters":{"groups":["'$G'/a"],"pids":[],"from":"'$G'/b"}}'
	sa='{"method":"org.grpagent.StatGroup","parameters":{"group":"'$G'/a"}}'
	sb='{"method":"org.grpagent.StatGroup","parameters":{"group":"'$G'/b"}}'
	make_v1 V1
	spawn_in_both storm "$G/a" "$V1" "$SUPPORT/storm" --quick --workers "$(nproc)"
	wait_until 30 has_tasks "$G/a"
	for ((i = 0; i < MOVES * 2; i++)); do
		printf '%s\n' "$ab" "$sa" "$sa" "$ba" "$sb" "$sb"
	done >"$BATS_TEST_TMPDIR/calls"
	"$SUPPORT/hostile" "$RUN_DIR/$INSTANCE/control.sock" calls <"$BATS_TEST_TMPDIR/calls" |
		sed -n 's/^reply //p' >"$BATS_TEST_TMPDIR/answers"
	assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/answers")" $((MOVES * 2 * 6)) "answers"
	assert_equal "$(jq -c '.parameters.stat // empty | [.tasks, .processes]' \
		"$BATS_TEST_TMPDIR/answers" | sort | uniq -c | awk '{ print $2 }')" "[0,0]" \
		"tasks, processes of a group that was just left"
	assert_equal "$(audit)" 0 "corrections of the audit"
	kill -TERM "$(spawned storm)"
	await storm 60
	wait_quiet "$G/a" "$G/b" "$V1"
	assert_nothing_left "$G/a" "$G/b"
	assert_exact "$G/a $G/b" "$V1"
}

# Threads are born while their process is being moved thread by thread.
@test "2: a process that makes threads all the time is moved with all of them" {
	local pid i from=a to=b
	need stress-ng
	spawn threads "$SUPPORT/oracle" --instance "$INSTANCE" --group "$G/never" -- \
		stress-ng --quiet --pthread 1 --pthread-max 64 --timeout 600s
	wait_until 30 has_tasks "$G/never"
	wait_until 30 has_worker "$G/never"
	pid=$(ctl get "$G/never" cgroup.procs | tail -n 1)
	ctl attach "$G/a" "$pid"
	for ((i = 0; i < MOVES / 2; i++)); do
		ctl attach "$G/$to" "$pid"
		assert_equal "$(tasks "$G/$from")" 0 "threads left behind, move $i"
		(($(tasks "$G/$to") > 0))
		[[ $from == a ]] && from=b to=a || from=a to=b
	done
	assert_equal "$(ctl get "$G/$from" cgroup.procs)" "$pid" "processes of the group"
	stop threads
	wait_quiet "$G/a" "$G/b" "$G/never"
	assert_nothing_left "$G/a" "$G/b" "$G/never"
}

has_worker() {
	(($(group_stat "$1" processes) > 1))
}
