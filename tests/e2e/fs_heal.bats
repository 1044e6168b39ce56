#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Mounts of the control filesystem and the life of the agent: a kill, a stop, a start.

load fs_helper

setup() {
	need_fuse
	new_instance
	new_mount_point
}

teardown() {
	local status=0
	end_mounts || status=1
	cleanup || status=1
	return "$status"
}

answers() {
	[[ -r $1/tasks ]] && cat "$1/tasks" >/dev/null
}

is_gone_from() {
	run ! is_mounted "$1"
}

@test "killed: nobody waits at the mount, and the next start heals it" {
	local first=$DIR of
	start_agent
	ctl mount -o cpuacct --at "$first" p
	mkdir "$first/g"
	exec 7<"$first/g/tasks"
	kill_agent
	for of in "$first" ''; do
		timeout $((5 * SLOW)) df ${of:+"$of"} >/dev/null 2>&1 || (($? != 124)) || fail "df $of waits"
	done
	run timeout 60 cat "$first/tasks"
	[[ $output == *"not connected"* ]]
	exec 7<&-
	start_agent
	wait_until 30 answers "$first"
	[[ -d $first/g ]]
	assert_equal "$(grep -c " $first fuse.grpfs " /proc/self/mounts)" 1 "mounts there"
}

# As if somebody else held the descriptor of the killed one: whoever looks at it waits.
@test "a stale mount that nobody ever answers does not hold up a start, which heals it" {
	start_agent
	ctl mount -o cpuacct --at "$DIR" p
	kill_agent
	umount -l "$DIR"
	spawn unanswered "$SUPPORT/unanswered" "$INSTANCE:p" "$DIR"
	wait_until 30 has_printed unanswered
	start_agent
	# still without an answer: the start did not wait for its end
	is_running "$(spawned unanswered)"
	wait_until 30 answers "$DIR"
	assert_equal "$(grep -c " $DIR fuse.grpfs " /proc/self/mounts)" 1 "mounts there"
}

@test "stopped: it is unmounted, and mounted again by the next start; --unload forgets it" {
	start_agent
	ctl mount -o cpuacct --at "$DIR" p
	stop_agent
	run ! is_mounted "$DIR"
	start_agent
	wait_until 30 answers "$DIR"
	kill_agent
	unload
	run ! is_mounted "$DIR"
}

@test "umount is all that is needed to be rid of a mount" {
	start_agent
	ctl mount -o cpuacct --at "$DIR" p
	umount "$DIR"
	no_mounts() { ctl --json mounts | jq -e '[.[].directories[]] == []' >/dev/null; }
	wait_until 30 no_mounts
	restart_agent
	run ! is_mounted "$DIR"
}

@test "--mount: hierarchies at directories, also one below another mount of ours" {
	local one=$DIR
	new_mount_point
	start_agent --mount "$one,*:$DIR"
	wait_until 30 answers "$one"
	wait_until 30 answers "$DIR/default"
	mkdir "$one/fs-below"
	ctl mount -o cpuacct --at "$one/fs-below" p
	answers "$one/fs-below"
	restart_agent --mount "$one,*:$DIR"
	wait_until 30 answers "$one"
	umount -l "$one" "$DIR"
}

@test "a mount in another mount namespace is served, and is that one's business" {
	need unshare
	start_agent
	ctl mount -o cpuacct p
	# shellcheck disable=SC2016 # of the inner shell
	run -0 unshare -m bash -c '"$1" --instance "$2" mount --at "$3" p && mkdir "$3/g" && ls "$3/g"' - \
		"$GRPCTL" "$INSTANCE" "$DIR"
	[[ $output == *tasks* ]]
	run ! is_mounted "$DIR"
	ctl stat p:/g >/dev/null
	wait_until 30 no_mount_is_served
}

no_mount_is_served() {
	ctl --json mounts | jq -e '[.[].directories[]] == []' >/dev/null
}

@test "mount.fuse.grpfs: what mount(8) calls" {
	start_agent
	ctl mount -o cpuacct p
	PATH=$(dirname "$GRPCTL"):$PATH "$ROOT/cli/mount.fuse.grpfs" "$INSTANCE:p" "$DIR" -o rw,nosuid
	answers "$DIR"
	umount "$DIR"
	PATH=$(dirname "$GRPCTL"):$PATH "$ROOT/cli/mount.fuse.grpfs" grpfs "$DIR" -o "rw,p,instance=$INSTANCE"
	answers "$DIR"
	umount "$DIR"
	PATH=$(dirname "$GRPCTL"):$PATH run -1 "$ROOT/cli/mount.fuse.grpfs" grpfs "$DIR" -o rw
	[[ $output == *"which hierarchy"* ]]
}
