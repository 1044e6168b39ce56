#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# bats file_tags=long
#
# Property 6: 10,000 groups in one hierarchy, 100 levels in another, 10,000 tasks
# in one group: every verb still works and every count is right. Capacities are
# settings: going over one is ENOSPC and the message names it, and nothing is
# half-done then.
#
# GROUPS_WANTED, TASKS_WANTED in the environment: how many (10000).

load lib

setup() {
	new_instance
	N_GROUPS=${GROUPS_WANTED:-10000}
	N_TASKS=${TASKS_WANTED:-10000}
}

teardown() {
	cleanup
}

tasks() {
	group_stat "$1" tasks
}

@test "6: many groups in one hierarchy, many levels in another" {
	local deep='' i groups
	start_agent
	ctl mount -o cpuacct deep
	for _ in {1..100}; do
		deep+=/level
	done
	ctl mkdir -p "deep:$deep"
	ctl mkdir /wide
	# as few calls as the command line allows
	seq -f "/wide/g%.0f" "$N_GROUPS" | xargs -n 2000 "$GRPCTL" --instance "$INSTANCE" mkdir

	groups=$(ctl --json hierarchies | jq '.[] | select(.name == "default").groups')
	assert_equal "$groups" $((N_GROUPS + 2)) "groups of the hierarchy, with its root"
	assert_equal "$(ctl --json ls /wide | jq length)" "$N_GROUPS" "ls"
	assert_equal "$(ctl --json tree / | jq length)" $((N_GROUPS + 2)) "tree"
	assert_equal "$(ctl --json usage -r /wide | jq length)" $((N_GROUPS + 1)) "usage -r"
	assert_equal "$(ctl tree /wide | tail -n +2 | wc -l)" $((N_GROUPS + 1)) "lines of tree"
	assert_equal "$(ctl --json tree deep:/ | jq 'map(.depth) | max')" 100 "depth"
	assert_equal "$(ctl --json status | jq '.capacities[] | select(.name == "groups").used')" \
		"$(ctl --json status | jq .groups)" "groups used of the capacity"

	start_threads 2
	ctl attach "/wide/g$N_GROUPS,deep:$deep" "${TIDS[0]}"
	assert_equal "$(tasks "/wide/g$N_GROUPS") $(tasks "deep:$deep")" "4 4" "tasks"
	assert_equal "$(group_of "${TIDS[1]}" deep)" "$deep" "deep group"
	tell burn 1 20
	wait_asleep "${TIDS[@]}"
	assert_equal "$(usage_ns deep:/level)" "$(usage_ns "/wide/g$N_GROUPS")" "ns, 100 levels up"
	assert_equal "$(ctl --json ls deep:/ | jq '.[0].subtree_tasks')" 4 "tasks of the subtree"
	ctl mv "/wide/g$N_GROUPS" /wide/moved
	assert_equal "$(group_of "${TIDS[1]}")" /wide/moved "group after mv"
	assert_equal "$(audit)" 0 "corrections of the audit"

	# killed and started again with all that
	kill_agent
	start_agent
	assert_equal "$(ctl --json tree / | jq length)" $((N_GROUPS + 2)) "tree after a restart"
	assert_equal "$(group_of "${TIDS[1]}" deep)" "$deep" "deep group after a restart"
	refused EBUSY rmdir -r /wide
	assert_match "$REPLY" '/wide/moved: ' "the one that is not empty"
	ctl rmdir -r --kill /wide
	assert_equal "$(ctl --json hierarchies | jq '.[] | select(.name == "default").groups')" 1 groups
	ctl rmdir -r deep:/level
	ctl umount deep
}

@test "6: many tasks in one group" {
	local moved
	(($(cat /proc/sys/kernel/threads-max) > N_TASKS * 2 &&
		$(cat /proc/sys/kernel/pid_max) > N_TASKS * 2)) || skip "too few tasks are allowed here"
	start_agent
	ctl mkdir /many /other
	# half of them are there when the process is attached, half are born inside
	start_threads $((N_TASKS / 2))
	moved=$(ctl --json attach /many "${TIDS[0]}" | jq .moved)
	assert_equal "$moved" $((N_TASKS / 2 + 2)) "threads moved"
	exec {TELL}>&- {HEAR}>&-
	start_threads $((N_TASKS / 2 - 2)) "$GRPCTL" --instance "$INSTANCE" exec /many --
	assert_equal "$(tasks /many)" $((N_TASKS + 2)) "tasks"
	assert_equal "$(ctl get /many tasks | wc -l)" $((N_TASKS + 2)) "lines of tasks"
	assert_equal "$(ctl get /many tasks)" "$(ctl get /many tasks | sort -n -u)" "ascending order"
	assert_equal "$(ctl --json ps /many | jq length)" $((N_TASKS + 2)) "ps"
	assert_equal "$(ctl --json ps -p /many | jq length)" 2 "ps -p"
	assert_equal "$(ctl get /many tasks | xargs -n 5000 "$GRPCTL" --instance "$INSTANCE" --json which |
		jq -r '.[].places[].group' | sort | uniq -c | awk '{ print $1, $2 }')" \
		"$((N_TASKS + 2)) /many" "which"
	assert_equal "$(ctl --json attach --from /many /other | jq .moved)" $((N_TASKS + 2)) \
		"moved by --from"
	assert_equal "$(tasks /many) $(tasks /other)" "0 $((N_TASKS + 2))" "tasks after the move"
	assert_equal "$(audit)" 0 "corrections of the audit"
	assert_equal "$(ctl --json kill -s KILL /other | jq .signalled)" 2 "processes killed"
	assert_equal "$(tasks /other)" 0 "tasks after kill"
	ctl wait /other
	wait_quiet /other
	ctl rmdir /many /other
}

