#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=confines
#
# Where memory comes to lie on a machine with two nodes (CPUSET-14 to 16, OOR-6): of what exec runs,
# of what is attached while it runs, whatever it waits for. The oracles are numa_maps, which has the
# policy of each thread, and move_pages(2), which knows where a page is. Fails when a thread is
# forgotten, keeps the group's policy when it leaves, or is disturbed.
#
# timeout: 600

load lib

setup_file() {
	new_instance
}

teardown_file() {
	cleanup
}

setup() {
	# numbers of linux/mempolicy.h
	BIND=2
	INTERLEAVE=3
}

has_two_nodes() {
	[[ $(</sys/devices/system/node/has_memory) == 0-1 ]]
}

# An agent with a group for each node, and one for both, which touches nothing.
two_nodes() {
	has_two_nodes || skip "not two memory nodes"
	start_agent
	ctl mkdir /zero /one /both
	ctl set /zero cpuset.mems 0
	ctl set /one cpuset.mems 1
	ctl set /both cpuset.mems 0-1
}

teardown() {
	cleanup
}

# --- what there is, as the kernel says ---------------------------------------------------------

# policy TID: of what has no other one
policy() {
	sed -E '1 { s/^[0-9a-f]+ //; s/ (file=|anon=|mapped=|dirty=|heap|stack|N[0-9]).*//; q }' "/proc/$1/numa_maps"
}

# policies PID: of all threads, each different one once
policies() {
	local task
	for task in /proc/"$1"/task/*; do
		[[ ! -d $task ]] || policy "${task##*/}"
	done 2>/dev/null | sort -u | paste -sd ,
}

all_have() { # PID POLICY
	assert_equal "$(policies "$1")" "$2" "policies of the threads of $1"
}

follows() { # PID POLICY
	wait_until 60 all_have "$@"
}

# figure GROUP NAME: of its placement
figure() {
	ctl get "$1" cpuset.placement | awk -v name="$2" '$1 == name { print $2 }'
}

figure_is() { # GROUP NAME VALUE
	assert_equal "$(figure "$1" "$2")" "$3" "$2 of $1"
}

# reason GROUP TID: why it is not placed, a word or two
reason() {
	ctl get "$1" cpuset.placement | sed -n "s/^task $2 mems //p"
}

reason_is() { # GROUP TID WORD
	assert_equal "$(reason "$1" "$2")" "$3" "why $2 is not placed"
}

# --- a process that takes memory on command (tests/support/pages.c) --------------------------------

# start_pages THREADS [WRAPPER...]: sets TIDS, PID
start_pages() {
	local dir n=$1
	dir=$(state_dir)
	shift
	rm -f "$dir/pages.in" "$dir/pages.out"
	mkfifo "$dir/pages.in" "$dir/pages.out"
	exec {TELL}<>"$dir/pages.in" {HEAR}<>"$dir/pages.out"
	setpriv --pdeathsig KILL "$@" "$SUPPORT/pages" "$n" <&"$TELL" >&"$HEAR" 3>&- 4>&- &
	identity $! >>"$dir/processes"
	PID=$!
	hear
	assert_equal "$REPLY" ready "pages"
	tell tids
	read -ra TIDS <<<"${REPLY#tids }"
	# what exec runs has another number
	PID=${TIDS[0]}
}

# new_pages_on NODES [THREAD]: where the next ones of it come to lie, as "NODE:COUNT ..."
new_pages_on() {
	tell "touch ${2:-0} 64"
	assert_equal "$REPLY" "$1" "new pages of thread ${2:-0}"
}

pages_lie() { # NODES
	tell where
	assert_equal "$REPLY" "$1" "pages"
}

# --- where pages are ---------------------------------------------------------------------------------

@test "what exec runs has its pages on the nodes of its group, and so have its children" {
	two_nodes
	local node group
	for group in zero one; do
		node=$(ctl get "/$group" cpuset.mems)
		start_pages 2 "$GRPCTL" --instance "$INSTANCE" exec "/$group" --
		all_have "$PID" "bind:$node"
		new_pages_on "$node:64" 0
		new_pages_on "$node:64" 1
		tell fork
		all_have "$REPLY" "bind:$node"
		kill -TERM "$PID"
	done
}

@test "one that is attached while it runs has its new pages there, each thread of it" {
	two_nodes
	start_pages 8
	all_have "$PID" default
	ctl attach /one "$PID"
	follows "$PID" bind:1
	local i
	for i in "${!TIDS[@]}"; do
		new_pages_on 1:64 "$i"
	done
	wait_until 60 figure_is /one mems_pending 0
	figure_is /one mems_placed 8
	figure_is /one mems_refused 0
	ctl attach /zero "$PID"
	follows "$PID" bind:0
	new_pages_on 0:64 7
	# without memory_migrate what there is stays
	ctl attach /one "$PID"
	follows "$PID" bind:1
	pages_lie 0:64
}

