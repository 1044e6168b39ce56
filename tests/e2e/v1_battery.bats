#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# bats file_tags=long, confines
#
# The battery of tests/v1 against the kernel's own hierarchies, which shows that it asks and expects
# the right things, and against ours. The kernel's settings of all, such as a release agent, are
# asked of a hierarchy that is made for it.

load fs_helper

V1=$BATS_TEST_DIRNAME/../v1
BATTERY=$V1/battery

setup() {
	new_instance
	OWN=
	OWN_DIR=
}

teardown() {
	local status=0
	if [[ -n $OWN ]]; then
		wait_until 30 forget_hierarchy || status=1
		rmdir "$OWN" || status=1
	fi
	end_mounts || status=1
	[[ -z $OWN_DIR ]] || rm -df "$OWN_DIR/mount" "$OWN_DIR" || status=1
	cleanup || status=1
	return "$status"
}

# v1_mount CONTROLLER: sets MOUNT to where it is alone; skips if it is not
v1_mount() {
	MOUNT=$(awk -v c="$1" '$3 == "cgroup" && $4 ~ "(^|,)" c "(,|$)" { print $2; exit }' /proc/mounts)
	[[ -n $MOUNT ]] || skip "no v1 $1 is mounted here"
}

# battery ARGUMENT...: all is well, and that was not little; what is not, is shown
battery() {
	local tap=$BATS_TEST_TMPDIR/tap status=0
	BUILD=$BUILD SLOW=$SLOW "$BATTERY" "$@" >"$tap" 2>&1 3>&- 4>&- || status=$?
	grep -v '^ok' "$tap" | head -n 60 || true
	assert_equal "$status" 0 "status of $*"
	assert_match "$(tail -n 1 "$tap")" "^1\\.\\.$(grep -c '^ok' "$tap")\$" "the plan"
	(($(grep -c '^ok' "$tap") >= 150)) || fail "only $(grep -c '^ok' "$tap") assertions"
}

# A hierarchy of the kernel without controllers, for this test: OWN. Where users get to.
own_hierarchy() {
	OWN=$(mktemp -d)
	chmod 0755 "$OWN"
	if ! mount -t cgroup -o "none,name=$INSTANCE" none "$OWN" 2>/dev/null; then
		rmdir "$OWN"
		OWN=
		skip "no v1 hierarchy can be mounted here"
	fi
}

@test "the kernel's cpuset" {
	v1_mount cpuset
	battery "$MOUNT" cpuset
}

@test "the kernel's cpuacct" {
	v1_mount cpuacct
	battery "$MOUNT" cpuacct
}

@test "a hierarchy of the kernel without controllers" {
	own_hierarchy
	battery --own "$OWN"
}

# One whose groups are still on their way out survives being unmounted, out of sight.
forget_hierarchy() {
	mountpoint -q "$OWN" || mount -t cgroup -o "none,name=$INSTANCE" none "$OWN"
	umount "$OWN"
	wait_until 2 is_forgotten
}

is_forgotten() {
	! grep -q "name=$INSTANCE:" /proc/self/cgroup
}

# our_mount OPTIONS: sets DIR, where users get to
our_mount() {
	need_fuse
	start_agent
	OWN_DIR=$(mktemp -d)
	chmod 0755 "$OWN_DIR"
	DIR=$OWN_DIR/mount
	mkdir "$DIR"
	echo "$DIR" >"$BATS_TEST_TMPDIR/mounts"
	ctl mount -o "$1" --at "$DIR" battery
}

@test "ours without subsystems" {
	our_mount none
	battery --own --deviations "$V1/deviations" "$DIR"
}

@test "ours with cpuacct" {
	our_mount cpuacct
	battery --own --deviations "$V1/deviations" --deviations "$V1/deviations.cpuacct" "$DIR" cpuacct
}

# CPUs are confined by one agent at a time, and only where there are two is anything asked of them.
@test "ours with cpuset" {
	local only=()
	(($(nproc --all) >= 2)) || only=(--only "files,lists,flags,inherit,rules,attach,directories,release")
	our_mount cpuset
	battery --own "${only[@]}" --deviations "$V1/deviations" --deviations "$V1/deviations.cpuset" \
		"$DIR" cpuset
}

@test "the battery: wrong answers and unused deviations are failures" {
	local list=$BATS_TEST_TMPDIR/list
	own_hierarchy
	echo 'inherit: notify_on_release: from a parent with 1|0|a test' >"$list"
	run -1 "$BATTERY" --deviations "$list" --only inherit "$OWN"
	assert_match "$output" 'not ok [0-9]+ - inherit: notify_on_release: from a parent with 1' "wrong"
	echo 'nowhere: nothing|0|a test' >"$list"
	run -1 "$BATTERY" --deviations "$list" "$OWN"
	assert_match "$output" 'not ok [0-9]+ - a deviation of which nothing was asked: nowhere' "unused"
	assert_equal "$(grep -c '^not ok' <<<"$output")" 1 "wrong answers"
}
