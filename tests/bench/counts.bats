#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What can be counted must not get dearer unnoticed: instructions of the codec and of the tree,
# those that the verifier walks, wake-ups of an agent that has nothing to do. The figures are
# bounds somewhat above what is counted; who makes something cheaper lowers its bound.

bats_require_minimum_version 1.5.0

setup_file() {
	BUILD=${BUILD:-$BATS_TEST_DIRNAME/../../build}
	export BUILD
}

# instructions OP: of one, by the difference of two runs
instructions() {
	local n counts=()
	for n in 0 100; do
		counts+=("$(valgrind --tool=callgrind --callgrind-out-file=/dev/null \
			"$BUILD/test/bench-ops" "$1" "$n" 2>&1 | awk '/Collected :/ { print $4 }')")
	done
	echo $(((counts[1] - counts[0]) / 100))
}

# at_most BOUND OP
at_most() {
	local counted
	command -v valgrind >/dev/null || skip "no valgrind here"
	! grep -q __asan_init "$BUILD/test/bench-ops" || skip "built with sanitizers"
	counted=$(instructions "$2")
	echo "$2: $counted instructions, at most $1"
	((counted > $1 / 10 && counted <= $1))
}

@test "codec: one request read and one reply written" {
	at_most 43000 codec
}

@test "tree: one group made, looked up and removed" {
	at_most 13000 mkdir
}

@test "reading: a snapshot of 1,000 groups" {
	at_most 770000 snapshot
}

@test "what the verifier walks for each program" {
	local name counted bound status=0
	((EUID == 0)) || skip "loading BPF programs needs root"
	run -0 "$BUILD/test/bench" --programs
	while read -r name bound; do
		counted=$(awk -v name="$name" '$1 == name { print $2 }' <<<"$output")
		echo "$name: $counted, at most $bound"
		((counted > 0 && counted <= bound)) || status=1
	done <<-END
		on_switch 1100
		on_newtask 90000
		on_fork 90000
		on_exit 1900
		on_free 3200
		on_exec 2800
		pass_seed 2700
		pass_list 5500
		pass_move 48000
		settle 1100
		control 300
	END
	((status == 0))
}

@test "an agent that has nothing to do is not woken" {
	((EUID == 0)) || skip "loading BPF programs needs root"
	run -0 "$BUILD/test/bench" --smoke --only idle --json "$BATS_TEST_TMPDIR/idle.json"
	jq -e '.rows | length == 2 and all(.[]; .verdict == "met")' "$BATS_TEST_TMPDIR/idle.json"
}
