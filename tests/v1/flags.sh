# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Files that hold a flag or a number: what is read after each write, and the error of each bad one
# (section B). cpuacct.usage takes nothing but a zero (section G).

FLAGS='notify_on_release cgroup.clone_children'
CPUSET_FLAGS='cpuset.cpu_exclusive cpuset.mem_exclusive cpuset.mem_hardwall cpuset.memory_migrate
	cpuset.memory_spread_page cpuset.memory_spread_slab cpuset.sched_load_balance'

# TEXT|ERROR|READS, TEXT as printf %b has it; without READS nothing has changed
FLAG_TEXTS='1|0|1
0|0|0
01|0|1
1\n|0|1
0\n|0|0
0x1|0|1
0x0|0|0
00|0|0
2|0|1
18446744073709551615|0|1
-1|EINVAL
-0|EINVAL
a|EINVAL
A|EINVAL
1a|EINVAL
0ddd|EINVAL
1ddd|EINVAL
ddd1|EINVAL
0x|EINVAL
\x201|EINVAL
1\x20|EINVAL
1 1|EINVAL
1\n1|EINVAL
1.0|EINVAL
\n|EINVAL
18446744073709551616|ERANGE'

section_flags() {
	local file
	mkdir "$TOP/g"
	# so that exclusive ones are allowed
	if has cpuset; then
		put "$TOP/cpuset.cpu_exclusive" 1
		put "$TOP/cpuset.mem_exclusive" 1
	fi
	for file in $FLAGS; do
		check_texts "$file" "$FLAG_TEXTS"
	done
	if has cpuset; then
		for file in $CPUSET_FLAGS; do
			check_texts "$file" "$FLAG_TEXTS"
		done
		relax_level
		put "$TOP/cpuset.cpu_exclusive" 0
		put "$TOP/cpuset.mem_exclusive" 0
	fi
	! has cpuacct || usage_writes
}

# check_texts FILE TABLE: each text from both values, as a bad one must change neither
check_texts() {
	local file=$TOP/g/$1 text value error expected before
	while IFS='|' read -r text error expected; do
		printf -v value %b "$text"
		before=1
		[[ $expected != 1 ]] || before=0
		put "$file" "$before"
		answers "$error" "$1: write '$text'" write "$file" "$value"
		reads "$1: read after '$text'" "$file" "${expected:-$before}"
	done <<<"$2"
	put "$file" 0
	answers 0 "$1: a write of nothing" write "$file" ''
	reads "$1: read after a write of nothing" "$file" 0
}

relax_level() {
	local file=$TOP/g/cpuset.sched_relax_domain_level
	answers 0 'relax_domain_level: 1' write "$file" 1
	reads 'relax_domain_level: read after 1' "$file" 1
	answers 0 'relax_domain_level: -1' write "$file" -1
	reads 'relax_domain_level: read after -1' "$file" -1
	answers EINVAL 'relax_domain_level: -2' write "$file" -2
	answers EINVAL 'relax_domain_level: 1000' write "$file" 1000
	answers EINVAL 'relax_domain_level: a' write "$file" a
	answers EINVAL 'relax_domain_level: newline' write "$file" $'\n'
	reads 'relax_domain_level: read after errors' "$file" -1
}

usage_writes() {
	local text name
	for text in 1 10 -1 a '0 0' 00x 0a ' ' $'\n'; do
		answers EINVAL "cpuacct.usage: write $(shown "$text")" write "$TOP/g/cpuacct.usage" "$text"
	done
	for text in 0 $'0\n' 00 0x0 ''; do
		answers 0 "cpuacct.usage: write $(shown "$text")" write "$TOP/g/cpuacct.usage" "$text"
	done
	for name in stat usage_all usage_percpu usage_percpu_sys usage_percpu_user usage_sys usage_user; do
		answers EINVAL "cpuacct.$name: write" write "$TOP/g/cpuacct.$name" 0
	done
}
