#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
# bats file_tags=confines, client
#
# grpctl shield on a real agent, in a group of the test's own: only its processes are moved. The whole
# machine is shielded in a guest. The calls one by one: cli_shield.bats.

load lib

setup_file() {
	new_instance
	start_agent
}

teardown_file() {
	cleanup
}

setup() {
	(($(nproc) > 1)) || skip "one CPU cannot be split"
	G=/t$BATS_TEST_NUMBER
	CPUS=$(ctl get / cpuset.effective_cpus)
	FIRST=${CPUS%%[-,]*}
	ctl mkdir "$G"
}

teardown() {
	ctl rmdir -r --kill "$G"
	cleanup
}

# sleepers N: in the group of the test
sleepers() {
	local i
	for ((i = 0; i < $1; i++)); do
		spawn "sleeper$i" sleep infinity
		ctl attach "$G" "$(spawned "sleeper$i")"
	done
}

has_tasks() {
	(($(group_stat "$1" tasks) > 0))
}

# has_threads PID N: at least
has_threads() {
	local tids=("/proc/$1/task"/*)
	((${#tids[@]} >= $2))
}

# The CPUs of both parts, a line each.
lists() {
	ctl get "$G/shield" cpuset.cpus
	ctl get "$G/system" cpuset.cpus
}

@test "made, shown, changed, reset; who stood there is there again" {
	local output before
	sleepers 3
	ctl shield --cpus "$FIRST" "$G"
	assert_equal "$(group_stat "$G" tasks) $(group_stat "$G/system" tasks)" "0 3" "tasks"
	assert_equal "$(group_of "$(spawned sleeper1)")" "$G/system" "group"
	output=$(ctl --json shield "$G")
	assert_equal "$(jq -c '[.groups[] | [.group, .tasks]]' <<<"$output")" \
		"[[\"$G/shield\",0],[\"$G/system\",3],[\"$G\",0]]" "shown"
	assert_equal "$(jq -r '.groups[0].cpus' <<<"$output")" "$FIRST" "CPUs of the shield"
	# the same command with other CPUs: what the one gets, the other loses
	before=$(lists)
	ctl shield --cpus "!$FIRST" "$G"
	assert_equal "$(lists)" "$(tac <<<"$before")" "lists, the other way round"
	refused ENOENT shield --reset "$G/shield"
	ctl shield --reset "$G"
	assert_equal "$(ctl --json ls "$G" | jq length)" 0 "groups left"
	assert_equal "$(group_stat "$G" tasks)" 3 "tasks"
	refused ENOENT shield --reset "$G"
	refused ENOENT shield "$G"
}

@test "what cannot be is refused, and everything is as it was" {
	local before
	sleepers 1
	refused ENOSPC shield --cpus all "$G"
	refused EINVAL shield --cpus 0-x "$G"
	refused EINVAL shield --cpus "$FIRST" --mems node:1000 "$G"
	assert_equal "$(ctl --json ls "$G" | jq length)" 0 "groups left"
	ctl shield --cpus "$FIRST" "$G"
	before=$(lists)
	refused ENOSPC shield --cpus all "$G"
	refused EINVAL shield --cpus "!$FIRST" --mems node:1000 "$G"
	assert_equal "$(lists)" "$before" "lists after a change that failed"
	ctl mkdir "$G/shield/mine"
	refused EBUSY shield --reset "$G"
	assert_equal "$(group_stat "$G/system" tasks)" 1 "tasks after a reset that was refused"
	ctl shield --reset --force "$G"
	assert_equal "$(group_stat "$G" tasks)" 1 "tasks"
}

# Another group with its CPUs is in the way, where the parent is exclusive.
@test "a shield is exclusive where the group around it is" {
	ctl set "$G" cpuset.cpu_exclusive 1
	ctl mkdir "$G/other"
	ctl set "$G/other" cpuset.cpus "$FIRST"
	refused EINVAL shield --cpus "$FIRST" "$G"
	assert_equal "$(ctl --json ls "$G" | jq length)" 1 "groups left"
	ctl shield --cpus "!$FIRST" "$G"
	assert_equal "$(ctl get "$G/shield" cpuset.cpu_exclusive)" 1 "exclusive"
	refused EINVAL set "$G/other" cpuset.cpus "$CPUS"
	ctl shield --reset "$G"
}

@test "who forks meanwhile is caught" {
	ctl mkdir "$G/storm"
	# shellcheck disable=SC2016 # of the inner shell
	spawn storm "$GRPCTL" --instance "$INSTANCE" exec "$G" -- bash -c 'while :; do /bin/true; done'
	wait_until 30 has_tasks "$G"
	ctl shield --cpus "$FIRST" "$G"
	assert_equal "$(group_stat "$G" tasks)" 0 "tasks outside"
	ctl shield --reset "$G"
	stop storm
}

# A process whose threads are in two groups: only those that stand there are moved.
@test "threads that another group has stay where they are" {
	local pid tids
	mkfifo "$BATS_TEST_TMPDIR/commands"
	# shellcheck disable=SC2016 # of the inner shell
	spawn threads bash -c 'exec "$0" 3 <>"$1"' "$SUPPORT/threads" "$BATS_TEST_TMPDIR/commands"
	pid=$(spawned threads)
	wait_until 30 has_threads "$pid" 3
	ctl attach "$G" "$pid"
	ctl mkdir "$G/other"
	mapfile -t tids < <(ls "/proc/$pid/task")
	ctl attach --thread "$G/other" "${tids[-1]}"
	ctl shield --cpus "$FIRST" "$G"
	assert_equal "$(group_stat "$G" tasks) $(group_stat "$G/other" tasks)" "0 1" "tasks"
	ctl shield --reset "$G"
}

@test "the whole machine: every task that can be moved" {
	local output
	need_guest
	# no group beside it may have its CPUs
	ctl rmdir "$G"
	output=$(ctl --json shield --cpus "$FIRST" --kthreads)
	assert_equal "$(jq '[.left[] | select(.reason | contains("cannot be moved") | not)] | length' <<<"$output")" 0 "left"
	((0 < $(jq .moved <<<"$output"))) || fail "nobody was moved"
	assert_equal "$(group_of $$)" /system "group of this shell"
	assert_equal "$(ctl exec /shield -- cat /proc/self/comm)" cat "a command in it"
	ctl shield --reset
	assert_equal "$(group_of $$)" / "group of this shell"
	ctl mkdir "$G"
}
