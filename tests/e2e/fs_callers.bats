#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Who calls at a mount of the control filesystem: whose rights count, whose ids are meant, and what
# is left of one who goes away in the midst of a write.

load fs_helper

setup_file() {
	need_fuse
	use_test_agent
	new_instance
	start_agent
	ctl mount -o xa p
}

teardown_file() {
	cleanup
}

setup() {
	mount_fs p
	mkdir "$DIR/g"
}

teardown() {
	local status=0
	ctl rmdir -r --kill p:/g 2>/dev/null || true
	end_mounts || status=1
	cleanup || status=1
	return "$status"
}

# --- rights --------------------------------------------------------------------------

# The other ids stay those of root throughout.
@test "the file system's user, group and groups count, not the others" {
	local as=(--fsuid 4321 --fsgid 4321)
	gives ok "${as[@]}" read "$DIR/g/tasks"
	gives EACCES "${as[@]}" mkdir "$DIR/g/a"
	gives EACCES "${as[@]}" write "$DIR/g/notify_on_release" 1
	chgrp 4322 "$DIR/g" "$DIR/g/notify_on_release"
	chmod 0775 "$DIR/g"
	chmod 0664 "$DIR/g/notify_on_release"
	gives EACCES "${as[@]}" mkdir "$DIR/g/a"
	gives EACCES "${as[@]}" write "$DIR/g/notify_on_release" 1
	gives ok --fsuid 4321 --fsgid 4322 write "$DIR/g/notify_on_release" 1
	gives ok "${as[@]}" --groups 1,4322 write "$DIR/g/notify_on_release" 1
	gives ok "${as[@]}" --groups 4322,1 mkdir "$DIR/g/a"
	assert_equal "$(stat -c %u:%g "$DIR/g/a" "$DIR/g/a/tasks" | uniq)" 4321:4321 "owner"
	gives ok "${as[@]}" write "$DIR/g/a/notify_on_release" 1
	gives EACCES --fsuid 4323 --fsgid 4323 write "$DIR/g/a/notify_on_release" 1
	# A process of root stays one: who calls may write his own file, not take others.
	spawn sleeper sleep infinity
	gives EACCES "${as[@]}" write "$DIR/g/a/tasks" "$(spawned sleeper)"
	chmod 0700 "$DIR/g"
	gives EACCES "${as[@]}" --groups 4322 read "$DIR/g/tasks"
}

@test "who is in more groups of users than fit in a line of anything" {
	local many
	many=$(seq -s , 10000 13999)
	chgrp 4322 "$DIR/g/notify_on_release"
	chmod 0664 "$DIR/g/notify_on_release"
	gives EACCES --fsuid 4321 --fsgid 4321 --groups "$many" write "$DIR/g/notify_on_release" 1
	gives ok --fsuid 4321 --fsgid 4321 --groups "4322,$many" write "$DIR/g/notify_on_release" 1
	gives ok --fsuid 4321 --fsgid 4321 --groups "$many,4322" write "$DIR/g/notify_on_release" 1
}

# --- ids -------------------------------------------------------------------------------

@test "0 is the calling thread" {
	assert_equal "$("$SUPPORT/fsop" enter "$DIR/g" tasks)" thread "0 in tasks"
	assert_equal "$("$SUPPORT/fsop" enter "$DIR/g" cgroup.procs)" "leader thread" "0 in cgroup.procs"
}

@test "0 is the calling thread, also in another pid namespace" {
	need unshare
	run -0 unshare -pf --mount-proc "$SUPPORT/fsop" enter "$DIR/g" tasks
	assert_equal "$output" thread "0 in tasks"
	run -0 unshare -pf --mount-proc "$SUPPORT/fsop" enter "$DIR/g" cgroup.procs
	assert_equal "$output" "leader thread" "0 in cgroup.procs"
}

# in_pidns COMMAND...: as a child of 1 of a pid namespace of its own
in_pidns() {
	# shellcheck disable=SC2016 # of the inner shell
	unshare -pf --mount-proc bash -c '"$@"; exit $?' - "$@"
}

