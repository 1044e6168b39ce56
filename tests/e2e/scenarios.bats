#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
#
# The acceptance scenarios of the historical texts whose subject is hierarchies, groups and
# moves, by their number; xa and xb stand for cpuset, numtasks and ns. Not here: 11 and 12
# (delegation.bats), 16 to 19 (release.bats), 21 and 22 (cpuacct_load.bats).

load lib
load hierarchies

path_of() {
	group_of "$1" "$2"
}

@test "scenario 1: a shell in a group, and its subshell" {
	ctl mount -o xa one
	ctl mkdir one:/Charlie
	ctl set one:/Charlie xa.setting 2
	# shellcheck disable=SC2016 # for the shells inside
	run -0 bash -c '"$GRPCTL" --instance "$INSTANCE" attach one:/Charlie $$
		("$GRPCTL" --instance "$INSTANCE" which "$BASHPID"; true)'
	assert_match "$output" '(^|'$'\n'')xa,name=one:/Charlie($|'$'\n'')' "path of the subshell"
	assert_equal "$(ctl get one:/Charlie xa.setting)" 2 "setting"
}

@test "scenario 2: a group that is not ready takes nobody" {
	local pid
	ctl mount -o xa one
	ctl mkdir one:/fresh
	ctl set one:/fresh xa.veto ENOSPC
	quiet holder
	pid=$(spawned holder)
	refused ENOSPC attach one:/fresh "$pid"
	refused ENOSPC set one:/fresh tasks "$pid"
	assert_equal "$(path_of "$pid" one)" / "group after the refusal"
	ctl set one:/fresh xa.veto 0
	ctl attach one:/fresh "$pid"
	assert_equal "$(path_of "$pid" one)" /fresh "group when it is ready"
}

@test "scenario 3: a part of a set is busy, the same set is the same tree" {
	ctl mount -o xa,xb both
	ctl mkdir both:/g
	refused EBUSY mount -o xb part
	ctl mount -o xb,xa again
	run -0 ctl --json stat again:/g
	assert_equal "$(jq -r .hierarchy <<<"$output")" both "canonical name"
	ctl mkdir again:/h
	ctl stat both:/h
	assert_equal "$(ctl --json mounts | jq -c 'map(select(.hierarchy == "both") | [.name, .options])')" \
		'[["both",["xa","xb"]],["again",["xa","xb"]]]' "mounts"
	quiet holder
	ctl attach again:/g "$(spawned holder)"
	run -0 ctl which "$(spawned holder)"
	assert_match "$output" 'xa,xb,name=both:/g' "one line, by the canonical name"
	[[ $output != *again* ]]
	ctl umount both
	assert_equal "$(ctl --json stat again:/g | jq -r .hierarchy)" again "name that is left"
}

@test "scenario 4: options that are none" {
	unchanged EINVAL mount -o xa,,xb h
	unchanged ENOENT mount -o bogus h
	unchanged EINVAL mount -o noprefix h
}

@test "scenario 5: the same set without prefixes is another" {
	ctl mount -o xa one
	unchanged EBUSY mount -o xa,noprefix two
	unchanged EBUSY mount -o xa,noprefix one
	ctl umount one
	ctl mount -o xa,noprefix two
	assert_equal "$(ctl get two:/ veto)" 0 "bare file"
	refused ENOENT get two:/ xa.veto
}

@test "scenario 6: groups keep an unmounted hierarchy alive" {
	local pid before
	ctl mount -o xa one
	ctl mkdir one:/child
	quiet holder
	pid=$(spawned holder)
	ctl attach one:/child "$pid"
	ctl umount one
	refused ENOENT ls one:/
	assert_equal "$(mount_names)" default "mounts"
	before=$(ctl --json hierarchies | jq -c '.[] | select(.name == "one") | [.mounted, .groups, .subsystems]')
	assert_equal "$before" '[false,2,["xa"]]' "the hierarchy while it is out of sight"
	assert_equal "$(ctl which "$pid" | grep one:)" xa,name=one:/child "membership meanwhile"
	restart_agent
	ctl mount -o xa two
	assert_equal "$(ctl get two:/child tasks)" "$pid" "members"
	stop holder
	ctl umount two
	refused EBUSY mount -o xa,xb three
	ctl rmdir two:/child
	assert_equal "$(hierarchy_names)" default "after the last rmdir"
	ctl mount -o xa,xb three
}