@test "a write of mems reaches everybody in the group" {
	two_nodes
	start_pages 4
	ctl attach /one "$PID"
	follows "$PID" bind:1
	ctl set /one cpuset.mems 0
	follows "$PID" bind:0
	new_pages_on 0:64 3
	ctl set /one cpuset.mems 0-1
	follows "$PID" default
	figure_is /one mems_pending 0
}

@test "no call that a thread sleeps in is disturbed, and its new pages are there" {
	local expected=bind:1 ms=8000
	if has_two_nodes; then
		two_nodes
	else
		# the policy can be seen here as well, where the pages are cannot
		start_agent
		ctl mkdir /one
		ctl set /one cpuset.mem_policy interleave
		expected=interleave:0 ms=4000
	fi
	cat >"$BATS_TEST_TMPDIR/attach" <<-END
		#!/bin/bash
		"$GRPCTL" --instance "$INSTANCE" attach /one "\$@" || exit
		for pid; do
			end=\$((SECONDS + 60 * $SLOW))
			until [[ \$(head -n 1 "/proc/\$pid/numa_maps" 2>/dev/null) == *" $expected"* ]]; do
				# one whose time was over before: its pages will tell
				[[ \$(head -n 1 "/proc/\$pid/numa_maps") ]] 2>/dev/null || break
				((SECONDS < end)) || exit
				sleep 0.02 # lint: sleep-ok a step of a poll with a deadline
			done
		done
	END
	chmod +x "$BATS_TEST_TMPDIR/attach"
	"$SUPPORT/blocked" -c "$BATS_TEST_TMPDIR/attach" $((ms * SLOW))
}

@test "what is born while its parent is placed is placed as well" {
	two_nodes
	spawn storm "$SUPPORT/storm" --seconds 600 --workers 2
	ctl attach /one "$(spawned storm)"
	settled() {
		local tid said
		for tid in $(ctl --json ps /one | jq -r '.[].tid'); do
			said=$(policy "$tid" 2>/dev/null) || true
			[[ -z $said || $said == bind:1 ]] || fail "$tid: $said" || return
		done
	}
	wait_until 60 settled
	stop storm
}

# --- their own policies --------------------------------------------------------------------------------

@test "whoever leaves has his own policy back, children theirs" {
	two_nodes
	start_pages 3
	tell "set 1 $INTERLEAVE 3"
	assert_equal "$REPLY" 0 "set_mempolicy"
	ctl attach /one "$PID"
	follows "$PID" bind:1
	tell fork
	local child=$REPLY
	all_have "$child" bind:1
	ctl attach /both "$PID" "$child"
	follows "${TIDS[1]}" default,interleave:0-1
	assert_equal "$(policy "${TIDS[0]}")" default "the leader's"
	assert_equal "$(policy "${TIDS[1]}")" interleave:0-1 "the other's"
	tell "get 1"
	assert_equal "$REPLY" "$INTERLEAVE 3" "by get_mempolicy"
	follows "$child" default
	figure_is /both mems_pending 0
}

@test "a group that allows everything touches nobody" {
	two_nodes
	start_pages 2
	tell "set 0 $BIND 2"
	ctl attach /both "$PID"
	figure_is /both mems_placed 0
	figure_is /both mems_pending 0
	assert_equal "$(policy "$PID")" bind:1 "its own"
}

@test "unload gives everybody his own policy back" {
	two_nodes
	start_pages 4
	tell "set 2 $INTERLEAVE 3"
	ctl attach /one "$PID"
	follows "$PID" bind:1
	stop_agent
	"$AGENT_BIN" --instance "$INSTANCE" --unload
	assert_equal "$(policies "$PID")" default,interleave:0-1 "policies"
	assert_equal "$(policy "${TIDS[2]}")" interleave:0-1 "its own"
}

# --- mem_policy -----------------------------------------------------------------------------------------

# shown TEXT: as all kernels of ours show it
shown() {
	sed 's/prefer (many)/prefer-many/; s/weighted interleave/weighted-interleave/' <<<"$1"
}

@test "each policy of a group, with each kind of nodes" {
	two_nodes
	start_pages 2
	ctl attach /one "$PID"
	local written expected nodes
	while read -r written expected nodes; do
		ctl set /one cpuset.mem_policy "$written"
		is_placed() {
			assert_equal "$(shown "$(policies "$PID")")" "$expected:1" "$written"
		}
		wait_until 60 is_placed
		new_pages_on "$nodes" 1
	done <<-'END'
		interleave interleave 1:64
		interleave=static interleave=static 1:64
		interleave=relative interleave=relative 1:64
		preferred prefer 1:64
		preferred=static prefer=static 1:64
		preferred-many prefer-many 1:64
		bind=static bind=static 1:64
		bind=relative bind=relative 1:64
		bind bind 1:64
	END
}

@test "interleave over both nodes takes each half of the pages" {
	two_nodes
	start_pages 2
	ctl set /both cpuset.mem_policy interleave
	ctl attach /both "$PID"
	follows "$PID" interleave:0-1
	new_pages_on "0:32 1:32" 1
	ctl set /both cpuset.mem_policy bind
	follows "$PID" default
}

