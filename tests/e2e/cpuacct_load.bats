#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=alone
# timeout: 300
#
# The historical forms of cpuacct: usage_ms, load, report (ACCT-6...18, scenarios 21 and 22 of the
# specification), on the real clock. Arithmetic and what happens to windows that nobody rolled are in
# tests/unit/test_cpuacct.c.

load lib

# A boundary is noticed in time also when the machine is busy.
setup_file() {
	new_instance
	AGENT_WRAP="nice -n -10" start_agent
}

teardown_file() {
	cleanup
}

setup() {
	G=/t$BATS_TEST_NUMBER
	ctl mkdir "$G" "$G/a" "$G/b"
	ctl set / cpuacct.load_enabled 0
}

teardown() {
	cleanup
}

# field GROUP NAME: of its report
field() {
	ctl get "$1" cpuacct.report | sed -n "s/^$2 \([0-9]*\)$/\1/p"
}

@test "21: 2 s in A, then 1 s in B, to the millisecond what the kernel says" {
	local pid parent
	make_v1 A
	make_v1 B
	parent=$(ctl get "$G" cpuacct.usage_ms)
	mkfifo "$BATS_TEST_TMPDIR/go"
	# shellcheck disable=SC2016 # of the inner shell
	spawn_in_both moved "$G/a" "$A" bash -c '"$0" 2000; echo; read -r _ <"$1"; "$0" 1000' \
		"$SUPPORT/burn" "$BATS_TEST_TMPDIR/go"
	wait_until 60 has_printed moved
	pid=$(command_pid moved)
	wait_asleep "$pid"
	ctl attach "$G/b" "$pid"
	echo "$pid" >"$B/cgroup.procs"
	echo >"$BATS_TEST_TMPDIR/go"
	await moved 60
	wait_quiet "$G/a" "$G/b" "$A" "$B"
	assert_between "$(ctl get "$G/a" cpuacct.usage_ms)" 2000 $((2000 + 200 * SLOW)) "ms in A"
	assert_between "$(ctl get "$G/b" cpuacct.usage_ms)" 1000 $((1000 + 200 * SLOW)) "ms in B"
	assert_equal "$(ctl get "$G/a" cpuacct.usage_ms)" $(($(v1_usage "$A") / 1000000)) "ms in A"
	assert_equal "$(ctl get "$G/b" cpuacct.usage_ms)" $(($(v1_usage "$B") / 1000000)) "ms in B"
	# own tasks only: neither parent nor root knows of it
	assert_equal "$(ctl get "$G" cpuacct.usage_ms)" "$parent" "ms in the parent"
}

# at_boundary SECONDS: waits for the next; sets NS to the CPU time of burn then, LATE to how much
# later that was read
at_boundary() {
	read -r NS LATE < <(nice -n -20 "$SUPPORT/cputime" --at "$1" "$PID")
}

# One CPU is 100. Expected is what the kernel charged the process between the boundaries: on a
# machine with other things to do it is less. Half a minute of waiting for windows to pass.
# bats test_tags=long
@test "22: a busy window, then an idle one" {
	local begin late load after own
	ctl set / cpuacct.load_enabled 1
	assert_equal "$(ctl get "$G/a" cpuacct.load)" 0 "load before the first whole window"
	spawn busy nice -n -20 "$GRPCTL" --instance "$INSTANCE" exec "$G/a" -- "$SUPPORT/burn" 100 --forever
	PID=$(spawned busy)
	at_boundary 10
	begin=$NS
	late=$LATE
	assert_equal "$(ctl get "$G/b" cpuacct.load)" 0 "load of an idle group"
	at_boundary 10
	stop busy
	own=$(ctl get "$G/a" cpuacct.usage_own)
	# half a window later, as only the agent itself could have noted what was used by then
	spawn idle sleep infinity
	PID=$(spawned idle)
	load=$(((NS - begin) / 100000000))
	late=$(((late + LATE) / 100000000 + 2))
	own=$(((own - NS) / 100000000 + 2))
	at_boundary 5
	begin=$SECONDS
	assert_between "$load" 10 100 "% that it had, or it tests nothing"
	assert_between "$(ctl get "$G/a" cpuacct.load)" $((load - late)) $((load + late)) load
	assert_equal "$(ctl get "$G" cpuacct.load)" 0 "load of its parent"
	# windows outlive the agent
	load=$(ctl get "$G/a" cpuacct.load)
	AGENT_WRAP="nice -n -10" restart_agent
	after=$(ctl get "$G/a" cpuacct.load)
	if ((SECONDS - begin < 4 || after == load)); then
		assert_equal "$after" "$load" "load after a restart"
	else # the next window has ended, in which it ran only until it was stopped
		assert_between "$after" 0 "$own" "load after a slow restart"
	fi
	assert_equal "$(ctl get / cpuacct.load_enabled)" 1 "load_enabled after a restart"
	at_boundary 10
	at_boundary 10
	assert_equal "$(ctl get "$G/a" cpuacct.load)" 0 "load of an idle window"
	# without the windows it is 0 everywhere
	ctl set / cpuacct.load_enabled 0
	assert_equal "$(ctl get / cpuacct.load)" 0 "load of the root, switched off"
}

