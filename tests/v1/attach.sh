# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Who is where: writing ids into tasks and cgroup.procs, and reading them there (section E).

section_attach() {
	malformed_ids tasks
	malformed_ids cgroup.procs
	writers
	users
	threads_and_processes
	forks
	exits
	many_moves
	other_hierarchies
	! has cpuset || empty_cpusets
}

# malformed_ids FILE: {P} is a process of ours, that is elsewhere at first
malformed_ids() {
	local text error value from to
	group from && from=$G
	group to && to=$G
	idle
	while IFS='|' read -r text error; do
		printf -v value %b "${text//'{P}'/$P}"
		value=${value//'{HEX}'/$(printf 0x%x "$P")}
		put "$from/tasks" "$P"
		answers "$error" "$1: write '$text'" write "$to/$1" "$value"
		is "$1: after '$text'" "$(where "$P")" "$([[ $error == 0 ]] && echo /to/ || echo /from/)"
	done <<-'END'
		{P}|0
		{P}\n|0
		\x20{P}|0
		{P}\x20|0
		{P}\n\n|0
		{HEX}|0
		+{P}|0
		-1|EINVAL
		a|EINVAL
		not-a-number|EINVAL
		{P}a|EINVAL
		{P} {P}|EINVAL
		{P}\n{P}|EINVAL
		{P},|EINVAL
		\n|EINVAL
		4294967296|EINVAL
		4194305|ESRCH
	END
	put "$from/tasks" "$P"
	answers 0 "$1: a write of nothing" write "$to/$1" ''
	is "$1: after a write of nothing" "$(where "$P")" /from/
	put "$to/$1" "$P"
	answers 0 "$1: the same group again" write "$to/$1" "$P"
	is "$1: after the same group again" "$(where "$P")" /to/
	is "$1: lists it" "$(cat "$to/$1")" "$P"
	stop "$P"
	answers ESRCH "$1: a process that was" write "$to/$1" "$P"
	tidy
}

# 0 is who writes, with the thread or the process.
writers() {
	local file
	group w
	for file in tasks cgroup.procs; do
		# shellcheck disable=SC2016
		is "$file: 0 is the writer" "$(sh -c 'echo 0 >"$1/$2" && cat "$1/tasks" | grep -cx $$' \
			sh "$G" "$file")" 1
		is "$file: a writer that is gone" "$(cat "$G/tasks")" ''
	done
	# shellcheck disable=SC2016
	is 'tasks: $$ is the writer' "$(in_group "$G" sh -c 'cat "$1/tasks" | grep -cx $$' sh "$G")" 1
}

users() {
	local mine
	group u
	chmod 0777 "$G"
	idle
	mine=$P
	answers_user EACCES 'tasks: of a group that is not his' write "$G/tasks" "$mine"
	is 'tasks: not moved by a user' "$(says grep -qx "$mine" "$G/tasks")" no
	chmod 0666 "$G/tasks" "$G/cgroup.procs"
	answers_user EACCES 'tasks: the process of another' write "$G/tasks" "$mine"
	answers_user EACCES 'cgroup.procs: the process of another' write "$G/cgroup.procs" "$mine"
	is 'tasks: of another, not moved' "$(says grep -qx "$mine" "$G/tasks")" no
	# shellcheck disable=SC2016
	is 'tasks: his own process' "$(as_user sh -c 'echo $$ >"$1/tasks" && cat "$1/tasks" |
		grep -cx $$' sh "$G")" 1
	is 'a user reads' "$(as_user cat "$G/notify_on_release")" 0
	answers_user EACCES 'a user writes a setting' write "$G/notify_on_release" 1
	mkdir "$G/below"
	answers_user EACCES 'a user makes a group' mkdir "$G/below/x"
	answers_user EACCES 'a user removes a group' rmdir "$TOP/u"
	answers_user EPERM 'a user changes a mode' chmod "$G/tasks" 0777
	tidy
}

# answers_user EXPECTED NAME OPERATION...
answers_user() {
	is "$2" "$(as_user "$SUPPORT/try" "${@:3}")" "$1"
}

threads_and_processes() {
	local tids one two
	group one && one=$G
	group two && two=$G
	mkfifo "$SCRATCH/in"
	exec {TELL}<>"$SCRATCH/in"
	start sh -c "exec '$SUPPORT/threads' 12 <'$SCRATCH/in'"
	wait_for test -s "$SCRATCH/out"
	echo tids >&"$TELL"
	wait_for grep -q tids "$SCRATCH/out"
	read -ra tids < <(sed -n 's/^tids //p' "$SCRATCH/out")
	is 'threads: how many' "${#tids[@]}" 14
	put "$one/cgroup.procs" "${tids[5]}"
	is 'cgroup.procs: a thread brings all' "$(says lists "$one" "${tids[@]}")" yes
	is 'cgroup.procs: lists the process' "$(cat "$one/cgroup.procs")" "${tids[0]}"
	put "$two/tasks" "${tids[3]}"
	is 'tasks: one thread goes' "$(cat "$two/tasks")" "${tids[3]}"
	is 'tasks: the others stay' "$(wc -l <"$one/tasks")" 13
	is 'tasks: it is at one place' "$(where "${tids[3]}")" /two/
	is 'cgroup.procs: of both groups' "$(cat "$one/cgroup.procs" "$two/cgroup.procs" | sort -u)" \
		"${tids[0]}"
	put "$two/tasks" "${tids[0]}"
	is 'tasks: the leader goes alone' "$(wc -l <"$one/tasks")" 12
	is 'cgroup.procs: without its leader' "$(cat "$one/cgroup.procs")" "${tids[0]}"
	put "$one/cgroup.procs" "${tids[0]}"
	is 'cgroup.procs: brings them together again' "$(says lists "$one" "${tids[@]}")" yes
	is 'tasks: in ascending order' "$(cat "$one/tasks")" "$(sort -n "$one/tasks")"
	echo quit >&"$TELL"
	wait_for lists "$one"
	is 'tasks: none, as they have ended' "$(cat "$one/tasks" "$two/tasks")" ''
	exec {TELL}>&-
	rm "$SCRATCH/in"
	tidy
}

forks() {
	local i outside=0 child
	group f
	# shellcheck disable=SC2016
	is 'a child is where its parent is' "$(in_group "$G" sh -c 'sleep infinity & c=$!
		grep -cx $c "$1/tasks"; kill $c' sh "$G")" 1
	# one that forks without an end, moved meanwhile
	# shellcheck disable=SC2016
	start sh -c 'while :; do sh -c "sh -c :"; done'
	put "$G/cgroup.procs" "$P"
	for ((i = 0; i < 60; i++)); do
		read -r child _ <"/proc/$P/task/$P/children" || continue
		[[ -z $child ]] || ! grep -qx "$child" "$DIR/tasks" || ((outside += 1))
	done
	is 'no child of one that forks is left outside' "$outside" 0
	stop "$P"
	becomes '' 'all that were forked end in the group' cat "$G/tasks"
	tidy
}

exits() {
	group x
	start "$SUPPORT/burn" 0 --hold
	wait_for test -s "$SCRATCH/out"
	put "$G/tasks" "$P"
	stop "$P"
	is 'tasks: empty with the end of the last' "$(cat "$G/tasks")" ''
	answers 0 'rmdir: as soon as the last has ended' rmdir "$G"
	group z
	start "$SUPPORT/burn" 0 --zombie
	wait_for grep -q zombie "$SCRATCH/out"
	put "$G/cgroup.procs" "$P"
	is 'tasks: no zombie' "$(cat "$G/tasks")" "$P"
	stop "$P"
	answers 0 'rmdir: after zombies' rmdir "$G"
	# dies in the group, and nobody takes note of it
	group y
	# shellcheck disable=SC2016
	start sh -c 'sh -c "echo \$\$ >\"\$1/tasks\"" sh "$1" & exec sleep infinity' sh "$G"
	wait_for is_program "$P" sleep
	becomes '' 'tasks: empty, although nobody has waited for it' cat "$G/tasks"
	becomes 0 'rmdir: although nobody has waited for it' try rmdir "$G"
	tidy
}

many_moves() {
	local i wrong=0 one two
	group one && one=$G
	group two && two=$G
	idle
	for ((i = 0; i < 50; i++)); do
		echo "$P" >"$one/tasks"
		[[ $(<"$one/tasks") == "$P" && -z $(<"$two/tasks") ]] || ((wrong += 1))
		echo "$P" >"$two/tasks"
		[[ $(<"$two/tasks") == "$P" && -z $(<"$one/tasks") ]] || ((wrong += 1))
	done
	is '100 moves, each seen at once' "$wrong" 0
	is 'root: does not list it' "$(says grep -qx "$P" "$DIR/tasks")" no
	put "$DIR/tasks" "$P"
	is 'root: lists it' "$(says grep -qx "$P" "$DIR/tasks")" yes
	is 'cgroup.procs: each is among the tasks' \
		"$(comm -23 <(sort "$two/cgroup.procs") <(sort "$two/tasks"))" ''
	tidy
}

# What the kernel itself says of a process does not change for other hierarchies.
other_hierarchies() {
	local before
	group o
	idle
	before=$(cat "/proc/$P/cgroup")
	put "$G/tasks" "$P"
	is 'other hierarchies: at most this one changes' \
		"$(diff <(echo "$before") "/proc/$P/cgroup" | grep -c '^>' | grep -cvx '[01]')" 0
	tidy
}

empty_cpusets() {
	local from bound
	group from && from=$G
	mkdir "$TOP/e"
	G=$TOP/e
	idle
	put "$from/tasks" "$P"
	answers ENOSPC 'cpuset: neither cpus nor mems' write "$G/tasks" "$P"
	put "$G/cpuset.cpus" 0
	answers ENOSPC 'cpuset: no mems' write "$G/tasks" "$P"
	answers ENOSPC 'cpuset: no mems, a process' write "$G/cgroup.procs" "$P"
	put "$G/cpuset.cpus" $'\n'
	put "$G/cpuset.mems" 0
	answers ENOSPC 'cpuset: no cpus' write "$G/tasks" "$P"
	is 'cpuset: it has stayed' "$(where "$P")" /from/
	put "$G/cpuset.cpus" 0
	answers 0 'cpuset: both' write "$G/tasks" "$P"
	answers ENOSPC 'cpuset: cpus cleared under a task' write "$G/cpuset.cpus" $'\n'
	answers ENOSPC 'cpuset: mems cleared under a task' write "$G/cpuset.mems" $'\n'
	reads 'cpuset: cpus unchanged' "$G/cpuset.cpus" 0
	reads 'cpuset: mems unchanged' "$G/cpuset.mems" 0
	bound=$(pgrep -x 'migration/0' || true)
	if [[ -n $bound ]] && (($(cpus_possible) > 1)); then
		put "$G/cpuset.cpus" 1
		answers EINVAL 'cpuset: a thread of the kernel that is bound to its CPU' \
			write "$G/tasks" "$bound"
		is 'cpuset: it has not come' "$(says grep -qx "$bound" "$G/tasks")" no
		# nothing of the kernel's may stay, should it have come
		! grep -qx "$bound" "$G/tasks" || put "$DIR/tasks" "$bound"
	fi
	tidy
}
