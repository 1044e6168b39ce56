# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What a group looks like: which files are there, with what mode, size, links and owner, and what
# they hold at first.

CORE_FILES='cgroup.clone_children:644 cgroup.procs:644 notify_on_release:644 tasks:644'
CPUACCT_FILES='cpuacct.stat:444 cpuacct.usage:644 cpuacct.usage_all:444 cpuacct.usage_percpu:444
	cpuacct.usage_percpu_sys:444 cpuacct.usage_percpu_user:444 cpuacct.usage_sys:444
	cpuacct.usage_user:444'
CPUSET_FILES='cpuset.cpu_exclusive:644 cpuset.cpus:644 cpuset.effective_cpus:444
	cpuset.effective_mems:444 cpuset.mem_exclusive:644 cpuset.mem_hardwall:644
	cpuset.memory_migrate:644 cpuset.memory_pressure:444 cpuset.memory_spread_page:644
	cpuset.memory_spread_slab:644 cpuset.mems:644 cpuset.sched_load_balance:644
	cpuset.sched_relax_domain_level:644'

# group_files: NAME:MODE of what every group has
group_files() {
	echo "$CORE_FILES"
	! has cpuacct || echo "$CPUACCT_FILES"
	! has cpuset || echo "$CPUSET_FILES"
}

section_files() {
	mkdir "$TOP/g" "$TOP/g/c"
	files_present "$TOP/g"
	files_of_root
	directory_looks "$TOP/g"
	first_values "$TOP/g"
}

files_present() {
	local entry
	for entry in $(group_files); do
		is "${entry%:*}: type, mode, owner, size, links" \
			"$(stat -c '%F %a %u:%g %s %h' "$1/${entry%:*}" 2>&1)" \
			"regular empty file ${entry#*:} 0:0 0 1"
		is "${entry%:*}: is listed once" "$(find "$1" -maxdepth 1 -name "${entry%:*}" | wc -l)" 1
	done
	is 'release_agent: not in a group' "$(says test -e "$1/release_agent")" no
	is 'cgroup.sane_behavior: not in a group' "$(says test -e "$1/cgroup.sane_behavior")" no
}

files_of_root() {
	local entry
	for entry in $(group_files) release_agent:644; do
		[[ $entry != cpuset.memory_pressure:* ]] || continue
		is "root: ${entry%:*}" "$(stat -c '%F %a' "$DIR/${entry%:*}" 2>&1)" \
			"regular empty file ${entry#*:}"
	done
	answers EBUSY 'root: rmdir' rmdir "$DIR"
	has cpuset || return 0
	is 'root: memory_pressure_enabled' \
		"$(stat -c '%F %a' "$DIR/cpuset.memory_pressure_enabled")" 'regular empty file 644'
	is 'memory_pressure_enabled: not in a group' \
		"$(says test -e "$TOP/g/cpuset.memory_pressure_enabled")" no
	answers EACCES 'root: cpus cannot be written' write "$DIR/cpuset.cpus" \
		"$(cat "$DIR/cpuset.cpus")"
	answers EACCES 'root: mems cannot be written' write "$DIR/cpuset.mems" \
		"$(cat "$DIR/cpuset.mems")"
	reads 'root: cpus are those online' "$DIR/cpuset.cpus" "$(cat /sys/devices/system/cpu/online)"
	reads 'root: mems are those with memory' "$DIR/cpuset.mems" \
		"$(cat /sys/devices/system/node/has_memory)"
	reads 'root: cpu_exclusive' "$DIR/cpuset.cpu_exclusive" 1
	reads 'root: mem_exclusive' "$DIR/cpuset.mem_exclusive" 1
}

directory_looks() {
	is 'a group: type, mode, owner, links' "$(stat -c '%F %a %u:%g %h' "$1")" 'directory 755 0:0 3'
	is 'a group without children: links' "$(stat -c %h "$1/c")" 2
	is 'a group: its child is listed once' "$(find "$1" -mindepth 1 -type d)" "$1/c"
	is 'a group: same file system' "$(stat -c %d "$1")" "$(stat -c %d "$DIR")"
	is 'groups and files: numbers of their own' \
		"$(stat -c %i "$DIR" "$1" "$1/c" "$1/tasks" "$1/c/tasks" | sort -u | wc -l)" 5
	is '. and .. of a group' "$(stat -c %i "$1/." "$1/c/..")" "$(stat -c %i "$1" "$1")"
	# a glob finds what find finds
	is 'a group: a glob' "$(printf '%s\n' "$1"/*)" "$(find "$1" -mindepth 1 -maxdepth 1 | sort)"
	is 'ls -l works' "$(says ls -lR "$1")" yes
}

# Of a group that nobody has touched.
first_values() {
	local name
	is 'tasks: at first' "$(cat "$1/tasks")" ''
	is 'cgroup.procs: at first' "$(cat "$1/cgroup.procs")" ''
	reads 'notify_on_release: at first' "$1/notify_on_release" 0
	reads 'cgroup.clone_children: at first' "$1/cgroup.clone_children" 0
	if has cpuacct; then
		reads 'cpuacct.usage: at first' "$1/cpuacct.usage" 0
		reads 'cpuacct.usage_user: at first' "$1/cpuacct.usage_user" 0
		reads 'cpuacct.usage_sys: at first' "$1/cpuacct.usage_sys" 0
		reads 'cpuacct.stat: at first' "$1/cpuacct.stat" $'user 0\nsystem 0'
		reads 'cpuacct.usage_percpu: at first' "$1/cpuacct.usage_percpu" \
			"$(printf '0 %.0s' $(seq "$(cpus_possible)"))"
		reads 'cpuacct.usage_all: at first' "$1/cpuacct.usage_all" \
			"$(echo cpu user system && seq -f '%g 0 0' 0 $(($(cpus_possible) - 1)))"
	fi
	has cpuset || return 0
	for name in cpus mems effective_cpus effective_mems; do
		reads "cpuset.$name: at first" "$1/cpuset.$name" ''
	done
	for name in cpu_exclusive mem_exclusive mem_hardwall memory_migrate memory_pressure \
		memory_spread_page memory_spread_slab; do
		reads "cpuset.$name: at first" "$1/cpuset.$name" 0
	done
	reads 'cpuset.sched_load_balance: at first' "$1/cpuset.sched_load_balance" 1
	reads 'cpuset.sched_relax_domain_level: at first' "$1/cpuset.sched_relax_domain_level" -1
}
