#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=confines, client
#
# cset, a program made for v1 cpusets, on ours: `grpctl legacy`. Its sets and its proc; shield moves every
# task of the machine and is for guests.
#
# shellcheck disable=SC2016 # scripts for another shell

load fs_helper

setup_file() {
	new_instance
	start_agent
	ctl mount -o cpuset p 2>/dev/null || skip "no subsystem cpuset in this agent"
}

# not in setup_file, where bats does not go on to teardown_file as after any other skip
setup() {
	need_fuse
	need cset
}

teardown_file() {
	cleanup
}

teardown() {
	local status=0
	ctl rmdir -r --kill p:/jobs 2>/dev/null || true
	cleanup || status=1
	return "$status"
}

cset() {
	ctl legacy --hierarchy p -- cset "$@"
}

@test "cset set: makes, lists, changes and removes" {
	local all
	all=$(ctl get p:/ cpuset.cpus)
	cset set -c 0 -m 0 -s jobs
	assert_equal "$(ctl get p:/jobs cpuset.cpus)" 0 "cpus"
	assert_equal "$(ctl get p:/jobs cpuset.mems)" 0 "mems"
	assert_match "$(cset set -l)" 'jobs +0 n +0 n +0 +0 /jobs' "list"
	cset set -c "$all" -s jobs
	assert_equal "$(ctl get p:/jobs cpuset.cpus)" "$all" "changed cpus"
	cset set -c 0 -m 0 -s jobs/sub
	assert_equal "$(ctl get p:/jobs/sub cpuset.cpus)" 0 "cpus of the child"
	run ! cset set -c 4096 -s jobs/sub
	cset set -d jobs/sub
	refused ENOENT stat p:/jobs/sub
	cset set -d jobs
	refused ENOENT stat p:/jobs
}

@test "cset proc: moves, lists and starts processes" {
	local pid
	cset set -c "$(ctl get p:/ cpuset.cpus)" -m 0 -s jobs
	spawn sleeper sleep infinity
	pid=$(spawned sleeper)
	cset proc -m -p "$pid" -t jobs
	assert_equal "$(group_of "$pid" p)" /jobs "moved"
	assert_match "$(cset proc -l -s jobs)" "$pid .*sleep infinity" "list"
	assert_match "$(cset proc -e -s jobs -- sh -c '"$GRPCTL" --instance "$INSTANCE" which $$')" \
		'cpuset,name=p:/jobs' "started"
	# takes what is in it to the parent
	cset set -d jobs
	assert_equal "$(group_of "$pid" p)" / "after its removal"
}
