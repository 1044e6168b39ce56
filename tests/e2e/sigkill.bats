#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
#
# Property 3: the agent may be killed at any moment and nothing is lost: the
# kernel counts on, and the next start finds the tree as it was, an operation
# that was under way wholly done or wholly undone. Fails when state is kept in
# the agent only, when an event must be seen, when an update is not atomic.
#
# KILLS in the environment: how often the agent is killed under the storm (100, with QUICK=1 10).

load lib

setup() {
	new_instance
}

teardown() {
	cleanup
}

# What a user sees of the tree, apart from what goes on in the roots.
snapshot() {
	local name
	ctl --json hierarchies | jq -c '[.[] | [.name, .subsystems, .groups]] | sort'
	for name in $(ctl --json hierarchies | jq -r '.[].name' | sort); do
		ctl --json tree "$name:/" | jq -c '.[] | [.hierarchy, .group, .depth, .children,
			.uid, .gid, .mode, if .depth > 0 then .tasks else 0 end]'
	done
}

@test "3: killed again and again under a storm that is being moved" {
	local i tree totals kills=${KILLS:-$(by_length 10 100 100)}
	start_agent
	ctl mkdir -p /g/a /g/b /g/quiet/deep
	ctl mount -o cpuacct other
	ctl mkdir other:/x
	make_v1 V1
	spawn quiet "$SUPPORT/oracle" --instance "$INSTANCE" --group /g/quiet/deep,other:/x -- \
		"$SUPPORT/burn" 10 --hold
	wait_until 30 has_printed quiet
	# shellcheck disable=SC2034
	tree=$(snapshot | grep -v '"/g/[ab]"')
	spawn_in_both storm /g/a "$V1" "$SUPPORT/storm" --workers "$(nproc)"
	# its calls fail while there is no agent
	# shellcheck disable=SC2016
	spawn mover bash -c 'while :; do
		"$GRPCTL" --instance "$INSTANCE" attach --from /g/a /g/b
		"$GRPCTL" --instance "$INSTANCE" attach --from /g/b /g/a ||
			sleep 0.05 # lint: sleep-ok the next try, not a wait
	done'
	for ((i = 0; i < kills; i++)); do
		kill_agent
		start_agent || fail "start $i"
		((i % 10)) || assert_equal "$(snapshot | grep -v '"/g/[ab]"')" "$tree" "tree, kill $i"
	done
	kill -TERM "$(spawned storm)"
	await storm 60
	stop mover
	wait_quiet /g/a /g/b "$V1"
	assert_exact "/g/a /g/b" "$V1"
	totals=$(output storm | tail -n 1)
	assert_equal $(($(event /g/a forks) + $(event /g/b forks))) "$(jq .births <<<"$totals")" births
	assert_equal $(($(event /g/a exits) + $(event /g/b exits))) \
		$(($(jq .births <<<"$totals") + 1)) exits
	assert_equal "$(snapshot | grep -v '"/g/[ab]"')" "$tree" "tree at the end"
	assert_equal "$(ctl --json ps /g/quiet/deep | jq '.[].pid')" \
		"$(ctl --json ps other:/x | jq '.[].pid')" "the quiet process"
	assert_equal "$(group_stat /g/quiet/deep tasks)" 1 "tasks of the quiet group"
	assert_equal "$(audit)" 0 "corrections of the audit"
	ctl rmdir /g/a /g/b
}

# The event of the last member that goes finds nobody to read it.
@test "3: a group that empties while there is no agent" {
	start_agent
	ctl mkdir /g
	make_v1 V1
	spawn_in_both burn /g "$V1" "$SUPPORT/burn" 50 --hold
	wait_until 30 has_printed burn
	kill_agent
	stop burn
	start_agent
	wait_quiet /g "$V1"
	assert_exact /g "$V1"
	assert_equal "$(ctl --json wait /g | jq .usage_ns)" "$(v1_usage "$V1")" "ns that wait prints"
	ctl rmdir /g
}

@test "3: what was born and what ended while there was no agent" {
	start_agent
	ctl mkdir /g
	make_v1 V1
	spawn_in_both storm /g "$V1" "$SUPPORT/storm" --hold 3
	wait_until 30 has_births 10
	kill_agent
	wait_until 30 v1_beyond $(($(v1_usage "$V1") + 200000000))
	kill -TERM "$(spawned storm)"
	wait_until 30 has_printed storm
	start_agent
	wait_until 30 has_members /g 7
	kill -TERM "$(spawned storm)"
	await storm 30
	wait_quiet /g "$V1"
	assert_exact /g "$V1"
	assert_equal "$(event /g forks)" "$(output storm | tail -n 1 | jq .births)" births
}