@test "scenario 7: remount" {
	ctl mount -o xa,release_agent=/bin/true one
	ctl set one:/ xa.setting 7
	ctl remount -o xb one
	ctl get one:/ xb.veto
	refused ENOENT get one:/ xa.veto
	assert_equal "$(ctl get / xa.setting)" 7 "setting of the root, which has moved"
	ctl mkdir one:/child
	unchanged EBUSY remount -o xa one
	unchanged EINVAL remount -o xb,noprefix one
	ctl remount -o xb,release_agent=/bin/false one
	assert_equal "$(ctl --json mounts | jq -c '.[] | select(.name == "one").options')" \
		'["xb","release_agent=/bin/false"]' "options"
}

@test "scenario 8: what keeps a group" {
	local v1
	ctl mkdir /g
	quiet holder
	ctl attach /g "$(spawned holder)"
	unchanged EBUSY rmdir /g
	make_v1 v1
	spawned holder >"$v1/cgroup.procs"
	run rmdir "$v1"
	assert_match "$output" 'Device or resource busy' "the kernel's answer"
	stop holder
	ctl mkdir /g/child
	unchanged EBUSY rmdir /g
	ctl rmdir /g/child
	ctl set /g xa.hold 1
	unchanged EBUSY rmdir /g
	assert_equal "$(group_stat /g references)" 1 references
	ctl set /g xa.hold 0
	ctl rmdir /g
}

@test "scenario 9: rename" {
	ctl mkdir -p /a/x /a/taken /b
	ctl mv /a/x /a/y
	unchanged EIO mv /a/y /b/y
	unchanged EEXIST mv /a/y /a/taken
	unchanged ENOTDIR mv /a/tasks /a/z
	unchanged EXDEV mv /a/y nosuch:/y || unchanged ENOENT mv /a/y nosuch:/y
	ctl mount -o none other
	unchanged EXDEV mv /a/y other:/y
}

@test "scenario 10: what is written to tasks" {
	local first second
	ctl mkdir /g
	quiet first
	quiet second
	first=$(spawned first)
	second=$(spawned second)
	unchanged EIO set /g tasks abc
	unchanged ESRCH set -- /g tasks -5
	unchanged ESRCH set /g tasks $(($(cat /proc/sys/kernel/pid_max) + 1))
	ctl set /g tasks "$first $second"
	assert_equal "$(ctl get /g tasks)" "$first" "the first only"
	# grpctl itself is the writer
	ctl set /g tasks 0
	assert_equal "$(ctl get /g tasks)" "$first" "when it has ended"
	# a sanitizer has a task of its own born there, which ends there
	assert_equal $(($(event /g exits) - $(event /g forks))) 1 "that came by a move and ended"
}

@test "scenario 13: the list is a snapshot" {
	local i line list pids=()
	ctl mkdir /g
	for i in 1 2 3; do
		quiet "p$i"
		pids+=("$(spawned "p$i")")
	done
	ctl attach /g "${pids[2]}" "${pids[0]}"
	exec {list}< <(ctl get /g tasks)
	read -r line <&"$list"
	ctl attach /g "${pids[1]}"
	assert_equal "$line"$'\n'"$(cat <&"$list")" "$(printf '%s\n' "${pids[0]}" "${pids[2]}" | sort -n)" \
		"the list that was begun before"
	exec {list}<&-
	assert_equal "$(ctl get /g tasks)" "$(printf '%s\n' "${pids[@]}" | sort -n)" "the next one"
}

