# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For the tests of several hierarchies: one agent a file, with the exclusive subsystems xa and
# xb and the shareable xs of tests/subsys; after each test only hierarchy default is left.

setup_file() {
	new_instance
	use_test_agent
	start_agent
}

teardown_file() {
	cleanup
}

teardown() {
	local status=0
	cleanup || status=1
	clear_all || status=1
	return "$status"
}

# groups_below HIERARCHY: of its root, one a line
groups_below() {
	ctl --json ls "$1:/" | jq -r --arg h "$1" '.[] | "\($h):\(.group)"'
}

clear_all() {
	local hierarchy group file options
	# to see the groups of those that are out of sight
	while read -r hierarchy options; do
		ctl mount -o "$options" "$hierarchy" || return
	done < <(ctl --json hierarchies | jq -r '.[] | select(.mounted | not) |
		"\(.name) \(.subsystems | join(",") | if . == "" then "none" else . end)"')
	for hierarchy in $(ctl --json hierarchies | jq -r '.[].name'); do
		while read -r group; do
			ctl rmdir -r --kill "$group" || return
		done < <(groups_below "$hierarchy")
		[[ $hierarchy == default ]] || umount_all "$hierarchy" || return
	done
	for file in xa.veto xa.create_error xa.setting xb.create_error; do
		ctl set / "$file" 0 || return
	done
	for file in cpuacct_enabled xa_enabled; do
		ctl set / "$file" 1 || return
	done
}

# Under each of its names.
umount_all() {
	local name
	for name in $(ctl --json mounts | jq -r --arg h "$1" '.[] | select(.hierarchy == $h).name'); do
		ctl umount "$name" || return
	done
}

# mount_names, hierarchy_names: all, on one line
mount_names() {
	ctl --json mounts | jq -r 'map(.name) | join(" ")'
}

hierarchy_names() {
	ctl --json hierarchies | jq -r 'map(.name) | join(" ")'
}

# quiet NAME: a process that holds still
quiet() {
	spawn "$1" "$SUPPORT/burn" 0 --hold
	wait_until 30 has_printed "$1"
}

# Everything that an operation that fails must leave alone; what other tasks of the machine
# do is left out: their numbers and times in the roots.
snapshot() {
	local hierarchy
	ctl --json hierarchies | jq -c 'map(del(.tasks))'
	ctl --json mounts | jq -c .
	ctl --json subsystems | jq -c .
	for hierarchy in $(ctl --json hierarchies | jq -r '.[] | select(.mounted).name'); do
		ctl --json tree "$hierarchy:/" | jq -c '.[] | if .group == "/" then
			{ hierarchy, children, uid, gid, mode } else
			{ hierarchy, group, children, tasks, uid, gid, mode } end'
	done
}

# unchanged ERRNO VERB...: refused, and nothing is different
unchanged() {
	local before
	before=$(snapshot) || return
	refused "$@" || return
	assert_equal "$(snapshot)" "$before" "what there is after $*"
}
