#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# bats file_tags=confines
#
# The rules of cpuset, side by side with the kernel's own v1 controller: the same writes to a group of
# ours and to one of the kernel's, then the same errno and the same content. The tables name CPUs and
# nodes by what this machine has, so they run with 2 CPUs and one node as with 4 and two.
#
# Where we differ on purpose a row says so, with the reason: a mark after the text, KERNEL/OURS.
#
# environment
#	RULES_SEED	of the random writes, to repeat a run

load lib
load cpuset

setup_file() {
	new_instance
	start_agent
	ctl mount -o cpuset c
}

teardown_file() {
	cleanup
}

teardown() {
	local status=0
	end_processes "$(state_dir)" || status=1
	clear_groups || status=1
	cleanup || status=1
	return "$status"
}

# --- tables ---------------------------------------------------------------------------------

@test "cpuset rules: lists of CPUs and nodes, as v1-behaviour A has them" {
	local i max node
	both
	make_both t/a
	# blanks in a text are \x20
	table <<-ROWS
		t/a cpus 0
		t/a cpus 0\n
		t/a cpus \x200
		t/a cpus 0\x20
		t/a cpus 0\t
		t/a cpus 00
		t/a cpus 01
		t/a cpus \n
		t/a cpus 0-1
		t/a cpus \x20
		t/a cpus 0,1
		t/a cpus 0,1,
		t/a cpus ,0
		t/a cpus 0,,1
		t/a cpus 0\x201
		t/a cpus 0,0
		t/a cpus 0-0
		t/a cpus 1,0
		t/a cpus 0\n1
		t/a cpus 0\x20\n1
		t/a cpus \n1
		t/a cpus 0\nx
		t/a cpus 0-1:1/2
		t/a cpus 0-1:1/2\n1
		t/a cpus 0-1:2/1
		t/a cpus 0-1:1/0
		t/a cpus 0-1:1
		t/a cpus 1-0
		t/a cpus 0-
		t/a cpus -
		t/a cpus -1
		t/a cpus 0--1
		t/a cpus 0-1-1
		t/a cpus 0x1
		t/a cpus +1
		t/a cpus 1.0
		t/a cpus a
		t/a cpus 0a
		t/a cpus AAA
		t/a cpus 0,a
		t/a cpus alle
		t/a cpus $N
		t/a cpus 0-$N
		t/a cpus $N,a
		t/a cpus a,$N
		t/a cpus 8191
		t/a cpus 65536
		t/a cpus 4294967294
		t/a cpus 4294967295
		t/a cpus 4294967296
		t/a cpus 99999999999999999999999
		t/a cpus $LAST
		t/a cpus $ALL
		t/a mems 0
		t/a mems \n
		t/a mems $MEMS
		t/a mems ${SECOND:-@}
		t/a mems 1023
		t/a mems 1024
		t/a mems 0-1024
		t/a mems 4294967296
		t/a mems x
		t/a mems 1-0
	ROWS
	((ROWS >= 60)) || fail "only $ROWS rows"
	((REFUSED > 25 && REFUSED < ROWS - 20)) || fail "$REFUSED of $ROWS are refused"
	# All that are possible: where some are offline the kernel refuses what we take as those there.
	if [[ $ALL == "0-$((N - 1))" ]]; then
		same t/a cpus all
		same t/a cpus N
		same t/a cpus 0-N
	else
		same t/a cpus all EINVAL/0
	fi
	# Too long is too long, whatever it says.
	max=$((100 + 6 * ($(</sys/devices/system/cpu/kernel_max) + 1)))
	printf -v i "%$((max + 1))s" 0
	same t/a cpus "$i"
	assert_equal "$REPLY" E2BIG "$((max + 1)) bytes"
	if ((max < 4096)); then
		same t/a cpus "${i:1}"
		assert_equal "$REPLY" 0 "$max bytes"
	fi
	# Words are ours: a number, a range and `all` is what the kernel knows.
	for node in node:0 package:0 core:0 '!0'; do
		same t/a cpus "$node" EINVAL/0
	done
	# It cannot be done to a file of the kernel: such a write ends before it.
	assert_equal "$(ours_of t/a cpus "")" 0 "an empty value"
	assert_equal "$(ctl get c:/t/a cpuset.cpus)" "" "what it leaves"
}

