#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 900
# bats file_tags=long
#
# Property 1: a group's CPU time is what the kernel itself charged its tasks, to
# the nanosecond, in sum, in the subtree and on each CPU. The oracle is v1
# cpuacct with the same processes in it. A slice that is lost, or added twice,
# anywhere between a birth and the last switch of a dead task shows here.

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
	make_v1 V1
}

teardown() {
	cleanup
}

# same_after MS COMMAND...: runs it in both and compares; it must have used MS at least
same_after() {
	in_both "$G" "$V1" "${@:2}"
	wait_quiet "$G" "$V1"
	same_now "$1"
}

same_now() {
	assert_between "$(usage_ns "$G")" $(($1 * 1000000)) $((1 << 60)) "ns, or it tests nothing"
	assert_exact "$G" "$V1"
}

@test "1: a process that burns" {
	same_after 200 "$SUPPORT/burn" 200
}

@test "1: stress-ng fork, vfork, clone, pthread, cpu" {
	need stress-ng
	cd "$BATS_TEST_TMPDIR"
	same_after 500 stress-ng --quiet --fork 2 --vfork 2 --clone 2 --pthread 2 --cpu 2 \
		--timeout "${STORM_SECONDS}s"
}

# Fails too when a birth, an exit or an exec goes uncounted or is counted twice.
@test "1: storm, with every birth, exit and exec counted once" {
	local totals births
	in_both "$G" "$V1" "$SUPPORT/storm" --seconds "$STORM_SECONDS" >"$BATS_TEST_TMPDIR/totals"
	wait_quiet "$G" "$V1"
	same_now 500
	totals=$(cat "$BATS_TEST_TMPDIR/totals")
	births=$(jq .births <<<"$totals")
	assert_equal "$(event "$G" forks)" "$births" "births in the group"
	assert_equal "$(event "$G" exits)" $((births + 1)) "exits in the group"
	assert_equal "$(event "$G" execs)" $(($(jq .execs <<<"$totals") + 1)) "execs in the group"
}

@test "1: make -j4 of this project" {
	local item
	need gcc clang make bpftool pkg-config
	[[ -e $ROOT/Makefile ]] || skip "no sources here"
	mkdir "$BATS_TEST_TMPDIR/tree"
	for item in Makefile vmlinux.h agent bpf cli include; do
		[[ ! -e $ROOT/$item ]] || cp -r "$ROOT/$item" "$BATS_TEST_TMPDIR/tree"
	done
	same_after 1000 env -u MAKEFLAGS -u MAKELEVEL -u O make -j4 -C "$BATS_TEST_TMPDIR/tree" all \
		>"$BATS_TEST_TMPDIR/make.log"
}

@test "1: hackbench, processes and threads" {
	need hackbench
	in_both "$G" "$V1" hackbench -g 4 -l $((STORM_SECONDS * 100)) -P
	same_after 100 hackbench -g 4 -l $((STORM_SECONDS * 100)) -T -p
}

# With a hook on sched_process_fork alone, 92 to 99 % of this is lost.
@test "1: io_uring workers do the work" {
	local status=0
	in_both "$G" "$V1" "$SUPPORT/uring_work" --seconds "$STORM_SECONDS" \
		"$BATS_TEST_TMPDIR/file" >"$BATS_TEST_TMPDIR/uring" || status=$?
	((status != 77)) || skip "$(cat "$BATS_TEST_TMPDIR/uring")"
	assert_equal "$status" 0 "status of uring_work"
	wait_quiet "$G" "$V1"
	jq -e '.workers_ns > .own_ns' "$BATS_TEST_TMPDIR/uring"
	same_now 100
}

# long_storm GROUP: to be stopped when enough has been done, at "end" or later: a slow machine needs
# longer for that, and the storm has most of its CPUs
long_storm() {
	spawn_in_both storm "$1" "$V1" "$SUPPORT/storm" --seconds $((60 * SLOW))
	end=$((SECONDS + STORM_SECONDS * 2))
}

@test "1: a tree moved between two groups every few milliseconds" {
	local moves=0 end
	ctl mkdir "$G/a" "$G/b"
	long_storm "$G/a"
	while is_running "$(spawned storm)"; do
		ctl attach --from "$G/a" "$G/b"
		ctl attach --from "$G/b" "$G/a"
		((moves += 2))
		((moves < 10 || SECONDS < end)) || stop storm
	done
	await storm 30
	wait_quiet "$G/a" "$G/b" "$V1"
	echo "$moves moves"
	((moves >= 10))
	(($(usage_own_ns "$G/a") > 0 && $(usage_own_ns "$G/b") > 0))
	assert_exact "$G/a $G/b" "$V1"
	same_now 500
}

