# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # bats sets status, output and stderr
#
# Shared by the tests of grpctl that run against tests/support/fake_agent.c.

bats_require_minimum_version 1.5.0

setup() {
	BUILD=${BUILD:-$BATS_TEST_DIRNAME/../../build}
	PATH=$BUILD:$PATH
	RUN=$(mktemp -d /tmp/grpctl.XXXXXX)
	export GRPAGENT_RUNDIR=$RUN
	unset GRPAGENT_INSTANCE
	mkdir "$RUN/main"
}

teardown() {
	local pid
	while read -r pid; do
		# It may have come to its end, and the number may be another's.
		! grep -qF "$RUN" "/proc/$pid/cmdline" 2>/dev/null || kill "$pid"
	done < <(cat "$RUN/pids" 2>/dev/null)
	rm -rf "$RUN"
}

# Starts the fake agent of an instance (main) with the script on stdin.
# shellcheck disable=SC2120 # most tests want main
agent() {
	cat >"$RUN/script"
	"$BUILD/test/support/fake_agent" "$RUN/${1:-main}/control.sock" "$RUN/script" "$RUN/log" >>"$RUN/pids"
}

# Starts one of instance main that answers method $1 with $2.
agent_reply() {
	printf 'org.grpagent.%s %s\n' "$1" "$2" | agent main
}

# What was sent last must be these parameters.
sent() {
	local got
	got=$(tail -n 1 "$RUN/log")
	[[ $got == "{\"method\":\"org.grpagent.$1\",\"parameters\":$2}" ]] || {
		echo "sent: $got" >&2
		return 1
	}
}

# stdout (or with `run` both) must be exactly this.
printed() {
	[[ $output == "$1" ]] || {
		printf 'printed:\n%s\nexpected:\n%s\n' "$output" "$1" >&2
		return 1
	}
}

status_is() {
	((status == $1)) || {
		printf 'exit %d, expected %d\n%s\n%s\n' "$status" "$1" "$output" "${stderr:-}" >&2
		return 1
	}
}

# shellcheck disable=SC2034 # for the tests
USAGE='{"hierarchy":"default","group":"/a","usage_ns":12345678901,"usage_own_ns":2345678901,"user_ns":12000000000,"system_ns":345678901,"tasks":3,"processes":2}'
