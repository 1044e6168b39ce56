#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
#
# The table of errors (ERR-*), row by row: what provokes each, its name, and that nothing has
# changed. Where today's kernel has the operation, its v1 directories give the same answer.
# Left out are rows of subsystems that do not exist yet, and what cannot happen here: a bad
# address, open handles, a reference that is refused (it never is).

load lib
load hierarchies
load delegation

teardown() {
	local status=0
	[[ ! -d ${V1-} ]] || empty_v1 "$V1"
	cleanup || status=1
	clear_all || status=1
	return "$status"
}

setup_file() {
	new_instance
	use_test_agent
	start_agent
}

# v1_says ERRNO OPERATION PATH...: one of tests/support/try.c
v1_says() {
	assert_equal "$("$SUPPORT/try" "${@:2}")" "$1" "the kernel: ${*:2}"
}

@test "ERR-1: mount" {
	local i
	unchanged EINVAL mount -o xa,,xb h
	unchanged EINVAL mount -o xa, h
	unchanged EINVAL mount -o noprefix h
	unchanged EINVAL mount -o clone_children h
	unchanged EINVAL mount -o none,xa h
	unchanged ENOENT mount -o bogus h
	unchanged EINVAL mount -o xa,release_agent=/a,release_agent=/b h
	unchanged E2BIG mount -o "xa,release_agent=/$(printf '%04096d' 0)" h
	unchanged EINVAL mount -o xa 'bad name'
	# what is wrong with the options comes first
	unchanged ENOENT mount -o bogus 'bad name'
	ctl mount -o xa one
	unchanged EBUSY mount -o xa,xb two
	unchanged EBUSY mount two
	unchanged EBUSY mount -o xa,noprefix two
	unchanged EBUSY mount -o none one
	ctl mkdir /g
	unchanged EBUSY mount -o xb two
	ctl rmdir /g
	for i in {2..15}; do
		ctl mount -o none "h$i"
	done
	unchanged EBUSY mount -o xa,xb two
	unchanged ENOSPC mount -o xb two
}

@test "ERR-1: more names than one hierarchy can have" {
	local i
	for i in {1..8}; do
		ctl mount -o xa "n$i"
	done
	unchanged ENOSPC mount -o xa n9
}

@test "ERR-2: remount, in this order" {
	ctl mount -o xa one
	ctl mount -o xb two
	ctl mkdir one:/g
	unchanged ENOENT remount -o bogus,noprefix one
	unchanged EINVAL remount -o xb,,noprefix one
	unchanged ENOENT remount -o xa nosuch
	unchanged EINVAL remount -o xb,noprefix one
	unchanged EBUSY remount -o xb one
	assert_match "$REPLY" "'two'" "which is bound elsewhere"
	unchanged EBUSY remount -o xs one
	assert_match "$REPLY" "1 group" "which has children"
	unchanged EBUSY remount -o xb default
	ctl umount one
	unchanged ENOENT remount -o xa one
}

@test "ERR-3: umount" {
	unchanged ENOENT umount nosuch
	unchanged EBUSY umount default
	ctl mount -o xa one
	ctl mkdir one:/g
	ctl umount one
	unchanged ENOENT umount one
}

@test "ERR-4: mkdir" {
	local long
	long=$(printf '%0256d' 0)
	ctl mkdir /g
	make_v1 V1
	mkdir "$V1/g"
	unchanged EEXIST mkdir /g
	v1_says EEXIST mkdir "$V1/g"
	unchanged EEXIST mkdir /tasks
	v1_says EEXIST mkdir "$V1/tasks"
	unchanged EEXIST mkdir /g/cpuacct.usage
	v1_says EEXIST mkdir "$V1/g/cpuacct.usage"
	unchanged ENAMETOOLONG mkdir "/$long"
	unchanged ENOENT mkdir /nosuch/x
	v1_says ENOENT mkdir "$V1/nosuch/x"
	unchanged EINVAL mkdir $'/new\nline'
	v1_says EINVAL mkdir "$V1/"$'new\nline'
	refused_as "$ALICE" EACCES mkdir /g/x
	ctl set / xa.create_error ENOMEM
	unchanged ENOMEM mkdir /g/x
	ctl set / xa.create_error 0
	ctl set / xb.create_error EPERM
	unchanged EPERM mkdir /g/x
	ctl set / xb.create_error 0
	ctl mkdir /g/x
}

@test "ERR-5: rmdir, in this order" {
	make_v1 V1
	mkdir "$V1/g" "$V1/g/child"
	ctl mkdir /g /g/child
	ctl set /g xa.hold 1
	quiet holder
	ctl attach /g "$(spawned holder)"
	spawned holder >"$V1/g/tasks"
	unchanged EBUSY rmdir /g
	assert_match "$REPLY" '1 task' "tasks"
	v1_says EBUSY rmdir "$V1/g"
	stop holder
	unchanged EBUSY rmdir /g
	assert_match "$REPLY" '1 group' "children"
	v1_says EBUSY rmdir "$V1/g"
	ctl rmdir /g/child
	unchanged EBUSY rmdir /g
	assert_match "$REPLY" 'subsystem' "references"
	ctl set /g xa.hold 0
	unchanged ENOTDIR rmdir /g/tasks
	v1_says ENOTDIR rmdir "$V1/g/tasks"
	unchanged ENOENT rmdir /g/child
	rmdir "$V1/g/child"
	v1_says ENOENT rmdir "$V1/g/child"
	unchanged EBUSY rmdir /
}

