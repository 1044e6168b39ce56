#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
#
# Owners, modes and rights, as real users without privileges see them (CONT-5,
# CONT-6, TASK-8, ERR-4, ERR-5; scenarios 11 and 12). What is compared
# with the kernel's own directories is in delegation_kernel.bats.

load lib
load delegation

# --- scenarios ------------------------------------------------------------------------

@test "scenario 12: the owner of a subtree makes, sets and attaches inside, and nothing outside" {
	local own other
	ctl mkdir -p /t/alice /t/other
	ctl chown "$ALICE:$ALICE" /t/alice
	spawn_as own "$ALICE"
	spawn_as other "$BOB"
	own=$(spawned own)
	other=$(spawned other)
	ctl_as "$ALICE" mkdir -p /t/alice/a/b /t/alice/c
	ctl_as "$ALICE" attach /t/alice/a/b "$own"
	assert_equal "$(group_of "$own")" /t/alice/a/b "group"
	ctl_as "$ALICE" set /t/alice tasks "$own"
	assert_equal "$(ctl_as "$ALICE" get /t/alice tasks)" "$own" "tasks"
	ctl_as "$ALICE" attach --thread /t/alice/c "$own"
	ctl_as "$ALICE" attach --from /t/alice/c /t/alice/a
	assert_equal "$(group_of "$own")" /t/alice/a "group"
	ctl_as "$ALICE" set /t/alice/a cpuacct.usage 0
	ctl_as "$ALICE" mv /t/alice/c /t/alice/d
	ctl_as "$ALICE" rmdir /t/alice/d
	assert_match "$(ctl_as "$ALICE" exec /t/alice/a/b -- "$GRPCTL" --instance "$INSTANCE" which 0)" \
		'name=default:/t/alice/a/b$' exec
	# settings of the group itself are not hers
	refused_as "$ALICE" EACCES set /t/alice cpuacct.usage 0
	refused_as "$ALICE" EACCES set /t/alice notify_on_release 1
	# nothing outside
	refused_as "$ALICE" EACCES mkdir /t/mine
	refused_as "$ALICE" EACCES mkdir /t/other/mine
	refused_as "$ALICE" EACCES rmdir /t/other
	refused_as "$ALICE" EACCES rmdir /t/alice
	refused_as "$ALICE" EACCES mv /t/alice /t/mine
	refused_as "$ALICE" EACCES attach /t/other "$own"
	refused_as "$ALICE" EACCES attach / "$own"
	refused_as "$ALICE" EACCES set /t/other tasks 0
	refused_as "$ALICE" EACCES set /t/other cpuacct.usage 0
	refused_as "$ALICE" EACCES set / cgroup.procs "$own"
	refused_as "$ALICE" EPERM chmod 0777 /t/other
	refused_as "$ALICE" EPERM chown "$ALICE" /t/other
	refused_as "$ALICE" EPERM mount -o none mine
	# nobody else's task, wherever it is
	refused_as "$ALICE" EACCES attach /t/alice "$other"
	refused_as "$ALICE" EACCES set /t/alice tasks "$other"
	refused_as "$ALICE" EACCES attach /t/alice $$
	assert_equal "$(group_of "$other")" / "group of the other"
	ctl attach /t/alice/a "$other"
	refused_as "$ALICE" EACCES attach --from /t/alice/a /t/alice
	assert_equal "$(group_of "$other")" /t/alice/a "group of the other"
	# what was hers has gone
	assert_equal "$(group_of "$own")" /t/alice "group"
	ctl_as "$ALICE" attach /t/alice/a "$own"
	refused_as "$ALICE" EPERM kill -s KILL /t/alice/a
	assert_match "$REPLY" "$other" "whom it could not signal"
	is_running "$other" || fail "another's process was ended"
	wait_until 30 is_gone "$own"
	refused_as "$ALICE" '(EPERM|EBUSY|ETIMEDOUT)' rmdir -r --kill /t/alice/a
	is_running "$other" || fail "another's process was ended"
}

