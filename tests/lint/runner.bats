#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# tests/run itself: whatever goes wrong in a test file must be seen in the tally and the status.

# shellcheck disable=SC2030,SC2031 # each test has its own variables

bats_require_minimum_version 1.5.0

setup() {
	RUNNER=$BATS_TEST_DIRNAME/../run
	export TESTS=$BATS_TEST_TMPDIR/tests BUILD=$BATS_TEST_TMPDIR/build
	export SHARED=$BATS_TEST_TMPDIR/shared
	unset WRAP SAN_BUILD SOAK SLOW JOBS
	mkdir -p "$SHARED" "$TESTS"/{unit,bpf,e2e,vm,lint} "$BUILD/test/unit"
}

# A test program: stdin is its shell text. Its C source is what the runner looks for.
program() {
	echo "/* ${2:-} */" >"$TESTS/unit/$1.c"
	{
		echo '#!/bin/bash'
		cat
	} >"$BUILD/test/unit/$1"
	chmod +x "$BUILD/test/unit/$1"
}

good() {
	program test_good <<<'echo 1..2; echo "ok 1 - a"; echo "ok 2 - b"'
}

# The runner's status is 1 and its last line is $1.
expect_failure() {
	run -1 "$RUNNER" unit
	[ "${lines[-1]}" = "$1" ]
}

@test "all well: tally, status 0, time per file" {
	good
	run -0 "$RUNNER" unit
	[ "${lines[-1]}" = "2 passed, 0 failed" ]
	[[ ${lines[0]} =~ unit/test_good.c\ .*\ 2\ ok\ \([0-9]+\.[0-9][0-9]\ s\)$ ]]
}

@test "nothing to run is a failure" {
	expect_failure "0 passed, 0 failed"
}

@test "a failed test" {
	good
	program test_bad <<<'echo 1..2; echo "ok 1 - a"; echo "not ok 2 - b"; echo "# why"; exit 1'
	expect_failure "3 passed, 1 failed"
	[[ $output == *"test_bad.c: b"* && $output == *"# why"* ]]
}

@test "a failed test whose program claims success counts as two" {
	program test_liar <<<'echo 1..1; echo "not ok 1 - a"; exit 0'
	expect_failure "0 passed, 2 failed"
}

@test "a crash after all results" {
	program test_crash <<<'echo 1..1; echo "ok 1 - a"; kill -SEGV $$'
	expect_failure "1 passed, 1 failed"
	[[ $output == *"ended by signal 11"* ]]
}

@test "a crash in the middle" {
	program test_crash <<<'echo 1..3; echo "ok 1 - a"; kill -ABRT $$'
	expect_failure "1 passed, 1 failed"
}

# The shell forgets a job that ended by a signal while it waited for another one.
@test "crashes beside files that pass" {
	local i
	for i in 1 4 7; do
		program "test_$i" <<<'kill -ABRT $$'
	done
	for i in 2 3 5 6 8; do
		program "test_$i" <<<'sleep 0.1; echo 1..1; echo "ok 1 - a"' # lint: sleep-ok outlives the crash
	done
	expect_failure "5 passed, 3 failed"
	[[ $output == *"test_1.c: ended by signal 6"*"test_7.c: ended by signal 6"* ]]
}

@test "a crash before anything is printed" {
	program test_crash <<<'kill -KILL $$'
	expect_failure "0 passed, 1 failed"
}

@test "an exit status without a failed test" {
	program test_status <<<'echo 1..1; echo "ok 1 - a"; exit 3'
	expect_failure "1 passed, 1 failed"
}

@test "no plan, too few results, too many, none" {
	program test_noplan <<<'echo "ok 1 - a"'
	program test_few <<<'echo 1..2; echo "ok 1 - a"'
	program test_many <<<'echo 1..1; echo "ok 1 - a"; echo "ok 2 - b"'
	program test_none <<<'echo 1..0'
	expect_failure "4 passed, 4 failed"
}

@test "bail out" {
	program test_bail <<<'echo 1..1; echo "Bail out! no"; exit 1'
	expect_failure "0 passed, 1 failed"
}

@test "several groups in one cmocka program" {
	program test_groups <<<'echo 1..1; echo "ok 1 - a"; echo "# ok - g"; echo 1..1; echo "ok 1 - b"'
	run -0 "$RUNNER" unit
	[ "${lines[-1]}" = "2 passed, 0 failed" ]
}

