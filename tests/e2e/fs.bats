#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=client
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

has_handles() {
	(($(counter fs_handles) == $1))
}

@test "status counts mounts, requests, what was refused and what is open" {
	local before fd
	assert_equal "$(counter fs_mounts)" 1 "mounts"
	before=$(counter fs_requests)
	mkdir "$DIR/g"
	assert_between "$(counter fs_requests)" $((before + 1)) $((before + 20)) "requests"
	assert_between "$(counter fs_references)" 1 20 "the kernel's references"
	before=$(counter fs_refused)
	[[ ! -e $DIR/nothing ]]
	assert_equal "$(counter fs_refused)" "$before" "refused by a look"
	! echo x 2>/dev/null >"$DIR/g/notify_on_release" || fail "x is no switch"
	assert_equal "$(counter fs_refused)" $((before + 1)) "refused"
	wait_until 10 has_handles 0
	exec {fd}<"$DIR/g/tasks"
	has_handles 1
	exec {fd}<&-
	wait_until 10 has_handles 0
	end_mounts
	wait_until 10 has_mounts 0
	assert_equal "$(counter fs_references)" 0 "references without a mount"
	mount_fs p
}

has_mounts() {
	(($(counter fs_mounts) == $1))
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

@test "errno: directories and names" {
	local long
	long=$(printf '%256s' '' | tr ' ' n)
	mkdir -p "$DIR/g/a/b" "$DIR/g/c"
	gives EEXIST mkdir "$DIR/g/a"
	gives EEXIST mkdir "$DIR/g/tasks"
	gives ENOENT mkdir "$DIR/g/no/a"
	gives EINVAL mkdir "$DIR/g/x"$'\n'
	gives EINVAL mkdir "$DIR/g/x"$'\001'
	gives ENAMETOOLONG mkdir "$DIR/g/$long"
	gives ENAMETOOLONG read "$DIR/g/$long"
	gives ok mkdir "$DIR/g/${long:1}"
	gives ok rmdir "$DIR/g/${long:1}"
	gives ok mkdir "$DIR/g/ a.b"$'\377'
	gives ok rmdir "$DIR/g/ a.b"$'\377'
	gives EBUSY rmdir "$DIR/g/a"
	gives ENOENT rmdir "$DIR/g/no"
	gives ENOTDIR rmdir "$DIR/g/tasks"
	gives EINVAL rmdir "$DIR/g/."
	gives EBUSY rmdir "$DIR"
	gives EEXIST rename "$DIR/g/a" "$DIR/g/c"
	gives ENOTDIR rename "$DIR/g/a" "$DIR/g/tasks"
	gives ENOTDIR rename "$DIR/g/tasks" "$DIR/g/t"
	gives EIO rename "$DIR/g/a" "$DIR/g/c/a"
	gives EINVAL rename "$DIR/g/a" "$DIR/g/a/b/a"
	gives EXDEV rename "$DIR/g/a" "$BATS_TEST_TMPDIR/a"
	gives ENOENT rename "$DIR/g/no" "$DIR/g/x"
	gives ok rename "$DIR/g/a" "$DIR/g/d"
	[[ -d $DIR/g/d/b ]]
}

@test "errno: what files refuse and take" {
	local file
	mkdir "$DIR/g"
	gives EPERM unlink "$DIR/g/tasks"
	gives EISDIR unlink "$DIR/g"
	gives EACCES create "$DIR/g/x"
	gives EEXIST create "$DIR/g/tasks"
	gives EPERM mknod "$DIR/g/x"
	gives EPERM symlink "$DIR/g/x"
	gives EPERM link "$DIR/g/tasks" "$DIR/g/x"
	gives EOPNOTSUPP xattr "$DIR/g/tasks"
	gives ok truncate "$DIR/g/tasks"
	gives ok write "$DIR/g/notify_on_release" 1
	gives ok append "$DIR/g/notify_on_release" 0
	assert_equal "$(cat "$DIR/g/notify_on_release")" 0 "appended"
	gives EINVAL write "$DIR/g/notify_on_release" x
	gives EIO write "$DIR/g/tasks" x
	gives ESRCH write "$DIR/g/tasks" 4194304
	gives EINVAL write "$DIR/g/cpuacct.usage" 1
	gives EINVAL write "$DIR/g/cpuacct.stat" 1
	gives E2BIG big "$DIR/g/notify_on_release" 4096
	gives E2BIG big "$DIR/g/notify_on_release" 1000000
	for file in "$DIR"/g/cpuacct.*; do
		gives ok read "$file"
	done
	exec 7<"$DIR/g/cpuacct.usage" 8>"$DIR/g/notify_on_release"
	rmdir "$DIR/g"
	run -1 cat <&7
	[[ $output == *"No such device"* ]]
	run -1 bash -c 'echo 1 >&8'
	[[ $output == *"No such device"* ]]
	exec 7<&- 8>&-
}

@test "modes, owners and groups of users decide" {
	need setpriv
	mkdir "$DIR/g"
	# Neither the build nor the tests' directory may be anybody's to enter.
	exec 9<"$SUPPORT/fsop"
	gives_as() { assert_equal "$(setpriv --reuid 4321 --regid 4321 "$1" -- /proc/self/fd/9 "${@:3}")" "$2" "${*:3}"; }
	gives_as --clear-groups ok read "$DIR/g/tasks"
	gives_as --clear-groups EACCES mkdir "$DIR/g/a"
	gives_as --clear-groups EACCES write "$DIR/g/tasks" 0
	chgrp 4322 "$DIR/g"
	chmod 775 "$DIR/g"
	gives_as --clear-groups EACCES mkdir "$DIR/g/a"
	gives_as --groups=4322 ok mkdir "$DIR/g/a"
	assert_equal "$(stat -c %u:%g "$DIR/g/a" "$DIR/g/a/tasks" | uniq)" 4321:4321 "owner"
	gives_as --clear-groups ok write "$DIR/g/a/tasks" 0
	gives_as --clear-groups EACCES write "$DIR/g/a/tasks" $$
	gives_as --clear-groups EACCES write "$DIR/release_agent" x
	chown 4321 "$DIR/g/tasks"
	chmod 600 "$DIR/g/tasks"
	assert_equal "$(stat -c %u:%a "$DIR/g/tasks")" 4321:600 "a file that was given away"
	gives_as --clear-groups ok write "$DIR/g/tasks" 0
	chmod 700 "$DIR/g"
	gives_as --groups=4322 EACCES read "$DIR/g/tasks"
	rmdir "$DIR/g/a"
	exec 9<&-
}

@test "another pid namespace: ids of its own" {
	need unshare
	mkdir "$DIR/g"
	# shellcheck disable=SC2016 # of the inner shell
	run -0 unshare -pf --mount-proc bash -c 'echo $$ >"$1/tasks"; exec cat "$1/tasks"' - "$DIR/g"
	assert_equal "$output" 1 "members"
	# shellcheck disable=SC2016 # of the inner shell
	run -0 unshare -pf --mount-proc bash -c 'echo 0 >"$1/cgroup.procs"; cat "$1/cgroup.procs"' - "$DIR/g"
	assert_equal "${lines[0]}" 1 "the writer is meant by 0"
}

@test "a listing of members is one snapshot; of values it is what is now" {
	local first
	mkdir "$DIR/g"
	spawn one sleep infinity
	spawn two sleep infinity
	spawned one >"$DIR/g/tasks"
	exec 7<"$DIR/g/tasks" 8<"$DIR/g/notify_on_release"
	spawned two >"$DIR/g/tasks"
	read -r -n 1 first <&7
	assert_equal "$first$(cat <&7)" "$(spawned one)" "opened before"
	assert_equal "$(wc -l <"$DIR/g/tasks")" 2 "opened after"
	echo 1 >"$DIR/g/notify_on_release"
	assert_equal "$(cat <&8)" 1 "read after the change"
	exec 7<&- 8<&-
	spawned one >"$DIR/tasks"
	spawned two >"$DIR/tasks"
}

# unit/test_fs.c has 100,000, which few machines let a test make.
@test "a listing of very many threads is what was there when it was opened" {
	local before first
	mkdir "$DIR/g"
	start_threads "$(by_length 300 1000 20000)"
	echo "${TIDS[0]}" >"$DIR/g/cgroup.procs"
	before=$(printf '%s\n' "${TIDS[@]}" | sort -n | md5sum)
	exec 7<"$DIR/g/tasks"
	read -r first <&7
	tell exit 1
	tell exit 200
	tell new 2
	assert_equal "$({ echo "$first" && cat <&7; } | md5sum)" "$before" "members when it was opened"
	exec 7<&-
	assert_equal "$(wc -l <"$DIR/g/tasks")" $((${#TIDS[@]} - 1)) "members now"
	echo "${TIDS[0]}" >"$DIR/cgroup.procs"
}

# The first one goes, and comes again as the last.
rotate_names() {
	local i
	for ((i = 0; ; i = (i + 1) % 40)); do
		"$SUPPORT/fsop" renew "$DIR/g/other$i" >/dev/null
		"$SUPPORT/fsop" rename "$DIR/g/other$i" "$DIR/g/renamed" >/dev/null
		"$SUPPORT/fsop" rename "$DIR/g/renamed" "$DIR/g/other$i" >/dev/null
	done
}

@test "a listing under change neither fails nor shows a name twice nor leaves one out" {
	local rotator
	mkdir "$DIR/g" "$DIR"/g/other{0..39} "$DIR"/g/steady{1..40}
	rotate_names 3>&- 4>&- &
	rotator=$!
	run -0 "$SUPPORT/fsop" list "$(by_length 300 1000 20000)" "$DIR/g"
	kill "$rotator"
	wait "$rotator" || true
	assert_equal "$output" "40 40" "names that were there all the time"
}

@test "inotify tells of what is done through the mount" {
	mkdir "$DIR/g"
	spawn watcher "$SUPPORT/fsop" watch 4 "$DIR/g"
	wait_until 30 grep -q ready "$(state_dir)/watcher.out"
	mkdir "$DIR/g/a"
	mv "$DIR/g/a" "$DIR/g/b"
	rmdir "$DIR/g/b"
	echo 1 >"$DIR/g/notify_on_release"
	wait_for_output() { [[ $(output watcher | wc -l) == 5 ]]; }
	wait_until 30 wait_for_output
	assert_equal "$(output watcher | tr '\n' ,)" "ready,create a,moved b,delete b,modify notify_on_release," "events"
}

@test "all hierarchies, and what was in /proc" {
	local pid
	new_mount_point
	ctl mount --at "$DIR" --all
	mkdir "$DIR/p/g"
	spawn sleeper sleep infinity
	pid=$(spawned sleeper)
	echo "$pid" >"$DIR/p/g/tasks"
	assert_equal "$(tail -n 1 "$DIR/proc/$pid")" cpuacct:/g "groups of a task"
	assert_match "$(cat "$DIR/proc/containers")" $'^Hierarchies:\n.*containers=2 \(cpuacct\).*\nSubsystems:\n0: name=cpuacct ' "containers"
	gives ENOENT read "$DIR/proc/4194305"
	gives EPERM rmdir "$DIR/proc"
	gives EPERM mkdir "$DIR/x"
	gives EBUSY rmdir "$DIR/p"
	mkdir "$DIR/default/fs-test"
	gives EXDEV rename "$DIR/default/fs-test" "$DIR/p/x"
	rmdir "$DIR/default/fs-test"
	[[ $(find "$DIR/proc" -name "$pid") ]]
}

@test "umount refuses a hierarchy that is mounted; a wrong call leaves no mount" {
	refused EBUSY umount p
	new_mount_point
	run -1 ctl mount --at "$DIR" nosuch
	run ! is_mounted "$DIR"
	run -1 ctl mount --at "$DIR/no" p
	run -2 ctl mount --all p
	assert_equal "$(ctl --json mounts | jq -r '.[] | select(.name == "p").directories | length')" 1 "mounts"
}

# one_of ERRNOS OPERATION PATH...: what else fsop says is said on stderr. mv(1) will not do: it asks
# several questions of a target that comes and goes, and makes of the answers what never was.
one_of() {
	local said
	said=$("$SUPPORT/fsop" "${@:2}")
	[[ " $1 " == *" $said "* ]] || echo "${*:2}: $said" >&2
}

# One of many at once: steps of all kinds on a few names, until the deadline.
random_steps() {
	local end=$((SECONDS + $1)) seed=$2 a b
	set +e
	RANDOM=$seed
	while ((SECONDS < end)); do
		a=$DIR/g/$((RANDOM % 6)) b=$DIR/g/$((RANDOM % 6))
		case $((RANDOM % 9)) in
		0 | 1) mkdir "$a" ;;
		2) rmdir "$a" ;;
		3) echo 0 >"$a/tasks" ;;
		4) cat "$a/tasks" "$a/cpuacct.usage" >/dev/null ;;
		5) one_of 'ok ENOENT EEXIST' rename "$a" "$b" ;;
		6) ls -l "$DIR/g" >/dev/null ;;
		7) echo $((RANDOM % 2)) >"$a/notify_on_release" ;;
		8) echo 0 >"$DIR/tasks" ;;
		esac
	done
	return 0 # what went wrong is in what was said
}