# The set of a task is not that of its parent or of its process any more.
@test "1: single threads and processes of a tree scattered over three groups" {
	local name ids moved=0 end
	ctl mkdir "$G/a" "$G/b" "$G/c"
	long_storm "$G/a"
	while is_running "$(spawned storm)"; do
		for name in a b c; do
			mapfile -t ids < <(ctl get "$G/$name" tasks | shuf -n 5)
			((${#ids[@]})) || continue
			# some are gone by now: that is no failure
			ctl attach --thread "$G/$(shuf -n 1 -e a b c)" "${ids[@]}" 2>/dev/null ||
				(($? == 1))
			ctl attach "$G/$(shuf -n 1 -e a b c)" "${ids[0]}" 2>/dev/null || (($? == 1))
			((moved += ${#ids[@]} + 1))
		done
		((moved < 30 || SECONDS < end)) || stop storm
	done
	await storm 30
	wait_quiet "$G/a" "$G/b" "$G/c" "$V1"
	((moved >= 30))
	assert_exact "$G/a $G/b $G/c" "$V1"
	same_now 500
}

@test "1: the same tree in groups of three hierarchies, deep in one of them" {
	local deep='' h
	for h in x y; do
		ctl mount -o cpuacct "$h$BATS_TEST_NUMBER"
		ctl mkdir "$h$BATS_TEST_NUMBER:/g"
	done
	for _ in {1..30}; do
		deep+=/d
	done
	ctl mkdir -p "$G$deep"
	in_both "$G$deep,x$BATS_TEST_NUMBER:/g,y$BATS_TEST_NUMBER:/g" "$V1" \
		"$SUPPORT/storm" --seconds "$STORM_SECONDS"
	wait_quiet "$G$deep" "x$BATS_TEST_NUMBER:/g" "y$BATS_TEST_NUMBER:/g" "$V1"
	same_now 500
	for h in "$G$deep" "$G/d/d" "x$BATS_TEST_NUMBER:/g" "y$BATS_TEST_NUMBER:/g"; do
		assert_exact "$h" "$V1"
	done
}

@test "1: nested groups of the kernel and nested groups of ours" {
	local inner1 inner2
	make_v1 inner1 "$V1"
	make_v1 inner2 "$V1"
	ctl mkdir "$G/1" "$G/2"
	spawn_in_both one "$G/1" "$inner1" "$SUPPORT/storm" --seconds "$STORM_SECONDS"
	in_both "$G/2" "$inner2" "$SUPPORT/storm" --seconds "$STORM_SECONDS" --seed 7
	await one $((STORM_SECONDS + 30))
	wait_quiet "$G/1" "$G/2" "$inner1" "$inner2"
	assert_exact "$G/1" "$inner1"
	assert_exact "$G/2" "$inner2"
	same_now 500
}

# The time of a removed group must go on in its parent, even its parent's parent.
@test "1: what removed groups used stays in the subtree above them" {
	ctl mkdir -p "$G/p/gone/deep"
	in_both "$G/p/gone/deep" "$V1" "$SUPPORT/storm" --seconds 1
	wait_quiet "$G/p/gone/deep" "$V1"
	ctl rmdir "$G/p/gone/deep"
	assert_exact "$G/p/gone" "$V1"
	ctl rmdir "$G/p/gone"
	assert_exact "$G/p" "$V1"
	ctl rmdir "$G/p"
	same_now 100
	assert_equal "$(usage_own_ns "$G")" 0 "own ns of a group that never had a task"
}

# The last slice of a dying task comes after its exit hook; here each is nothing but that.
@test "1: tasks that live for microseconds" {
	same_after 10 bash -c 'for ((i = 0; i < 300; i++)); do (:) & done; wait'
}

@test "1: killed in the middle of a slice" {
	local i
	for i in {1..10}; do
		spawn_in_both "burn$i" "$G" "$V1" "$SUPPORT/burn" 60000
		wait_until 30 has_used "$V1" $((i * 20))
		kill -KILL "$(command_pid "burn$i")"
		await "burn$i" 30 || (($? == 137))
	done
	wait_quiet "$G" "$V1"
	same_now 200
}

has_used() {
	(($(v1_usage "$1") >= $2 * 1000000))
}

@test "1: user and system time follow what the tasks did" {
	local usage
	same_after 500 "$SUPPORT/burn" 500
	usage=$(ctl --json usage "$G")
	jq -e '.[0] | .user_ns > 0.8 * .usage_ns' <<<"$usage"
	jq -e '.[0] | .user_ns + .system_ns == .usage_ns' <<<"$usage"
	ctl mkdir "$G/kernel"
	in_both "$G/kernel" "$V1" "$SUPPORT/burn" 500 --system
	wait_quiet "$G/kernel"
	ctl --json usage "$G/kernel" | jq -e '.[0] | .system_ns > 0.8 * .usage_ns'
}

# Everything but the burner is on another CPU, so that it is never switched out and only
# a read that settles it can know what it has used.
@test "1: while running, a read is behind by a tick at most" {
	local burner tick ours v1_before v1_after begin end truth switched last=0 i undisturbed=0
	local alone=()
	(($(nproc) > 1)) || skip "only one CPU"
	need taskset
	tick=$(tick_ns)
	another_instance pinned
	taskset -cp 0 $$ >/dev/null
	start_agent
	ctl mkdir "$G"
	# on a busy machine it must not have to share its CPU either
	chrt -f 1 true 2>/dev/null && alone=(chrt -f 1)
	spawn_in_both burn "$G" "$V1" taskset -c 1 "${alone[@]}" "$SUPPORT/burn" 1000 --forever
	burner=$(command_pid burn)
	for i in {1..30}; do
		wait_until 60 has_used "$V1" $((i * 50))
		v1_before=$(v1_usage "$V1")
		begin=${EPOCHREALTIME/./}
		ours=$(usage_ns "$G")
		v1_after=$(v1_usage "$V1")
		truth=$("$SUPPORT/cputime" "$burner")
		end=${EPOCHREALTIME/./}
		switched=$(switches "$burner")
		((switched != last)) || ((undisturbed += 1))
		last=$switched
		# what the kernel itself has charged by then is the same, on both sides
		assert_between "$ours" "$v1_before" "$v1_after" "ns between two reads of the kernel's"
		# in truth it has used what has passed since its last tick too
		assert_between "$ours" $((truth - tick - (end - begin) * 1000)) "$truth" "ns behind"
	done
	# else nothing had to be settled, and this shows nothing
	((undisturbed)) || skip "the burner had no CPU of its own"
	stop burn
	wait_quiet "$G" "$V1"
	assert_exact "$G" "$V1"
}

switches() {
	awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$1/status"
}