@test "a hanging program is ended" {
	program test_hang 'timeout: 1' <<<'echo 1..1; exec sleep infinity'
	expect_failure "0 passed, 1 failed"
	[[ $output == *"killed after its time was over"* ]]
}

@test "a source that was not built" {
	echo >"$TESTS/unit/test_unbuilt.c"
	expect_failure "0 passed, 1 failed"
}

@test "skips are counted and listed with their reason" {
	good
	program test_tap <<<'echo 1..1; echo "ok 1 - a # skip no bpffs"'
	program test_cmocka <<<'echo 1..1; echo "# skip: no root"; echo "not ok 1 # SKIP b"'
	program test_77 <<<'echo "no kernel image" >&2; exit 77'
	program test_all <<<'echo "1..0 # SKIP no BTF"'
	run -0 "$RUNNER" unit
	[ "${lines[-1]}" = "2 passed, 0 failed, 4 skipped" ]
	[[ $output == *"test_tap.c: a: no bpffs"* && $output == *"test_cmocka.c: b: no root"* ]]
	[[ $output == *"test_77.c: all: no kernel image"* && $output == *"test_all.c: all: no BTF"* ]]
}

@test "a skip without a reason is a failure" {
	good
	program test_tap <<<'echo 1..1; echo "ok 1 - a # skip"'
	program test_cmocka <<<'echo 1..2; echo "# skip: x"; echo "ok 1 - a"; echo "not ok 2 # SKIP b"'
	program test_77 <<<'exit 77'
	program test_all <<<'echo "1..0 # SKIP"'
	expect_failure "3 passed, 4 failed"
}

@test "nothing but skips is a failure" {
	program test_77 <<<'echo "no kernel image"; exit 77'
	expect_failure "0 passed, 0 failed, 1 skipped"
}

@test "bats files, each state" {
	# Not written out: bats would take the lines for tests of this file.
	local at=@
	{
		echo "${at}test 'good' { true; }"
		echo "${at}test 'bad' { false; }"
		echo "${at}test 'skipped' { skip 'no v1 mount'; }"
	} >"$TESTS/e2e/a.bats"
	echo "${at}test 'broken' { if true; }" >"$TESTS/e2e/b.bats"
	run -1 "$RUNNER" e2e
	[ "${lines[-1]}" = "1 passed, 2 failed, 1 skipped" ]
	[[ $output == *"skipped: no v1 mount"* ]]
}

@test "executables of the vm level, and a file by name" {
	printf '#!/bin/sh\necho 1..1\necho ok 1 - boots\n' >"$TESTS/vm/boot.t"
	chmod +x "$TESTS/vm/boot.t"
	run -0 "$RUNNER" vm
	[ "${lines[-1]}" = "1 passed, 0 failed" ]
	run -0 "$RUNNER" "$TESTS/vm/boot.t"
	[ "${lines[-1]}" = "1 passed, 0 failed" ]
	run -2 "$RUNNER" no-such-level
}

@test "WRAP goes before programs" {
	good
	WRAP='env EXTRA=1' run -0 "$RUNNER" unit
	WRAP=false run -1 "$RUNNER" unit
}

# --- sanitizers ------------------------------------------------------------------

# A program with an error of kind $1: leak, overflow or undefined; none for any other. Built as the
# Makefile does it.
setup_faulty() {
	FAULTY=$BATS_TEST_TMPDIR/faulty
	gcc -fsanitize=address,undefined -fno-sanitize-recover=all -static-libasan -static-libubsan \
		-x c -o "$FAULTY" - <<-'END'
		#include <limits.h>
		#include <stdlib.h>
		#include <string.h>

		int main(int argc, char **argv)
		{
			char *volatile block = malloc(8);
			volatile int number = INT_MAX;

			if (strcmp(argv[1], "overflow") == 0)
				block[7 + argc] = 1;
			else if (strcmp(argv[1], "undefined") == 0)
				number += argc;
			else if (strcmp(argv[1], "leak") == 0)
				block = NULL;
			free(block);
			return 0;
		}
	END
	export FAULTY
}

