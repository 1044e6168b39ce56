#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# lib.bash and processes.bash themselves: a helper that is wrong makes tests slow or blind.

load lib

setup() {
	new_instance
}

teardown() {
	cleanup
}

# stand_in: an "agent" that writes down how it was called
stand_in() {
	AGENT_BIN=$BATS_TEST_TMPDIR/stand-in
	printf '#!/bin/bash\necho "$*" >>%q\n' "$AGENT_BIN.calls" >"$AGENT_BIN"
	chmod +x "$AGENT_BIN"
}

@test "no pid is no process, an old pid is not another's process" {
	is_gone ""
	is_gone 4194304
	is_running $$
	is_running $$ "$(start_time $$)"
	is_gone $$ $(($(start_time $$) + 1))
}

# Once, cleanup took such files for records of agents and waited for them.
@test "a process that is named agent is not unloaded as an instance" {
	local AGENT_BIN
	stand_in
	spawn agent sleep infinity
	spawn_agent
	wait_until 30 test -s "$AGENT_BIN.calls"
	unload_all "$(state_dir)"
	assert_equal "$(sort "$AGENT_BIN.calls" | tr '\n' ',')" \
		"--instance $INSTANCE,--instance $INSTANCE --unload," "calls of the agent"
	is_running "$(spawned agent)"
}

@test "cleanup ends what was spawned, whether it wants to or not" {
	local meek stubborn
	spawn meek sleep infinity
	spawn stubborn bash -c 'trap "" TERM; echo; exec sleep infinity'
	wait_until 30 has_printed stubborn
	meek=$(spawned meek)
	stubborn=$(spawned stubborn)
	is_running "$meek"
	is_running "$stubborn"
	TERM_SECONDS=1 cleanup
	is_gone "$meek"
	is_gone "$stubborn"
}

@test "cleanup leaves nothing of its own" {
	spawn meek sleep infinity
	[[ -e $(state_of_file) ]]
	cleanup
	[[ ! -e $(state_of_file) ]]
}

@test "an instance that cannot be unloaded fails the cleanup" {
	AGENT_BIN=/bin/false spawn_agent
	AGENT_BIN=/bin/false run -1 cleanup
	# what is left is known still
	[[ -e $(agent_file pid) ]]
}
