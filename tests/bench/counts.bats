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

# The verifiers of the kernels that we test on differ by a factor; on others it is the largest bound. "-": a
# kernel that has not what the program needs.
@test "what the verifier walks for each program" {
	local name bounds column counted bound status=0
	((EUID == 0)) || skip "loading BPF programs needs root"
	case $(uname -r) in
	6.1.*) column=0 ;;
	6.12.*) column=1 ;;
	6.18.*) column=2 ;;
	*) column=any ;;
	esac
	run -0 "$BUILD/test/bench" --programs
	while read -r name bounds; do
		read -ra bounds <<<"$bounds"
		bound=$(printf '%s\n' "${bounds[@]}" | sort -n | tail -n 1)
		[[ $column == any ]] || bound=${bounds[column]}
		counted=$(awk -v name="$name" '$1 == name { print $2 }' <<<"$output")
		[[ $bound != - && ($column != any || ${bounds[0]} != - || -n $counted) ]] || continue
		echo "$name: $counted, at most $bound"
		((counted > bound / 3 && counted <= bound)) || status=1
	done <<-END
		on_switch 740 650 650
		on_newtask 115000 48000 72000
		on_fork 115000 48000 72000
		on_exit 2900 2800 2850
		on_free 2600 2550 2550
		on_exec 4900 4750 4900
		pass_seed 4550 4450 4500
		pass_list 9000 3300 3200
		pass_move 55000 26000 28000
		pass_placed 1100 3100 3050
		pass_policies 6000 6000 5800
		pass_place 750 750 750
		settle 700 620 620
		control 180 160 160
		on_direct - 8000 8000
		on_direct_still - 8000 8000
		on_each - 5200 5200
		on_threads - 5200 5200
	END
	((status == 0))
}

@test "an agent that has nothing to do is not woken" {
	((EUID == 0)) || skip "loading BPF programs needs root"
	"$BUILD/test/bench" --smoke --only idle --json "$BATS_TEST_TMPDIR/idle.json"
	jq -e '.rows | length == 2 and all(.[]; .verdict == "met")' "$BATS_TEST_TMPDIR/idle.json"
}
