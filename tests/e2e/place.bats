#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=alone
#
# The helper for memory policies alone, without an agent: what it does to a thread, and what it does
# not do to it. Node 0 is on every machine; what the policy is good for needs two: cpuset_mems.bats.
#
# timeout: 600

load lib

setup() {
	new_instance
	# numbers of linux/mempolicy.h
	BIND=2
	INTERLEAVE=3
}

teardown() {
	thaw
	unmount_freezers
	cleanup
}

# inject [OPTION...] TID...
inject() {
	"$SUPPORT/inject" "${OPTIONS[@]}" "$AGENT_BIN" "$@"
}

# urgent COMMAND...: each step of an injection waits for a CPU; before others on this machine
urgent() {
	"$@"
}

# result TID: one word
result() {
	inject "$@" | awk '{ print $2 }'
}

# policy PID: of the pages that have no other one, as the kernel shows it
policy() {
	awk '$2 ~ /^(bind|prefer|interleave|default|local)/ { print $2; exit }' "/proc/$1/numa_maps"
}

# spawn_confined HOW [COMMAND...]: `release` lets it end. COMMAND executes it.
spawn_confined() {
	FIFO=$BATS_TEST_TMPDIR/fifo
	mkfifo "$FIFO"
	spawn confined "${@:2}" "$SUPPORT/confined" "$1" "$FIFO"
	wait_until 30 has_printed confined
	CONFINED=$(spawned confined)
}

release() {
	echo >"$FIFO"
	await confined 60
	assert_equal "$(output confined | tail -n 1)" survived "the process"
}

tracer_of() {
	awk '$1 == "TracerPid:" { print $2 }' "/proc/$1/status"
}

is_untraced() {
	[[ $(tracer_of "$1") == 0 ]]
}

is_traced() {
	! is_untraced "$1"
}

# thaw: whatever the test froze
thaw() {
	if [[ -n ${FROZEN-} ]]; then
		freeze 0
		rmdir_frozen() { rmdir "$FROZEN" 2>/dev/null; }
		wait_processes_out
		wait_until 30 rmdir_frozen
		FROZEN=
	fi
}