@test "cpuset rules: flags and the level, as v1-behaviour B has them" {
	local file text
	both
	make_both t/a
	for file in memory_migrate mem_hardwall memory_spread_page memory_spread_slab sched_load_balance; do
		table <<-ROWS
			t/a $file 1
			t/a $file 0
			t/a $file 01\n
			t/a $file 0x0
			t/a $file 18446744073709551615
			t/a $file 18446744073709551616
			t/a $file 2
			t/a $file -1
			t/a $file -0
			t/a $file a
			t/a $file 1a
			t/a $file 1\x20
			t/a $file \x201
			t/a $file \n
			t/a $file 1\n\n
			t/a $file +0
		ROWS
		assert_equal "$ROWS" 16 rows
	done
	table <<-ROWS
		t/a sched_relax_domain_level 0
		t/a sched_relax_domain_level -1
		t/a sched_relax_domain_level -2
		t/a sched_relax_domain_level -0
		t/a sched_relax_domain_level x
		t/a sched_relax_domain_level \x200
		t/a sched_relax_domain_level 4294967295
		t/a sched_relax_domain_level 99999999999999999999
	ROWS
	# How high it may be depends on the kernel's domains on this machine; ours is what is documented.
	same t/a sched_relax_domain_level 5 "$(errno_of "$TOP/a/cpuset.sched_relax_domain_level" 5)/0"
	same t/a sched_relax_domain_level 6 "$(errno_of "$TOP/a/cpuset.sched_relax_domain_level" 6)/EINVAL"
	for text in effective_cpus effective_mems memory_pressure; do
		refused EINVAL set c:/t/a "cpuset.$text" 0
	done
}

@test "cpuset rules: a new group has what v1-behaviour C says" {
	local flag group
	both
	group_same t
	make_both t/a
	group_same t/a
	exclusive_top
	for flag in memory_migrate mem_hardwall memory_spread_page memory_spread_slab; do
		same t "$flag" 1
	done
	same t sched_load_balance 0
	same t sched_relax_domain_level 0
	make_both t/b
	group_same t/b
	same t cgroup.clone_children 1
	make_both t/c
	group_same t/c
	same t/c cpus 0
	make_both t/c/d t/d
	for group in t/c/d t/d t; do
		group_same "$group"
	done
	# Not beside an exclusive one.
	same t/d cpus "$LAST"
	same t/c/d cpus 0
	clear_one t/b
	clear_one t/a
	same t/d cpu_exclusive 1
	make_both t/e
	group_same t/e
}

@test "cpuset rules: parents, children and siblings, as v1-behaviour D has them" {
	both
	exclusive_top
	make_both t/a t/a/x t/b
	table <<-ROWS
		# neither before its parent
		t/a/x cpus 0
		t/a/x mems 0
		t/a cpus 0
		t/a/x cpus 0-1
		t/a/x cpus $LAST
		t/a/x cpus 0
		t/a cpus \n
		t/a cpus $LAST
		t/a cpus $ALL
		t/a mems 0
		t/a/x mems 0
		t/a mems \n
		t/a mems ${SECOND:-@}
		t/a/x cpus \n
		t/a cpus $LAST
		t/a cpus $ALL
		t cpus 0
		# exclusive only below an exclusive one
		t/a/x cpu_exclusive 1
		t/a/x mem_exclusive 1
		t/a cpu_exclusive 1
		t/a/x cpu_exclusive 1
		t/a cpu_exclusive 0
		t/a/x cpu_exclusive 0
		t cpu_exclusive 0
		# beside each other
		t/b cpus 0
		t/a cpus 0
		t/b cpus $LAST
		t/b cpus 0
		t/b cpus $ALL
		t/b cpu_exclusive 1
		t/a cpus $ALL
		t/a cpu_exclusive 0
		t/a cpus $ALL
		t/b cpu_exclusive 0
		t/a cpus $ALL
		t/b cpu_exclusive 1
		# nodes for themselves
		t/b mems 0
		t/a mem_exclusive 1
		t/b mem_exclusive 1
		t/b mems \n
		t/a mem_exclusive 1
		t/b mems 0
		t/b mems ${SECOND:-@}
		t/b mem_exclusive ${SECOND:+1}${SECOND:-@}
		t/a mem_exclusive 0
		t/b mems 0
		# empty and exclusive, then not
		t/b cpus \n
		t/b cpu_exclusive 1
		t/b cpus 0
		# whose turn it is when several refuse
		t/a cpus 0
		t/a/x cpus 0
		t/b cpus $LAST
		t/b cpu_exclusive 1
		t/a cpus $LAST
		t/a/x cpus $LAST
		t/a cpus $ALL
		t/a cpus $N
		t/a/x cpus \n
		t/a cpus $LAST
	ROWS
	((ROWS >= 50)) || fail "only $ROWS rows"
	((REFUSED > 15)) || fail "only $REFUSED are refused"
	group_same t/a
	group_same t/a/x
	group_same t/b
}