@test "scenario 11: another user's task: EACCES, unless its real or saved user is the writer" {
	local name
	ctl mkdir -m 0777 /t
	ctl chmod 0666 /t tasks
	ctl chmod 0666 /t cgroup.procs
	spawn real "$SUPPORT/ids" "$ALICE" "$BOB" "$BOB"
	spawn saved "$SUPPORT/ids" "$BOB" "$BOB" "$ALICE"
	spawn effective "$SUPPORT/ids" "$BOB" "$ALICE" "$BOB"
	spawn none "$SUPPORT/ids" "$BOB" "$BOB" "$BOB"
	for name in real saved effective none; do
		wait_until 30 has_printed "$name"
	done
	for name in real saved; do
		ctl_as "$ALICE" attach /t "$(spawned "$name")"
		assert_equal "$(group_of "$(spawned "$name")")" /t "group of $name"
		ctl_as "$ALICE" set /t tasks "$(spawned "$name")"
	done
	for name in effective none; do
		refused_as "$ALICE" EACCES attach /t "$(spawned "$name")"
		assert_match "$REPLY" "uid $ALICE may only move tasks of its own" "attach of $name"
		refused_as "$ALICE" EACCES set /t tasks "$(spawned "$name")"
		refused_as "$ALICE" EACCES attach --thread /t "$(spawned "$name")"
		assert_equal "$(group_of "$(spawned "$name")")" / "group of $name"
	done
	# and the same ids decide about signals
	ctl attach /t "$(spawned effective)"
	refused_as "$ALICE" EPERM kill -s 0 /t
	ctl attach / "$(spawned effective)"
	ctl_as "$ALICE" kill -s 0 /t
}

@test "supplementary groups count, for groups and for files" {
	spawn_as own "$ALICE"
	ctl mkdir /t
	ctl chown ":$TEAM" /t
	ctl chmod 0770 /t
	ctl chmod 0660 /t cgroup.procs
	assert_equal "$(inode /t cgroup.procs)" "0 $TEAM 0660" "file"
	refused_as "$ALICE" EACCES mkdir /t/a
	assert_match "$REPLY" "needs o\+x on default:/t, which has uid 0 \(root\), gid $TEAM, mode 0770" "reason"
	refused_as "$ALICE" EACCES attach /t "$(spawned own)"
	ctl_as "$ALICE,$BOB,$TEAM" mkdir /t/a
	assert_equal "$(inode /t/a)" "$ALICE $ALICE 0755" "made by a member"
	ctl_as "$ALICE,$TEAM" attach /t "$(spawned own)"
	assert_equal "$(group_of "$(spawned own)")" /t "group"
	# one class counts, also where others may more
	ctl chmod 0707 /t
	refused_as "$ALICE,$TEAM" EACCES mkdir /t/b
	assert_match "$REPLY" "needs g\+x on default:/t" "reason"
	ctl_as "$ALICE" mkdir /t/b
	# who is a member may choose that group
	ctl chmod 0777 /t
	ctl_as "$ALICE,$TEAM" chown ":$TEAM" /t/b
	assert_equal "$(inode /t/b)" "$ALICE $TEAM 0755" "group chosen"
	assert_equal "$(inode /t/b tasks)" "$ALICE $TEAM 0644" "its tasks"
	refused_as "$ALICE" EPERM chown ":$BOB" /t/b
}

# --- who sees what -------------------------------------------------------------------------

@test "who may list whose tasks follows the modes" {
	local pid
	ctl mkdir -p /t/alice/a
	ctl chown "$ALICE:$TEAM" /t/alice
	ctl chown "$ALICE:$TEAM" /t/alice/a
	spawn_as own "$ALICE"
	pid=$(spawned own)
	ctl_as "$ALICE" attach /t/alice/a "$pid"
	assert_equal "$(ctl_as "$BOB" --json ps -r /t | jq -c 'map(.pid)')" "[$pid]" "everybody sees"
	ctl_as "$ALICE" chmod 0640 /t/alice/a tasks
	ctl_as "$ALICE" chmod 0640 /t/alice/a cgroup.procs
	assert_equal "$(ctl_as "$BOB" --json ps -r /t | jq -c 'map(.pid)')" "[]" "others"
	assert_equal "$(ctl_as "$BOB,$TEAM" --json ps -r /t | jq -c 'map(.pid)')" "[$pid]" "members"
	refused_as "$BOB" EACCES ps /t/alice/a
	refused_as "$BOB" EACCES ps -p /t/alice/a
	refused_as "$BOB" EACCES get /t/alice/a tasks
	refused_as "$BOB" EACCES get /t/alice/a cgroup.procs
	assert_equal "$(ctl_as "$BOB,$TEAM" get /t/alice/a tasks)" "$pid" "tasks"
	# by number anybody may ask, and counts are no secret
	assert_match "$(ctl_as "$BOB" which "$pid")" ':/t/alice/a$' "which"
	assert_equal "$(ctl_as "$BOB" --json stat /t/alice/a | jq .tasks)" 1 "tasks in stat"
	ctl_as "$ALICE" chmod go= /t/alice
	assert_equal "$(ctl_as "$BOB" --json tree /t | jq -c 'map(.group)')" '["/t","/t/alice"]' "tree"
	assert_equal "$(ctl_as "$BOB" --json usage -r /t | jq -c 'map(.group)')" '["/t","/t/alice"]' "usage"
	assert_equal "$(ctl_as "$BOB" --json ps -r -p /t | jq -c 'map(.pid)')" "[]" "processes"
	for verb in stat ls tree usage ps wait kill; do
		refused_as "$BOB" EACCES "$verb" /t/alice/a
		refused_as "$BOB" EACCES "$verb" /t/alice/nosuch
	done
	refused_as "$BOB" EACCES ls /t/alice
	refused_as "$BOB" EACCES tree /t/alice
	refused_as "$BOB" EACCES kill /t/alice
	assert_equal "$(ctl_as "$BOB" --json stat /t/alice | jq -c '[.children, .files]')" '[1,[]]' "stat"
	assert_equal "$(ctl_as "$ALICE" --json tree /t | jq -c 'map(.group)')" \
		'["/t","/t/alice","/t/alice/a"]' "tree of the owner"
}