wait_processes_out() {
	local root=${FROZEN%/*} pid
	while read -r pid; do
		echo "$pid" >"$root/cgroup.procs" 2>/dev/null || true
	done <"$FROZEN/cgroup.procs"
}

freeze() {
	if [[ -e $FROZEN/cgroup.freeze ]]; then
		echo "$1" >"$FROZEN/cgroup.freeze"
	else
		((!$1)) && echo THAWED >"$FROZEN/freezer.state" || echo FROZEN >"$FROZEN/freezer.state"
	fi
}

is_frozen() {
	if [[ -e $FROZEN/cgroup.events ]]; then
		grep -q '^frozen 1' "$FROZEN/cgroup.events"
	else
		[[ $(<"$FROZEN/freezer.state") == FROZEN ]]
	fi
}

@test "a policy is set, read and taken back" {
	spawn sleeper sleep infinity
	local pid
	pid=$(spawned sleeper)
	wait_asleep "$pid"
	assert_equal "$(policy "$pid")" default "policy before"
	assert_equal "$(inject "$pid")" "$pid done 0 1 0 0" "setting it"
	assert_equal "$(policy "$pid")" bind:0 "policy"
	assert_equal "$(inject -g "$pid")" "$pid done 0 1 $BIND 1" "reading it"
	inject -m "$INTERLEAVE" "$pid"
	assert_equal "$(policy "$pid")" interleave:0 "policy"
	inject -m 0 -N 0 "$pid"
	assert_equal "$(policy "$pid")" default "policy afterwards"
	is_untraced "$pid"
}

@test "what the kernel refuses is said with its errno" {
	spawn sleeper sleep infinity
	# a node that no machine has
	assert_equal "$(inject -N $((1 << 40)) "$(spawned sleeper)" | cut -d ' ' -f 2-3)" "refused 22" "result"
	assert_equal "$(inject -m 99 "$(spawned sleeper)" | cut -d ' ' -f 2-3)" "refused 22" "result"
}

# Where they come to lie needs two nodes: cpuset_mems.bats.
@test "pages are moved without stopping anybody" {
	spawn sleeper sleep infinity
	local pid
	pid=$(spawned sleeper)
	wait_asleep "$pid"
	assert_equal "$(inject -M 1 -N 1 "$pid")" "$pid done 0 1 0 0" "result"
	assert_equal "$(inject -M 1 -N $((1 << 40)) "$pid" | cut -d ' ' -f 2)" refused "to a node that no machine has"
	assert_equal "$(policy "$pid")" default "policy"
	stop sleeper
	assert_equal "$(inject -M 1 -N 1 "$pid" | cut -d ' ' -f 2)" gone "of one that has ended"
}

@test "no call that a thread sleeps in is disturbed" {
	urgent "$SUPPORT/blocked" "$AGENT_BIN"
}

@test "1,000 times into 32 threads under load, not one result disturbed" {
	spawn busy "$SUPPORT/undisturbed"
	wait_until 30 has_printed busy
	local pid
	pid=$(spawned busy)
	assert_equal "$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l)" 32 threads
	local results
	results=$(urgent "$SUPPORT/inject" -p -n 32 "$AGENT_BIN" "$pid")
	# those that timers interrupt may have to be asked again
	assert_match "$results" '^done 10[0-9][0-9](.busy [0-9]+)?$' "results"
	assert_equal "$(awk '{ n += $2 } END { print n }' <<<"$results")" 1024 "asked for"
	kill -TERM "$pid"
	await busy 60
	assert_match "$(output busy)" '^ready.undisturbed [0-9]+$' "the program"
}

@test "a process with seccomp survives, strict or with a filter that kills" {
	local how
	for how in strict filter; do
		spawn_confined "$how"
		assert_equal "$(inject -n 10 "$CONFINED")" "done 10" "$how"
		assert_equal "$(policy "$CONFINED")" bind:0 "policy"
		release
		rm "$FIFO"
	done
}

# What /proc/PID/status says of the filter stands behind them.
@test "a process with a filter and with many groups survives" {
	spawn_confined filter setpriv --groups "$(seq -s , 100000 101000)"
	assert_equal "$(inject "$CONFINED" | cut -d ' ' -f 2-3)" "done 0" "result"
	release
}

@test "a timer that interrupts it all the time does not let it miss that it is to stop" {
	spawn_confined timer
	inject -n 300 -t $((2000 * SLOW)) "$CONFINED" >"$BATS_TEST_TMPDIR/results"
	assert_equal "$(grep -vcE '^(done|busy) ' "$BATS_TEST_TMPDIR/results")" 0 \
		"others: $(<"$BATS_TEST_TMPDIR/results")"
	release
}

# flooded SIGNAL: sets PID to a process that gets a signal it ignores again before it is told of one
flooded() {
	(($(nproc) > 1)) || skip "one CPU: whoever is told has time to go on"
	spawn flood "$SUPPORT/flood" "$1"
	wait_until 30 has_printed flood
	PID=$(spawned flood)
}

@test "one that gets signals all the time that it ignores makes its call" {
	flooded 23 # SIGURG
	assert_equal "$(inject -n 100 "$PID")" "done 100" results
	is_untraced "$PID"
}

# let_go SIGNAL: flooded by it, it is let go to be asked again. It would be held until its flood
# pauses, and others would wait for their turn.
let_go() {
	local i attempts=1 result
	flooded "$1"
	for ((i = 0; i < 200 && attempts == 1; i++)); do
		read -r _ result _ attempts _ < <(inject "$PID")
		assert_match "$result" '^(done|busy)$' result
	done
	((attempts > 1))
	is_untraced "$PID"
}

@test "one that gets all the time what may not be blocked is let go, to be asked again" {
	let_go 5 # SIGTRAP, as the kernel forces it upon a thread
}

@test "one that is continued all the time is let go, to be asked again" {
	let_go 18 # SIGCONT
}

@test "one that dispatches its own system calls is left alone and told" {
	spawn_confined dispatch
	local result
	result=$(result "$CONFINED")
	# before Linux 6.4 nobody can tell; as it lets calls through just now, ours comes through
	[[ $result == dispatch || $result == "done" ]] || fail "$result"
	release
}

# Before Linux 6.4 it is the call of ours that tells.
@test "one that gets a signal for each system call just now gets none for ours" {
	spawn_confined switched
	assert_equal "$(result "$(output confined | head -n 1)")" dispatch "result"
	release
}

# left_alone_by TRACER PID: the result, and that nothing of it has changed
left_alone_by() {
	wait_until 60 is_traced "$2"
	assert_equal "$(result "$2")" traced "result"
	assert_equal "$(tracer_of "$2")" "$1" "its tracer"
	assert_equal "$(policy "$2")" default "policy"
}

placed_afterwards() {
	wait_until 60 is_untraced "$1"
	assert_equal "$(result "$1")" "done" "result"
	assert_equal "$(policy "$1")" bind:0 "policy"
}

@test "one that strace traces is left alone and told, and placed when that has ended" {
	need strace
	spawn sleeper sleep infinity
	spawn tracer strace -p "$(spawned sleeper)"
	left_alone_by "$(spawned tracer)" "$(spawned sleeper)"
	stop tracer
	placed_afterwards "$(spawned sleeper)"
}

@test "one that its own child traces is left alone and told, and placed when that has ended" {
	spawn_confined traced
	left_alone_by "$(pgrep -P "$CONFINED")" "$CONFINED"
	echo >"$FIFO"
	placed_afterwards "$CONFINED"
	release
}

# Stopped at gdb's prompt, each thread of it, and set going again.
@test "one under gdb is left alone and told, and placed when it is let go" {
	need gdb
	local fifo=$BATS_TEST_TMPDIR/prompt tid
	mkfifo "$fifo"
	start_threads 3
	spawn debugger gdb -nx -q -batch -iex 'set debuginfod enabled off' -p "${TIDS[0]}" \
		-ex "shell read -r <>'$fifo' _" -ex detach
	for tid in "${TIDS[@]}"; do
		left_alone_by "$(spawned debugger)" "$tid"
		wait_until 60 in_state "$tid" t
	done
	echo >"$fifo"
	for tid in "${TIDS[@]}"; do
		placed_afterwards "$tid"
	done
	tell tids
}

# While a process is in execve(2) nobody can begin to trace it, and this one waits there for
# another tracer to let go of a thread. Others are served meanwhile.
@test "one whose execve waits for a debugger is told, in time" {
	spawn_confined held
	wait_until 30 in_state "$CONFINED" D
	local start=$SECONDS
	assert_equal "$(inject -t 200 "$CONFINED" | cut -d ' ' -f 2)" asleep "result"
	((SECONDS - start < 30 * SLOW)) || fail "it took $((SECONDS - start)) s"
	is_untraced "$CONFINED"
	release
}

@test "a worker of io_uring is of the kernel" {
	local fifo tid
	spawn_confined uring || skip "no io_uring here"
	worker() {
		tid=$(grep -l '^iou-' "/proc/$CONFINED/task"/*/comm) && tid=${tid%/comm} && tid=${tid##*/}
	}
	wait_until 30 worker
	assert_equal "$(inject -t 200 "$tid" | cut -d ' ' -f 2)" kernel "result"
	release
}