# Since Linux 6.9.
@test "weighted interleave, or why not" {
	two_nodes
	start_pages 2
	ctl set /both cpuset.mem_policy weighted-interleave
	ctl attach /both "$PID"
	known() {
		assert_equal "$(shown "$(policies "$PID")")" weighted-interleave:0-1 "policy"
	}
	unknown() {
		assert_match "$(reason /both "$PID")" '^refused' "reason"
	}
	either() {
		known || unknown
	}
	wait_until 60 either
	if known 2>/dev/null; then
		new_pages_on "0:32 1:32" 1
	else
		all_have "$PID" default
		figure_is /both mems_refused 2
		# it is tried again when something changes
		ctl set /both cpuset.mem_policy interleave
		follows "$PID" interleave:0-1
		wait_until 60 figure_is /both mems_refused 0
	fi
}

@test "spreading pages takes both nodes for a file's pages too" {
	two_nodes
	start_pages 2
	ctl attach /both "$PID"
	tell "set 0 $BIND 1"
	tell "file $BATS_TEST_TMPDIR/before 64"
	assert_equal "$REPLY" 0:64 "pages of a file before"
	ctl set /both cpuset.memory_spread_page 1
	follows "$PID" interleave:0-1
	tell "file $BATS_TEST_TMPDIR/file 64"
	assert_match "$REPLY" '^0:[0-9]+ 1:[0-9]+$' "pages of a file"
	ctl set /both cpuset.memory_spread_page 0
	follows "${TIDS[0]}" "bind:0,default"
}

# --- memory_migrate -----------------------------------------------------------------------------------

migrated() { # GROUP NUMBER
	figure_is "$1" migrate_pending 0 && figure_is "$1" migrate_done "$2"
}

@test "memory_migrate takes the pages along, on attach and on a write of mems" {
	two_nodes
	start_pages 2
	ctl attach /zero "$PID"
	follows "$PID" bind:0
	new_pages_on 0:64 1
	ctl set /one cpuset.memory_migrate 1
	ctl attach /one "$PID"
	wait_until 60 migrated /one 1
	pages_lie 1:64
	figure_is /one migrate_pages_left 0
	ctl set /one cpuset.mems 0
	wait_until 60 pages_lie 0:64
	# from all to one: what is elsewhere
	ctl set /one cpuset.mems 0-1
	follows "$PID" default
	tell "set 1 $INTERLEAVE 3"
	follows "$PID" default,interleave:0-1
	new_pages_on "0:32 1:32" 1
	ctl set /one cpuset.mems 1
	wait_until 60 pages_lie 1:64
	# and from one to all they may stay
	ctl set /one cpuset.mems 0-1
	follows "${TIDS[0]}" default,interleave:0-1
	pages_lie 1:64
}

# --- what cannot be placed, and what must not be lost ------------------------------------------------------

@test "a process with seccomp survives, strict or with a filter that kills" {
	two_nodes
	local how fifo=$BATS_TEST_TMPDIR/fifo
	for how in strict filter; do
		mkfifo "$fifo"
		spawn confined "$SUPPORT/confined" "$how" "$fifo"
		wait_until 30 has_printed confined
		ctl attach /one "$(spawned confined)"
		follows "$(spawned confined)" bind:1
		echo >"$fifo"
		await confined 60
		assert_equal "$(output confined | tail -n 1)" survived "the process"
		rm "$fifo"
	done
}

@test "one that is traced is told, and placed when its tracer has gone" {
	two_nodes
	need strace
	start_pages 1
	spawn tracer strace -p "$PID"
	is_traced() {
		[[ $(awk '$1 == "TracerPid:" { print $2 }' "/proc/$PID/status") == "$(spawned tracer)" ]]
	}
	wait_until 60 is_traced
	ctl attach /one "$PID"
	wait_until 60 reason_is /one "$PID" traced
	figure_is /one mems_pending 1
	all_have "$PID" default
	stop tracer
	follows "$PID" bind:1
	wait_until 60 figure_is /one mems_pending 0
	assert_equal "$(reason /one "$PID")" "" "reason"
}

# Wherever it is in its work: the next one ends it, and does not take what the last one has set
# for anybody's wish.
@test "a SIGKILL of the agent in the middle of 50 threads, and the next one places them all" {
	two_nodes
	local enough
	some_placed() {
		(($(ours bind:1) >= enough))
	}
	ours() {
		local tid n=0
		for tid in "${TIDS[@]}"; do
			[[ $(policy "$tid") != "$1" ]] || n=$((n + 1))
		done
		echo "$n"
	}
	start_pages 50
	tell "set 49 $INTERLEAVE 3"
	for enough in 0 1 20; do
		ctl attach /one "$PID"
		((!enough)) || wait_until 60 some_placed
		kill_agent
		start_agent
		follows "$PID" bind:1
		ctl attach /both "$PID"
		follows "$PID" default,interleave:0-1
		assert_equal "$(policy "${TIDS[49]}")" interleave:0-1 "its own"
	done
}
