#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 300
# bats file_tags=confines
#
# CPUs that go offline and come back (CPUSET-20, 26): every group is looked at again at once. One that is
# left with none has what the nearest ancestor has, and its own again when they return; what was written
# stays written. Fails when the agent does not hear of it, or forgets threads, wishes or written lists.
# Takes CPUs from the machine, so it runs in guests only.

load lib
load affinity

setup() {
	need_guest
	[[ $(</sys/devices/system/cpu/online) == 0-3 ]] || skip "not the 4 CPUs of our guests"
	OURS=1
	new_instance
	start_agent
	ctl mkdir /most /few
	ctl set /most cpuset.cpus 1-3
	ctl mkdir /most/last
	ctl set /most/last cpuset.cpus 3
	ctl set /few cpuset.cpus 0-1
}

teardown() {
	local cpu
	# only what setup let through has taken any away
	if [[ -n ${OURS-} ]]; then
		for cpu in 2 3; do
			set_online "$cpu" 1
		done
	fi
	cleanup
}

set_online() { # CPU 0|1
	echo "$2" >"/sys/devices/system/cpu/cpu$1/online"
}

# start NAME GROUP [CPUS]: a process in the group, with a wish of its own
start() {
	spawn "$1" ${3+taskset -c "$3"} "$SUPPORT/burn" 1 --hold
	[[ -z ${3-} ]] || wait_until 30 has "$(spawned "$1")" "$3"
	ctl attach "$2" "$(spawned "$1")"
}

# lists GROUP WRITTEN EFFECTIVE
lists() {
	assert_equal "$(ctl get "$1" cpuset.cpus)" "$2" "cpus of $1" || return
	assert_equal "$(ctl get "$1" cpuset.effective_cpus)" "$3" "effective_cpus of $1"
}

follows() { # NAME LIST
	wait_until 30 has "$(spawned "$1")" "$2"
}

@test "a CPU goes offline and comes back: lists and every thread follow" {
	start most /most
	start last /most/last
	start few /few
	follows most 1-3
	follows last 3
	set_online 3 0
	wait_until 30 lists / 0-2 0-2
	wait_until 30 lists /most 1-3 1-2
	wait_until 30 lists /most/last 3 1-2
	follows most 1-2
	follows last 1-2
	follows few 0-1
	set_online 3 1
	wait_until 30 lists / 0-3 0-3
	wait_until 30 lists /most 1-3 1-3
	wait_until 30 lists /most/last 3 3
	follows most 1-3
	follows last 3
	follows few 0-1
}

@test "a wish survives that its CPUs were away" {
	start wisher /most 2-3
	follows wisher 2-3
	set_online 3 0
	follows wisher 2
	set_online 2 0
	follows wisher 1
	set_online 2 1
	follows wisher 2
	set_online 3 1
	follows wisher 2-3
	ctl attach / "$(spawned wisher)"
	follows wisher 2-3
}

@test "what goes while the agent is down is seen at its start" {
	start last /most/last
	follows last 3
	kill_agent
	set_online 3 0
	start_agent
	wait_until 30 lists /most/last 3 1-2
	follows last 1-2
	kill_agent
	set_online 3 1
	start_agent
	wait_until 30 lists /most/last 3 3
	follows last 3
}

@test "again and again, with threads that come and go" {
	spawn storm "$SUPPORT/storm" --seconds 600 --workers 2
	ctl attach /most/last "$(spawned storm)"
	for _ in 1 2 3; do
		set_online 3 0
		wait_until 30 lists /most/last 3 1-2
		set_online 3 1
		wait_until 30 lists /most/last 3 3
	done
	settled() {
		local tid
		for tid in $(ctl --json ps /most/last | jq -r '.[].tid'); do
			[[ ! -d /proc/$tid ]] || [[ -z $(affinity "$tid") ]] || has "$tid" 3 || return 1
		done
	}
	wait_until 60 settled
	assert_equal "$(audit)" 0 "audit"
}