has_births() {
	(($(event /g forks) >= $1))
}

v1_beyond() {
	(($(v1_usage "$V1") >= $1))
}

has_members() {
	[[ $(group_stat "$1" tasks) == "$2" ]]
}

# --- stop points -------------------------------------------------------------------

need_test_agent() {
	[[ -x $TEST_AGENT ]] || skip "no $TEST_AGENT: the build with stop points"
}

# start_to_stop N: an agent that is killed before the Nth update after its start
start_to_stop() {
	stop_agent
	AGENT_BIN=$TEST_AGENT GRPAGENT_FAULT_STOP=$1 GRPAGENT_FAULT_AFTER_READY=1 spawn_agent
	wait_until "$START_SECONDS" agent_answers
}

agent_runs() {
	is_running "$(agent_pid)"
}

# Nothing is left to be done in the background: those updates are stopped at too.
at_rest() {
	! agent_runs ||
		ctl --json status | jq -e '.counters | .retired_sets == 0 and .dying_groups == 0' >/dev/null
}

# at_every_point VIEW PREPARE OPERATION...: stops before each update of the operation
# in turn. PREPARE makes the state before, from whatever there is. What VIEW prints
# must be that of before or that of after.
at_every_point() {
	local view=$1 prepare=$2 n before after seen status undone=0 done=0
	shift 2
	need_test_agent
	start_agent
	"$prepare"
	before=$("$view")
	"$@"
	after=$("$view")
	[[ $before != "$after" ]]
	for ((n = 1; n < 100; n++)); do
		"$prepare"
		assert_equal "$("$view")" "$before" "prepared, point $n"
		start_to_stop "$n"
		status=0
		"$@" 2>/dev/null || status=$?
		wait_until "$QUIET_SECONDS" at_rest 2>/dev/null
		if agent_runs; then
			assert_equal "$status" 0 "status of an operation that was not stopped"
			break
		fi
		start_agent
		seen=$("$view")
		case $seen in
		"$before") ((undone += 1)) ;;
		"$after") ((done += 1)) ;;
		*) fail "neither before nor after at point $n: $seen" ;;
		esac
		assert_equal "$(audit)" 0 "corrections of the audit, point $n"
		# and it can be done now, or is done
		[[ $seen == "$after" ]] || "$@"
		assert_equal "$("$view")" "$after" "done in the end, point $n"
	done
	echo "$((n - 1)) points: $undone undone, $done done"
	((n > 1 && n < 100))
	restart_agent
	assert_equal "$("$view")" "$after" "after the whole operation"
}

prepare_mkdir() {
	ctl mkdir -p /f
	ctl rmdir /f/new 2>/dev/null || true
}

@test "3: mkdir, stopped before each update" {
	at_every_point snapshot prepare_mkdir ctl mkdir -m 0750 /f/new
}

prepare_rmdir() {
	ctl mkdir -p /f/old
	ctl exec /f/old -- "$SUPPORT/burn" 2
	wait_quiet /f/old
	USED=$(usage_ns /f)
}

# Its usage must stay above it, at every point, and not be added twice.
view_rmdir() {
	snapshot
	[[ $(usage_ns /f) == "$USED" ]] || echo "ns of the parent: $(usage_ns /f), not $USED"
}

# bats test_tags=long
@test "3: rmdir of a group with usage, stopped before each update" {
	at_every_point view_rmdir prepare_rmdir ctl rmdir /f/old
}

prepare_mv() {
	ctl mkdir -p /f/from/below
	ctl rmdir -r /f/to 2>/dev/null || true
}

@test "3: mv, stopped before each update" {
	at_every_point snapshot prepare_mv ctl mv /f/from /f/to
}

prepare_owner() {
	ctl mkdir -p /f/own
	ctl chown 0:0 /f/own
	ctl chmod 0644 /f/own cpuacct.usage
}

view_owner() {
	ctl --json stat /f/own | jq -c '[.uid, .gid, .mode, (.files | map([.name, .uid, .gid, .mode]))]'
}

# The group, tasks and cgroup.procs change hands at once.
@test "3: chown, stopped before each update" {
	at_every_point view_owner prepare_owner ctl chown 54321:54322 /f/own
}

@test "3: chmod of a file, stopped before each update" {
	at_every_point view_owner prepare_owner ctl chmod 0600 /f/own cpuacct.usage
}

prepare_mount() {
	ctl umount second 2>/dev/null || true
}

