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

setup() {
	use_test_agent
	new_instance
	HOLD=$BATS_TEST_TMPDIR/hold
}

teardown() {
	local status=0
	end_mounts || status=1
	cleanup || status=1
	return "$status"
}

# start_held: an agent that moves one thread where it should move a process, until go_on
start_held() {
	touch "$HOLD"
	GRPAGENT_FAULT_ATTACH=$HOLD start_agent
}

go_on() {
	rm "$HOLD"
}

# start_pausing: the same, with a group and a process of $THREADS threads
start_pausing() {
	start_held
	ctl mkdir /g
	start_threads $((THREADS - 2))
	PROCESS=${TIDS[0]}
}

has_tasks() { # GROUP N
	(($(group_stat "$1" tasks) == $2))
}

# move_held VERB GROUP ...: begun, and not ended
move_held() {
	spawn mover "$GRPCTL" --instance "$INSTANCE" "$@"
	wait_until 30 has_tasks "$2" 1
}

# Of three threads in a row, the first ends and the last makes another one, just before the last is
# moved: as many were told as there are. Who is behind the last one has to be asked again then.
@test "threads that make others and end while their process is walked: none is left" {
	local from=/a to=/b i pid
	GRPAGENT_FAULT_BATCH_LOOPS=150000 start_agent
	ctl mkdir /a /b
	spawn heirs "$SUPPORT/heirs" 1
	wait_until 30 has_printed heirs
	pid=$(spawned heirs)
	ctl attach "$from" "$pid"
	for ((i = 0; i < $(by_length 10 30 300); i++)); do
		ctl attach "$to" "$pid"
		assert_equal "$(ctl get "$from" tasks)" "" "threads left behind in round $i"
		read -r from to <<<"$to $from"
	done
}

@test "killed in a pause: the next start moves the others" {
	start_pausing
	move_held attach /g "$PROCESS"
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
	start_pausing
	move_held set /g cgroup.procs "$PROCESS"
	kill_agent
	await mover 30 || true # its agent has gone
	start_held
	has_tasks /g 1
	go_on
	wait_until 60 has_tasks /g "$THREADS"
	assert_equal "$(ctl --json status | jq .events_lost)" 0 "events lost"
}

@test "who waits is answered when all are there, whichever way he asks" {
	start_pausing
	ctl mkdir /h
	move_held attach /g "$PROCESS"
	go_on
	await mover 30
	has_tasks /g "$THREADS"
	touch "$HOLD"
	move_held set /h cgroup.procs "$PROCESS"
	go_on
	await mover 30
	has_tasks /h "$THREADS"
}

@test "a client that goes away in a pause: what has begun is ended" {
	start_pausing
	move_held attach /g "$PROCESS"
	kill -KILL "$(spawned mover)"
	go_on
	wait_until 60 has_tasks /g "$THREADS"
}

@test "the last who moves a process decides" {
	start_pausing
	ctl mkdir /h
	move_held attach /g "$PROCESS"
	kill -KILL "$(spawned mover)"
	await mover 30 || true # killed
	move_held attach /h "$PROCESS"
	go_on
	await mover 30
	has_tasks /h "$THREADS"
	stop_agent
	start_agent
	has_tasks /h "$THREADS"
}

@test "a writer at a mount who is killed in a pause is gone at once, and nothing is half done" {
	need_fuse
	start_pausing
	ctl mount -o cpuacct p
	ctl mkdir p:/g
	mount_fs p
	# shellcheck disable=SC2016 # for that shell
	spawn writer sh -c 'echo "$2" >"$1/g/cgroup.procs"' - "$DIR" "$PROCESS"
	wait_until 30 has_tasks p:/g 1
	kill -KILL "$(spawned writer)"
	await writer 10 || true # killed
	go_on # soon: one that nobody waits for is given up after 30 s
	wait_until 60 has_tasks p:/g "$THREADS"
	assert_equal "$(ctl --json status | jq .counters.fs_interrupted)" 1 "interrupted"
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
