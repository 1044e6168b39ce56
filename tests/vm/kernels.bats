#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Must hold 1 to 4 on other kernels: the e2e tests of these properties, run in a
# guest without KVM. 6.1 is booted with preempt=full, where programs of ours can be
# preempted in the middle of a storage helper; counts and times must still be exact.
# Emulation is slow: rounds are fewer than natively (SOAK=1: as many), the
# properties and assertions are the same.
# timeout: 3000

bats_require_minimum_version 1.5.0

# Under storms all fault points of the agent's own logic add nothing here: those
# run natively, and over the kernel in memory.
readonly EXACTNESS='burns|stress-ng|storm, with|hackbench|io_uring|moved between|removed groups|killed in the middle'
readonly SIGKILL='killed again and again|empties while|born and what ended'

if [[ ${SOAK:-} == 1 ]]; then
	readonly ROUNDS=(STORM_SECONDS=20 MOVES=200 KILLS=100 UPGRADES=10)
else
	readonly ROUNDS=(STORM_SECONDS=3 MOVES=12 KILLS=5 UPGRADES=2)
fi

# in_guest KERNEL APPEND FILE FILTER: the named tests pass, and none is skipped away
in_guest() {
	local append=() limit=800
	[[ -z $2 ]] || append=(--append "$2")
	[[ ${SOAK:-} != 1 ]] || limit=7200
	run --separate-stderr "$BATS_TEST_DIRNAME/run" --kernel "$1" "${append[@]}" --timeout "$limit" -- \
		env SLOW=8 "${ROUNDS[@]}" bats --tap --filter "$4" "tests/e2e/$3.bats"
	echo "$output"
	# shellcheck disable=SC2154 # set by run --separate-stderr
	echo "$stderr"
	((status == 0))
	[[ $output == *$'\nok 1 '* || $output == 'ok 1 '* ]]
	! grep -q '^not ok' <<<"$output"
	(($(grep -c '^ok' <<<"$output") > 2 * $(grep -c '# skip' <<<"$output")))
}

setup_file() {
	"$BATS_TEST_DIRNAME/fetch-qemu"
	"$BATS_TEST_DIRNAME/fetch-kernel" 6.1
	"$BATS_TEST_DIRNAME/fetch-kernel" 6.12
}

@test "6.1, preempt=full: exact (1)" {
	in_guest 6.1 preempt=full exactness "$EXACTNESS"
}

@test "6.1, preempt=full: nobody missed (2)" {
	in_guest 6.1 preempt=full nobody_missed .
}

@test "6.1, preempt=full: SIGKILL (3)" {
	in_guest 6.1 preempt=full sigkill "$SIGKILL"
}

@test "6.1, preempt=full: generations (4)" {
	in_guest 6.1 preempt=full upgrade .
}

@test "6.12: exact (1)" {
	in_guest 6.12 '' exactness "$EXACTNESS"
}