@test "report adds up, and its time is that of usage_own" {
	local hz ns time interval
	hz=$(getconf CLK_TCK)
	ctl exec "$G/a" -- "$SUPPORT/burn" 300
	wait_quiet "$G/a"
	assert_equal "$(field "$G/a" time) $(field "$G/a" "time since interval") $(field "$G/a" load)" \
		"0 0 0" "time, interval, load while nothing is measured"
	ns=$(ctl get "$G/a" cpuacct.usage_own)
	assert_equal "$(field "$G/a" "accumulated time")" $((ns * hz / 1000000000)) "accumulated time"
	ctl set / cpuacct.load_enabled 1
	ctl exec "$G/b" -- "$SUPPORT/burn" 300
	wait_quiet "$G/b"
	ns=$(ctl get "$G/b" cpuacct.usage_own)
	run -0 ctl get "$G/b" cpuacct.report
	assert_equal "${#lines[@]}" 4 "lines"
	time=${lines[0]#time }
	interval=${lines[2]#time since interval }
	assert_equal "${lines[1]}" "accumulated time $((ns * hz / 1000000000))" "accumulated time"
	# a boundary may have passed since
	assert_between "$time" 0 "${lines[1]#accumulated time }" "time"
	assert_between "$interval" "$time" $((11 * SLOW * hz * $(nproc --all))) "time since interval"
	assert_equal "${lines[3]}" "load $((interval ? 100 * time / interval : 0))" "load"
}

@test "load_enabled: of the root, of one hierarchy, for its owner" {
	ctl mount -o cpuacct "h$BATS_TEST_NUMBER"
	refused ENOENT set "$G" cpuacct.load_enabled 1
	refused EINVAL set "h$BATS_TEST_NUMBER:/" cpuacct.load_enabled on
	run -1 setpriv --reuid 65534 --clear-groups "$GRPCTL" --instance "$INSTANCE" set / cpuacct.load_enabled 1
	assert_match "$output" '\(EACCES\)$'
	ctl set "h$BATS_TEST_NUMBER:/" cpuacct.load_enabled 1
	assert_equal "$(ctl get / cpuacct.load_enabled)" 0 "flag of another hierarchy"
	ctl umount "h$BATS_TEST_NUMBER"
}

@test "what the root has outlives other subsystems, and its time an umount (HIER-18)" {
	local h=h$BATS_TEST_NUMBER usage ms since
	ctl mount -o cpuacct "$h"
	ctl set "$h:/" cpuacct.load_enabled 1
	usage=$(ctl get "$h:/" cpuacct.usage)
	ms=$(ctl get "$h:/" cpuacct.usage_ms)
	ctl exec "$G/a" -- "$SUPPORT/burn" 500
	ctl set "$h:/" cpuacct.usage 0
	ctl remount -o none "$h"
	refused ENOENT get "$h:/" cpuacct.load
	ctl remount -o cpuacct "$h"
	assert_equal "$(ctl get "$h:/" cpuacct.load_enabled)" 1 "flag after a remount"
	since=$(ctl get "$h:/" cpuacct.usage)
	assert_between $(($(ctl get "$h:/" cpuacct.usage_own) - since)) $((usage + 500000000)) $((1 << 60)) \
		"ns before it was reset"
	ctl umount "$h"
	ctl mount -o cpuacct "$h"
	assert_between "$(ctl get "$h:/" cpuacct.usage_ms)" $((ms + 500)) $((1 << 60)) "ms of the root"
	assert_equal "$(ctl get "$h:/" cpuacct.load_enabled)" 0 "flag of another hierarchy of that name"
	ctl umount "$h"
}
