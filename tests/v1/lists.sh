# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Lists of CPUs and of memory nodes: what is read after each write, and the error of each bad one
# (section A). A write that fails changes nothing.

# TEXT|ERROR|READS, TEXT as printf %b has it. {N} is the number of possible CPUs, {LAST} the last one.
CPU_LISTS='0|0|0
0\n|0|0
\x200|0|0
0\x20|0|0
0\t|0|0
00|0|0
01|0|1
\n|0|
\x20|0|
0-1|0|0-1
0,1|0|0-1
0,1,|0|0-1
,0|0|0
0,,1|0|0-1
0 1|0|0-1
1,0|0|0-1
0,0|0|0
0-0|0|0
0\n1|0|0
all|0|0-{LAST}
N|0|{LAST}
0-N|0|0-{LAST}
0-1:1/2|0|0
1-0|EINVAL
0-|EINVAL
-|EINVAL
-1|EINVAL
0--1|EINVAL
0-1-1|EINVAL
0x1|EINVAL
+1|EINVAL
1.0|EINVAL
a|EINVAL
0a|EINVAL
AAA|EINVAL
0,a|EINVAL
0;1|EINVAL
0-1:|EINVAL
0-1:1|EINVAL
0-1:2/1|EINVAL
0-1:1/0|EINVAL
{N}|ERANGE
0-{N}|ERANGE
8191|ERANGE
65536|ERANGE
4294967295|EINVAL
4294967296|EOVERFLOW
18446744073709551616|EOVERFLOW'

# With four CPUs or more.
WIDE_LISTS='0,1-2,3|0|0-3
0,1-2,|0|0-2
3,1|0|1,3
0,2|0|0,2
0-1,3|0|0-1,3
2-3,0-1|0|0-3'

NODE_LISTS='0|0|0
0\n|0|0
\x200|0|0
00|0|0
\n|0|
0,0|0|0
0-0|0|0
all|EINVAL
1-0|EINVAL
-1|EINVAL
0x0|EINVAL
a|EINVAL
0,a|EINVAL
1023|EINVAL
1024|ERANGE
65536|ERANGE
4294967296|EOVERFLOW'

section_lists() {
	local n
	has cpuset || return 0
	n=$(cpus_possible)
	if ((n < 2)); then
		outcome 0 "lists: all # skip two CPUs are needed"
		return
	fi
	mkdir "$TOP/g"
	check_lists cpus 0-1 "$CPU_LISTS"
	if ((n >= 4)); then
		check_lists cpus 0-1 "$WIDE_LISTS"
	fi
	check_lists mems 0 "$NODE_LISTS"
	other_writes
	read_only_files
}

# check_lists FILE BEFORE TABLE
check_lists() {
	local file=$TOP/g/cpuset.$1 before=$2 table=$3 text value error expected
	table=${table//'{N}'/$(cpus_possible)}
	table=${table//'{LAST}'/$(($(cpus_possible) - 1))}
	while IFS='|' read -r text error expected; do
		printf -v value %b "$text"
		put "$file" "$before"
		[[ $error == 0 ]] || expected=$before
		answers "$error" "$1: write '$text'" write "$file" "$value"
		reads "$1: read after '$text'" "$file" "$expected"
	done <<<"$table"
}

# How it is written does not matter.
other_writes() {
	local file=$TOP/g/cpuset.cpus
	put "$file" 0-1
	answers 0 'cpus: a write of nothing' write "$file" ''
	reads 'cpus: read after a write of nothing' "$file" 0-1
	answers 0 'cpus: write with O_APPEND' append "$file" 0
	reads 'cpus: read after O_APPEND' "$file" 0
	answers 0 'cpus: write with O_TRUNC' trunc-write "$file" 1
	reads 'cpus: read after O_TRUNC' "$file" 1
	answers 0 'cpus: write at offset 7' pwrite "$file" 7 0-1
	reads 'cpus: read after a write at an offset' "$file" 0-1
	# shellcheck disable=SC2016
	is 'cpus: echo' "$(says eval 'echo 1 >"$file"')" yes
	reads 'cpus: read after echo' "$file" 1
	put "$file" 0-1
	is 'cpus: read in pieces' "$(dd if="$file" bs=1 2>/dev/null)" 0-1
	is 'cpus: read from an offset' "$(dd if="$file" bs=1 skip=2 2>/dev/null)" 1
	answers EINVAL 'cpus: a long text that is no list' write "$file" \
		"$(printf '%0300d' 0)x"
	reads 'cpus: read after the long text' "$file" 0-1
	# more than a list of all CPUs and nodes that a kernel may be built for
	answers E2BIG 'cpus: much too long' write "$file" "$(printf '%060000d' 0)"
	reads 'cpus: read after much too long' "$file" 0-1
	put "$file" 0
	put "$TOP/g/cpuset.mems" 0
	reads 'effective_cpus: those' "$TOP/g/cpuset.effective_cpus" 0
	reads 'effective_mems: those' "$TOP/g/cpuset.effective_mems" 0
}

read_only_files() {
	local name
	for name in effective_cpus effective_mems memory_pressure; do
		answers EINVAL "$name: write" write "$TOP/g/cpuset.$name" 0
	done
}
