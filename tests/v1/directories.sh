# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Making, removing and renaming groups, and all that files and directories of other file systems can
# do and these cannot (section H).

section_directories() {
	made
	names
	modes
	removed
	removed_while_open
	renamed
	renamed_busy
	refused_operations
	accepted_opens
	below_nothing
	big_trees
}

made() {
	mkdir "$TOP/g"
	answers 0 'mkdir' mkdir "$TOP/g/a"
	answers EEXIST 'mkdir: a group' mkdir "$TOP/g/a"
	answers EEXIST 'mkdir: the name of a control file' mkdir "$TOP/g/tasks"
	answers ENOENT 'mkdir: under nothing' mkdir "$TOP/g/x/y"
	answers ENOTDIR 'mkdir: under a control file' mkdir "$TOP/g/tasks/y"
	answers EEXIST 'mkdir: .' mkdir "$TOP/g/."
	answers EEXIST 'mkdir: ..' mkdir "$TOP/g/a/.."
	is 'mkdir -p' "$(says mkdir -p "$TOP/g/p/q/r")" yes
	is 'mkdir -p: again' "$(says mkdir -p "$TOP/g/p/q/r")" yes
	is 'links: three of them' "$(stat -c %h "$TOP/g")" 4
	is 'find' "$(find "$TOP/g" -type d -printf '%P\n' | sort | paste -sd ' ')" ' a p p/q p/q/r'
	tidy
}

names() {
	local name long
	mkdir "$TOP/g"
	# shellcheck disable=SC2016
	for name in ' ' 's p' .hidden cpuset.x tasks.x TASKS -x "'" '"' '$x' '*' 'a:b' 'a,b' 'a\b' \
		'a=b' '#' 'ü' $'\xff' "$(printf '%0255d' 0)"; do
		answers 0 "name: mkdir ${name::20}" mkdir "$TOP/g/$name"
		is "name: ${name::20} is listed" "$(cd "$TOP/g" && find . -mindepth 1 -type d)" "./$name"
		answers 0 "name: rmdir ${name::20}" rmdir "$TOP/g/$name"
	done
	long=$(printf '%0256d' 0)
	answers 0 'name: mkdir of 256 bytes' mkdir "$TOP/g/$long"
	answers 0 'name: rmdir of 256 bytes' rmdir "$TOP/g/$long"
	answers EINVAL 'name: mkdir with a newline' mkdir "$TOP/g/"$'a\nb'
	answers 0 'name: mkdir with a control character' mkdir "$TOP/g/"$'a\tb'
	answers 0 'name: mkdir for a rename' mkdir "$TOP/g/r"
	answers 0 'name: rename with a blank' rename "$TOP/g/r" "$TOP/g/r r"
	is 'name: of the files in it' "$(says test -e "$TOP/g/r r/tasks")" yes
	tidy
}

modes() {
	local mode
	mkdir "$TOP/g"
	for mode in 0444 0000 0700 0755 1777; do
		answers 0 "mode: mkdir with $mode" mkdir-mode "$TOP/g/$mode" "$mode"
		is "mode: $mode is kept" "$(stat -c %04a "$TOP/g/$mode" | tr ' ' 0)" "$mode"
	done
	is 'mode: files do not care' "$(stat -c %a "$TOP/g/0700/tasks")" 644
	answers 0 'mode: chmod of a group' chmod "$TOP/g/0700" 0750
	is 'mode: chmod of a group is kept' "$(stat -c %a "$TOP/g/0700")" 750
	answers 0 'mode: chmod of a file' chmod "$TOP/g/0700/tasks" 0660
	is 'mode: chmod of a file is kept' "$(stat -c %a "$TOP/g/0700/tasks")" 660
	answers 0 'owner: chown of a group' chown "$TOP/g/0700" 54321 54322
	is 'owner: chown of a group is kept' "$(stat -c %u:%g "$TOP/g/0700")" 54321:54322
	is 'owner: not of its files' "$(stat -c %u:%g "$TOP/g/0700/tasks")" 0:0
	answers 0 'owner: chown of a file' chown "$TOP/g/0700/tasks" 54321 54322
	is 'owner: chown of a file is kept' "$(stat -c %u:%g "$TOP/g/0700/tasks")" 54321:54322
	# shellcheck disable=SC2016
	is 'owner: makes a group, which is his with its files' "$(as_user sh -c '
		mkdir "$1/his" && stat -c %u:%g "$1/his" "$1/his/tasks" | sort -u' sh "$TOP/g/0700")" \
		54321:54321
	is 'owner: removes it' "$(as_user "$SUPPORT/try" rmdir "$TOP/g/0700/his")" 0
	answers 0 'a file is kept by name' chmod "$TOP/g/0755/notify_on_release" 0600
	is 'a user cannot read it' "$(as_user "$SUPPORT/try" read "$TOP/g/0755/notify_on_release")" EACCES
	is 'a user cannot enter' "$(as_user "$SUPPORT/try" read "$TOP/g/0000/tasks")" EACCES
	is 'a user cannot list' "$(as_user "$SUPPORT/try" open "$TOP/g/0000" rdonly,dir)" EACCES
	tidy
}

