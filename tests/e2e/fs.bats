#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The control filesystem: the shape of a v1 mount, and the errno of each system call.

load fs_helper

setup_file() {
	need_fuse
	new_instance
	start_agent
	ctl mount -o cpuacct p
}

teardown_file() {
	cleanup
}

setup() {
	mount_fs p
}

teardown() {
	local status=0
	ctl rmdir -r p:/g 2>/dev/null || true
	end_mounts || status=1
	cleanup || status=1
	return "$status"
}

@test "groups are directories, control files are files; what is done here is seen there" {
	local file
	mkdir -p "$DIR/g/a"
	ctl stat p:/g/a >/dev/null
	ctl mkdir p:/g/b
	[[ -d $DIR/g/b ]]
	rmdir "$DIR/g/b"
	refused ENOENT stat p:/g/b
	for file in $(ctl --json stat p:/g | jq -r '.files[].name'); do
		[[ -f $DIR/g/$file ]] || fail "no $file"
	done
	assert_equal "$(find "$DIR/g" -maxdepth 1 -type f | wc -l)" \
		"$(ctl --json stat p:/g | jq '.files | length')" "files"
	assert_equal "$(stat -c %s,%h,%a,%u,%g "$DIR/g/tasks")" 0,1,644,0,0 "tasks"
	assert_equal "$(stat -c %s,%h,%a,%u,%g "$DIR/g")" 0,3,755,0,0 "directory with a child"
	assert_equal "$(stat -c %h "$DIR/g/a")" 2 "links of a directory without"
	assert_equal "$(stat -c %a "$DIR/g/cpuacct.stat")" 444 "a file that is only read"
	mv "$DIR/g/a" "$DIR/g/c"
	ctl stat p:/g/c >/dev/null
}

@test "tasks: a shell moves itself, others are moved, what is started is inside" {
	local pid
	mkdir "$DIR/g"
	pid=$(bash -c 'echo $$ >"$1/tasks" && echo $$ && grep -qx $$ "$1/tasks"' - "$DIR/g")
	assert_match "$pid" '^[0-9]+$' "pid"
	bash -c 'echo 0 >"$1/cgroup.procs" && grep -qx $$ "$1/tasks"' - "$DIR/g"
	spawn sleeper sleep infinity
	pid=$(spawned sleeper)
	echo "$pid" >"$DIR/g/tasks"
	assert_equal "$(cat "$DIR/g/tasks")" "$pid" "members"
	assert_equal "$(group_of "$pid" p)" /g "which"
	run -1 rmdir "$DIR/g"
	[[ $output == *"resource busy"* ]]
	echo "$pid" >"$DIR/tasks"
	rmdir "$DIR/g"
}