@test "another pid namespace: others are written and listed by its ids, and none is seen from outside it" {
	need unshare
	local outer
	spawn outer sleep infinity
	outer=$(spawned outer)
	# shellcheck disable=SC2016 # of the inner shell
	run -0 unshare -pf --mount-proc bash -c 'sleep infinity & echo $! >"$1/tasks"; a=$(<"$1/tasks")
		[[ $a == "$!" ]] && grep -qx $! "$1/cgroup.procs" && echo same
		kill -KILL $!' - "$DIR/g"
	assert_equal "$output" same "the id that it has in there"
	# one that is there from outside has no id in there: 0, as in the kernel
	echo "$outer" >"$DIR/g/tasks"
	run -0 in_pidns cat "$DIR/g/tasks"
	assert_equal "$output" "$(in_pidns "$GRPCTL" --instance "$INSTANCE" get p:/g tasks)" "as grpctl says it"
	# and cannot be named
	run -0 in_pidns "$SUPPORT/fsop" write "$DIR/tasks" "$outer"
	assert_equal "$output" ESRCH "an id of nobody there"
	assert_equal "$(cat "$DIR/g/tasks")" "$outer" "members"
}

@test "a mount that was made in another pid namespace" {
	need unshare
	local ours=$DIR
	new_mount_point
	# shellcheck disable=SC2016 # of the inner shell
	run -0 unshare -pfm --mount-proc bash -c '"$1" --instance "$2" mount --at "$3" p || exit
		"$4" enter "$3/g" tasks
		unshare -pf --mount-proc "$4" enter "$3/g" tasks
		echo $$ >"$3/g/tasks" && read -r pid <"$3/g/tasks" && echo "$pid"
		' - "$GRPCTL" "$INSTANCE" "$DIR" "$SUPPORT/fsop"
	assert_equal "${lines[*]}" "thread thread 1" "in the namespace, below it, and its shell"
	assert_equal "$(cat "$ours/g/tasks")" "" "nobody is left"
}

# Who looks in through /proc has no id there, nor have those he knows.
@test "a mount of another pid namespace, seen from outside of it" {
	need unshare
	local inside
	new_mount_point
	# shellcheck disable=SC2016 # of the inner shell
	spawn namespace unshare -pfm --kill-child --mount-proc bash -c '"$1" --instance "$2" mount --at "$3" p || exit
		sleep infinity &
		echo $! >"$3/g/tasks"
		echo ready
		wait' - "$GRPCTL" "$INSTANCE" "$DIR"
	wait_until 30 has_printed namespace
	inside=$(<"/proc/$(spawned namespace)/task/$(spawned namespace)/children")
	inside=/proc/${inside% }/root$DIR
	[[ -d $inside/g ]]
	assert_equal "$(cat "$inside/g/tasks")" "" "ids that are told"
	gives ESRCH write "$inside/g/tasks" 0
	gives ESRCH write "$inside/g/tasks" $$
	gives ok write "$inside/g/notify_on_release" 0
	gives ok --fsuid 4321 read "$inside/g/tasks"
	# groups of users cannot be looked up: they give no right
	chgrp 4322 "$inside/g"
	chmod 0775 "$inside/g"
	gives EACCES --fsuid 4321 --fsgid 4321 --groups 4322 mkdir "$inside/g/a"
}

# --- what goes on, and ends ------------------------------------------------------------

# An attach that xa vetoes by EAGAIN is tried again, as one of a process that forks too fast.
# writer NAME FILE TEXT: in the midst of such a write
start_writer() {
	local before
	echo EAGAIN >"$DIR/g/xa.veto"
	before=$(tries)
	spawn "$1" "$SUPPORT/fsop" write "$DIR/g/$2" "$3"
	wait_until 30 tries_exceed $((before + 2))
}

tries() {
	awk '$1 == "can_attach" { print $2 }' "$DIR/g/xa.calls"
}

