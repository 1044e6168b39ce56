#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=alone, client
#
# `grpctl legacy`: programs made for control groups of version 1 find ours where those were, and the
# tools of libcgroup do their work there.
#
# shellcheck disable=SC2016 # scripts for another shell

load fs_helper

setup_file() {
	need_fuse
	new_instance
	start_agent
	ctl mount -o cpuacct p
	ctl mount -o cpuacct q
	ctl mount -o none n
}

teardown_file() {
	cleanup
}

teardown() {
	local status=0
	ctl rmdir -r --kill p:/a p:/own q:/a n:/a 2>/dev/null || true
	cleanup || status=1
	return "$status"
}

need_libcgroup() {
	need cgcreate cgset cgget cgclassify cgexec cgdelete lscgroup lssubsys
}

# legacy COMMAND...: what it sees are p and n
legacy() {
	ctl legacy --hierarchy p,n -- "$@"
}

@test "what the command sees, and that nobody else sees it" {
	local before
	before=$(cat /proc/self/mounts)
	assert_equal "$(legacy awk '$3 ~ /cgroup/ { print $2, $3, $4 }' /proc/mounts)" \
		"/sys/fs/cgroup/p cgroup rw,nosuid,nodev,noexec,relatime,cpuacct,name=p
/sys/fs/cgroup/n cgroup rw,nosuid,nodev,noexec,relatime,name=n" "/proc/mounts"
	assert_equal "$(legacy cat /proc/cgroups)" \
		"$(printf '#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuacct\t1\t1\t1')" "/proc/cgroups"
	assert_equal "$(legacy sh -c 'ls /sys/fs/cgroup' | paste -sd ' ')" "cpuacct n p" "directories"
	# also what is started by what is started
	assert_equal "$(legacy sh -c 'sh -c "grep -c cgroup/ /proc/mounts"')" 2 "in a grandchild"
	# of several that have it, a subsystem is the first one's
	assert_match "$(ctl legacy --hierarchy q,p -- cat /proc/mounts)" \
		'cgroup/q cgroup [a-z,]*,cpuacct,name=q .*cgroup/p cgroup [a-z,]*,relatime,name=p ' "q first"
	assert_match "$(ctl legacy -- cat /proc/mounts)" 'name=default .*name=p .*name=q .*name=n ' "all"
	legacy sh -c 'mkdir /sys/fs/cgroup/cpuacct/a && echo $$ >/sys/fs/cgroup/p/a/tasks &&
		grep -qx $$ /sys/fs/cgroup/cpuacct/a/tasks'
	ctl stat p:/a
	assert_equal "$(cat /proc/self/mounts)" "$before" "mounts outside"
}

@test "how it ends: as the command does, and as exec when that cannot run" {
	run -7 legacy sh -c 'exit 7'
	run -127 legacy /nonexistent
	run -126 legacy /etc/passwd
	run -125 ctl legacy --hierarchy nosuch -- true
	assert_match "$output" 'nosuch.*\(ENOENT\)' "message"
	run -125 ctl legacy true
	run -125 ctl legacy --
	run -125 "$GRPCTL" --instance "no-$INSTANCE" legacy -- true
	run -125 setpriv --reuid 54321 --regid 54321 --clear-groups "$GRPCTL" --instance "$INSTANCE" \
		legacy -- true
	assert_match "$output" '\(EPERM\)' "not root"
}

@test "lssubsys, lscgroup, cgcreate, cgset, cgget, cgdelete" {
	need_libcgroup
	assert_equal "$(legacy lssubsys -am)" "cpuacct /sys/fs/cgroup/p" "lssubsys"
	legacy cgcreate -g cpuacct:a/b
	ctl stat p:/a/b
	assert_equal "$(legacy lscgroup -g cpuacct:/a | sort)" $'cpuacct,name=p:/a/\ncpuacct,name=p:/a/b' \
		"lscgroup"
	ctl exec p:/a/b -- "$SUPPORT/burn" 10
	wait_quiet p:/a/b
	assert_equal "$(legacy cgget -nv -r cpuacct.usage a/b)" "$(ctl get p:/a/b cpuacct.usage)" "cgget"
	assert_match "$(legacy cgget -g cpuacct a/b)" 'cpuacct.stat: user [0-9]' "cgget of all"
	legacy cgset -r cpuacct.usage=0 a/b
	assert_equal "$(ctl get p:/a/b cpuacct.usage)" 0 "after cgset"
	run ! legacy cgset -r cpuacct.usage=1 a/b
	run ! legacy cgdelete cpuacct:nosuch
	legacy cgdelete -r cpuacct:a
	refused ENOENT stat p:/a
	legacy cgcreate -g name=n:a
	ctl stat n:/a
	legacy cgdelete name=n:a
	refused ENOENT stat n:/a
}

@test "cgexec and cgclassify, and cgdelete takes tasks to the parent" {
	need_libcgroup
	legacy cgcreate -g cpuacct:a/b
	assert_equal "$(legacy cgexec -g cpuacct:a/b sh -c '"$GRPCTL" --instance "$INSTANCE" which $$' |
		grep name=p:)" cpuacct,name=p:/a/b "cgexec"
	start_threads 3
	legacy cgclassify -g cpuacct:a/b "${TIDS[0]}"
	assert_equal "$(ctl get p:/a/b cgroup.procs)" "${TIDS[0]}" "cgclassify"
	legacy cgdelete cpuacct:a/b
	assert_equal "$(ctl get p:/a cgroup.procs)" "${TIDS[0]}" "cgdelete"
}

@test "cgcreate gives a group to a user, who makes groups and goes there" {
	local file
	need_libcgroup
	getent group nogroup >/dev/null || skip "no group nogroup"
	legacy cgcreate -a nobody:nogroup -t nobody:nogroup -d 755 -f 644 -s 664 -g cpuacct:own
	assert_equal "$(ctl --json stat p:/own | jq -r '"\(.uid) \(.gid)"')" "$(id -u nobody) $(id -g nobody)" \
		"owner"
	file='.files[] | select(.name == "tasks") | "\(.uid) \(.mode)"'
	assert_equal "$(ctl --json stat p:/own | jq -r "$file")" "$(id -u nobody) $((0664))" "owner of tasks"
	legacy setpriv --reuid nobody --regid nogroup --clear-groups sh -c \
		'mkdir /sys/fs/cgroup/cpuacct/own/x && echo $$ >/sys/fs/cgroup/cpuacct/own/x/tasks'
	ctl stat p:/own/x
}
