#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
#
# Property 5: kinds of tasks: single threads, a thread that is not the leader and
# execs, tasks that exit and zombies, leaders that left their threads behind,
# kernel threads, tasks that were there before the agent. The oracle where time
# is compared is v1 cpuacct, which also knows single threads.

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
	ctl mkdir "$G" "$G/a" "$G/b"
}

teardown() {
	cleanup
}

tasks() {
	group_stat "$1" tasks
}

# enter_v1 DIR TID: one thread
enter_v1() {
	echo "$2" >"$1/tasks"
}

# Fails when membership is kept per process.
@test "5: threads of one process in different groups, each charged to its own" {
	local a b
	make_v1 a
	make_v1 b
	start_threads 4
	wait_asleep "${TIDS[@]}"
	ctl attach --thread "$G/a" "${TIDS[1]}"
	enter_v1 "$a" "${TIDS[1]}"
	ctl attach --thread "$G/b" "${TIDS[2]}" "${TIDS[3]}"
	enter_v1 "$b" "${TIDS[2]}"
	enter_v1 "$b" "${TIDS[3]}"
	assert_equal "$(ctl get "$G/a" tasks)" "${TIDS[1]}" "threads of a"
	assert_equal "$(ctl get "$G/b" tasks)" "${TIDS[2]}"$'\n'"${TIDS[3]}" "threads of b"
	assert_equal "$(group_of "${TIDS[0]}")" / "group of the leader"
	tell burn 1 50
	tell burn 2 30
	tell burn 3 20
	tell burn 4 40
	wait_asleep "${TIDS[@]}"
	assert_exact "$G/a" "$a"
	assert_exact "$G/b" "$b"
	assert_between "$(usage_ns "$G/a")" 50000000 $((50000000 + 30000000 * SLOW)) "ns of a"
	assert_between "$(usage_ns "$G/b")" 50000000 $((50000000 + 30000000 * SLOW)) "ns of b"
}

