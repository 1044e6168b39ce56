#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=confines
#
# Memory policies of tasks that run already: what a group says they get, and what they had they get
# back. The kernel shows them in numa_maps. One memory node will do: an interleaving over one node
# is a policy like any other. Where pages come to lie needs two nodes, as the guests have.
#
# timeout: 600

load lib

setup() {
	new_instance
	start_agent
	NODES=$(</sys/devices/system/node/has_memory)
	ctl mkdir /g
	ctl set /g cpuset.cpus all
	ctl set /g cpuset.mems all
	ctl set /g cpuset.mem_policy interleave
}

teardown() {
	cleanup
}

# policy PID: of all that has no other one
policy() {
	awk '{ print $2; exit }' "/proc/$1/numa_maps"
}

has_policy() {
	[[ $(policy "$1") == "$2" ]]
}

# holds GROUP LINE...: whether its file has these lines
holds() {
	local group=$1 content line
	content=$(ctl get "$group" cpuset.placement)
	for line in "${@:2}"; do
		grep -qxF "$line" <<<"$content" || return 1
	done
}

spawn_sleeper() {
	spawn "$1" sleep infinity
	SLEEPER=$(spawned "$1")
	wait_asleep "$SLEEPER"
}

# helpers of the instance's agent
helpers() {
	pgrep -P "$(agent_pid)" || true
}

has_no_helper() {
	[[ -z $(helpers) ]]
}

@test "a process that is attached has the policy of its group, and its own again when it leaves" {
	spawn_sleeper sleeper
	has_no_helper || fail "a helper runs for nothing"
	assert_equal "$(ctl get / cpuset.placement | head -n 3 | tr '\n' ' ')" \
		"cpus_placed 0 cpus_pending 0 cpus_refused 0 " "the root"
	ctl attach /g "$SLEEPER"
	wait_until 30 has_policy "$SLEEPER" "interleave:$NODES"
	wait_until 30 holds /g "mems_placed 1" "mems_pending 0" "mems_refused 0" "migrate_pending 0"
	ctl attach / "$SLEEPER"
	wait_until 30 has_policy "$SLEEPER" default
	wait_until 30 holds / "mems_placed 0" "mems_pending 0"
}

@test "what it had by itself comes back: on leaving, and when its group says nothing any more" {
	spawn_sleeper sleeper
	"$SUPPORT/inject" -m 1 -N 1 "$AGENT_BIN" "$SLEEPER"
	local own
	own=$(policy "$SLEEPER")
	assert_match "$own" '^prefer' "its own"
	ctl attach /g "$SLEEPER"
	wait_until 30 has_policy "$SLEEPER" "interleave:$NODES"
	ctl set /g cpuset.mem_policy bind
	wait_until 30 has_policy "$SLEEPER" "$own"
	ctl set /g cpuset.memory_spread_page 1
	wait_until 30 has_policy "$SLEEPER" "interleave:$NODES"
	ctl set / cgroup.clone_children 1
	ctl attach / "$SLEEPER"
	wait_until 30 has_policy "$SLEEPER" "$own"
}

