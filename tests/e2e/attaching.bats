#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=confines
#
# Attaches that pause, because a process makes threads faster than they are moved, here by
# a stop point: whatever becomes of who waits for one, all of its threads are moved in the
# end or none; and who is moved is on his CPUs before anybody is answered.

load fs_helper
load affinity

THREADS=5
# Pauses that last until we have looked and killed, and are over within the 30 s after which
# a move is given up
SOME=$((150 * ${SLOW:-1} < 350 ? 150 * ${SLOW:-1} : 350))

setup() {
	use_test_agent
	new_instance
}

teardown() {
	local status=0
	end_mounts || status=1
	cleanup || status=1
	return "$status"
}

# start_pausing TRIES: the agent, whose attaches of processes move one thread so often
start_pausing() {
	GRPAGENT_FAULT_ATTACH_PAUSES=$1 start_agent
	ctl mkdir /g
	start_threads $((THREADS - 2))
	PROCESS=${TIDS[0]}
}

has_tasks() { # GROUP N
	(($(group_stat "$1" tasks) == $2))
}

@test "killed in a pause: the next start moves the others" {
	start_pausing 1000000
	spawn mover "$GRPCTL" --instance "$INSTANCE" attach /g "$PROCESS"
	wait_until 30 has_tasks /g 1
	kill_agent
	await mover 30 || true # its agent has gone
	start_agent
	has_tasks /g "$THREADS"
	# and it is over: somebody else may move it, whoever starts then
	ctl attach / "$PROCESS"
	kill_agent
	start_agent
	has_tasks /g 0
}

@test "killed in a pause of a pause: the agent goes on" {
	start_pausing 1000000
	spawn mover "$GRPCTL" --instance "$INSTANCE" set /g cgroup.procs "$PROCESS"
	wait_until 30 has_tasks /g 1
	kill_agent
	await mover 30 || true # its agent has gone
	GRPAGENT_FAULT_ATTACH_PAUSES=200 start_agent
	wait_until 60 has_tasks /g "$THREADS"
	assert_equal "$(ctl --json status | jq .events_lost)" 0 "events lost"
}

@test "who waits is answered when all are there, whichever way he asks" {
	start_pausing 20
	ctl attach /g "$PROCESS"
	has_tasks /g "$THREADS"
	restart_pausing 20
	ctl set / cgroup.procs "$PROCESS"
	has_tasks /g 0
}

restart_pausing() {
	stop_agent
	GRPAGENT_FAULT_ATTACH_PAUSES=$1 start_agent
}

@test "a client that goes away in a pause: what has begun is ended" {
	start_pausing "$SOME"
	spawn mover "$GRPCTL" --instance "$INSTANCE" attach /g "$PROCESS"
	wait_until 30 has_tasks /g 1
	kill -KILL "$(spawned mover)"
	wait_until 60 has_tasks /g "$THREADS"
}

@test "the last who moves a process decides" {
	start_pausing "$SOME"
	ctl mkdir /h
	spawn mover "$GRPCTL" --instance "$INSTANCE" attach /g "$PROCESS"
	wait_until 30 has_tasks /g 1
	kill -KILL "$(spawned mover)"
	ctl attach /h "$PROCESS"
	has_tasks /h "$THREADS"
	restart_pausing 0
	has_tasks /h "$THREADS"
}

@test "a writer at a mount who is killed in a pause is gone at once, and nothing is half done" {
	need_fuse
	start_pausing "$SOME"
	ctl mount -o cpuacct p
	ctl mkdir p:/g
	mount_fs p
	# shellcheck disable=SC2016 # for that shell
	spawn writer sh -c 'echo "$2" >"$1/g/cgroup.procs"' - "$DIR" "$PROCESS"
	wait_until 30 has_tasks p:/g 1
	kill -KILL "$(spawned writer)"
	await writer 10 || true # killed
	assert_equal "$(ctl --json status | jq .counters.fs_interrupted)" 1 "interrupted"
	wait_until 60 has_tasks p:/g "$THREADS"
	wait_until 10 has_no_handles
	echo "$PROCESS" >"$DIR/cgroup.procs"
	has_tasks p:/g 0
}

has_no_handles() {
	[[ $(ctl --json status | jq .counters.fs_handles) == 0 ]]
}

@test "a writer at a mount is on his CPUs when his write returns, and so is whom he moves" {
	local i
	need_fuse
	(($(nproc) >= 2)) || skip "one CPU"
	start_agent
	ctl mount -o cpuset set
	mount_fs set
	mkdir "$DIR/a"
	cat "$DIR/cpuset.mems" >"$DIR/a/cpuset.mems"
	echo 0 >"$DIR/a/cpuset.cpus"
	start_threads 30
	for ((i = 0; i < 5; i++)); do
		# shellcheck disable=SC2016 # for that shell
		assert_equal "$(bash -c 'echo $$ >"$1/a/tasks"
			while read -r word rest; do [[ $word != Cpus_allowed_list: ]] || echo "$rest"; done </proc/self/status' - "$DIR")" \
			0 "CPUs of the writer"
		echo "${TIDS[0]}" >"$DIR/a/cgroup.procs"
		has "${TIDS[0]}" 0
		echo 1 >"$DIR/a/cpuset.cpus"
		has "${TIDS[0]}" 1
		echo "${TIDS[0]}" >"$DIR/cgroup.procs"
		echo 0 >"$DIR/a/cpuset.cpus"
	done
}

@test "a clone is on its CPUs when it is answered" {
	local i
	(($(nproc) >= 2)) || skip "one CPU"
	start_agent
	ctl mkdir /a
	ctl set /a cpuset.cpus 1
	ctl set /a cgroup.clone_children 1
	for ((i = 0; i < 5; i++)); do
		assert_equal "$(ctl exec --clone /a -- sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status)" 1 "CPUs"
	done
}