@test "cpuset rules: tasks want CPUs and nodes" {
	local pid
	both
	make_both t/a
	spawn held sleep infinity
	pid=$(spawned held)
	same t/a cgroup.procs "$pid"
	assert_equal "$REPLY" ENOSPC "into what is empty"
	same_attach() {
		assert_equal "$(ours_of t/a cgroup.procs "$pid")" "$(errno_of "$TOP/a/cgroup.procs" "$pid")" "attach"
	}
	same t/a cpus 0
	same_attach
	same t/a cpus "\n"
	same t/a mems 0
	same_attach
	same t/a cpus 0
	same_attach
	assert_equal "$(ctl get c:/t/a cgroup.procs)" "$pid" "who is in it"
	same t/a cpus "\n"
	assert_equal "$REPLY" ENOSPC "its CPUs"
	same t/a mems "\n"
	assert_equal "$REPLY" ENOSPC "its nodes"
	same t/a cpus "$LAST"
	stop held
	wait_until 30 v1_is_empty "$TOP/a"
	wait_quiet c:/t/a
	same t/a cpus "\n"
	assert_equal "$REPLY" 0 "when it is empty"
}

@test "cpuset rules: the root" {
	local root file
	root=$(v1_cpuset)
	[[ -n $root ]] || skip "the kernel's v1 cpuset is not mounted here"
	for file in cpus mems effective_cpus effective_mems cpu_exclusive mem_exclusive; do
		assert_equal "$(ctl get c:/ "cpuset.$file")" "$(<"$root/cpuset.$file")" "$file"
	done
	# What it holds, so that the kernel's would not change if it were taken.
	for file in cpus mems; do
		assert_equal "$(errno_of "$root/cpuset.$file" "$(<"$root/cpuset.$file")")" EACCES "$file of the kernel"
		refused EACCES set c:/ "cpuset.$file" "$(<"$root/cpuset.$file")"
		refused EACCES set c:/ "cpuset.$file" x
	done
}

# --- random writes ------------------------------------------------------------------------------

# pick WORD...
pick() {
	local words=("$@")
	REPLY=${words[RANDOM % $#]}
}

is_exclusive() {
	[[ $(<"$(in_v1 "$1" cpu_exclusive)") == 1 ]]
}

# empty_exclusive GROUP: a known difference. When an exclusive group is to lose its last CPU, some kernels
# count what SCHED_DEADLINE needs of CPUs that there are none of, and say EBUSY. Ours has no such rule.
empty_exclusive() {
	local kernel ours
	kernel=$(errno_of "$(in_v1 "$1" cpus)" $'\n')
	ours=$(ours_of "$1" cpus $'\n')
	REPLY=$kernel
	[[ $kernel/$ours == EBUSY/0 ]] || assert_equal "$ours" "$kernel" "$1 cpus '\n', exclusive" || return 1
	[[ $kernel/$ours != EBUSY/0 ]] || ctl set "c:/$1" cpuset.cpus "$(<"$(in_v1 "$1" cpus)")"
	holds_same "$1" cpus "when an exclusive one is emptied"
}

@test "cpuset rules: random writes end alike on both sides" {
	local seed=${RULES_SEED:-$((EPOCHSECONDS % 32768))} steps i group file text refusals=0
	local groups=(t/a t/a/x t/a/y t/b t/b/x)
	steps=$(by_length 50 120 2000)
	both
	exclusive_top
	make_both "${groups[@]}"
	echo "RULES_SEED=$seed repeats this"
	RANDOM=$seed
	for ((i = 0; i < steps; i++)); do
		pick "${groups[@]}"
		group=$REPLY
		pick cpus cpus cpus cpus mems mems cpu_exclusive cpu_exclusive mem_exclusive \
			cgroup.clone_children remake
		file=$REPLY
		case $file in
		cpus) pick 0 "$LAST" "$ALL" "$ALL" 0,1 1 "\n" "\n" "$N" 0-1:1/2 ,0 ;;
		mems) pick 0 "$MEMS" "\n" "${SECOND:-0}" 1023 ;;
		*) pick 0 1 1 ;;
		esac
		text=$REPLY
		if [[ $file == remake ]]; then
			# a new one inherits; only where it has no children
			[[ $group == */?* && $group == t/?/? ]] || continue
			clear_one "$group"
			make_both "$group"
			group_same "$group"
			continue
		fi
		if [[ $file == cpus && $text == '\n' ]] && is_exclusive "$group"; then
			empty_exclusive "$group" || fail "step $i of RULES_SEED=$seed"
			continue
		fi
		same "$group" "$file" "$text" || fail "step $i of RULES_SEED=$seed"
		[[ $REPLY == 0 ]] || refusals=$((refusals + 1))
	done
	for group in t "${groups[@]}"; do
		group_same "$group"
	done
	((refusals > steps / 20)) || fail "only $refusals of $steps were refused"
	# It is all the same after the agent was killed.
	kill_agent
	start_agent
	for group in t "${groups[@]}"; do
		group_same "$group"
	done
}
