#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
#
# Release agents: v1-behaviour I row by row, spec REL-1 to REL-9, scenarios 16, 17, 19. Fails
# when a release is announced that was none, or one that was is not; when a program is
# given more than it should have.
#
# shellcheck disable=SC2016 # scripts for another shell
# shellcheck source-path=SCRIPTDIR source=release_helper.bash

load lib
load release_helper

# --- the files ----------------------------------------------------------------------------

@test "defaults: no flag, no agent; the files and their modes" {
	local file v1
	v1=$(v1_root)
	start_agent
	ctl mkdir /g
	assert_equal "$(ctl get / release_agent)" "" "release agent"
	refused ENOENT get /g release_agent
	for file in notify_on_release cgroup.clone_children release_agent; do
		[[ -n $v1 ]] || skip "no v1 cpuacct is mounted here"
		assert_equal "$(ctl --json stat / | jq -r ".files[] | select(.name == \"$file\").mode")" \
			"$((8#$(stat -c %a "$v1/$file")))" "mode of $file"
	done
	assert_equal "$(ctl get /g notify_on_release)" 0 notify_on_release
	assert_equal "$(ctl get /g auto_delete)" 0 auto_delete
}

# v1-behaviour B: the kernel is asked the same.
@test "flags take what the kernel takes, and refuse what it refuses" {
	local file value ours theirs
	start_agent
	ctl mkdir /g
	make_v1 V1
	for file in notify_on_release cgroup.clone_children; do
		for value in 0 1 01 0x1 2 18446744073709551615 -1 a 1a 0ddd ' 1' '1 ' $'\n' $'1\n' \
			$'1\n\n' 18446744073709551616; do
			ctl set /g "$file" 0
			echo 0 >"$V1/$file"
			ours=$(ctl set -- /g "$file" "$value" 2>&1 | sed -n 's/.*(\([A-Z]*\))$/\1/p')
			theirs=$(errno_of_write "$V1/$file" "$value")
			assert_equal "$ours $(ctl get /g "$file")" "$theirs $(cat "$V1/$file")" \
				"$file: '$value'"
		done
	done
}

# errno_of_write FILE TEXT: its name, or nothing
errno_of_write() {
	local errno
	errno=$("$SUPPORT/try" write "$1" "$2")
	[[ $errno == 0 ]] || echo "$errno"
}

@test "19: a flag is copied at mkdir, not later; as the kernel does it" {
	local file
	start_agent
	ctl mkdir /p
	make_v1 V1
	for file in notify_on_release cgroup.clone_children; do
		ctl set /p "$file" 1
		echo 1 >"$V1/$file"
		ctl mkdir "/p/c-$file"
		mkdir "$V1/c"
		ctl set /p "$file" 0
		echo 0 >"$V1/$file"
		assert_equal "$(ctl get "/p/c-$file" "$file")" 1 "$file of the child"
		assert_equal "$(cat "$V1/c/$file")" 1 "$file of the kernel's"
		rmdir "$V1/c"
		ctl mkdir "/p/later-$file"
		assert_equal "$(ctl get "/p/later-$file" "$file")" 0 "$file of a later child"
	done
	ctl set /p auto_delete 1
	ctl mkdir /p/c
	ctl set /p auto_delete 0
	assert_equal "$(ctl get /p/c auto_delete)" 1 "auto_delete of the child"
}

@test "release_agent: blanks at the ends go, too long is refused, empty is none" {
	local long
	long=/$(printf 'x%.0s' {1..4094})
	start_agent
	ctl set / release_agent $' \t/a b \n'
	assert_equal "$(ctl get / release_agent)" "/a b" "path"
	refused E2BIG set / release_agent "${long}x"
	assert_equal "$(ctl get / release_agent)" "/a b" "path after a refused write"
	ctl set / release_agent "$long"
	assert_equal "$(ctl get / release_agent)" "$long" "path of 4095 bytes"
	restart_agent
	assert_equal "$(ctl get / release_agent)" "$long" "path after a restart"
	ctl set / release_agent ""
	assert_equal "$(ctl get / release_agent)" "" "no path"
}

@test "release_agent is of one hierarchy, and root's" {
	start_agent
	ctl mount -o "none,release_agent=/of/h" h
	assert_equal "$(ctl get h:/ release_agent)" /of/h "of the mount"
	assert_equal "$(ctl get / release_agent)" "" "of default"
	need setpriv
	run setpriv --reuid 65534 --clear-groups "$GRPCTL" --instance "$INSTANCE" set / release_agent /x
	assert_match "$output" '\(EACCES\)$' "somebody else"
	assert_equal "$(ctl get / release_agent)" "" "of default afterwards"
	ctl umount h
}

# --- when --------------------------------------------------------------------------------------

@test "16: the last task exits, is killed, is moved away; the last child is removed" {
	start
	group /exits
	use /exits
	assert_runs /exits
	group /killed
	dwell task /killed
	ctl kill /killed
	assert_runs /killed
	group /moved
	dwell task /moved
	ctl attach / "$(spawned task)"
	assert_runs /moved
	group /parent
	ctl mkdir /parent/a /parent/b
	ctl set /parent/a notify_on_release 0
	ctl set /parent/b notify_on_release 0
	ctl rmdir /parent/a
	assert_runs
	ctl rmdir /parent/b
	assert_runs /parent
}

@test "16: one of two tasks, a task above a child, a child above a task: no release" {
	start
	group /g
	dwell one /g
	dwell two /g
	stop one
	assert_runs
	ctl mkdir /g/c
	ctl set /g/c notify_on_release 0
	stop two
	assert_runs
	dwell three /g
	ctl rmdir /g/c
	assert_runs
	stop three
	assert_runs /g
}

@test "16: set on an empty group, never used, not set, rmdir itself, the root: no release" {
	start
	ctl mkdir /g /unset
	use /g /unset
	ctl set /g notify_on_release 1
	ctl set / notify_on_release 1
	group /unused
	assert_runs
	ctl rmdir /unused /g
	assert_runs
	restart_agent
	assert_runs
	# and once it is used
	use /unset
	assert_runs
	ctl set /unset notify_on_release 1
	use /unset
	assert_runs /unset
}

@test "16: set while a task is in it" {
	start
	ctl mkdir /g
	dwell task /g
	ctl set /g notify_on_release 1
	stop task
	assert_runs /g
}

@test "the threads of one process are many tasks; each hierarchy has its own release" {
	start
	ctl mount -o "none,release_agent=$PROGRAM" second
	group /g
	group second:/other
	start_threads 3
	ctl attach /g,second:/other "${TIDS[0]}"
	ctl attach --thread / "${TIDS[1]}"
	ctl attach --thread second:/ "${TIDS[@]}"
	assert_runs /other
	ctl attach --thread / "${TIDS[@]}"
	assert_runs /g
}

# --- how -------------------------------------------------------------------------------------

# REL-4: and nothing of the agent's own: descriptors, signals, limits.
@test "17: exactly one argument and two variables; as a fresh process of root" {
	AGENT_WRAP="$SUPPORT/ignoring env LEFT=over" start
	ctl mkdir "/s p"
	group "/s p/ü"
	: >"$PROGRAM.report"
	use "/s p/ü"
	assert_runs "/s p/ü"
	sed -i '/sentinel/,$d' "$PROGRAM.report"
	# the sentinel's begins with its number of arguments
	sed -i '$d' "$PROGRAM.report"
	sed -i '$d' "$PROGRAM.report"
	assert_equal "$(cat "$PROGRAM.report")" "argc 2
arg $PROGRAM
arg /s p/ü
env HOME=/
env PATH=/sbin:/bin:/usr/sbin:/usr/bin
uid 0
gid 0
cwd /
umask 022
leader yes
nofile 1024
oom 0
SigBlk 0000000000000000
SigIgn 0000000000000000
fd 0 /dev/null
fd 1 /dev/null
fd 2 /dev/null" "what the program was given"
}

@test "the path is that of now: after a rename, in a hierarchy of another name" {
	start
	ctl mount -o "none,release_agent=$PROGRAM" second
	ctl mkdir /a
	group /a/b
	group second:/x
	dwell task /a/b
	ctl mv /a/b /a/c
	ctl mv /a /new
	stop task
	assert_runs /new/c
	use second:/x
	assert_runs /x
}

@test "REL-11: the final counters are there, and the group goes by the program's rmdir" {
	start
	then_do '$GRPCTL get "$1" cpuacct.usage >"$OUT.$(basename "$1")"' '$GRPCTL rmdir "$1"'
	group /g
	make_v1 V1
	in_both /g "$V1" "$SUPPORT/burn" 50
	wait_until 30 is_removed /g
	assert_equal "$(cat "$PROGRAM.out.g")" "$(v1_usage "$V1")" "ns that the program read"
}

@test "the example writes down what a group has used, and removes it" {
	[[ -e $ROOT/examples ]] || skip "no sources here"
	start
	sed "s|^LEDGER=.*|LEDGER=$BATS_TEST_TMPDIR/ledger|; s|grpctl |$GRPCTL --instance $INSTANCE |" \
		"$ROOT/examples/release_agent" >"$BATS_TEST_TMPDIR/example"
	chmod +x "$BATS_TEST_TMPDIR/example"
	ctl set / release_agent "$BATS_TEST_TMPDIR/example"
	group "/s p"
	use "/s p"
	wait_until 30 is_removed "/s p"
	assert_match "$(cat "$BATS_TEST_TMPDIR/ledger")" '^[0-9T:-]+Z [1-9][0-9]* ns /s p$' ledger
}

@test "no program, none that can be run, words behind its name: the group stays" {
	local path n=0
	start
	printf '#!/bin/sh\n' >"$BATS_TEST_TMPDIR/plain"
	for path in "" /no/such/program "$BATS_TEST_TMPDIR/plain" "$PROGRAM now" agent; do
		ctl set / release_agent "$path"
		group "/g$((++n))"
		use "/g$n" "/g$n"
		# each but the first, which says that there is none
		wait_until 30 has_counter releases_failed $((2 * (n - 1)))
		wait_until 30 has_counter releases_pending 0
		wait_until 30 has_counter release_agents 0
	done
	assert_equal "$(runs)" "" runs
	assert_equal "$(counter releases_failed)" 8 "programs that could not be run"
	# REL-8: none of them is announced later
	ctl set / release_agent "$PROGRAM"
	assert_runs
	restart_agent
	assert_runs
	for path in /no/such/program "$BATS_TEST_TMPDIR/plain" "$PROGRAM now" agent; do
		assert_equal "$(in_log "release agent '$path'")" 1 "warnings about $path"
	done
	for ((; n > 0; n--)); do
		assert_equal "$(group_stat "/g$n" tasks)" 0 "tasks of /g$n"
	done
}

@test "REL-9: a path that has become too long is dropped, the others go on" {
	local path=/a name
	start
	name=$(printf 'n%.0s' {1..255})
	for _ in {1..15}; do
		path=$path/$name
	done
	path=$path/${name:0:250}
	ctl mkdir -p "$path"
	ctl set "$path" notify_on_release 1
	dwell task "$path"
	ctl mv /a /abcdefgh
	stop task
	assert_runs
	assert_equal "$(counter releases_failed)" 1 "releases that failed"
	assert_equal "$(in_log "too long")" 1 "lines in the log"
	ctl mv /abcdefgh /a
	ctl rmdir -r /a
}
