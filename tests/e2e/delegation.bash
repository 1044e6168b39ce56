# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For the tests of owners, modes and rights: two users, a group of users, and doing
# as they would. One agent a file; every test has its groups below /t.

# Two users without accounts, and a group of users.
ALICE=54321
BOB=54322
TEAM=54400

setup_file() {
	new_instance
	start_agent
}

teardown_file() {
	cleanup
}

setup() {
	need setpriv
	export ALICE BOB TEAM
}

teardown() {
	local status=0
	[[ ! -d ${V1-} ]] || empty_v1 "$V1"
	cleanup || status=1
	ctl rmdir -r --kill /t 2>/dev/null || true
	[[ $(ctl --json tree / | jq length) == 1 ]] || fail "left: $(ctl tree /)" || status=1
	return "$status"
}

empty_v1() {
	find "$1" -mindepth 1 -depth -type d -exec rmdir {} +
}

# as USER[,GROUP...] COMMAND...: its group has the same number; more groups are supplementary
as() {
	local user=${1%%,*} groups=${1#*,}
	[[ $1 == *,* ]] && groups=(--groups "$groups") || groups=(--clear-groups)
	setpriv --reuid "$user" --regid "$user" "${groups[@]}" --pdeathsig KILL "${@:2}"
}

# ctl_as USER VERB...
ctl_as() {
	as "$1" "$GRPCTL" --instance "$INSTANCE" "${@:2}"
}

# refused_as USER ERRNO VERB...; sets REPLY
refused_as() {
	local status=0
	REPLY=$(ctl_as "$1" "${@:3}" 2>&1 >/dev/null) || status=$?
	assert_equal "$status" 1 "status of ${*:3} as $1 ($REPLY)"
	assert_match "$REPLY" "^grpctl: $3.*: .+ \($2\)\$" "${*:3} as $1"
}

# spawn_as NAME USER: a process that holds still
spawn_as() {
	spawn "$1" setpriv --reuid "$2" --regid "$2" --clear-groups --pdeathsig KILL \
		"$SUPPORT/burn" 0 --hold
	wait_until 30 has_printed "$1"
}

# inode GROUP [FILE]: uid gid mode
inode() {
	ctl --json stat "$1" | jq -r --arg f "${2-}" \
		'(if $f == "" then . else .files[] | select(.name == $f) end) | "\(.uid) \(.gid) \(.mode)"' |
		awk '{ printf "%d %d %04o\n", $1, $2, $3 }'
}
