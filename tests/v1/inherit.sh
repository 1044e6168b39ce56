# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What a new group takes over from its parent, and that the two go their own ways then (section C).

section_inherit() {
	local parent=$TOP/p value
	mkdir "$parent"
	for value in 1 0; do
		put "$parent/notify_on_release" "$value"
		mkdir "$parent/c$value"
		reads "notify_on_release: from a parent with $value" "$parent/c$value/notify_on_release" "$value"
	done
	reads 'notify_on_release: not changed with the parent' "$parent/c1/notify_on_release" 1
	put "$parent/c1/notify_on_release" 0
	put "$parent/c1/notify_on_release" 1
	reads 'notify_on_release: the parent not with the child' "$parent/notify_on_release" 0
	put "$parent/cgroup.clone_children" 1
	mkdir "$parent/clone"
	reads 'cgroup.clone_children: from the parent' "$parent/clone/cgroup.clone_children" 1
	put "$parent/cgroup.clone_children" 0
	reads 'cgroup.clone_children: not changed with the parent' "$parent/clone/cgroup.clone_children" 1
	mkdir "$parent/plain"
	reads 'cgroup.clone_children: from a parent without' "$parent/plain/cgroup.clone_children" 0
	tidy
	in_a_busy_parent
	! has cpuset || inherit_cpuset
}

in_a_busy_parent() {
	group busy
	idle
	put "$G/tasks" "$P"
	mkdir "$G/c"
	is 'tasks: a child of a busy group has none' "$(cat "$G/c/tasks")" ''
	is 'cgroup.procs: a child of a busy group has none' "$(cat "$G/c/cgroup.procs")" ''
	is 'tasks: the parent keeps its own' "$(cat "$G/tasks")" "$P"
	tidy
}

# flags_of GROUP
flags_of() {
	local name
	for name in cpu_exclusive mem_exclusive mem_hardwall memory_migrate memory_spread_page \
		memory_spread_slab sched_load_balance sched_relax_domain_level; do
		printf '%s=%s ' "$name" "$(cat "$1/cpuset.$name")"
	done
}

inherit_cpuset() {
	local parent=$TOP/s name
	mkdir "$parent"
	configure "$parent"
	put "$TOP/cpuset.cpu_exclusive" 1
	put "$TOP/cpuset.mem_exclusive" 1
	for name in cpu_exclusive mem_exclusive mem_hardwall memory_migrate memory_spread_page \
		memory_spread_slab; do
		put "$parent/cpuset.$name" 1
	done
	put "$parent/cpuset.sched_load_balance" 0
	put "$parent/cpuset.sched_relax_domain_level" 0
	mkdir "$parent/c"
	for name in cpus mems effective_cpus effective_mems; do
		reads "cpuset.$name: empty whatever the parent has" "$parent/c/cpuset.$name" ''
	done
	is 'flags: only those of spreading' "$(flags_of "$parent/c")" \
		"cpu_exclusive=0 mem_exclusive=0 mem_hardwall=0 memory_migrate=0 memory_spread_page=1 \
memory_spread_slab=1 sched_load_balance=1 sched_relax_domain_level=-1 "
	put "$parent/cpuset.memory_spread_page" 0
	reads 'memory_spread_page: not changed with the parent' "$parent/c/cpuset.memory_spread_page" 1
	put "$parent/cpuset.cpu_exclusive" 0
	put "$parent/cpuset.mem_exclusive" 0
	put "$TOP/cpuset.cpu_exclusive" 0
	put "$TOP/cpuset.mem_exclusive" 0
	inherit_clone "$parent"
}

inherit_clone() {
	local parent=$1
	put "$parent/cgroup.clone_children" 1
	mkdir "$parent/clone" "$parent/clone/below"
	reads 'clone_children: cpus are copied' "$parent/clone/cpuset.cpus" "$(cat "$parent/cpuset.cpus")"
	reads 'clone_children: mems are copied' "$parent/clone/cpuset.mems" "$(cat "$parent/cpuset.mems")"
	reads 'clone_children: also further down' "$parent/clone/below/cpuset.cpus" \
		"$(cat "$parent/cpuset.cpus")"
	put "$parent/clone/below/cpuset.cpus" 0
	reads 'cpus: the parent not with the child' "$parent/clone/cpuset.cpus" \
		"$(cat "$parent/cpuset.cpus")"
	put "$parent/clone/cpuset.cpus" 0
	reads 'cpus: the child not with the parent' "$parent/clone/below/cpuset.cpus" 0
	is 'clone_children: a task comes in at once' "$(in_group "$parent/clone" echo in)" in
}