@test "what ends, never was, or is of the kernel is told" {
	spawn sleeper sleep infinity
	local pid
	pid=$(spawned sleeper)
	stop sleeper
	assert_equal "$(result "$pid")" gone "of one that has ended"
	[[ $(</proc/2/comm) == kthreadd ]] || skip "no kernel threads to be seen here"
	assert_equal "$(result 2)" kernel "of kthreadd"
}

# Its code: pause(), again and again.
@test "32-bit code is not touched" {
	[[ $(uname -m) == x86_64 ]] || skip "not on x86-64"
	local file=$BATS_TEST_TMPDIR/elf32
	{
		printf '\x7fELF\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00'
		printf '\x02\x00\x03\x00\x01\x00\x00\x00\x54\x80\x04\x08\x34\x00\x00\x00'
		printf '\x00\x00\x00\x00\x00\x00\x00\x00\x34\x00\x20\x00\x01\x00\x00\x00\x00\x00\x00\x00'
		printf '\x01\x00\x00\x00\x00\x00\x00\x00\x00\x80\x04\x08\x00\x80\x04\x08'
		printf '\x5d\x00\x00\x00\x5d\x00\x00\x00\x05\x00\x00\x00\x00\x10\x00\x00'
		printf '\xb8\x1d\x00\x00\x00\xcd\x80\xeb\xf7'
	} >"$file"
	chmod +x "$file"
	spawn elf32 "$file"
	wait_until 30 executes elf32 || skip "no 32-bit programs on this kernel"
	assert_equal "$(result "$(spawned elf32)")" 32-bit "result"
	is_running "$(spawned elf32)"
}

executes() {
	[[ $(readlink "/proc/$(spawned "$1")/exe") == */$1 ]]
}

@test "one that waits uninterruptibly is let go when its time is over" {
	spawn_confined vfork
	local OPTIONS=(-t 100)
	wait_until 30 in_state "$CONFINED" D
	assert_equal "$(result "$CONFINED")" asleep "result"
	is_untraced "$CONFINED"
	# others are served after it
	spawn sleeper sleep infinity
	OPTIONS=()
	assert_equal "$(inject -t 100 "$CONFINED" | cut -d ' ' -f 2)" asleep "result"
	assert_equal "$(result "$(spawned sleeper)")" "done" "the next one"
	release
}

in_state() {
	[[ $(stat_of "$1" 3) == "$2" ]]
}