@test "6: going over capacity-groups" {
	local n
	start_agent --capacity-groups 16
	for ((n = 1; n <= 20; n++)); do
		ctl mkdir "/g$n" 2>"$BATS_TEST_TMPDIR/error" || break
	done
	((n > 8 && n <= 17)) || fail "refused at group $n"
	assert_match "$(cat "$BATS_TEST_TMPDIR/error")" \
		"^grpctl: mkdir /g$n: .*capacity-groups.* \(ENOSPC\)\$" "message"
	assert_equal "$(ctl --json ls / | jq length)" $((n - 1)) "groups"
	ctl --json status | jq -e '.capacities[] | select(.name == "groups") |
		.used == .limit and .limit == 16 and .bytes > 0'
	# what is full stays in order, and one that goes makes room for one
	run -1 ctl mount -o cpuacct another
	ctl rmdir /g1
	ctl mkdir /again
	run -1 ctl mkdir /g1
	restart_agent --capacity-groups 16
	assert_equal "$(ctl --json ls / | jq length)" $((n - 1)) "groups after a restart"
}

@test "6: going over capacity-sets" {
	local i
	start_agent --capacity-sets 8
	seq -f "/g%.0f" 20 | xargs "$GRPCTL" --instance "$INSTANCE" mkdir
	start_threads 20
	for ((i = 1; i <= 20; i++)); do
		ctl attach --thread "/g$i" "${TIDS[i]}" 2>"$BATS_TEST_TMPDIR/error" || break
	done
	((i > 4 && i <= 8)) || fail "refused at set $i"
	assert_match "$(cat "$BATS_TEST_TMPDIR/error")" \
		"^grpctl: attach .*: .*capacity-sets.* \(ENOSPC\)\$" "message"
	assert_equal "$(group_of "${TIDS[i]}")" / "group of the thread that was refused"
	assert_equal "$(tasks "/g$i") $(tasks "/g$((i - 1))")" "0 1" "tasks"
	assert_equal "$(audit)" 0 "corrections of the audit"
	ctl --json status | jq -e '.capacities[] | select(.name == "sets") |
		.limit == 8 and .bytes > 0'
	# a set that is left is free again after a moment (a grace period)
	ctl attach --thread /g2 "${TIDS[1]}"
	wait_until 30 ctl attach --thread "/g$i" "${TIDS[i]}"
	assert_equal "$(tasks "/g$i") $(tasks /g2)" "1 2" "tasks in the end"
}

# Many sets one after the other in few places: ids are used again, and nothing of
# the one before shows in the next.
@test "6: set ids are used again and again" {
	local i v1
	start_agent --capacity-sets 8
	make_v1 v1
	ctl mkdir /g
	start_threads 1 "$SUPPORT/oracle" --instance "$INSTANCE" --group /g --v1 "$v1" --
	for ((i = 0; i < 60; i++)); do
		ctl mkdir "/g/$i"
		wait_until 30 ctl attach "/g/$i" "${TIDS[0]}" 2>/dev/null
		assert_equal "$(usage_ns "/g/$i")" 0 "ns of a new group, round $i"
		tell burn 1 1
		wait_asleep "${TIDS[@]}"
		ctl attach /g "${TIDS[0]}"
		ctl rmdir "/g/$i"
	done
	assert_exact /g "$v1"
	end_processes "$(state_dir)"
	wait_quiet /g "$v1"
	assert_exact /g "$v1"
	assert_equal "$(audit)" 0 "corrections of the audit"
}

@test "6: capacities are kept until unload, and the start says so" {
	start_agent --capacity-sets 64 --capacity-groups 32
	stop_agent
	run -1 timeout 30 "$AGENT_BIN" --instance "$INSTANCE" --capacity-sets 128 --capacity-groups 32
	assert_match "$output" unload "what to do"
	start_agent --capacity-sets 64 --capacity-groups 32
	# printed at start and in status: the memory they cost
	grep -E 'of 32 groups, .*of 64 sets, .*[0-9] [KM]iB of kernel memory' "$(agent_log)"
	ctl status | grep -E '^sets +[0-9]+ +64 '
	unload
	start_agent --capacity-sets 128
}
