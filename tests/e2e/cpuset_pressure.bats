#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# bats file_tags=confines
#
# cpuset.memory_pressure on real direct reclaim (CPUSET-28), beside the kernel's own cpuset where that
# is mounted. Reclaim hits everybody on a machine, so it is made in guests only; the arithmetic is in
# tests/unit/test_pressure.c, the program in tests/bpf/test_pressure.c.

load lib

setup_file() {
	new_instance
	start_agent
}

teardown_file() {
	cleanup
}

setup() {
	G=/t$BATS_TEST_NUMBER
	ctl mkdir "$G"
	ctl set "$G" cpuset.cpus "$(ctl get / cpuset.effective_cpus)"
	ctl set "$G" cpuset.mems "$(ctl get / cpuset.effective_mems)"
}

teardown() {
	ctl set / cpuset.memory_pressure_enabled 0
	cleanup
}

v1_cpuset() {
	awk '$3 == "cgroup" && $4 ~ /(^|,)cpuset(,|$)/ { print $2; exit }' /proc/mounts
}

pressure() {
	ctl get "$1" cpuset.memory_pressure
}

# is_above, is_below VALUE GROUP
is_above() {
	(($(pressure "$2") > $1))
}

is_below() {
	(($(pressure "$2") < $1))
}

@test "the switch: root only, hook and map exist only while it is on, also over a kill" {
	assert_equal "$(ctl get / cpuset.memory_pressure_enabled)" 0 "preset"
	[[ ! -e $PINS/$INSTANCE/reclaims ]] || fail "counted before anybody has asked"
	refused ENOENT set "$G" cpuset.memory_pressure_enabled 1
	refused EINVAL set "$G" cpuset.memory_pressure 1
	ctl set / cpuset.memory_pressure_enabled 1
	[[ -e $PINS/$INSTANCE/reclaims ]]
	assert_equal "$(find "$PINS/$INSTANCE" -name on_reclaim | wc -l)" 1 "hooks"
	kill_agent
	start_agent
	assert_equal "$(ctl get / cpuset.memory_pressure_enabled)" 1 "after a kill"
	assert_equal "$(find "$PINS/$INSTANCE" -name on_reclaim | wc -l)" 1 "hooks after a kill"
	ctl set / cpuset.memory_pressure_enabled 0
	assert_equal "$(find "$PINS/$INSTANCE" -name "*reclaim*" | wc -l)" 0 "pins when it is off"
	restart_agent
	assert_equal "$(find "$PINS/$INSTANCE" -name "*reclaim*" | wc -l)" 0 "pins after a start"
}

# eat_in GROUP: until it is killed for it
eat_in() {
	! ctl exec "$1" -- "$SUPPORT/eat" 0 2>/dev/null || fail "there was no end of memory"
}

@test "reclaim of its own tasks shows, in their group only, and decays" {
	local first later
	need_guest
	ctl mkdir "$G/below"
	ctl set "$G/below" cpuset.cpus "$(ctl get / cpuset.effective_cpus)"
	ctl set "$G/below" cpuset.mems "$(ctl get / cpuset.effective_mems)"
	eat_in "$G/below"
	assert_equal "$(pressure "$G/below")" 0 "pressure while it is off"
	ctl set / cpuset.memory_pressure_enabled 1
	eat_in "$G/below"
	wait_until 10 is_above 0 "$G/below"
	first=$(pressure "$G/below")
	assert_equal "$(pressure "$G")" 0 "pressure of the parent"
	kill_agent
	start_agent
	later=$(pressure "$G/below")
	assert_between "$later" 1 "$first" "pressure after a kill"
	wait_until 60 is_below $((first / 2)) "$G/below"
	ctl set / cpuset.memory_pressure_enabled 0
	assert_equal "$(pressure "$G/below")" 0 "pressure when it is off again"
}

# Both count the same calls of the kernel's; each is read at its own moment.
@test "as the kernel's own cpuset" {
	local v1 ours theirs
	need_guest
	v1=$(v1_cpuset)
	[[ $v1 ]] || skip "no v1 cpuset is mounted here"
	make_v1 OWN "$v1"
	cat "$v1/cpuset.cpus" >"$OWN/cpuset.cpus"
	cat "$v1/cpuset.mems" >"$OWN/cpuset.mems"
	echo 1 >"$v1/cpuset.memory_pressure_enabled"
	ctl set / cpuset.memory_pressure_enabled 1
	# shellcheck disable=SC2016 # of the inner shell
	! bash -c 'echo $$ >"$1/tasks" && exec "$2" --instance "$3" exec "$4" -- "$5" 0' _ \
		"$OWN" "$GRPCTL" "$INSTANCE" "$G" "$SUPPORT/eat" 2>/dev/null ||
		fail "there was no end of memory"
	wait_until 10 is_above 0 "$G"
	ours=$(pressure "$G")
	theirs=$(cat "$OWN/cpuset.memory_pressure")
	echo 0 >"$v1/cpuset.memory_pressure_enabled"
	echo "# ours $ours, the kernel's $theirs" >&3
	assert_between "$ours" $((theirs * 8 / 10)) $((theirs * 12 / 10 + 100)) "pressure, the kernel has $theirs"
}
