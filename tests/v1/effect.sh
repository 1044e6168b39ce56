# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What a cpuset does to the CPUs of its tasks (section F). Hotplug, and where memory comes from, need
# a machine that can be changed: they are not asked here.

section_effect() {
	has cpuset || return 0
	if (($(cpus_possible) < 2)); then
		outcome 0 "effect: all # skip two CPUs are needed"
		return
	fi
	moves_and_changes
	own_wishes
	children_of_it
	if (($(cpus_possible) >= 4)); then
		partial_wishes
	fi
}

# affinity PID
affinity() {
	sed -n 's/^Cpus_allowed_list:\t//p' "/proc/$1/status"
}

cpu_of() {
	cut -d ' ' -f 39 "/proc/$1/stat"
}

moves_and_changes() {
	local all one=$TOP/one none=$TOP/all
	mkdir "$one" "$none"
	configure "$one" 0
	configure "$none"
	all=$(cat "$DIR/cpuset.cpus")
	idle
	put "$none/tasks" "$P"
	becomes "$all" 'a group of all CPUs' affinity "$P"
	put "$one/tasks" "$P"
	becomes 0 'moved to CPU 0' affinity "$P"
	put "$one/cpuset.cpus" 1
	becomes 1 'its group is changed' affinity "$P"
	put "$one/cpuset.cpus" 0-1
	becomes 0-1 'its group is widened' affinity "$P"
	put "$one/cpuset.cpus" 0
	becomes 0 'its group is narrowed' affinity "$P"
	put "$none/tasks" "$P"
	becomes "$all" 'moved to a group of all CPUs' affinity "$P"
	put "$one/cgroup.procs" "$P"
	becomes 0 'moved as a process' affinity "$P"
	put "$DIR/tasks" "$P"
	becomes "$all" 'moved to the root' affinity "$P"
	tidy
}

own_wishes() {
	group w
	put "$G/cpuset.cpus" 0
	idle
	put "$G/tasks" "$P"
	becomes 0 'a wish: before' affinity "$P"
	answers 0 'a wish: more than the group' affinity "$P" 0,1
	becomes 0 'a wish: more than the group, then' affinity "$P"
	answers EINVAL 'a wish: none of the group' affinity "$P" 1
	becomes 0 'a wish: none of the group, then' affinity "$P"
	tidy
}

children_of_it() {
	group c
	put "$G/cpuset.cpus" 1
	# shellcheck disable=SC2016
	start sh -c 'echo $$ >"$1/tasks"; "$2" 0 --forever & echo $!; wait' sh "$G" "$SUPPORT/burn"
	wait_for test -s "$SCRATCH/out"
	becomes 1 'a child: born in the group' affinity "$(cat "$SCRATCH/out")"
	becomes 1 'a child: where it runs' cpu_of "$(cat "$SCRATCH/out")"
	tidy
}

partial_wishes() {
	local n
	group p
	put "$G/cpuset.cpus" 0-1
	idle
	put "$G/tasks" "$P"
	becomes 0-1 'a part: before' affinity "$P"
	answers 0 'a part: of the group and beside it' affinity "$P" 1,2
	becomes 1 'a part: then' affinity "$P"
	answers 0 'a part: within' affinity "$P" 0
	becomes 0 'a part: within, then' affinity "$P"
	n=$(cpus_possible)
	answers EINVAL 'a part: CPUs that are not there' affinity "$P" "$n,$((n + 1))"
	becomes 0 'a part: unchanged' affinity "$P"
	tidy
}