# shellcheck disable=SC2016 # for the program
@test "a report of a sanitizer fails a file that does not notice it" {
	setup_faulty
	program test_fine <<<'"$FAULTY" none; echo 1..1; echo "ok 1 - a"'
	run -0 "$RUNNER" unit
	[ "${lines[-1]}" = "1 passed, 0 failed" ]
	program test_leak <<<'"$FAULTY" leak 2>/dev/null; echo 1..1; echo "ok 1 - a"'
	program test_overflow <<<'"$FAULTY" overflow 2>/dev/null; echo 1..1; echo "ok 1 - a"'
	program test_undefined <<<'"$FAULTY" undefined 2>/dev/null; echo 1..1; echo "ok 1 - a"'
	program test_two <<<'"$FAULTY" leak; "$FAULTY" overflow; echo 1..1; echo "ok 1 - a"'
	expect_failure "5 passed, 5 failed"
	[[ $output == *"test_leak.c: sanitizer: "*"ERROR: LeakSanitizer"* ]]
	[[ $output == *"test_overflow.c: sanitizer: "*"ERROR: AddressSanitizer"* ]]
	[[ $output == *"test_undefined.c: sanitizer: "*"runtime error: signed integer overflow"* ]]
	# and where it is
	[[ $output == *"in main"* ]]
}

@test "also in a bats test that expects the program to fail" {
	local at=@
	setup_faulty
	echo "${at}test 'refused' { run \$FAULTY leak; ((status == 1)); }" >"$TESTS/e2e/a.bats"
	run -1 "$RUNNER" e2e
	[ "${lines[-1]}" = "1 passed, 1 failed" ]
}

@test "also of a process that outlives its file" {
	setup_faulty
	program test_early <<-'END'
		(
			exec >/dev/null 2>&1
			while [[ ! -e $SHARED/later ]]; do
				sleep 0.02 # lint: sleep-ok a step of a poll
			done
			"$FAULTY" leak
			touch "$SHARED/leaked"
		) &
		echo 1..1; echo "ok 1 - a"
	END
	program test_later <<-'END'
		while [[ ! -s $BUILD/test/log/unit-test_early.c.results ]]; do
			sleep 0.02 # lint: sleep-ok a step of a poll
		done
		sleep 0.2 # lint: sleep-ok the runner looks for reports right after it has written that
		touch "$SHARED/later"
		while [[ ! -e $SHARED/leaked ]]; do
			sleep 0.02 # lint: sleep-ok a step of a poll
		done
		echo 1..1; echo "ok 1 - a"
	END
	expect_failure "2 passed, 1 failed"
	[[ $output == *"unit-test_early.c: sanitizer, after its end: "* ]]
}

@test "also of a process of another user" {
	((EUID == 0)) || skip "only root can be somebody else"
	setup_faulty
	chmod 755 "$BATS_TEST_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_SUITE_TMPDIR" "$BATS_RUN_TMPDIR"
	program test_nobody <<-'END'
		setpriv --reuid 65534 --regid 65534 --clear-groups "$FAULTY" leak
		echo 1..1; echo "ok 1 - a"
	END
	expect_failure "1 passed, 1 failed"
}

# Sets the two bats files of the tests below: 2 of 3 tests are long, 1 file is.
long_and_short() {
	local at=@
	{
		echo "${at}test 'short' { [[ \$BUILD == */sanitized && \$QUICK == 1 ]]; }"
		echo '# bats test_tags=long'
		echo "${at}test 'long' { [[ \$BUILD == */sanitized && -z \${QUICK-} ]]; }"
	} >"$TESTS/e2e/a.bats"
	{
		echo '# bats file_tags=long'
		echo "${at}test 'long' { true; }"
	} >"$TESTS/e2e/b.bats"
}

@test "level san: the other build, and no long tests" {
	good
	long_and_short
	export SAN_BUILD=$BATS_TEST_TMPDIR/sanitized
	run -1 "$RUNNER" san
	[ "${lines[-1]}" = "1 passed, 1 failed" ] # there is no test_good in it
	cp -r "$BUILD" "$SAN_BUILD"
	run -0 "$RUNNER" san
	[ "${lines[-1]}" = "3 passed, 0 failed" ]
	[[ $output == *"san  san/e2e/a.bats "* && $output != *b.bats* ]]
}