@test "ls -l and stat show owners by name, JSON by number" {
	ctl mkdir -m 0710 /t
	ctl mkdir -m 0710 /t/x
	ctl chown "root:$TEAM" /t/x
	ctl set /t/x notify_on_release 1
	assert_match "$(ctl ls -l /t | sed -n 2p)" \
		"^0710 root:$TEAM +notify_on_release,cgroup.clone_children .* default:/t/x\$" "ls -l"
	assert_equal "$(ctl --json ls /t | jq -c '.[0] | [.uid, .gid, .mode, .flags]')" \
		"[0,$TEAM,456,[\"notify_on_release\",\"cgroup.clone_children\"]]" "JSON"
	assert_match "$(ctl stat /t/x)" "Owner: +root:$TEAM" "stat"
	assert_match "$(ctl stat /t/x)" "0644 root:$TEAM +tasks " "file in stat"
	assert_match "$(ctl stat /t/x)" "0644 root:root +cgroup.max.depth " "file in stat"
}

# --- limits -------------------------------------------------------------------------------------

@test "limits of a subtree stop everybody, and who got it cannot lift them" {
	local i
	ctl mkdir -p /t/alice
	ctl set /t/alice cgroup.max.descendants 3
	ctl set /t/alice cgroup.max.depth 2
	ctl chown "$ALICE:$ALICE" /t/alice
	ctl_as "$ALICE" mkdir /t/alice/a /t/alice/a/b
	refused_as "$ALICE" EAGAIN mkdir /t/alice/a/b/c
	assert_match "$REPLY" "cgroup.max.depth of default:/t/alice is 2" "reason"
	ctl_as "$ALICE" mkdir /t/alice/d
	refused_as "$ALICE" EAGAIN mkdir /t/alice/e
	assert_match "$REPLY" "cgroup.max.descendants of default:/t/alice is 3" "reason"
	refused EAGAIN mkdir /t/alice/a/e
	for i in max 100; do
		refused_as "$ALICE" EACCES set /t/alice cgroup.max.descendants "$i"
		refused_as "$ALICE" EACCES set /t/alice cgroup.max.depth "$i"
	done
	refused_as "$ALICE" EPERM chmod 0666 /t/alice cgroup.max.depth
	refused_as "$ALICE" EPERM chown "$ALICE" /t/alice cgroup.max.depth
	# her own groups have limits of hers
	ctl_as "$ALICE" set /t/alice/a cgroup.max.depth max
	refused_as "$ALICE" EAGAIN mkdir /t/alice/a/b/c
	kill_agent
	start_agent
	assert_equal "$(ctl get /t/alice cgroup.max.descendants) $(ctl get /t/alice cgroup.max.depth)" "3 2" "limits"
	refused_as "$ALICE" EAGAIN mkdir /t/alice/e
	ctl_as "$ALICE" rmdir /t/alice/d
	ctl_as "$ALICE" mkdir /t/alice/e
	refused_as "$ALICE" EAGAIN mkdir /t/alice/d
	ctl set /t/alice cgroup.max.descendants max
	ctl_as "$ALICE" mkdir /t/alice/d
	refused ENOENT get / cgroup.max.depth
}