@test "scenario 14: one thread of several" {
	local tid
	ctl mkdir /g
	start_threads 3
	ctl attach --thread /g "${TIDS[2]}"
	assert_equal "$(ctl get /g tasks)" "${TIDS[2]}" tasks
	for tid in "${TIDS[@]}"; do
		[[ $tid == "${TIDS[2]}" ]] || assert_equal "$(group_of "$tid")" / "group of $tid"
	done
	assert_equal "$(ctl get /g xa.calls | grep threads)" "threads 1" "what the subsystem was told"
}

# Every birth and end of a storm is told to the subsystem: none is lost, none told twice.
counts_agree() {
	assert_equal "$(ctl get "$1" xa.calls | grep -E '^(fork|exit) ')" \
		"$(ctl get "$1" cpuacct.events | sed -nE 's/^(fork|exit)s /\1 /p')" "births and exits"
}

@test "scenario 15: a fork bomb that is moved while it forks" {
	local i left
	ctl mkdir /from /to
	# as long as it takes to move it so often
	spawn bomb "$SUPPORT/storm" --seconds $((60 * SLOW)) --workers 2 --quick
	ctl attach /from "$(spawned bomb)"
	for i in {1..20}; do
		ctl attach --from /from /to
		left=$(group_stat /from tasks)
		assert_equal "$left" 0 "left behind in round $i"
		ctl rmdir /from
		ctl mkdir /from
		ctl attach --from /to /from
	done
	is_running "$(spawned bomb)" || fail "the bomb ended before the last move"
	stop bomb
	wait_quiet /from /to
	wait_until 30 counts_agree /to
	assert_equal "$(group_stat /from tasks) $(group_stat /to tasks)" "0 0" "members at the end"
	assert_equal "$(audit)" 0 "corrections"
	ctl rmdir /from /to
}

@test "scenario 20: one line for each hierarchy, and moves in one leave the other" {
	local pid
	ctl mount -o xa left
	ctl mount -o xb right
	ctl mkdir left:/a left:/b right:/p
	quiet holder
	pid=$(spawned holder)
	ctl attach left:/a,right:/p "$pid"
	run -0 ctl which "$pid"
	assert_match "$output" 'xa,name=left:/a' "left"
	assert_match "$output" 'xb,name=right:/p' "right"
	assert_equal "${#lines[@]}" 3 "lines, with that of default"
	ctl attach left:/b "$pid"
	assert_equal "$(path_of "$pid" left) $(path_of "$pid" right)" "/b /p" "after a move on the left"
	# Refused in one, it moves in none (TASK-9).
	ctl set right:/ xb.veto EPERM
	refused EPERM attach left:/a,right:/ "$pid"
	assert_equal "$(path_of "$pid" left) $(path_of "$pid" right)" "/b /p" "after a veto"
	ctl set right:/ xb.veto 0
}

@test "scenario 29: switched while the root is alone" {
	ctl mkdir /child
	unchanged EBUSY set / xa_enabled 0
	unchanged EBUSY set / cpuacct_enabled 0
	ctl rmdir /child
	ctl set / cpuacct_enabled 0
	ctl set / xa_enabled 0
	assert_equal "$(ctl --json subsystems | jq -c '[.[] | select(.enabled | not).name]')" \
		'["cpuacct","xa"]' "switched off"
	ctl mkdir /child
	refused ENOENT get /child cpuacct.usage
	refused ENOENT get /child xa.veto
	ctl get / cpuacct.usage
	restart_agent
	assert_equal "$(ctl get / xa_enabled)" 0 "after a restart"
	ctl rmdir /child
	ctl set / xa_enabled 1
	ctl mkdir /child
	ctl get /child xa.veto
}

# The whole tree without what the machine's other tasks do.
tree_of() {
	snapshot
	ctl --json tree "$1" | jq -c '.[] | select(.group != "/") | [.group, .usage_ns, .tasks]'
	ctl get "$1" cpuacct.usage
}

