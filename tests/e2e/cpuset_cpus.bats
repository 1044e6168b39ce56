#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# bats file_tags=confines
#
# CPUs that hold (CPUSET-12, 13, 25): the affinity of every thread is what its group
# allows of its own wish, whatever happens. Fails when a thread is forgotten, a wish is
# lost, a rewritten mask stays, or a killed agent takes its own mask for a wish.

load lib
load affinity

setup() {
	(($(nproc) >= 2)) || skip "one CPU"
	use_test_agent
	new_instance
}

teardown() {
	cleanup
}

# Every member's affinity is the list.
all_have() { # GROUP LIST
	local tid
	for tid in $(ctl --json ps "$1" | jq -r '.[].tid // .[].pid'); do
		[[ ! -d /proc/$tid ]] || [[ -z $(affinity "$tid") ]] || has "$tid" "$2" || return 1
	done
}

everything() {
	cat /sys/devices/system/cpu/online
}

make_groups() {
	start_agent
	ctl mkdir /a /b
	ctl set /a cpuset.cpus 0
	ctl set /b cpuset.cpus 1
}

@test "attach, move, write, leave: every thread follows at once" {
	make_groups
	start_threads 8
	local pid
	pid=${TIDS[0]}
	ctl attach /a "$pid"
	has "$pid" 0
	ctl attach /b "$pid"
	has "$pid" 1
	ctl set /b cpuset.cpus 0
	has "$pid" 0
	ctl set /b cpuset.cpus 0-1
	has "$pid" "$( (($(nproc) == 2)) && everything || echo 0-1)"
	ctl set /b cpuset.cpus 1
	has "$pid" 1
	ctl attach / "$pid"
	has "$pid" "$(everything)"
	assert_equal "$(readlink /sys/fs/bpf/grpagent/cpuset:owner)" "" "the claim is given back"
}

@test "a new group has what its parent has, and confines to that" {
	start_agent
	ctl mkdir /a
	ctl set /a cpuset.cpus 1
	ctl mkdir /a/b
	assert_equal "$(ctl exec /a/b -- sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status)" 1 "of all of the parent's"
	ctl set /a/b cpuset.cpus 1
	ctl set /a/b cgroup.clone_children 1
	ctl mkdir /a/b/c
	assert_equal "$(ctl exec /a/b/c -- sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status)" 1 "of a copy of them"
}

@test "Charlie: a shell, its subshell and where they are (CPUSET-30)" {
	local cpus=1 mems=0
	(($(nproc) < 4)) || cpus=2-3
	[[ ! -d /sys/devices/system/node/node1 ]] || mems=1
	start_agent
	ctl mount -o cpuset set
	ctl mkdir set:/Charlie
	ctl set set:/Charlie cpuset.cpus "$cpus"
	ctl set set:/Charlie cpuset.mems "$mems"
	# shellcheck disable=SC2016 # for the shells inside
	run -0 bash -c '"$GRPCTL" --instance "$INSTANCE" attach set:/Charlie $$
		("$GRPCTL" --instance "$INSTANCE" which "$BASHPID"
		sed -n "s/^Cpus_allowed_list:\t/allowed /p" "/proc/$BASHPID/status"; true)'
	assert_match "$output" '(^|'$'\n'')cpuset,name=set:/Charlie($|'$'\n'')' "path of the subshell"
	assert_match "$output" "(^|"$'\n'")allowed $cpus\$" "CPUs of the subshell"
}

@test "an own wish is kept, inherited, and given back" {
	make_groups
	spawn sleeper taskset -c 1 "$SUPPORT/burn" 1 --hold
	wait_until 30 has "$(spawned sleeper)" 1
	local pid
	pid=$(spawned sleeper)
	ctl attach /a "$pid"
	has "$pid" 0
	ctl set /a cpuset.cpus 0-1
	has "$pid" 1
	ctl set /a cpuset.cpus 0
	has "$pid" 0
	ctl attach / "$pid"
	has "$pid" 1
}

@test "a command is inside before it runs" {
	make_groups
	assert_equal "$(ctl exec /b -- grep Cpus_allowed_list /proc/self/status | cut -f 2)" 1 exec
	assert_equal "$(ctl exec /b -- sh -c 'sh -c "grep Cpus_allowed_list /proc/self/status"' |
		cut -f 2)" 1 "of a child"
}