# --- what stays ------------------------------------------------------------------------------------

@test "owners and modes survive SIGKILL, and a restart" {
	local before
	ctl mkdir -m 0000 /t
	ctl chown "$ALICE:$TEAM" /t
	ctl mkdir -m 1777 /t/x
	ctl chmod 0 /t/x tasks
	ctl chown "$BOB" /t/x cpuacct.usage
	ctl chmod u=r,go= /t/x cpuacct.usage
	before=$(ctl --json stat /t | jq 'del(.usage_ns)')$(ctl --json stat /t/x)
	assert_equal "$(inode /t/x cpuacct.usage)" "$BOB 0 0400" "file"
	kill_agent
	start_agent
	assert_equal "$(ctl --json stat /t | jq 'del(.usage_ns)')$(ctl --json stat /t/x)" "$before" "after SIGKILL"
	restart_agent
	assert_equal "$(ctl --json stat /t | jq 'del(.usage_ns)')$(ctl --json stat /t/x)" "$before" "after a restart"
}

# --- the log -------------------------------------------------------------------------------------------

# logged METHOD PARAMETERS USER END: a line of the log says so, with a pid
logged() {
	grep -qE "^$1 .*by uid $3, pid [1-9][0-9]*: $4" <(grep -F -- "$2" "$(agent_log)") ||
		fail "not in the log: $* ($(tail -n 5 "$(agent_log)"))"
}

@test "every change is logged with user and pid, refused ones too" {
	local pid
	ctl mkdir /t
	ctl chown "$ALICE:$ALICE" /t
	spawn_as own "$ALICE"
	pid=$(spawned own)
	logged MakeGroups '"/t"' 0 'done'
	logged ChangeOwner "\"group\":\"/t\",\"uid\":$ALICE" 0 'done'
	ctl_as "$ALICE" mkdir /t/a
	logged MakeGroups '"/t/a"' "$ALICE" 'done'
	ctl_as "$ALICE" mv /t/a /t/b
	logged RenameGroup '"from":"/t/a","to":"/t/b"' "$ALICE" 'done'
	ctl_as "$ALICE" attach /t/b "$pid"
	logged Attach "\"groups\":[\"/t/b\"],\"pids\":[\"$pid\"]" "$ALICE" 'done'
	ctl_as "$ALICE" set /t/b cpuacct.usage 0
	logged WriteFile '"group":"/t/b","file":"cpuacct.usage","value":"0"' "$ALICE" 'done'
	ctl_as "$ALICE" set /t/b tasks "$pid"
	logged WriteFile "\"file\":\"tasks\",\"value\":\"$pid\"" "$ALICE" 'done'
	ctl_as "$ALICE" chmod 0700 /t/b
	logged ChangeMode '"group":"/t/b","mode":448' "$ALICE" 'done'
	ctl_as "$ALICE" kill -s KILL /t/b
	logged Kill '"group":"/t/b"' "$ALICE" 'done'
	ctl_as "$ALICE" rmdir /t/b
	logged RemoveGroups '"/t/b"' "$ALICE" 'done'
	refused_as "$ALICE" EACCES set /t cpuacct.usage 0
	logged WriteFile '"group":"/t","file":"cpuacct.usage"' "$ALICE" 'EACCES: uid'
	refused_as "$ALICE" EPERM mount -o none mine
	logged Mount '"name":"mine"' "$ALICE" EPERM
	ctl mount -o none mine
	logged Mount '"name":"mine"' 0 'done'
	ctl umount mine
	logged Unmount '"name":"mine"' 0 'done'
	# of several, those that failed
	run -1 ctl_as "$ALICE" mkdir /t/c /t/d /nowhere/e
	logged MakeGroups '"/t/c","/t/d","/nowhere/e"' "$ALICE" 'done, but for 1'
	logged MakeGroups 'MakeGroups /nowhere/e ' "$ALICE" ENOENT
}

@test "a change that was asked for in many words is logged to the end" {
	local names=() i
	ctl mkdir -p /t
	for i in {1..400}; do
		names+=("/t/a-rather-long-name-of-a-group-$i")
	done
	ctl mkdir "${names[@]}"
	for i in 1 77 200 400; do
		grep -q "a-rather-long-name-of-a-group-$i\"" "$(agent_log)" || fail "number $i is not logged"
	done
	# read-only requests are not
	ctl ls /t >/dev/null
	! grep -q ListGroups "$(agent_log)" || fail "what changes nothing is logged"
}