@test "all threads of a busy process, undisturbed, in a group that has it from above" {
	ctl set /g cgroup.clone_children 1
	ctl mkdir /g/below
	spawn busy "$SUPPORT/undisturbed"
	wait_until 30 has_printed busy
	local thread
	ctl attach /g/below "$(spawned busy)"
	wait_until 60 holds /g/below "mems_placed 32" "mems_pending 0"
	for thread in /proc/"$(spawned busy)"/task/*; do
		assert_equal "$(awk '{ print $2; exit }' "$thread/numa_maps")" "interleave:$NODES" "$thread"
	done
	kill -TERM "$(spawned busy)"
	await busy 60
	assert_match "$(output busy)" '^ready.undisturbed [0-9]+$' "the program"
}

@test "it holds over a SIGKILL of the agent in the middle, and what tasks had is not forgotten" {
	local i pids=()
	for i in {1..8}; do
		spawn_sleeper "sleeper$i"
		pids+=("$SLEEPER")
	done
	ctl attach /g "${pids[@]}"
	kill_agent
	start_agent
	wait_until 60 holds /g "mems_placed 8" "mems_pending 0"
	for i in "${pids[@]}"; do
		assert_equal "$(policy "$i")" "interleave:$NODES" "of $i"
	done
	ctl attach / "${pids[@]}"
	wait_until 60 holds / "mems_placed 0" "mems_pending 0"
	for i in "${pids[@]}"; do
		assert_equal "$(policy "$i")" default "of $i"
	done
}

@test "unloading gives all tasks their own back" {
	spawn_sleeper sleeper
	ctl attach /g "$SLEEPER"
	wait_until 30 has_policy "$SLEEPER" "interleave:$NODES"
	stop_agent
	assert_equal "$(policy "$SLEEPER")" "interleave:$NODES" "without an agent"
	unload
	assert_equal "$(policy "$SLEEPER")" default "after unloading"
}

is_traced() {
	[[ $(awk '$1 == "TracerPid:" { print $2 }' "/proc/$1/status") != 0 ]]
}

has_watcher() {
	(($(ctl --json status | jq .counters.watchers) == 1))
}

says_reason() {
	[[ $(output watcher | jq -c 'select(.event == "placement") | [.thread, .reason]') == "[$SLEEPER,\"traced\"]" ]]
}

@test "one that a debugger holds is left alone, said to be traced, and placed when that has gone" {
	need strace
	spawn_sleeper sleeper
	spawn tracer strace -p "$SLEEPER"
	wait_until 30 is_traced "$SLEEPER"
	spawn watcher "$GRPCTL" --instance "$INSTANCE" --json watch /g
	wait_until 30 has_watcher
	ctl attach /g "$SLEEPER"
	wait_until 30 holds /g "mems_pending 1" "task $SLEEPER mems traced"
	assert_equal "$(policy "$SLEEPER")" default "its policy"
	wait_until 30 says_reason
	stop tracer
	wait_until 60 has_policy "$SLEEPER" "interleave:$NODES"
	wait_until 30 holds /g "mems_placed 1" "mems_pending 0"
}

@test "a policy that the kernel does not know is refused, thread by thread, and said" {
	ctl set /g cpuset.mem_policy weighted-interleave
	spawn_sleeper sleeper
	ctl attach /g "$SLEEPER"
	refused_or_placed() {
		holds /g "mems_placed 1" || holds /g "mems_refused 1" "task $SLEEPER mems refused"
	}
	wait_until 30 refused_or_placed
}

helper_has_ended() {
	! kill -0 "$1" 2>/dev/null
}

@test "a helper that is killed is replaced, and one that has nothing to do ends" {
	spawn_sleeper one
	ctl attach /g "$SLEEPER"
	wait_until 30 holds /g "mems_placed 1"
	local helper
	helper=$(helpers)
	[[ -n $helper ]] || fail "no helper"
	kill -KILL "$helper"
	spawn_sleeper two
	ctl attach /g "$SLEEPER"
	wait_until 90 holds /g "mems_placed 2" "mems_pending 0"
	wait_until 60 has_no_helper
}

# Its helper stops it, and it must neither wait for that nor be missed by others meanwhile. The
# helper is its child, and so in the group as well.
@test "the agent and its helper are placed like anybody, and go on" {
	local agent
	agent=$(agent_pid)
	ctl set /g cpuset.cpus 0
	ctl attach /g "$agent"
	wait_until 60 has_policy "$agent" "interleave:$NODES"
	assert_match "$(grep '^Cpus_allowed_list:' "/proc/$agent/status")" '[[:space:]]0$' "its CPUs"
	spawn_sleeper one
	ctl attach /g "$SLEEPER"
	wait_until 60 has_policy "$SLEEPER" "interleave:$NODES"
	wait_until 90 holds /g "mems_pending 0" "cpus_pending 0"
	ctl attach / "$SLEEPER"
	wait_until 30 has_policy "$SLEEPER" default
	restart_agent
	ctl attach /g "$(agent_pid)"
	wait_until 60 has_policy "$(agent_pid)" "interleave:$NODES"
	ctl attach / "$(agent_pid)"
	wait_until 60 has_policy "$(agent_pid)" default
}