@test "who rewrites a mask is found and put right: running, asleep, itself" {
	make_groups
	spawn burner "$SUPPORT/burn" 1000000
	spawn sleeper "$SUPPORT/burn" 1 --hold
	assert_equal "$(counters placement_active placements placement_repairs)" "0 0 0" "nobody confined"
	ctl attach /a "$(spawned burner)" "$(spawned sleeper)"
	assert_equal "$(counters placement_active placements placement_repairs)" "1 2 0" "two confined"
	assert_equal "$(ctl --json status | jq '.capacities[] | select(.name == "masks").used')" 1 "masks"
	spawn events "$GRPCTL" --instance "$INSTANCE" --json watch
	wait_until 30 watching
	local name
	for name in burner sleeper; do
		taskset -a -cp 1 "$(spawned "$name")" >/dev/null
		wait_until 10 has "$(spawned "$name")" 0
	done
	# Who moved the one that runs is told if he comes back from the call in time.
	wait_until 10 told_of "$(spawned burner)"
	wait_until 10 told_of "$(spawned sleeper)" taskset
	assert_equal "$(counters placement_repairs placement_fights placements_refused)" "2 0 0" "repairs"
	assert_equal "$(ctl exec /a -- sh -c "taskset -cp 0-1 \$\$ >/dev/null
		for i in \$(seq 500); do
			sed -n 's/^Cpus_allowed_list:\t//p' /proc/\$\$/status
		done | tail -n 1")" 0 "who widens its own"
	# Its wish since then is to be on CPU 1.
	ctl attach / "$(spawned sleeper)"
	has "$(spawned sleeper)" 1
}

counters() { # NAME...
	ctl --json status | jq -r '.counters | [.[$ARGS.positional[]]] | join(" ")' --args "$@"
}

watching() {
	ctl --json status | jq -e '.counters.watchers > 0' >/dev/null
}

told_of() { # PID [COMM]
	output events | jq -s -e --argjson pid "$1" --arg comm "${2-}" 'any(.[]; .event == "placement" and
		.process == $pid and .given == "0" and .asked == "1" and
		($comm == "" or .comm == $comm))' >/dev/null
}

@test "a write under a fork storm" {
	make_groups
	local i
	spawn storm "$GRPCTL" --instance "$INSTANCE" exec /a -- "$SUPPORT/storm" \
		--workers "$(nproc)"
	wait_until 30 is_populated /a
	for ((i = 0; i < 10; i++)); do
		ctl set /a cpuset.cpus "$((i % 2))"
		all_have /a "$((i % 2))"
	done
	kill -TERM "$(spawned storm)"
	await storm 60
}

@test "killed in the middle of applying, and taken up again" {
	local stop pid
	make_groups
	ctl set /b cpuset.cpus 0-1
	ctl set /a cpuset.cpus 0
	start_threads 3
	spawn wishes taskset -c 1 "$SUPPORT/burn" 1 --hold
	wait_until 30 has "$(spawned wishes)" 1
	pid=${TIDS[0]}
	ctl attach /a "$pid" "$(spawned wishes)"
	for stop in 1 2 3 4 5 6 8 10 12 15 17; do
		kill_agent
		GRPAGENT_FAULT_AFTER_READY=1 GRPAGENT_FAULT_STOP=$stop start_agent || true
		ctl set /a cpuset.cpus 1 || true
		ctl attach / "$pid" "$(spawned wishes)" || true
		kill_agent || true
		start_agent
		ctl attach /a "$pid" "$(spawned wishes)"
		ctl set /a cpuset.cpus 0
		has "$pid" 0
		has "$(spawned wishes)" 0
	done
	ctl attach / "$pid" "$(spawned wishes)"
	has "$pid" "$(everything)"
	has "$(spawned wishes)" 1
}

@test "unload gives everybody his own back; hooks go with the last who is confined" {
	make_groups
	spawn sleeper "$SUPPORT/burn" 1 --hold
	spawn wishes taskset -c 1 "$SUPPORT/burn" 1 --hold
	wait_until 30 has "$(spawned wishes)" 1
	ctl attach /a "$(spawned sleeper)" "$(spawned wishes)"
	[[ -e $(echo "$PINS/$INSTANCE"/links-*/on_migrate) ]]
	# the first that this kernel has, as features says
	local hook
	hook=$(ctl --json features | jq -r 'map({(.name): .available}) | add |
		if ."setaffinity-exit" then "on_asked" elif ."setaffinity-syscall" then "on_asked_syscall" else "" end')
	assert_equal "$(cd "$PINS/$INSTANCE" && echo links-*/on_asked*)" "$(cd "$PINS/$INSTANCE" && echo links-*/"$hook")" "hook"
	has "$(spawned wishes)" 0
	ctl attach / "$(spawned sleeper)" "$(spawned wishes)"
	wait_until 10 hooks_gone
	assert_equal "$(counters placement_active)" 0 "after the last has left"
	ctl attach /a "$(spawned sleeper)" "$(spawned wishes)"
	stop_agent
	has "$(spawned wishes)" 0
	"$AGENT_BIN" --instance "$INSTANCE" --unload
	has "$(spawned sleeper)" "$(everything)"
	has "$(spawned wishes)" 1
}

is_populated() {
	(($(group_stat "$1" tasks) > 1))
}

hooks_gone() {
	[[ ! -e $(echo "$PINS/$INSTANCE"/links-*/on_migrate) ]]
}

@test "one instance confines, a second is told" {
	make_groups
	spawn sleeper "$SUPPORT/burn" 1 --hold
	ctl attach /a "$(spawned sleeper)"
	another_instance two
	start_agent
	ctl mkdir /a
	ctl set /a cpuset.cpus 0
	refused EBUSY attach /a "$(spawned sleeper)"
}
