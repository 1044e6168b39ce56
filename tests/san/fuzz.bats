#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# Each fuzz target takes what once was, or could be, trouble, and made-up input, always the same.
# To look for more: `make fuzz`.
#
# FUZZ_ROUNDS in the environment: how many made-up inputs (10000).

bats_require_minimum_version 1.5.0

# Runs $@, a target with its input; it must have come everywhere it can come to.
reaches_all() {
	local name n
	"$@" >"$BATS_TEST_TMPDIR/counts"
	[[ -s $BATS_TEST_TMPDIR/counts ]]
	while read -r name n; do
		((n > 0)) || {
			echo "${1##*/}: nothing of kind '$name' in its input"
			return 1
		}
	done <"$BATS_TEST_TMPDIR/counts"
}

# each_target FUNCTION
each_target() {
	local source name n=0
	for source in "$TESTS"/fuzz/fuzz_*.c; do
		name=$(basename "$source" .c)
		"$1" "$name" "$BUILD/test/fuzz/$name"
		((n += 1))
	done
	((n > 0))
}

take_corpus() {
	reaches_all "$2" "$TESTS/fuzz/corpus/$1"/*
}

@test "the corpus" {
	each_target take_corpus
}

take_made_up() {
	reaches_all "$2" "${FUZZ_ROUNDS:-10000}" 1
}

@test "made-up input" {
	each_target take_made_up
}

@test "a file that is not there is no success" {
	local source
	for source in "$TESTS"/fuzz/fuzz_*.c; do
		run -1 "$BUILD/test/fuzz/$(basename "$source" .c)" "$BATS_TEST_TMPDIR/nothing"
	done
}