# A new thread goes where the thread is that made it, not where the leader is.
@test "5: what a thread makes is born into that thread's group" {
	local tid child
	start_threads 2
	ctl attach --thread "$G/a" "${TIDS[1]}"
	tell new 1
	tid=${REPLY##* }
	assert_equal "$(group_of "$tid")" "$G/a" "group of the new thread"
	tell fork 1
	child=${REPLY##* }
	assert_equal "$(group_of "$child")" "$G/a" "group of the forked process"
	tell new 2
	assert_equal "$(group_of "${REPLY##* }")" / "group of a thread of the other thread"
	assert_equal "$(tasks "$G/a")" 3 "tasks"
	assert_equal "$(group_stat "$G/a" processes)" 2 "processes"
}

@test "5: attach of a process takes all its threads from wherever they are" {
	local tid
	start_threads 4
	ctl attach --thread "$G/a" "${TIDS[1]}"
	ctl attach --thread "$G" "${TIDS[2]}"
	# by the id of a thread that is not the leader, as v1 takes it
	ctl attach "$G/b" "${TIDS[3]}"
	assert_equal "$(ctl get "$G/b" tasks)" "$(printf '%s\n' "${TIDS[@]}" | sort -n)" "threads"
	assert_equal "$(tasks "$G/a") $(tasks "$G")" "0 0" "tasks left behind"
	for tid in "${TIDS[@]}"; do
		assert_equal "$(group_of "$tid")" "$G/b" "group of $tid"
	done
	assert_equal "$(ctl --json attach "$G/b" "${TIDS[0]}" | jq .moved)" "${#TIDS[@]}" \
		"threads that are there, moved or not"
}

# The thread takes over the id of its leader; its storage goes with the task.
@test "5: exec by a thread that is not the leader keeps that thread's group" {
	local v1 pid
	make_v1 v1
	start_threads 3
	pid=${TIDS[0]}
	ctl attach "$G/a" "$pid"
	wait_asleep "${TIDS[@]}"
	ctl attach --thread "$G/b" "${TIDS[2]}"
	enter_v1 "$v1" "${TIDS[2]}"
	tell burn 2 20
	tell exec 2 1
	assert_equal "$REPLY" ready "after the exec"
	list_threads
	assert_equal "${TIDS[0]}" "$pid" "process id after the exec"
	assert_equal "$(group_of "$pid")" "$G/b" "group after the exec"
	assert_equal "$(tasks "$G/a")" 0 "tasks of the group of the old leader"
	assert_equal "$(ctl get "$G/b" tasks)" "$(printf '%s\n' "${TIDS[@]}" | sort -n)" "threads"
	assert_equal "$(group_stat "$G/b" processes)" 1 "processes"
	assert_equal "$(event "$G/b" execs)" 1 "execs"
	tell burn 0 20
	wait_asleep "${TIDS[@]}"
	assert_exact "$G/b" "$v1"
	end_processes "$(state_dir)"
	wait_quiet "$G/a" "$G/b" "$v1"
	assert_exact "$G/b" "$v1"
	assert_equal "$(audit)" 0 "corrections of the audit"
	ctl rmdir "$G/a" "$G/b"
}

# Fails when the exit is counted by the process, or twice.
@test "5: a leader that is gone and threads that live on" {
	local pid
	start_threads 3
	pid=${TIDS[0]}
	ctl attach "$G/a" "$pid"
	tell exit 0
	assert_equal "$(tasks "$G/a")" 4 "tasks without their leader"
	assert_equal "$(ctl get "$G/a" tasks)" "$(printf '%s\n' "${TIDS[@]:1}" | sort -n)" "threads"
	assert_equal "$(ctl get "$G/a" cgroup.procs)" "$pid" "processes"
	assert_equal "$(group_stat "$G/a" processes)" 1 "count of processes"
	ctl --json which "$pid" | jq -e '.[0].exiting'
	assert_equal "$(group_of "$pid")" "$G/a" "last group of the leader"
	refused ESRCH attach --thread "$G/b" "$pid"
	ctl attach "$G/b" "$pid"
	assert_equal "$(tasks "$G/a") $(tasks "$G/b")" "0 4" "tasks after the process moved"
	tell exit 1
	assert_equal "$(tasks "$G/b")" 3 "tasks after one more is gone"
	ctl rmdir "$G/a"
}

@test "5: a zombie is no member, keeps its last group and its time" {
	local v1 pid
	make_v1 v1
	spawn_in_both zombie "$G/a" "$v1" "$SUPPORT/burn" 30 --zombie
	wait_until 30 has_printed zombie
	pid=$(output zombie)
	pid=${pid#zombie }
	assert_equal "$(tasks "$G/a")" 1 "tasks: the parent alone"
	assert_equal "$(group_of "$pid")" "$G/a" "group of the zombie"
	ctl --json which "$pid" | jq -e '.[0].exiting'
	[[ $(ctl which "$pid") == *exiting* ]]
	[[ $(ctl get "$G/a" tasks) != *"$pid"* ]]
	refused ESRCH attach "$G/b" "$pid"

	# its last group may go while it is still there
	ctl attach "$G/b" "$(command_pid zombie)"
	ctl rmdir "$G/a"
	[[ $(group_of "$pid") != "$G/a" ]]
	assert_equal "$(ctl --json which "$pid" | jq '.[0].places | length')" \
		"$(ctl --json hierarchies | jq length)" "places of a zombie whose group is gone"
	stop zombie
	wait_quiet "$G" "$G/b" "$v1"
	assert_exact "$G" "$v1"
	assert_equal "$(audit)" 0 "corrections of the audit"
}

# FE-3: births are seen where a fork cannot fail any more. A user that nobody else is, who may
# have one process, has that one.
@test "a fork that fails leaves no trace" {
	need setpriv prlimit
	run -2 ctl exec "$G/a" -- setpriv --reuid 1999999 --regid 1999999 --clear-groups \
		prlimit --nproc=1:1 sh -c 'true | true'
	assert_match "$output" "[Ff]ork" "what the shell says"
	assert_equal "$(event "$G/a" forks)" 0 forks
	assert_equal "$(event "$G/a" exits)" 1 exits
	assert_equal "$(tasks "$G/a")" 0 tasks
	ctl rmdir "$G/a"
}

@test "5: a process that is gone has no group" {
	spawn burn "$SUPPORT/burn" 1
	await burn 30
	refused ESRCH which "$(spawned burn)"
	refused ESRCH attach "$G/a" "$(spawned burn)"
}

# Reads only: system tasks are not ours to move.
@test "5: kernel threads are members of the root" {
	local pid
	grep -q '^kthreadd$' /proc/2/comm || skip "process 2 is no kernel thread here"
	assert_equal "$(group_of 2)" / "group of kthreadd"
	ctl get / tasks | grep -qx 2
	ctl --json ps / | jq -e 'any(.[]; .pid == 2 and .tgid == 2)'
	for pid in $(ctl get / tasks | grep -x -F "$(pgrep -P 2 | head -n 5)"); do
		assert_equal "$(group_of "$pid")" / "group of kernel thread $pid"
	done
}

# What it used before must not be charged, and what it uses afterwards must.
@test "5: a task from before the agent is charged from its attach on" {
	local v1 root begin
	another_instance late
	make_v1 v1
	start_threads 2
	tell burn 0 1000
	tell burn 1 1000
	wait_asleep "${TIDS[@]}"
	start_agent
	ctl mkdir "$G"
	assert_equal "$(group_of "${TIDS[1]}")" / "group of a task from before"
	begin=${EPOCHREALTIME/./}
	root=$(usage_ns /)
	ctl attach "$G" "${TIDS[0]}"
	# it did not leave behind in the root what it used before there was one
	assert_between "$(usage_ns /)" "$root" \
		$((root + (${EPOCHREALTIME/./} - begin) * 1000 * $(nproc))) "ns of the root"
	echo "${TIDS[0]}" >"$v1/cgroup.procs"
	assert_equal "$(tasks "$G")" 4 "tasks"
	assert_equal "$(usage_ns "$G")" 0 "ns right after the attach"
	tell burn 1 30
	tell burn 2 30
	wait_asleep "${TIDS[@]}"
	assert_exact "$G" "$v1"
	root=$(usage_ns /)
	assert_between "$(usage_ns "$G")" 60000000 200000000 "ns"
	((root >= $(usage_ns "$G")))
	end_processes "$(state_dir)"
	wait_quiet "$G" "$v1"
	assert_exact "$G" "$v1"
	assert_equal "$(event "$G" exits)" 4 "exits"
	assert_equal "$(event "$G" forks)" 0 "births"
}

# It runs all the time: seeded in the middle of a slice, whose first part is not ours.
@test "5: a task that runs while the agent starts is charged from then on only" {
	local begin used
	another_instance running
	spawn burn "$SUPPORT/burn" 1000 --forever
	wait_until 60 has_run "$(spawned burn)" 1000
	begin=$("$SUPPORT/cputime" "$(spawned burn)")
	start_agent
	ctl mkdir "$G"
	ctl attach "$G" "$(spawned burn)"
	wait_until 60 uses "$G" 100
	used=$(usage_ns "$G")
	(($("$SUPPORT/cputime" "$(spawned burn)") >= begin + used))
}

has_run() {
	(($("$SUPPORT/cputime" "$1") >= $2 * 1000000))
}

uses() {
	(($(usage_ns "$1") >= $2 * 1000000))
}

@test "5: exec enters the group before the command, with all the command makes" {
	local v1
	run -0 ctl exec "$G/a" -- bash -c "\"$GRPCTL\" --instance $INSTANCE --json which \$\$ 0"
	assert_equal "$(jq -r '[.[].places[].group] | unique | .[]' <<<"$output" | sort -u |
		grep -c "^$G/a$")" 1 "group that the command sees"
	wait_quiet "$G/a"
	assert_equal "$(event "$G/a" execs)" 2 "execs: bash, grpctl"
}

# Ids are those of the client's pid namespace: its process 2 is not ours.
@test "5: a client in another pid namespace speaks of its own processes" {
	local outside
	need unshare
	# shellcheck disable=SC2016
	spawn inside unshare --pid --fork --mount-proc --kill-child bash -c '
		"$1" 1 --hold & sleeper=$!
		"$GRPCTL" --instance "$INSTANCE" attach "$2" "$sleeper" || exit
		echo "$sleeper $("$GRPCTL" --instance "$INSTANCE" get "$2" tasks)"
		wait' inside "$SUPPORT/burn" "$G/a"
	wait_until 30 printed_words inside 3
	# "SLEEPER SLEEPER" of the namespace (burn says "burnt" as well)
	read -r sleeper seen < <(output inside | grep -v burnt)
	assert_equal "$seen" "$sleeper" "the id that the client sees"
	outside=$(ctl get "$G/a" tasks)
	((outside != sleeper))
	assert_equal "$(cat "/proc/$outside/comm")" burn "the process that was moved"
	assert_equal "$(group_of "$sleeper" 2>/dev/null || echo none)" \
		"$(is_running "$sleeper" && echo / || echo none)" "our own process of that number"
	# nobody of the outside is visible there
	run -0 nsenter --target "$outside" --pid --mount "$GRPCTL" --instance "$INSTANCE" get / tasks
	refute_pid $$ "$output"
	# its process 1 does not heed SIGTERM
	kill -KILL "$(spawned inside)"
}

printed_words() {
	(($(output "$1" | wc -w) >= $2))
}

refute_pid() {
	! grep -qx "$1" <<<"$2" || fail "$1 must not be in the list"
}