count_fds() {
	find "/proc/$(agent_pid)/fd" -mindepth 1 | wc -l
}

# What the programs say of EEXIST, ENOENT, ENODEV (its group was removed after the open) and EBUSY.
EXPLAINED='File exists|No such file or directory|No such device|Device or resource busy'

@test "many shells at once: no error that is not explained, nothing leaked" {
	local i seconds pids=()
	seconds=$(by_length 2 4 60)
	mkdir "$DIR/g"
	count_fds >"$BATS_TEST_TMPDIR/fds"
	for ((i = 0; i < 64; i++)); do
		# each its own: a message comes in pieces; the first ones do not come to an end themselves
		random_steps $((seconds + (i < 16 ? 60 * SLOW : 0))) "$i" 2>"$BATS_TEST_TMPDIR/errors.$i" 3>&- 4>&- &
		pids+=($!)
	done
	# Some end in the midst of what they do.
	for ((i = 0; i < 16; i++)); do
		kill -KILL "${pids[i]}"
	done
	wait "${pids[@]:16}"
	wait "${pids[@]:0:16}" 2>/dev/null || true
	if grep -hvE "$EXPLAINED|Killed" "$BATS_TEST_TMPDIR"/errors.* >"$BATS_TEST_TMPDIR/others"; then
		fail "not explained: $(sort "$BATS_TEST_TMPDIR/others" | uniq -c | head)"
	fi
	ctl rmdir -r --kill p:/g
	fds_are_back() { (($(count_fds) <= $(<"$BATS_TEST_TMPDIR/fds") + 1)); }
	wait_until 30 fds_are_back
	ctl ping >/dev/null
}
