#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Level san would be silent as well if nothing in $BUILD had a sanitizer, or if one could not be
# heard. That tests/run hears what they say is tested in tests/lint/runner.bats.

bats_require_minimum_version 1.5.0

# Linked in: as shared libraries of gcc's they are deaf to log_path.
has() {
	nm "$BUILD/$1" >"$BATS_TEST_TMPDIR/symbols"
	grep -qE "^[0-9a-f]+ [A-Z] $2\$" "$BATS_TEST_TMPDIR/symbols" || {
		echo "$BUILD/$1 has no $2"
		return 1
	}
}

@test "what is tested has both sanitizers" {
	local program
	for program in grpagent grpctl test/grpagent test/unit/test_wire test/bpf/test_fastpath; do
		has "$program" __asan_init
		has "$program" __lsan_do_leak_check
		has "$program" __ubsan_handle_type_mismatch_v1_abort
	done
}

@test "undefined behaviour is the end everywhere" {
	# by relocation in every object that has any
	run -1 bash -c "find '$BUILD/agent' '$BUILD/cli' -name '*.o' -exec nm {} + |
		grep -E ' U __ubsan_handle_' | grep -vE '_abort\$|builtin_unreachable\$|missing_return\$'"
}

@test "reports go to where tests/run looks for them" {
	[[ $ASAN_OPTIONS == *log_path=* && $UBSAN_OPTIONS == *log_path=* ]]
}
