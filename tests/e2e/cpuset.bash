# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# For tests of cpuset: a tree of the kernel's v1 controller and one of ours in hierarchy "c", writes to
# both, and comparing what comes of it. To be loaded after lib.

# Removes all that a test has made below the kernel's group and ours; children first.
clear_groups() {
	local group
	if [[ -d ${TOP-} ]]; then
		find "$TOP" -depth -mindepth 1 -type d -exec rmdir {} +
	fi
	ctl --json ls c:/ | jq -r '.[].group' | while read -r group; do
		ctl rmdir -r --kill "c:$group"
	done
}

v1_cpuset() {
	awk '$3 == "cgroup" && $4 ~ /(^|,)cpuset(,|$)/ { print $2; exit }' /proc/mounts
}

# last_of LIST: its highest number
last_of() {
	echo "${1##*[,-]}"
}

# TOP, and c:/t for it, with everything; sets N (CPUs possible), LAST (CPU), NODES, ALL, MEMS, SECOND
# (node, empty where there is one only).
both() {
	local root
	root=$(v1_cpuset)
	[[ -n $root ]] || skip "the kernel's v1 cpuset is not mounted here"
	make_v1 TOP "$root"
	ALL=$(<"$root/cpuset.cpus")
	MEMS=$(<"$root/cpuset.mems")
	N=$(($(last_of "$(</sys/devices/system/cpu/possible)") + 1))
	LAST=$(last_of "$ALL")
	[[ $ALL == 0* && $LAST != 0 ]] || skip "fewer than 2 CPUs"
	[[ $MEMS == 0* ]] || skip "there is no node 0"
	SECOND=$(last_of "$MEMS")
	[[ $SECOND != 0 ]] || SECOND=
	ctl mkdir c:/t
	same t cpus "$ALL"
	same t mems "$MEMS"
}

# --- the same on both sides -------------------------------------------------------------

# in_v1 GROUP FILE: where t/a is in the kernel's tree
in_v1() {
	local below=${1#t}
	echo "$TOP$below/$(named "$2")"
}

named() {
	case $1 in
	tasks | cgroup.*) echo "$1" ;;
	*) echo "cpuset.$1" ;;
	esac
}

# errno_of FILE TEXT: of one write to the kernel's file; 0 when it is taken
errno_of() {
	"$SUPPORT/try" write "$1" "$2"
}

# ours_of GROUP FILE TEXT: the same of ours
ours_of() {
	local said
	if said=$(ctl set -- "c:/$1" "$(named "$2")" "$3" 2>&1); then
		echo 0
	else
		sed -n 's/.*(\([A-Z0-9]*\))$/\1/p' <<<"$said"
	fi
}

# same GROUP FILE TEXT [KERNEL/OURS]: writes TEXT (with \n and \t) to both; sets REPLY to the errno
same() {
	local text kernel ours
	printf -v text '%b.' "$3"
	text=${text%.}
	kernel=$(errno_of "$(in_v1 "$1" "$2")" "$text") || fail "no $(in_v1 "$1" "$2")"
	ours=$(ours_of "$1" "$2" "$text")
	REPLY=$kernel
	if [[ -n ${4-} ]]; then
		assert_equal "$kernel/$ours" "$4" "a known difference: $1 $2 '$3'"
		return
	fi
	assert_equal "$ours" "$kernel" "$1 $2 '$3'"
	holds_same "$1" "$2" "after writing '$3'"
}

# holds_same GROUP FILE WHEN
holds_same() {
	local kernel ours
	kernel=$(<"$(in_v1 "$1" "$2")")
	ours=$(ctl get "c:/$1" "$(named "$2")")
	assert_equal "$ours" "$kernel" "$1 $2 $3"
}

FILES=(cpus mems effective_cpus effective_mems cpu_exclusive mem_exclusive mem_hardwall memory_migrate
	memory_pressure memory_spread_page memory_spread_slab sched_load_balance sched_relax_domain_level)

# group_same GROUP: all files
group_same() {
	local file
	for file in "${FILES[@]}"; do
		holds_same "$1" "$file" ""
	done
}

make_both() {
	local group
	for group; do
		mkdir "$TOP${group#t}"
		ctl mkdir "c:/$group"
	done
}

# table NAME: lines "GROUP FILE TEXT [KERNEL/OURS]" from stdin; sets ROWS and REFUSED
table() {
	local group file text mark
	ROWS=0
	REFUSED=0
	while read -r group file text mark; do
		[[ -n $group && $group != \#* ]] || continue
		# a row for a node or CPU that is not here
		[[ $text != *@* ]] || continue
		text=${text//\'/}
		same "$group" "$file" "$text" "$mark"
		ROWS=$((ROWS + 1))
		[[ $REPLY == 0 ]] || REFUSED=$((REFUSED + 1))
	done
}

# Nobody else's group may have the CPUs: another test may just have some.
become_exclusive() {
	[[ $(errno_of "$TOP/cpuset.$1" 1) == 0 ]]
}

exclusive_top() {
	wait_until 60 become_exclusive cpu_exclusive
	wait_until 60 become_exclusive mem_exclusive
	ctl set c:/t cpuset.cpu_exclusive 1
	ctl set c:/t cpuset.mem_exclusive 1
}

# clear_one GROUP
clear_one() {
	rmdir "$TOP${1#t}"
	ctl rmdir "c:/$1"
}
