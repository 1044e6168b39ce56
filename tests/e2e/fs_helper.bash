# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Mounts of the control filesystem for tests. `end_mounts` belongs in every teardown, before
# `cleanup`: a mount that stays is found there, whatever has become of its agent.

# shellcheck source-path=SCRIPTDIR source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

need_fuse() {
	[[ -c /dev/fuse ]] || skip "no /dev/fuse here"
}

# new_mount_point: sets DIR to an empty directory of this test
new_mount_point() {
	# Where other users can come.
	DIR=$(mktemp -d "${TMPDIR:-/tmp}/grpagent-mount.XXXXXX")
	echo "$DIR" >>"$BATS_TEST_TMPDIR/mounts"
}

# mount_fs HIERARCHY [OPTION...]: at a new DIR
mount_fs() {
	new_mount_point
	ctl mount "${@:2}" --at "$DIR" "$1"
}

is_mounted() {
	awk -v dir="$1" '$2 == dir { found = 1 } END { exit !found }' /proc/self/mounts
}

end_mounts() {
	local dir status=0
	[[ -e $BATS_TEST_TMPDIR/mounts ]] || return 0
	while read -r dir; do
		while is_mounted "$dir"; do
			umount -l "$dir" || { status=1 && break; }
		done
		rmdir "$dir" || status=1
	done <"$BATS_TEST_TMPDIR/mounts"
	rm "$BATS_TEST_TMPDIR/mounts"
	return "$status"
}

# gives ERRNO OPERATION PATH...: what fsop says to it, or ok
gives() {
	assert_equal "$("$SUPPORT/fsop" "${@:2}")" "$1" "${*:2}"
}

# counter NAME: of status
counter() {
	ctl --json status | jq ".counters.$1"
}

# counter_is_up_to NAME N
counter_is_up_to() {
	local now
	now=$(counter "$1")
	((now <= $2)) || fail "$1: $now, more than $2"
}
