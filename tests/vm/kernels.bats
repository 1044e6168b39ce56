#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Must hold 1 to 4 on other kernels, in a guest without KVM. 6.1 is booted with
# preempt=full, where programs of ours can be preempted in the middle of a storage
# helper. SOAK=1: the e2e files of these properties as well, with many rounds.
# timeout: 1500

bats_require_minimum_version 1.5.0

if [[ ${SOAK:-} == 1 ]]; then
	readonly LIMIT=7200
else
	readonly LIMIT=420
fi

setup_file() {
	"$BATS_TEST_DIRNAME/fetch-qemu"
	"$BATS_TEST_DIRNAME/fetch-kernel" 6.1
	"$BATS_TEST_DIRNAME/fetch-kernel" 6.12
}

# in_guest KERNEL APPEND COMMAND...: it exits with 0, and every line of TAP is ok
in_guest() {
	local append=()
	[[ -z $2 ]] || append=(--append "$2")
	run "$BATS_TEST_DIRNAME/run" --kernel "$1" "${append[@]}" --timeout "$LIMIT" -- "${@:3}"
	echo "$output"
	((status == 0))
	! grep -q '^not ok' <<<"$output"
	(($(grep -c '^ok' <<<"$output") > 2))
}

@test "6.1, preempt=full: exact, nobody missed, killed, two generations" {
	in_guest 6.1 preempt=full tests/vm/guest-storm
}

@test "6.12: exact, nobody missed, killed, two generations" {
	in_guest 6.12 '' tests/vm/guest-storm
}

@test "6.1, preempt=full: the e2e tests themselves" {
	[[ ${SOAK:-} == 1 ]] || skip "an hour of emulation: make soak"
	local file
	for file in exactness nobody_missed sigkill upgrade; do
		in_guest 6.1 preempt=full env SLOW=10 bats --tap "tests/e2e/$file.bats"
	done
}
