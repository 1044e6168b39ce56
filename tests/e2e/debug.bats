#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Subsystem debug (DBG-*), and what an exclusive subsystem means for mount: it is in one hierarchy
# at a time, and `mount` without options asks for it.

load lib

setup_file() {
	new_instance
	start_agent
}

teardown_file() {
	cleanup
}

teardown() {
	local hierarchy
	end_processes "$(state_dir)"
	for hierarchy in $(ctl --json mounts | jq -r '.[].name'); do
		ctl --json ls "$hierarchy:/" | jq -r '.[].group' |
			while read -r group; do
				ctl rmdir -r --kill "$hierarchy:$group"
			done
		[[ $hierarchy == default ]] || ctl umount "$hierarchy"
	done
	cleanup
}

# bound_to HIERARCHY...: where debug is
bound_to() {
	assert_equal "$(ctl --json subsystems |
		jq -r '[.[] | select(.name == "debug").hierarchy] | join(" ")')" "$*" "hierarchies of debug"
}

# inside GROUP FILE: read by a task in GROUP
inside() {
	ctl exec "$1" -- "$GRPCTL" --instance "$INSTANCE" get / "$2"
}

@test "debug: counts of a group, and what keeps it busy" {
	ctl mkdir /g /g/child
	spawn one "$GRPCTL" --instance "$INSTANCE" exec /g -- "$SUPPORT/burn" 1 --hold
	wait_until 30 has_printed one
	assert_equal "$(ctl get /g debug.taskcount)" 1 taskcount
	assert_equal "$(ctl get /g debug.refcount)" 2 "refcount: a set with tasks, and a child"
	refused EBUSY rmdir /g
	stop one
	wait_quiet /g
	assert_equal "$(ctl get /g debug.taskcount) $(ctl get /g debug.refcount)" "0 1" "without its task"
	ctl rmdir /g/child
	assert_equal "$(ctl get /g debug.refcount)" 0 "refcount of what can be removed"
	ctl rmdir /g
}

@test "debug: the set of who reads" {
	local root set
	ctl mkdir /g
	root=$(ctl get / debug.current_set)
	set=$(inside /g debug.current_set)
	[[ $set != "$root" ]] || fail "the set in /g is that of the root, $root"
	assert_equal "$(ctl get /g debug.current_set)" "$root" "set, read from outside"
	assert_equal "$(inside /g debug.current_set)" "$set" "set of another task in /g"
	assert_equal "$(inside /g debug.current_set_refcount)" 1 "tasks in it"
	(($(ctl get / debug.current_set_refcount) > 1))
}

@test "debug: releasable" {
	ctl mkdir /g
	assert_equal "$(ctl get /g debug.releasable)" 0 "of a new group"
	ctl set /g notify_on_release 1
	assert_equal "$(ctl get /g debug.releasable)" 0 "of one that nobody has entered"
	spawn one "$GRPCTL" --instance "$INSTANCE" exec /g -- "$SUPPORT/burn" 1 --hold
	wait_until 30 has_printed one
	assert_equal "$(ctl get /g debug.releasable)" 1 "of one with a task"
	refused EINVAL set /g debug.releasable 0
}

@test "mount without options takes every subsystem, from default too" {
	bound_to default
	ctl mount first
	bound_to first
	ctl get first:/ debug.taskcount
	refused ENOENT get / debug.taskcount
	# cpuacct is where it was as well
	ctl get / cpuacct.usage
	ctl mkdir first:/g
	# the same set again is the same tree by another name
	ctl mount second
	assert_equal "$(ctl --json ls second:/ | jq -r '.[].group')" /g "groups by the other name"
	refused EBUSY mount -o debug third
	refused EBUSY mount -o none first
	ctl mount -o cpuacct third
	ctl rmdir first:/g
	ctl umount second
	ctl umount first
	bound_to default
	ctl get / debug.taskcount
}

@test "mount without options says what is in its way" {
	ctl mkdir /g
	refused EBUSY mount first
	assert_match "$REPLY" "'debug' stays in hierarchy 'default' .*leave it out" "reason"
	bound_to default
	ctl mount -o cpuacct first
}

@test "no hierarchy: the way that is shown works" {
	ctl mkdir /g
	refused ENOENT mkdir nowhere:/g
	assert_match "$REPLY" "'grpctl (mount -o [a-z]+ nowhere)'" "reason"
	# shellcheck disable=SC2086 # words
	ctl ${BASH_REMATCH[1]}
	ctl mkdir nowhere:/g
}