# It was woken to stop. Let go before it has, it would find its call ended by nobody's signal.
@test "one that gets no CPU is waited for" {
	need_guest
	spawn_confined epoll
	wait_asleep "$CONFINED"
	taskset -pc 1 "$CONFINED"
	# the kernel lets others have a twentieth of each second
	spawn hog taskset -c 1 chrt -f 50 "$SUPPORT/burn" 1 --forever
	hogs() {
		[[ $(stat_of "$(spawned hog)" 41) == 1 && $(stat_of "$(spawned hog)" 3) == R ]]
	}
	wait_until 30 hogs
	assert_equal "$(inject -n 10 -t $((200 * SLOW)) "$CONFINED")" "done 10" "results"
	stop hog
	release
}

@test "one that executes programs all the time is placed or gone, and goes on" {
	spawn_confined exec
	inject -n 200 "$CONFINED" >"$BATS_TEST_TMPDIR/results"
	assert_equal "$(grep -vcE '^(done|gone) ' "$BATS_TEST_TMPDIR/results")" 0 "other results"
	grep -q '^done ' "$BATS_TEST_TMPDIR/results"
	release
}

@test "without a vDSO another system call instruction does" {
	spawn_confined moved
	assert_equal "$(inject -n 10 "$CONFINED")" "done 10" "results"
	assert_equal "$(policy "$CONFINED")" bind:0 "policy"
	release
}

# frozen_in DIR: a sleeper of ours in a new group of the kernel, frozen
frozen_in() {
	FROZEN=$1/grpagent-$INSTANCE
	mkdir "$FROZEN"
	spawn sleeper sleep infinity
	wait_asleep "$(spawned sleeper)"
	spawned sleeper >"$FROZEN/cgroup.procs"
	freeze 1
	wait_until 30 is_frozen
}

# mount_freezers: both kinds, in a guest, where nobody has
mount_freezers() {
	[[ -e /job && $(uname -n) == guest ]] || return 0
	mkdir -p "$BATS_TEST_TMPDIR"/{new,old}
	mount -t cgroup2 none "$BATS_TEST_TMPDIR/new"
	mount -t cgroup -o freezer none "$BATS_TEST_TMPDIR/old"
}

unmount_freezers() {
	local dir
	for dir in "$BATS_TEST_TMPDIR"/{new,old}; do
		! mountpoint -q "$dir" || umount "$dir"
	done
}

@test "a frozen one is let go, placed when it is thawed" {
	local dirs dir result
	mount_freezers
	mapfile -t dirs < <(awk '$3 == "cgroup2" || ($3 == "cgroup" && $4 ~ /freezer/) { print $2 }' /proc/mounts)
	for dir in "${dirs[@]}"; do
		frozen_in "$dir"
		result=$(inject -t 200 "$(spawned sleeper)" | cut -d ' ' -f 2)
		[[ $result == frozen || $result == asleep ]] || fail "in $dir: $result"
		is_untraced "$(spawned sleeper)"
		is_frozen
		freeze 0
		assert_equal "$(result "$(spawned sleeper)")" "done" "thawed, in $dir"
		thaw
		stop sleeper
	done
	[[ -n $dir ]] || skip "no freezer is mounted here"
}

@test "a helper that loses its agent finishes what it was asked, and ends" {
	spawn sleeper sleep infinity
	local pid client helper
	pid=$(spawned sleeper)
	# asked and not heard: it is stopped by itself, then killed
	spawn client "$SUPPORT/inject" -s "$AGENT_BIN" "$pid"
	client=$(spawned client)
	wait_until 30 in_state "$client" T
	helper=$(pgrep -P "$client")
	kill -KILL "$client"
	wait_until 30 is_gone "$helper"
	assert_equal "$(policy "$pid")" bind:0 "policy"
	is_untraced "$pid"
	is_running "$pid"
}

@test "signals that end others do not end a helper" {
	spawn_confined vfork
	spawn client "$SUPPORT/inject" -t 100000 "$AGENT_BIN" "$CONFINED"
	wait_until 30 is_traced "$CONFINED"
	kill -TERM "$(tracer_of "$CONFINED")"
	kill -INT "$(tracer_of "$CONFINED")"
	release
	await client 60
	assert_match "$(output client)" ' (done|gone) ' "result"
}

@test "a tracer that is killed while it waits is replaced, its thread goes on" {
	spawn_confined vfork
	spawn client "$SUPPORT/inject" -t 100000 "$AGENT_BIN" "$CONFINED"
	wait_until 30 is_traced "$CONFINED"
	kill -KILL "$(tracer_of "$CONFINED")"
	# the client is told by a reply that belongs to no request
	wait_until 30 is_gone "$(spawned client)"
	assert_match "$(errors client)" 'reply 0 to request 1' "the client"
	release
}