removed() {
	group g
	idle
	put "$G/tasks" "$P"
	mkdir "$G/c"
	answers EBUSY 'rmdir: with a task and a child' rmdir "$G"
	rmdir "$G/c"
	answers EBUSY 'rmdir: with a task' rmdir "$G"
	put "$DIR/tasks" "$P"
	mkdir "$G/c"
	answers EBUSY 'rmdir: with a child' rmdir "$G"
	answers ENOENT 'rmdir: nothing' rmdir "$G/x"
	answers ENOTDIR 'rmdir: a control file' rmdir "$G/tasks"
	answers EINVAL 'rmdir: .' rmdirat "$G" .
	answers ENOTEMPTY 'rmdir: ..' rmdirat "$G/c" ..
	answers 0 'rmdir: the child' rmdir "$G/c"
	is 'rmdir: links of its parent' "$(stat -c %h "$G")" 2
	answers 0 'rmdir: at last' rmdir "$G"
	answers ENOENT 'rmdir: again' rmdir "$G"
	answers ENOENT 'read: a file of a removed group' read "$G/tasks"
	mkdir "$G"
	is 'mkdir: the same name again, empty' "$(cat "$G/tasks")" ''
	tidy
}

# A file that is open while its group goes.
removed_while_open() {
	local file
	for file in notify_on_release cgroup.clone_children; do
		mkdir "$TOP/o"
		answers ENODEV "removed: read of $file" rmdir-read "$TOP/o" "$file"
		mkdir "$TOP/o"
		answers ENODEV "removed: write of $file" rmdir-write "$TOP/o" "$file" 1
	done
	mkdir "$TOP/o"
	answers ENODEV 'removed: write of tasks' rmdir-write "$TOP/o" tasks 0
	mkdir "$TOP/o"
	# shellcheck disable=SC2016
	is 'removed: a shell in it' "$(sh -c 'cd "$1" && rmdir "$1" && "$2" mkdir x' sh "$TOP/o" \
		"$SUPPORT/try")" ENOENT
	if has cpuset; then
		mkdir "$TOP/o"
		answers ENODEV 'removed: read of cpuset.cpus' rmdir-read "$TOP/o" cpuset.cpus
		mkdir "$TOP/o"
		answers ENODEV 'removed: write of cpuset.cpus' rmdir-write "$TOP/o" cpuset.cpus 0
	fi
	if has cpuacct; then
		mkdir "$TOP/o"
		answers ENODEV 'removed: read of cpuacct.usage' rmdir-read "$TOP/o" cpuacct.usage
	fi
}

renamed() {
	local g=$TOP/g
	mkdir "$g" "$g/a" "$g/a/in" "$g/b" "$g/c"
	put "$g/a/notify_on_release" 1
	answers EEXIST 'rename: onto a group' rename "$g/a" "$g/b"
	answers ENOTDIR 'rename: onto a control file' rename "$g/a" "$g/tasks"
	answers ENOTDIR 'rename: a control file' rename "$g/tasks" "$g/x"
	answers EIO 'rename: to another directory' rename "$g/a" "$g/b/a"
	answers EIO 'rename: up' rename "$g/a/in" "$g/in"
	answers EXDEV 'rename: out of the file system' rename "$g/a" "$SCRATCH/a"
	answers EXDEV 'rename: into the file system' rename "$SCRATCH" "$g/x"
	answers ENOENT 'rename: nothing' rename "$g/x" "$g/y"
	answers EINVAL 'rename: into its own subtree' rename "$g/a" "$g/a/in/x"
	answers ENOTEMPTY 'rename: onto its parent' rename "$g/a/in" "$g/a"
	answers 0 'rename: onto itself' rename "$g/a" "$g/a"
	answers 0 'rename' rename "$g/a" "$g/z"
	is 'rename: the old name' "$(says test -e "$g/a")" no
	reads 'rename: its values' "$g/z/notify_on_release" 1
	is 'rename: its children' "$(says test -e "$g/z/in/tasks")" yes
	answers 0 'rename: the old name can be had again' mkdir "$g/a"
	reads 'rename: and is new' "$g/a/notify_on_release" 0
	is 'mv into another directory' "$(says mv "$g/a" "$g/b/a")" no
	tidy
}

renamed_busy() {
	group g
	idle
	put "$G/tasks" "$P"
	answers 0 'rename: a busy group' rename "$G" "$TOP/h"
	is 'rename: its task' "$(where "$P")" /h/
	is 'rename: found by its new name' "$(cat "$TOP/h/tasks")" "$P"
	answers EBUSY 'rename: still busy' rmdir "$TOP/h"
	tidy
}

