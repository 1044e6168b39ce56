#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=alone
# timeout: 900
#
# Property 8: nothing stays behind after --unload, neither pins nor programs nor
# maps nor links; instances do not disturb each other; the agent leaks neither
# memory nor descriptors, and valgrind finds nothing.

load lib

setup() {
	new_instance
}

teardown() {
	cleanup
}

# ids KIND: of the programs, maps or links that the agent holds or has pinned, with
# the maps that its programs use
ids() {
	local kind=$1 pid prog
	pid=$(agent_pid)
	{
		sed -n "s/^${kind}_id:[[:space:]]*//p" /proc/"$pid"/fdinfo/* 2>/dev/null
		if [[ $kind == map ]]; then
			for prog in $(ids prog); do
				bpftool -j prog show id "$prog" | jq '.map_ids[]?'
			done
		fi
	} | sort -n -u
}

# pinned KIND: ids of what is pinned
pinned() {
	local file
	while read -r file; do
		bpftool -j "$1" show pinned "$file" 2>/dev/null | jq '.id // empty'
	done < <(find "$PINS/$INSTANCE" -type f) | sort -n -u
}

exists() {
	bpftool "$1" show id "$2" >/dev/null 2>&1
}

none_exists() {
	local kind=$1 id
	shift
	for id; do
		! exists "$kind" "$id" || return
	done
}

some_work() {
	ctl mkdir -p /a/b /c
	ctl mount -o cpuacct second
	ctl mkdir second:/x
	ctl exec /a/b,second:/x -- "$SUPPORT/storm" --seconds 1 >/dev/null
	ctl attach --from /a/b /c
	ctl wait /a/b
	ctl mv /c /d
	ctl tree >/dev/null
	ctl usage -r / >/dev/null
}

@test "8: after --unload there is no pin, link, program or map left" {
	local kind id
	local -A list
	need bpftool
	start_agent
	some_work
	restart_agent
	some_work 2>/dev/null || true
	for kind in prog map link; do
		list[$kind]=$(ids "$kind")
		[[ $kind == prog ]] || list[$kind]+=" $(pinned "$kind")"
		# shellcheck disable=SC2086 # words
		(($(wc -w <<<"${list[$kind]}") > 3)) || fail "found no ${kind}s to look for"
		for id in ${list[$kind]}; do
			exists "$kind" "$id" || [[ $kind == link ]]
		done
	done
	unload
	for kind in prog map link; do
		# freed a grace period later
		# shellcheck disable=SC2086 # words
		wait_until 30 none_exists "$kind" ${list[$kind]}
	done
	[[ ! -e $PINS/$INSTANCE ]]
}

# Its programs must not be found under a name of ours either.
@test "8: a stopped agent counts on, an unloaded one does not" {
	need bpftool
	start_agent
	stop_agent
	(($(pinned link | wc -l) > 3))
	unload
	[[ ! -e $PINS/$INSTANCE ]]
	# unload twice, and of what never was, is no error
	"$AGENT_BIN" --instance "$INSTANCE" --unload
	"$AGENT_BIN" --instance "$INSTANCE-never" --unload
	[[ ! -e $PINS/$INSTANCE-never ]]
}

@test "8: unload is refused while the agent runs" {
	start_agent
	run -3 timeout 30 "$AGENT_BIN" --instance "$INSTANCE" --unload
	ctl ping
}

@test "8: what was set up is gone after unload, also for the tasks" {
	start_agent
	start_threads 2
	ctl mkdir /g
	ctl attach /g "${TIDS[0]}"
	tell burn 1 10
	unload
	start_agent
	assert_equal "$(ctl --json tree / | jq length)" 1 groups
	assert_equal "$(group_of "${TIDS[1]}")" / "group"
	ctl mkdir /g
	assert_equal "$(usage_ns /g)" 0 "ns of a new group of the old name"
}

# An unload that was killed in its midst leaves this: no programs, and tasks that were born
# since. It used to wait half a minute for somebody to see to them, and said that it failed.
@test "8: unload does not wait for births that nobody saw" {
	local begin
	start_agent
	stop_agent
	rm -r "$PINS/$INSTANCE"/links-*
	start_threads 1
	begin=$SECONDS
	run -0 "$AGENT_BIN" --instance "$INSTANCE" --unload
	assert_equal "$output" "" "what unload said"
	((SECONDS - begin < 25 * SLOW)) || fail "it took $((SECONDS - begin)) s"
	[[ ! -e $PINS/$INSTANCE ]]
}

# One is killed, upgraded and unloaded while the other counts.
# bats test_tags=long
@test "8: two instances do not disturb each other" {
	local v1 first=$INSTANCE second=$INSTANCE-2
	start_agent
	ctl mkdir /g
	INSTANCE=$second start_agent
	INSTANCE=$second ctl mkdir /h
	make_v1 v1
	# as long as all of it takes
	spawn_in_both storm /g "$v1" "$SUPPORT/storm" --seconds 3600
	# the second one groups the same tasks in its own way
	INSTANCE=$second ctl attach /h "$(command_pid storm)"
	assert_equal "$(INSTANCE=$second group_of "$(command_pid storm)")" /h "group in the second"
	assert_equal "$(group_of "$(command_pid storm)")" /g "group in the first"
	INSTANCE=$second kill_agent
	INSTANCE=$second start_agent
	restart_agent
	(($(INSTANCE=$second usage_ns /h) > 0))
	INSTANCE=$second unload
	restart_agent
	assert_equal "$(ctl --json tree / | jq -r '.[].group' | tr '\n' ' ')" "/ /g " "groups"
	is_running "$(command_pid storm)" || fail "the storm was over before the second one went"
	stop storm
	await storm 30
	wait_quiet /g "$v1"
	assert_exact /g "$v1"
	assert_equal "$(audit)" 0 "corrections of the audit"
	assert_equal "$INSTANCE" "$first" "instance"
}

@test "8: a second agent of the same instance is refused with 3" {
	start_agent
	run -3 timeout 30 "$AGENT_BIN" --instance "$INSTANCE"
	ctl ping
	assert_equal "$(ctl --json status | jq .pid)" "$(agent_pid)" "pid"
}

n_fds() {
	find "/proc/$(agent_pid)/fd" -mindepth 1 2>/dev/null | wc -l
}

# Groups by the thousand, so that it is the agent that works and not grpctl.
# bats test_tags=long
@test "8: memory and descriptors do not grow over 100,000 mkdir and rmdir" {
	local names round rounds=${ROUNDS:-100} rss fds n_pins
	need_plain_build
	AGENT_WRAP=$SUPPORT/smallpages start_agent
	mapfile -t names < <(seq -f "/n%.0f" 1000)
	for ((round = 1; round <= rounds; round++)); do
		ctl mkdir "${names[@]}"
		ctl rmdir "${names[@]}"
		if ((round == rounds / 10)); then
			rss=$(rss_kb)
			fds=$(n_fds)
			n_pins=$(find "$PINS/$INSTANCE" | wc -l)
		fi
	done
	assert_between "$(rss_kb)" 0 $((rss + 512)) "kB of memory"
	assert_equal "$(n_fds)" "$fds" "open files"
	assert_equal "$(find "$PINS/$INSTANCE" | wc -l)" "$n_pins" "pins"
	assert_equal "$(ctl --json status | jq '[.groups, .sets]' -c)" '[1,1]' "groups and sets"
}

# bats test_tags=long
@test "8: memory and descriptors do not grow over many calls, attaches and clients" {
	local i rss fds
	need_plain_build
	AGENT_WRAP=$SUPPORT/smallpages start_agent
	ctl mkdir /a /b
	start_threads 3
	for ((i = 1; i <= 600; i++)); do
		ctl attach /a "${TIDS[0]}"
		ctl --json ps /a >/dev/null
		ctl attach --from /a /b
		ctl --json usage -r / >/dev/null
		ctl get / cpuacct.usage_all >/dev/null
		ctl ls /nowhere 2>/dev/null || true
		if ((i == 100)); then
			rss=$(rss_kb)
			fds=$(n_fds)
		fi
	done
	assert_between "$(rss_kb)" 0 $((rss + 256)) "kB of memory"
	wait_until 10 fds_are "$fds"
}

fds_are() {
	[[ $(n_fds) == "$1" ]]
}

# bats test_tags=long
@test "8: the same work under valgrind" {
	local log=$BATS_TEST_TMPDIR/valgrind
	need valgrind
	need_plain_build
	SLOW=$((SLOW * 4)) AGENT_WRAP="valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite
		--suppressions=$BATS_TEST_DIRNAME/valgrind.supp --log-file=$log" start_agent
	some_work
	ctl features >/dev/null
	ctl status --audit >/dev/null
	refused ENOENT ls /nowhere
	"$SUPPORT/hostile" "$RUN_DIR/$INSTANCE/control.sock" nested 10000 >/dev/null
	"$SUPPORT/hostile" "$RUN_DIR/$INSTANCE/control.sock" garbage 10000 >/dev/null
	stop_agent
	# it says so, in several lines, of each command of bpf(2) and each system call that it does not know:
	# those that features tries are younger than some of its versions
	run -0 sed -e '/unhandled eBPF command/d' -e '/WARNING: unhandled .* syscall: /,/valgrind\.org/d' "$log"
	assert_equal "$output" "" "what valgrind found"
}
