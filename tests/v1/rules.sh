# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the lists and flags of parent, children and siblings have to have to do with each other
# (section D). A refused change changes neither side.

section_rules() {
	has cpuset || return 0
	if (($(cpus_possible) < 2)); then
		outcome 0 "rules: all # skip two CPUs are needed"
		return
	fi
	put "$TOP/cpuset.cpu_exclusive" 1
	put "$TOP/cpuset.mem_exclusive" 1
	subsets
	exclusive_and_parent cpu cpus 0-1
	exclusive_and_parent mem mems 0
	exclusive_siblings
	exclusive_nodes
	put "$TOP/cpuset.cpu_exclusive" 0
	put "$TOP/cpuset.mem_exclusive" 0
}

# pair NAME CPUS MEMS CHILD-CPUS CHILD-MEMS: a parent with a child, in A and B
pair() {
	A=$TOP/$1 B=$TOP/$1/c
	mkdir "$A" "$B"
	configure "$A" "$2" "$3"
	configure "$B" "$4" "$5"
}

subsets() {
	pair sub 0-1 0 '' ''
	answers 0 'child: a part of the parent' write "$B/cpuset.cpus" 0
	answers 0 'child: all of the parent' write "$B/cpuset.cpus" 0-1
	answers EBUSY 'parent: shrunk below its child' write "$A/cpuset.cpus" 0
	reads 'parent: unchanged by that' "$A/cpuset.cpus" 0-1
	reads 'child: unchanged by that' "$B/cpuset.cpus" 0-1
	answers EBUSY 'parent: cleared below its child' write "$A/cpuset.cpus" $'\n'
	reads 'parent: unchanged by the clearing' "$A/cpuset.cpus" 0-1
	answers 0 'child: shrunk' write "$B/cpuset.cpus" 0
	answers 0 'parent: shrunk, the child fits' write "$A/cpuset.cpus" 0
	answers EACCES 'child: more than the parent' write "$B/cpuset.cpus" 0-1
	reads 'child: unchanged by more than the parent' "$B/cpuset.cpus" 0
	answers EACCES 'child: beside the parent' write "$B/cpuset.cpus" 1
	answers 0 'child: cleared' write "$B/cpuset.cpus" $'\n'
	answers 0 'parent: cleared, the child is empty' write "$A/cpuset.cpus" $'\n'
	answers EACCES 'child: of an empty parent' write "$B/cpuset.cpus" 0
	reads 'child: still empty' "$B/cpuset.cpus" ''
	answers 0 'child: mems of the parent' write "$B/cpuset.mems" 0
	answers EBUSY 'parent: mems cleared below its child' write "$A/cpuset.mems" $'\n'
	answers 0 'child: mems cleared' write "$B/cpuset.mems" $'\n'
	answers 0 'parent: mems cleared' write "$A/cpuset.mems" $'\n'
	answers EACCES 'child: mems of an empty parent' write "$B/cpuset.mems" 0
}

# exclusive_and_parent KIND FILE LIST
exclusive_and_parent() {
	local flag=cpuset.$1_exclusive
	pair "ex$1" 0-1 0 '' ''
	answers EACCES "$flag: of a parent without" write "$B/$flag" 1
	reads "$flag: stays 0" "$B/$flag" 0
	answers 0 "$flag: of a parent that has it: parent" write "$A/$flag" 1
	answers 0 "$flag: of a parent that has it: child" write "$B/$flag" 1
	answers EBUSY "$flag: parent's taken while the child has it" write "$A/$flag" 0
	reads "$flag: stays 1" "$A/$flag" 1
	answers 0 "$flag: then a list" write "$B/cpuset.$2" "$3"
	reads "$flag: that list" "$B/cpuset.$2" "$3"
	answers 0 "$flag: taken from the child" write "$B/$flag" 0
	answers 0 "$flag: taken from the parent" write "$A/$flag" 0
	rmdir "$B" "$A"
}

exclusive_siblings() {
	local left=$TOP/left right=$TOP/right
	mkdir "$left" "$right"
	configure "$left" 0 0
	configure "$right" 1 0
	answers 0 'sibling: exclusive beside disjoint' write "$left/cpuset.cpu_exclusive" 1
	answers EINVAL 'sibling: into an exclusive one' write "$right/cpuset.cpus" 0-1
	reads 'sibling: unchanged' "$right/cpuset.cpus" 1
	answers EINVAL 'sibling: the same as an exclusive one' write "$right/cpuset.cpus" 0
	answers EINVAL 'sibling: an exclusive one into it' write "$left/cpuset.cpus" 0-1
	reads 'sibling: the exclusive one unchanged' "$left/cpuset.cpus" 0
	answers 0 'sibling: emptied' write "$right/cpuset.cpus" $'\n'
	answers 0 'sibling: the exclusive one takes all' write "$left/cpuset.cpus" 0-1
	answers EINVAL 'sibling: nothing is left' write "$right/cpuset.cpus" 1
	answers 0 'sibling: no more exclusive' write "$left/cpuset.cpu_exclusive" 0
	answers 0 'sibling: overlap of plain ones' write "$right/cpuset.cpus" 1
	answers EINVAL 'sibling: exclusive while another overlaps' write "$left/cpuset.cpu_exclusive" 1
	reads 'sibling: stays 0' "$left/cpuset.cpu_exclusive" 0
	answers EINVAL 'sibling: exclusive while another overlaps, the other way' \
		write "$right/cpuset.cpu_exclusive" 1
	answers 0 'sibling: disjoint again' write "$left/cpuset.cpus" 0
	answers 0 'sibling: both exclusive, first' write "$left/cpuset.cpu_exclusive" 1
	answers 0 'sibling: both exclusive, second' write "$right/cpuset.cpu_exclusive" 1
	rmdir "$left" "$right"
}

exclusive_nodes() {
	local left=$TOP/left right=$TOP/right
	mkdir "$left" "$right"
	configure "$left" 0 0
	configure "$right" 1 ''
	answers 0 'nodes: exclusive' write "$left/cpuset.mem_exclusive" 1
	answers EINVAL 'nodes: into an exclusive one' write "$right/cpuset.mems" 0
	reads 'nodes: unchanged' "$right/cpuset.mems" ''
	answers 0 'nodes: no more exclusive' write "$left/cpuset.mem_exclusive" 0
	answers 0 'nodes: overlap of plain ones' write "$right/cpuset.mems" 0
	answers EINVAL 'nodes: exclusive while another overlaps' write "$left/cpuset.mem_exclusive" 1
}