refused_operations() {
	local g=$TOP/g
	mkdir "$g" "$g/c"
	answers EPERM 'unlink: a control file' unlink "$g/tasks"
	answers EISDIR 'unlink: a group' unlink "$g/c"
	answers EACCES 'open: a new file' open "$g/new" wronly,creat
	answers EACCES 'open: a new file, exclusively' open "$g/new" wronly,creat,excl
	answers EEXIST 'open: an old one exclusively' open "$g/tasks" wronly,creat,excl
	answers EACCES 'mknod' mknod "$g/new"
	answers EPERM 'mkfifo' mkfifo "$g/new"
	answers EPERM 'symlink' symlink x "$g/new"
	answers EPERM 'link' link "$g/tasks" "$g/new"
	answers EISDIR 'open: a group for writing' open "$g/c" wronly
	answers ENOTDIR 'open: a file as a directory' open "$g/tasks" rdonly,dir
	answers EISDIR 'read: a group' read "$g/c"
	answers EISDIR 'truncate: a group' truncate "$g/c" 0
	answers EACCES 'execve: a control file' execve "$g/tasks"
	answers EINVAL 'readlink: a control file' readlink "$g/tasks"
	is 'rm -r removes nothing' "$(rm -r "$g" 2>/dev/null; says test -e "$g/c/tasks")" yes
	is 'nothing new' "$(says test -e "$g/new")" no
	tidy
}

accepted_opens() {
	local g=$TOP/g flags
	mkdir "$g"
	put "$g/notify_on_release" 1
	for flags in rdonly wronly rdwr wronly,append wronly,trunc rdwr,creat wronly,creat,trunc path; do
		answers 0 "open: $flags" open "$g/notify_on_release" "$flags"
	done
	answers 0 'truncate: to 0' truncate "$g/notify_on_release" 0
	answers 0 'truncate: to 100' truncate "$g/notify_on_release" 100
	reads 'open, truncate: changed nothing' "$g/notify_on_release" 1
	is 'stat: still no size' "$(stat -c %s "$g/notify_on_release")" 0
	answers 0 'access' access "$g/notify_on_release"
	answers 0 'statfs' statfs "$g"
	answers 0 'inotify' inotify "$g"
	answers 0 'listxattr' listxattr "$g/tasks"
	answers ENODATA 'getxattr' getxattr "$g/tasks" user.x
	answers 0 'a directory: open' open "$g" rdonly,dir
	tidy
}

# Whatever is asked of a path below a group that is not there.
below_nothing() {
	local p=$TOP/nothing/x operation
	for operation in "open $p rdonly" "open $p wronly,creat" "open $p rdonly,dir" "mkdir $p" "rmdir $p" \
		"unlink $p" "rename $p $TOP/y" "rename $TOP $p" "symlink x $p" "link $DIR/tasks $p" \
		"mknod $p" "mkfifo $p" "truncate $p 0" "chmod $p 0700" "chown $p 0 0" "stat $p" "lstat $p" \
		"statfs $p" "access $p" "readlink $p" "chdir $p" "utimens $p" "getxattr $p user.x" \
		"listxattr $p" "execve $p" "inotify $p"; do
		# shellcheck disable=SC2086 # words
		answers ENOENT "below nothing: ${operation//"$TOP"/}" $operation
	done
}

big_trees() {
	local path=$TOP/deep i wide=()
	for ((i = 0; i < 100; i++)); do
		path+=/d
	done
	is 'deep: 100 levels' "$(says mkdir -p "$path")" yes
	has cpuset || deep_task "$path"
	is 'deep: found' "$(find "$TOP/deep" -type d | wc -l)" 101
	is 'deep: removed' "$(cd "$TOP" && says rmdir -p "${path#"$TOP"/}")" yes
	mkdir "$TOP/wide"
	for ((i = 0; i < 200; i++)); do
		wide+=("$TOP/wide/$i")
	done
	is 'wide: 200 groups' "$(says mkdir "${wide[@]}")" yes
	is 'wide: links' "$(stat -c %h "$TOP/wide")" 202
	is 'wide: each is listed once' "$(find "$TOP/wide" -mindepth 1 -maxdepth 1 -type d | sort -u | wc -l)" \
		200
	is 'wide: removed' "$(says rmdir "${wide[@]}")" yes
	is 'cubic: 4 * 4 * 4' "$(says mkdir -p "$TOP"/cubic/{1..4}/{1..4}/{1..4})" yes
	is 'cubic: files' "$(find "$TOP/cubic" -name tasks | wc -l)" 85
	is 'cubic: removed' "$(says find "$TOP/cubic" -depth -type d -exec rmdir {} +)" yes
	tidy
}

deep_task() {
	idle
	put "$1/tasks" "$P"
	is 'deep: a task' "$(cat "$1/tasks")" "$P"
	answers EBUSY 'deep: busy' rmdir "$1"
	stop "$P"
}