# bats test_tags=long
@test "3: mount, stopped before each update" {
	at_every_point snapshot prepare_mount ctl mount -o cpuacct second
}

prepare_umount() {
	ctl mount -o cpuacct second
}

# bats test_tags=long
@test "3: umount, stopped before each update" {
	at_every_point snapshot prepare_umount ctl umount second
}

prepare_attach() {
	ctl mkdir -p /f/from /f/to
	ctl mount -o cpuacct second
	ctl mkdir -p second:/from second:/to
	ctl attach /f/from,second:/from "${TIDS[0]}"
}

view_threads() {
	snapshot
	ctl --json which "${TIDS[@]}" | jq -c '.[] | [.pid, (.places | sort_by(.hierarchy))]'
}

# Every thread in the one or every thread in the other, in both hierarchies.
@test "3: attach of a process into two hierarchies, stopped before each update" {
	start_threads 3
	at_every_point view_threads prepare_attach ctl attach /f/to,second:/to "${TIDS[0]}"
}

# bats test_tags=long
@test "3: attach of one thread, stopped before each update" {
	start_threads 2
	at_every_point view_threads prepare_attach ctl attach --thread /f/to "${TIDS[1]}"
}

prepare_clone() {
	ctl mkdir -p /f/from
	ctl attach /f/from "${TIDS[0]}"
	ctl rmdir "/f/from/node_${TIDS[0]}" 2>/dev/null || true
}

# Every thread in the child, or no child.
@test "3: clone, stopped before each update" {
	start_threads 2
	at_every_point view_threads prepare_clone ctl clone "${TIDS[0]}"
}

# What is neither removed nor entered in the test below.
bystanders() {
	snapshot | sed 1d | grep -v -e '"/f"' -e '"/f/old"' -e '"/f/to"'
}

# What a start mends may be cut short as well, and again.
# bats test_tags=long
@test "3: the start that mends is itself stopped before each update" {
	local point n before mended=0
	need_test_agent
	start_agent
	ctl mkdir -p /f/old /f/to /f/other/below
	ctl mount -o cpuacct second
	start_threads 2
	for point in $(by_length 8 '1 3 8' '1 2 3 4 5 6 7 8 9 10'); do
		agent_runs || start_agent
		ctl mkdir -p /f/old
		ctl exec /f/old -- "$SUPPORT/burn" 2
		wait_quiet /f/old
		ctl attach / "${TIDS[0]}"
		before=$(bystanders)
		start_to_stop "$point"
		ctl attach /f/to "${TIDS[0]}" 2>/dev/null || true
		ctl rmdir /f/old 2>/dev/null || true
		kill_agent
		for ((n = 1; n < 100; n++)); do
			AGENT_BIN=$TEST_AGENT GRPAGENT_FAULT_STOP=$n spawn_agent
			wait_until "$START_SECONDS" agent_answers
			wait_until "$QUIET_SECONDS" at_rest 2>/dev/null
			! agent_runs || break
		done
		echo "point $point: $n points of the start"
		((n > 1 && n < 100))
		restart_agent
		[[ $(ctl --json ls /f | jq -r ".[].group") == */f/old* ]] || ((mended += 1))
		assert_equal "$(bystanders)" "$before" "the rest of the tree, point $point"
		assert_equal "$(ctl --json which "${TIDS[@]}" | jq -c '[.[].places] | unique | length')" \
			1 "groups of the threads of a process, point $point"
		assert_equal "$(audit)" 0 "corrections of the audit, point $point"
	done
	# else no point was behind the removal
	((mended > 0))
}

# The agent forks children (to await a grace period, to run release agents). Between fork and the
# closing of its descriptors such a child has them all: when the agent is killed just then, neither
# its lock nor its socket may keep the next one out. Here somebody holds them for longer.
@test "3: killed while a child still has its descriptors" {
	local socket=$RUN_DIR/$INSTANCE/control.sock old
	start_agent
	ctl mkdir /g
	old=$(stat -c %i "$socket")
	spawn heir "$SUPPORT/inherit" "$(agent_pid)"
	wait_until 30 has_printed heir
	kill_agent
	spawn_agent
	# whoever comes to the old socket waits as long as the heir has it
	wait_until "$START_SECONDS" is_another "$socket" "$old"
	wait_agent
	assert_equal "$(ctl --json ls / | jq -r ".[].group")" /g "groups"
	stop heir
}

# is_another FILE INODE
is_another() {
	[[ -e $1 && $(stat -c %i "$1") != "$2" ]]
}
