#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
#
# What happens between a release and what follows from it (REL-5, REL-10, RACE-4, RACE-10,
# scenario 18), and auto_delete (CLONE-5). Fails when a group goes that somebody is in, or
# one stays that nobody will ever announce.
#
# shellcheck disable=SC2016 # scripts for another shell
# shellcheck source-path=SCRIPTDIR source=release_helper.bash

load lib
load release_helper

# --- between release and rmdir --------------------------------------------------------------------

@test "18: attach between release and rmdir: EBUSY, announced again later" {
	start
	then_do '$GRPCTL rmdir "$1" 2>>"$OUT"' '[ "$1" != /g ] || echo "tried: $?" >>"$OUT"'
	group /g
	hold
	use /g
	wait_until 30 has_run /g
	dwell task /g
	let_go
	wait_until 30 grep -qs tried "$PROGRAM.out"
	assert_match "$(cat "$PROGRAM.out")" '\(EBUSY\).*tried: 1' "rmdir by the program"
	assert_equal "$(group_stat /g tasks)" 1 tasks
	stop task
	wait_until 30 is_removed /g
	assert_equal "$(runs)" "/g
/g" runs
}

@test "18: mkdir between release and rmdir" {
	start
	then_do '[ "$1" = /g ] && { $GRPCTL rmdir "$1"; echo "tried: $?" >>"$OUT"; }'
	group /g
	hold
	use /g
	wait_until 30 has_run /g
	ctl mkdir /g/c
	let_go
	wait_until 30 grep -qsx "tried: 1" "$PROGRAM.out"
	ctl set /g/c notify_on_release 0
	ctl rmdir /g/c
	wait_until 30 is_removed /g
}

# REL-10: here its turn comes when it is occupied, or gone.
@test "a group whose turn comes too late is passed over, and announced the next time" {
	start "release-agents = 1"
	hold
	group /first
	group /back
	group /gone
	use /first
	wait_until 30 has_run /first
	use /back /back /gone
	wait_until 30 has_counter releases_pending 2
	dwell task /back
	ctl rmdir /gone
	let_go
	assert_runs /first
	stop task
	assert_runs /back
}

# REL-3, H.
@test "writing the flag takes a pending release back" {
	start "release-agents = 1"
	hold
	group /first
	group /g
	use /first
	wait_until 30 has_run /first
	use /g
	wait_until 30 has_counter releases_pending 1
	ctl set /g notify_on_release 1
	let_go
	assert_runs /first
	use /g
	assert_runs /g
}

# RACE-10: each goes to the one or the other, whole.
@test "the path changes while groups are released" {
	local i other=$BATS_TEST_TMPDIR/other
	start
	ln -s "$SUPPORT/released" "$other"
	: >"$other.log"
	ctl mkdir /r
	ctl set /r notify_on_release 1
	# shellcheck disable=SC2046 # words
	ctl mkdir $(printf '/r/%s ' {1..60}) $(printf '/r/%s/c ' {1..60})
	# its end is waited for below
	# shellcheck disable=SC2046
	spawn changer bash -c 'while :; do
		"$GRPCTL" --instance "$INSTANCE" set / release_agent "$1"
		"$GRPCTL" --instance "$INSTANCE" set / release_agent "$2"
	done' - "$PROGRAM" "$other"
	for i in {1..60}; do
		ctl rmdir "/r/$i/c"
	done
	stop changer
	ctl set / release_agent "$PROGRAM"
	settle
	assert_equal "$(sed -n 's/^start [0-9]* //p' "$PROGRAM.log" "$other.log" | grep -v sentinel |
		sort)" "$(printf '/r/%s\n' {1..60} | sort)" "runs of both"
}

# --- auto_delete ------------------------------------------------------------------------------

@test "auto_delete: the agent itself removes it, then its parent" {
	local used
	start_agent
	ctl mkdir -p /top/p
	ctl set /top/p auto_delete 1
	ctl mkdir /top/p/a /top/p/b /top/p/unused
	make_v1 V1
	in_both /top/p/a "$V1" "$SUPPORT/burn" 20
	wait_until 30 is_removed /top/p/a
	used=$(v1_usage "$V1")
	use /top/p/b
	wait_until 30 is_removed /top/p/b
	# never used; then the parent's turn comes
	ctl stat /top/p/unused >/dev/null
	ctl rmdir /top/p/unused
	wait_until 30 is_removed /top/p
	(($(usage_ns /top) >= used)) || fail "ns that are left of it: $(usage_ns /top), used $used"
	assert_equal "$(counter groups_auto_deleted)" 3 "groups removed"
	assert_equal "$(in_log 'removed default:/top/p/a: released')" 1 "lines in the log"
}

@test "auto_delete and notify_on_release: the program reads the counters first" {
	start
	then_do '[ "$1" != /g ] || $GRPCTL get "$1" cpuacct.usage >>"$OUT"'
	group /g
	ctl set /g auto_delete 1
	hold
	make_v1 V1
	in_both /g "$V1" "$SUPPORT/burn" 20
	wait_until 30 has_run /g
	wait_quiet /g "$V1"
	ctl stat /g >/dev/null
	let_go
	wait_until 30 is_removed /g
	assert_equal "$(cat "$PROGRAM.out")" "$(v1_usage "$V1")" "ns that the program read"
	assert_runs /g
}

@test "auto_delete and notify_on_release: who comes in meanwhile saves it until the next time" {
	start
	group /g
	ctl set /g auto_delete 1
	hold
	use /g
	wait_until 30 has_run /g
	dwell task /g
	let_go
	settle
	ctl stat /g >/dev/null
	stop task
	wait_until 30 is_removed /g
	assert_runs /g /g
}

@test "auto_delete and notify_on_release: nobody to tell, or a program that cannot be run" {
	start
	ctl set / release_agent ""
	group /g
	ctl set /g auto_delete 1
	use /g
	wait_until 30 is_removed /g
	ctl set / release_agent /no/such/program
	group /g
	ctl set /g auto_delete 1
	use /g
	wait_until 30 is_removed /g
}

@test "HIER-17: a hierarchy that is not mounted any more; its last group ends it" {
	start
	ctl mount -o "none,release_agent=$PROGRAM" second
	group second:/told
	ctl mkdir second:/deleted
	ctl set second:/deleted auto_delete 1
	dwell one second:/told
	dwell two second:/deleted
	ctl umount second
	refused ENOENT ls second:/
	stop one
	assert_runs /told
	ctl rmdir second:/told
	stop two
	wait_until 30 has_counter groups_auto_deleted 1
	# a new one: the old one's group does not come back with it
	ctl mount -o none second
	assert_equal "$(ctl --json hierarchies | jq -c '.[] | select(.name == "second").groups')" 1 groups
	ctl umount second
}