@test "ERR-6: rename, in the order of today's kernel" {
	make_v1 V1
	mkdir -p "$V1/a/x" "$V1/a/y" "$V1/b/x"
	ctl mkdir -p /a/x /a/y /b/x
	unchanged ENOTDIR mv /a/tasks /a/z
	v1_says ENOTDIR rename "$V1/a/tasks" "$V1/a/z"
	unchanged EEXIST mv /a/x /a/y
	v1_says EEXIST rename "$V1/a/x" "$V1/a/y"
	unchanged EIO mv /a/x /b/z
	v1_says EIO rename "$V1/a/x" "$V1/b/z"
	unchanged EINVAL mv /a /a/x/z
	v1_says EINVAL rename "$V1/a" "$V1/a/x/z"
	unchanged ENOENT mv /nosuch /a/z
	v1_says ENOENT rename "$V1/nosuch" "$V1/a/z"
	ctl mount -o none other
	unchanged EXDEV mv /a/x other:/x
}

@test "ERR-7: writes" {
	make_v1 V1
	ctl mkdir /g
	unchanged ENOENT set /g nosuch 1
	unchanged EINVAL set /g cpuacct.stat 0
	v1_says EINVAL write "$V1/cpuacct.stat" 0
	unchanged EINVAL set /g xa.calls 0
	unchanged E2BIG set /g xa.setting "$(printf '%04096d' 0)"
	unchanged EINVAL set /g cpuacct.usage 1
	v1_says EINVAL write "$V1/cpuacct.usage" 1
	unchanged EINVAL set /g notify_on_release x
	v1_says EINVAL write "$V1/notify_on_release" x
	unchanged ERANGE set /g notify_on_release 18446744073709551616
	v1_says ERANGE write "$V1/notify_on_release" 18446744073709551616
	refused_as "$ALICE" EACCES set /g xa.setting 1
	assert_equal "$(ctl get /g xa.setting)" 0 "setting"
	ctl rmdir /g
	unchanged ENOENT set /g xa.setting 1
}

# No member any more.
has_ended() {
	[[ $(stat_of "$1" 3) == Z ]]
}

@test "ERR-8: what is written to tasks" {
	local pid zombie
	make_v1 V1
	ctl mkdir /g
	unchanged EIO set /g tasks abc
	unchanged EIO set /g tasks ''
	unchanged EIO set /g tasks 0x1f
	unchanged ESRCH set -- /g tasks -5
	pid=$(($(cat /proc/sys/kernel/pid_max) + 1))
	unchanged ESRCH set /g tasks "$pid"
	v1_says ESRCH write "$V1/tasks" "$pid"
	spawn parent bash -c 'sleep infinity & echo $!; exec sleep infinity'
	wait_until 30 has_printed parent
	zombie=$(output parent)
	kill -KILL "$zombie"
	wait_until 30 has_ended "$zombie"
	unchanged ESRCH set /g tasks "$zombie"
	# today's kernel takes it and moves nothing; TASK-7 decides
	quiet holder
	pid=$(spawned holder)
	# the file's permission first, then the rule of users
	refused_as "$ALICE" EACCES set /g tasks "$pid"
	ctl chmod 0666 /g tasks
	refused_as "$ALICE" EACCES set /g tasks "$pid"
	assert_match "$REPLY" 'tasks of its own' "why"
	ctl set /g xa.veto EPERM
	unchanged EPERM set /g tasks "$pid"
	unchanged EPERM attach /g "$pid"
	assert_equal "$(group_of "$pid")" / "where it stays"
	assert_equal "$(ctl get /g xa.calls | awk '$1 == "attach" { print $2 }')" 0 "notices"
}

@test "ERR-12: the switch of a subsystem" {
	ctl mkdir /g
	unchanged EBUSY set / xa_enabled 0
	unchanged EBUSY set / xa_enabled 1
	unchanged EINVAL set / xa_enabled on
	unchanged ENOENT set /g xa_enabled 0
	ctl rmdir /g
	ctl set / xa_enabled 0
}

@test "ERR-14: reads" {
	ctl mkdir /g
	ctl chmod 0600 /g tasks
	refused ENOENT get /g nosuch
	refused ENOENT get /nosuch tasks
	refused ENOENT get nosuch:/ tasks
	refused_as "$ALICE" EACCES get /g tasks
}

@test "ERR-21: which" {
	unchanged ESRCH which $(($(cat /proc/sys/kernel/pid_max) + 1))
	unchanged EINVAL which x
}

@test "clone passes the errors of mkdir and attach on" {
	local pid
	quiet holder
	pid=$(spawned holder)
	ctl mkdir "/node_$pid"
	unchanged EEXIST clone "$pid"
	ctl rmdir "/node_$pid"
	ctl set / xa.create_error EDOM
	unchanged EDOM clone "$pid"
	ctl set / xa.create_error 0
	refused_as "$ALICE" EACCES clone "$pid"
	unchanged ESRCH clone $(($(cat /proc/sys/kernel/pid_max) + 1))
	unchanged ENOENT clone --subsys nosuch "$pid"
}