tries_exceed() {
	(($(tries) > $1))
}

nobody_tries() {
	local before
	before=$(tries)
	sleep 0.2 # lint: sleep-ok two hundred pauses between tries
	[[ $(tries) == "$before" ]]
}

# The count of what is open, without the mount itself.
descriptors() {
	find "/proc/$(agent_pid)/fd" -mindepth 1 | wc -l
}

# Nothing is left of it, and the next one works.
nothing_is_left() {
	local fds=$1 pid=$2
	wait_until 30 nobody_tries
	assert_equal "$(group_of "$pid" p)" / "who was to be moved"
	assert_equal "$(descriptors)" "$fds" "descriptors of the agent"
	wait_until 30 counter_is_up_to fs_handles 0
	echo 0 >"$DIR/g/xa.veto"
	gives ok write "$DIR/g/tasks" "$pid"
	assert_equal "$(cat "$DIR/g/tasks")" "$pid" "members"
	gives ok write "$DIR/tasks" "$pid"
}

@test "a writer that is killed in the midst of a write" {
	local pid fds i
	spawn sleeper sleep infinity
	pid=$(spawned sleeper)
	fds=$(descriptors)
	for i in 1 2 3; do
		start_writer "writer$i" tasks "$pid"
	done
	for i in 1 2 3; do
		kill -KILL "$(spawned "writer$i")"
	done
	for i in 1 2 3; do
		# well before it would be given up
		wait_until 10 is_gone "$(spawned "writer$i")"
	done
	nothing_is_left "$fds" "$pid"
}

@test "a writer that is interrupted in the midst of a write" {
	local pid fds
	spawn sleeper sleep infinity
	pid=$(spawned sleeper)
	fds=$(descriptors)
	start_writer writer cgroup.procs "$pid"
	kill -USR1 "$(spawned writer)"
	wait_until 10 has_printed writer
	assert_equal "$(output writer)" EINTR "the write"
	nothing_is_left "$fds" "$pid"
}

@test "a write that goes on: others are served, and it is done as soon as it can be" {
	local pid
	spawn sleeper sleep infinity
	pid=$(spawned sleeper)
	start_writer writer tasks "$pid"
	timeout $((10 * SLOW)) ls -l "$DIR/g" >/dev/null
	gives ok mkdir "$DIR/g/b"
	gives ok rmdir "$DIR/g/b"
	[[ ! -s $(state_dir)/writer.out ]]
	echo 0 >"$DIR/g/xa.veto"
	wait_until 30 has_printed writer
	assert_equal "$(output writer)" ok "the write"
	assert_equal "$(cat "$DIR/g/tasks")" "$pid" "members"
}

@test "a write that goes on: its group goes, its task ends" {
	local pid
	spawn sleeper sleep infinity
	spawn other sleep infinity
	pid=$(spawned sleeper)
	start_writer writer tasks "$pid"
	rmdir "$DIR/g"
	wait_until 30 has_printed writer
	assert_equal "$(output writer)" ENODEV "the write to a group that is gone"
	mkdir "$DIR/g"
	start_writer second tasks "$pid"
	kill -KILL "$pid"
	wait_until 30 has_printed second
	assert_equal "$(output second)" ESRCH "the write of a task that is gone"
}

@test "a write that goes on: the mount goes, the agent goes" {
	local pid
	spawn sleeper sleep infinity
	pid=$(spawned sleeper)
	start_writer writer tasks "$pid"
	# It is in use, so that it stays; but who waits is told.
	run umount -f "$DIR"
	wait_until 10 has_printed writer
	assert_equal "$(output writer)" ECONNABORTED "the write where the mount was ended"
	umount -l "$DIR"
	mount_fs p
	start_writer second tasks "$pid"
	stop_agent
	wait_until 10 has_printed second
	assert_match "$(output second)" '^(EINTR|ECONNABORTED|ENOTCONN)$' "the write when the agent ended"
	start_agent
}
