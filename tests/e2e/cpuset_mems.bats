#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=confines, client
#
# Memory policies of groups: what exec runs has them. The kernel shows them in numa_maps. With one
# memory node a group never allows less than all, so there other policies than the plain one are
# looked at; where pages come to lie needs two nodes, as the guests have.

# shellcheck disable=SC2030,SC2031 # each test has its own INSIDE

load lib

setup_file() {
	new_instance
	start_agent
}

teardown_file() {
	cleanup
}

setup() {
	NODES=$(</sys/devices/system/node/has_memory)
	ctl mkdir /g
	ctl set /g cpuset.cpus all
	ctl set /g cpuset.mems all
}

teardown() {
	ctl rmdir -r --kill /g
	cleanup
}

# run_inside [GROUP]: a process in it that has a child; its number is in INSIDE
run_inside() {
	spawn inside "$GRPCTL" --instance "$INSTANCE" exec "${1:-/g}" -- \
		bash -c 'sleep infinity & echo "$!"; wait'
	wait_until 30 has_printed inside
	INSIDE=$(spawned inside)
}

# policy PID: of all that has no other one
policy() {
	awk '{ print $2; exit }' "/proc/$1/numa_maps"
}

# assert_policy POLICY: of the process and of what it has started
assert_policy() {
	assert_equal "$(policy "$INSIDE")" "$1" "policy"
	assert_equal "$(policy "$(output inside)")" "$1" "policy of its child"
	stop inside
}

@test "a group that allows all nodes changes nothing" {
	run_inside
	assert_policy default
	run_inside /
	assert_policy default
}

@test "what exec runs has the policy of its group, and so have its children" {
	local written
	while read -r written expected; do
		ctl set /g cpuset.mem_policy "$written"
		run_inside
		assert_policy "$expected:$NODES"
	done <<-'END'
		interleave interleave
		interleave=static interleave=static
		bind=relative bind=relative
		bind=static bind=static
	END
	# the kernel shows the mode alone, or the mode and a blank
	ctl set /g cpuset.mem_policy preferred-many
	run_inside
	assert_match "$(policy "$INSIDE")" '^prefer' "policy"
	stop inside
}

@test "spreading pages is interleaving" {
	ctl set /g cpuset.memory_spread_page 1
	run_inside
	assert_policy "interleave:$NODES"
}

@test "a clone of a group has its policy as well" {
	ctl set /g cpuset.mem_policy interleave
	ctl set /g cgroup.clone_children 1
	spawn inside "$GRPCTL" --instance "$INSTANCE" exec --clone /g -- \
		bash -c 'sleep infinity & echo "$!"; wait'
	wait_until 30 has_printed inside
	INSIDE=$(spawned inside)
	assert_match "$(group_of "$INSIDE")" '^/g/node_' "its group"
	assert_policy "interleave:$NODES"
}

# Since Linux 6.9.
@test "a policy that the kernel does not know: the command does not run" {
	ctl set /g cpuset.mem_policy weighted-interleave
	run ctl exec /g -- echo ran
	if ((status == 0)); then
		assert_equal "$output" ran "output"
		run_inside
		assert_match "$(policy "$INSIDE")" '^weighted' "policy"
		return
	fi
	assert_equal "$status" 125 "status"
	assert_equal "$output" "grpctl: exec default:/g: memory policy weighted-interleave of nodes $NODES: Invalid argument (EINVAL)" "message"
}

@test "where cpuset is switched off it has no say" {
	ctl rmdir /g
	ctl set / cpuset_enabled 0
	ctl mkdir /g
	run_inside
	assert_policy default
	ctl rmdir --kill /g
	ctl set / cpuset_enabled 1
	ctl mkdir /g
}

# nodes_of PID: those that have pages of its own memory
nodes_of() {
	grep -E ' (heap|anon=)' "/proc/$1/numa_maps" | grep -v 'file=' | grep -oE ' N[0-9]+=' | sort -u |
		tr -d ' =\n'
}

@test "its pages lie on the nodes of the group" {
	[[ $NODES == *1* ]] || skip "one memory node"
	local node
	for node in 1 0; do
		ctl set /g cpuset.mems "$node"
		spawn inside "$GRPCTL" --instance "$INSTANCE" exec /g -- \
			bash -c 'printf -v x %4000000d 0; echo; read -r -t 3600 <> <(:)'
		wait_until 60 has_printed inside
		INSIDE=$(spawned inside)
		assert_equal "$(policy "$INSIDE")" "bind:$node" "policy"
		assert_equal "$(nodes_of "$INSIDE")" "N$node" "nodes with its pages"
		stop inside
	done
}