@test "scenario 30: a restart leaves members and counters" {
	local before
	ctl mount -o xa,cpuacct one
	ctl mkdir -p one:/a/b
	ctl set one:/a xa.setting 3
	ctl set one:/ xa.setting 4
	spawn work "$SUPPORT/burn" 100 --hold
	ctl attach one:/a/b "$(spawned work)"
	wait_until 60 has_printed work
	wait_asleep "$(spawned work)"
	before=$(tree_of one:/a)
	restart_agent
	assert_equal "$(tree_of one:/a)" "$before" "after a restart"
	kill_agent
	start_agent
	assert_equal "$(tree_of one:/a)" "$before" "after a kill"
	assert_equal "$(path_of "$(spawned work)" one)" /a/b "member"
	assert_equal "$(ctl get one:/a xa.setting) $(ctl get one:/ xa.setting)" "3 4" "settings"
}

@test "scenario 32: exec by a thread that is not the leader" {
	local old
	ctl mkdir /g
	start_threads 2
	old=${TIDS[2]}
	ctl attach /g "${TIDS[0]}"
	tell exec 2 0
	list_threads
	assert_equal "$(ctl get /g tasks | grep -cx "${TIDS[0]}")" 1 "its new id"
	[[ $(ctl get /g tasks) != *"$old"* ]] || fail "its old id $old is listed"
	assert_equal "$(ctl get /g cgroup.procs)" "${TIDS[0]}" "processes"
}

# --- clone, which has no number -----------------------------------------------------------

@test "clone: a shell goes into a child of its group" {
	local pid
	ctl mkdir /g
	# shellcheck disable=SC2016 # for the shell inside
	run -0 bash -c '"$GRPCTL" --instance "$INSTANCE" attach /g $$
		"$GRPCTL" --instance "$INSTANCE" clone
		"$GRPCTL" --instance "$INSTANCE" which $$; echo "$$"'
	assert_equal "${lines[0]}" "default:/g/node_${lines[-1]}" "what clone prints"
	assert_match "$output" "name=default:/g/node_${lines[-1]}" "where the shell is"
	assert_equal "$(ctl --json stat "/g/node_${lines[-1]}" | jq -r .mode)" $((0755)) mode
	quiet holder
	pid=$(spawned holder)
	run -0 ctl --json clone --subsys cpuacct "$pid"
	assert_equal "$(jq -c . <<<"$output")" "[\"default:/node_$pid\"]" "as JSON"
	ctl attach / "$pid"
	unchanged EEXIST clone "$pid"
	unchanged ENOENT clone --subsys nosuch "$pid"
	# Its subsystem is not mounted: nothing to do (CLONE-2).
	clear_all
	ctl mount -o xa gone
	ctl mkdir gone:/keeps
	ctl umount gone
	run -0 ctl clone --subsys xa "$pid"
	assert_equal "$output" "" "output"
}

@test "exec --clone: the command is in a group of its own" {
	local pid
	ctl mount -o xa gone
	ctl mkdir gone:/keeps
	ctl umount gone
	ctl mkdir /g
	ctl mount -o none other
	spawn own "$GRPCTL" --instance "$INSTANCE" exec --clone /g,other:/ -- "$SUPPORT/burn" 0 --hold
	wait_until 30 has_printed own
	pid=$(spawned own)
	assert_equal "$(group_of "$pid") $(group_of "$pid" other)" "/g/node_$pid /node_$pid" "groups"
	spawn bare "$GRPCTL" --instance "$INSTANCE" exec --clone -- "$SUPPORT/burn" 0 --hold
	wait_until 30 has_printed bare
	pid=$(spawned bare)
	assert_equal "$(group_of "$pid") $(group_of "$pid" other)" "/node_$pid /" "groups without GROUP"
	run -0 ctl exec --clone --subsys xa -- "$GRPCTL" --instance "$INSTANCE" ping
	[[ $(ctl --json hierarchies | jq '.[] | select(.name == "gone").groups') == 2 ]]
	run -125 ctl exec --clone --subsys nosuch -- true
	run -125 ctl exec --clone --subsys xa /g -- true
}
