#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# The suite itself works: every measurement is taken, nothing is left behind. Figures of
# such a run mean nothing, and none is looked at. Counts, which mean something on any
# machine, are in counts.bats.

bats_require_minimum_version 1.5.0

setup_file() {
	BUILD=${BUILD:-$BATS_TEST_DIRNAME/../../build}
	export BUILD
	BENCH=$BUILD/test/bench
	export BENCH
	((EUID == 0)) || skip "loading BPF programs needs root"
}

# The directories of agents and of the kernel's groups that belong to benchmarks.
left_behind() {
	find /run/grpagent /sys/fs/bpf/grpagent /sys/fs/cgroup -maxdepth 2 -name '*bench-*' 2>/dev/null |
		sort
}

@test "a smoke run takes every measurement, in pairs" {
	local json=$BATS_TEST_TMPDIR/result.json before
	before=$(left_behind)
	run -0 "$BENCH" --smoke --json "$json"
	[ "$(left_behind)" = "$before" ]
	[ "$(jq '.smoke' "$json")" = true ]
	# one for each of the list that is not for long runs only
	[ "$(jq -r '.rows[].id' "$json" | sort)" = "$("$BENCH" --list --quick | awk '{ print $1 }' | sort)" ]
	jq -e '[.rows[] | select(.skipped == "failed")] == []' "$json"
	jq -e 'all(.rows[] | select(.skipped | not); .pairs >= 1 and (.values_a | length) == .pairs and
		(.single or ((.values_b | length) == .pairs and .ratio.low <= .ratio.median and
			.ratio.median <= .ratio.high and .ratio.low > 0)))' "$json"
	# the table has a line for each, behind its two of head; what went through a mount is a column
	[ "$(grep -c '^| ' <<<"$output")" = $(($(jq '[.rows[] | select(.id | startswith("fs-") | not)] | length' "$json") + 1)) ]
	grep -q 'through a mount : B |$' <<<"$output"
	[ "$(grep -cE '^\| (attach|mkdir|rmdir|read).*\| [0-9.]+ \([0-9.]+ … [0-9.]+\) \|$' <<<"$output")" = \
		"$(jq '[.rows[] | select((.id | startswith("fs-")) and (.skipped | not))] | length' "$json")" ]
}

@test "who ends it early finds nothing of it either" {
	local pid before end
	before=$(left_behind)
	"$BENCH" --only pingpong >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	pid=$!
	end=$((SECONDS + 30 * ${SLOW:-1}))
	until [ "$(left_behind)" != "$before" ] || ((SECONDS > end)); do
		sleep 0.02 # lint: sleep-ok a step of a poll with a deadline
	done
	kill -TERM "$pid"
	wait "$pid" || true
	[ "$(left_behind)" = "$before" ]
}

@test "unknown options and measurements are refused" {
	run -2 "$BENCH" --nonsense
	run -1 "$BENCH" --smoke --only no-such-row
}

# A profiler is told when A runs: not in B, not between.
@test "a profiler sees one side only" {
	local fifos=$BATS_TEST_TMPDIR/control,$BATS_TEST_TMPDIR/ack
	mkfifo "$BATS_TEST_TMPDIR/control" "$BATS_TEST_TMPDIR/ack"
	while read -r command; do
		echo "$command" >&4
		echo ack >&5
	done <"$BATS_TEST_TMPDIR/control" 4>"$BATS_TEST_TMPDIR/commands" 5>"$BATS_TEST_TMPDIR/ack" 3>&- &
	run -0 timeout 60 "$BENCH" --smoke --pairs 2 --just pingpong --watched "$fifos"
	wait $!
	# two of A in each pair
	[ "$(sort "$BATS_TEST_TMPDIR/commands" | uniq -c | awk '{ print $1 $2 }' | paste -sd ' ')" = "4disable 4enable" ]
	run -1 "$BENCH" --smoke --just pingpong --watched "$BATS_TEST_TMPDIR/control"
	run -1 timeout 10 "$BENCH" --smoke --just pingpong --watched "$BATS_TEST_TMPDIR/none,$BATS_TEST_TMPDIR/ack"
	run -1 "$BENCH" --smoke --just pingpon
}

# With a perf that takes one of two.
@test "a profile that cannot be taken has the reason in its row, and the others are there" {
	local json=$BATS_TEST_TMPDIR/result.json
	mkdir "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/perf" <<-'END'
		#!/bin/bash
		[[ $1 != report ]] || echo '    12.34%  [k] spent_here'
		[[ $* != *'--just bad '* ]] || { echo 'no such event'; exit 1; }
	END
	chmod +x "$BATS_TEST_TMPDIR/bin/perf"
	echo '{"rows":[{"id":"bad","what":"first","verdict":"missed"},{"id":"fine","what":"kept","verdict":"met"},
		{"id":"good","what":"second","verdict":"missed"}]}' >"$json"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run -0 --separate-stderr "$BATS_TEST_DIRNAME/profile" "$json"
	# shellcheck disable=SC2016 # Markdown
	[ "$(tail -n +3 <<<"$output")" = '| first | not taken: no such event | |
| second | `spent_here` 12 % | `spent_here` 12 % |' ]
	# shellcheck disable=SC2154 # set by run
	[[ $stderr == *'no such event'* ]]
}