@test "level san: the client of the other build only where it is tested" {
	local at=@
	export SAN_BUILD=$BATS_TEST_TMPDIR/sanitized
	mkdir "$SAN_BUILD"
	{
		echo '# bats file_tags=confines, client'
		echo "${at}test 'its own' { [[ \$GRPCTL == '$SAN_BUILD/grpctl' ]]; }"
	} >"$TESTS/e2e/a.bats"
	echo "${at}test 'plain' { [[ \$GRPCTL == '$BUILD/grpctl' && \$BUILD == '$SAN_BUILD' ]]; }" \
		>"$TESTS/e2e/b.bats"
	run -0 "$RUNNER" san
	[ "${lines[-1]}" = "2 passed, 0 failed" ]
	cp "$TESTS/e2e/a.bats" "$TESTS/e2e/b.bats"
	run -0 "$RUNNER" san
	sed -i '/^# bats/d' "$TESTS/e2e/a.bats"
	run -1 "$RUNNER" san
}

@test "level san with SOAK: the long ones as well" {
	long_and_short
	mkdir "$BATS_TEST_TMPDIR/sanitized"
	SOAK=1 SAN_BUILD=$BATS_TEST_TMPDIR/sanitized run -1 "$RUNNER" san
	[[ $output == *"san/e2e/a.bats: short"* ]] # it wants QUICK
	[ "${lines[-1]}" = "2 passed, 1 failed" ]
}

@test "nothing is quick or left out by other levels" {
	long_and_short
	QUICK=1 run -1 "$RUNNER" e2e
	[ "${lines[-1]}" = "1 passed, 2 failed" ] # they want the other build
}

@test "-q: short, but nothing is left out, and it is the build that was given" {
	long_and_short
	BUILD=$BATS_TEST_TMPDIR/sanitized
	mkdir "$BUILD"
	run -1 "$RUNNER" -q e2e
	[[ $output == *"e2e/a.bats: long"* ]] # it does not want QUICK
	[ "${lines[-1]}" = "2 passed, 1 failed" ]
}

@test "the limit of a file grows with SLOW" {
	local key=timeout
	program test_slow "$key: 1" <<-'END'
		echo 1..1
		sleep 2 # lint: sleep-ok longer than its limit
		echo "ok 1 - a"
	END
	run -1 "$RUNNER" unit
	[[ $output == *"killed after its time was over"* ]]
	SLOW=20 run -0 "$RUNNER" unit
}

# a and b wait for c: of the two, one is run at a time, and beside c. alone finds that all have ended.
@test "two files at a time, one of those that confine, and some alone" {
	local file at=@
	export SAN_BUILD=$BUILD
	for file in a b; do
		cat >"$TESTS/e2e/$file.bats" <<-END
			# bats file_tags=confines
			${at}test "waits" {
				mkdir "\$SHARED/confined"
				for ((i = 0; i < 500; i++)); do
					[[ ! -e \$SHARED/c ]] || break
					sleep 0.02 # lint: sleep-ok a step of a poll
				done
				[[ -e \$SHARED/c ]]
				rmdir "\$SHARED/confined"
				touch "\$SHARED/$file"
			}
		END
	done
	echo "${at}test 'c' { touch \"\$SHARED/c\"; }" >"$TESTS/e2e/c.bats"
	cat >"$TESTS/e2e/alone.bats" <<-END
		# bats file_tags=alone
		${at}test "alone" { [[ -e \$SHARED/a && -e \$SHARED/b && -e \$SHARED/c ]]; }
	END
	run -0 "$RUNNER" san
	[ "${lines[-1]}" = "4 passed, 0 failed" ]
	[[ ${lines[-2]} == *e2e/alone.bats* ]]
}

@test "ended by a signal: so are the files that run" {
	local file pids=() ended=0
	for file in 1 2; do
		program "test_$file" <<-'END'
			echo $$ >"$SHARED/${0##*/}"
			exec sleep 300 # lint: sleep-ok until it is killed
		END
	done
	"$RUNNER" unit >"$SHARED/output" 2>&1 3>&- &
	for file in 1 2; do
		for ((i = 0; i < 500; i++)); do
			[[ ! -s $SHARED/test_$file ]] || break
			sleep 0.02 # lint: sleep-ok a step of a poll
		done
		pids+=("$(cat "$SHARED/test_$file")")
	done
	kill -TERM $!
	wait $! || ended=$?
	((ended == 143))
	for ((i = 0; i < 500; i++)); do
		kill -0 "${pids[@]}" 2>/dev/null || break
		sleep 0.02 # lint: sleep-ok a step of a poll
	done
	run ! kill -0 "${pids[0]}"
	run ! kill -0 "${pids[1]}"
}
