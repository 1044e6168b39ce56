#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=client
#
# exec against tests/support/fake_agent.c: what it asks for, what it becomes, how it fails.

load cli_helper

# entering N METHOD REPLY: for N times exec. When it is inside it asks where, for the memory policy.
entering() {
	local i
	for ((i = 0; i < $1; i++)); do
		printf '%s\n' "org.grpagent.$2 $3" \
			'org.grpagent.WhichTasks {"parameters":{"placements":[],"failures":[]}}'
	done
}

# entered METHOD PARAMETERS: what was sent before that
entered() {
	local log=$RUN/log RUN=$BATS_TEST_TMPDIR
	grep -v '"method":"org.grpagent.WhichTasks"' "$log" >"$RUN/log"
	sent "$@"
}

@test "exec enters, then becomes the command; its exit code is the command's" {
	entering 4 Attach '{"parameters":{"moved":1,"failures":[]}}' | agent
	# shellcheck disable=SC2016 # for the inner shell
	run grpctl exec /a,web:/b -- sh -c 'echo "$1 $$"; exit 7' -- --json
	status_is 7
	[[ $output == "--json "* ]]
	entered Attach '{"groups":["/a","web:/b"],"pids":["0"]}'
	run -0 grpctl exec /a echo -n --help
	printed '--help'
	run -127 grpctl exec /a -- /no/such/command
	printed 'grpctl: exec /no/such/command: No such file or directory (ENOENT)'
	run -126 grpctl exec /a -- /etc
	printed 'grpctl: exec /etc: Permission denied (EACCES)'
}

@test "clone and exec --clone: what they ask for" {
	local reply='{"parameters":{"groups":["default:/a/node_7"]}}'
	{
		printf 'org.grpagent.Clone %s\n' "$reply" "$reply" "$reply"
		entering 3 Clone "$reply"
	} | agent
	run -0 grpctl clone 7@9
	printed 'default:/a/node_7'
	sent Clone '{"pid":"7@9"}'
	run -0 grpctl clone --json --thread --subsys xa 7
	printed $'[\n  "default:/a/node_7"\n]'
	sent Clone '{"pid":"7","thread":true,"subsystem":"xa"}'
	# without PID: who runs it
	# shellcheck disable=SC2016 # for the inner shell
	run -0 sh -c '"$0" clone >/dev/null; echo $$' "$BUILD/grpctl"
	sent Clone "{\"pid\":\"$output\"}"
	run -0 grpctl exec --clone /a,web:/b -- echo inside
	printed inside
	entered Clone '{"pid":"0","groups":["/a","web:/b"]}'
	run -0 grpctl exec --clone -- echo -- --clone
	printed '-- --clone'
	entered Clone '{"pid":"0"}'
	run -0 grpctl exec --clone --subsys xa -- true
	entered Clone '{"pid":"0","subsystem":"xa"}'
	run -125 grpctl exec --clone --subsys xa /a -- true
	run -125 grpctl exec --subsys xa /a -- true
	run -125 grpctl exec --clone --
	run -125 grpctl exec --clone /a --
	[[ $output == *"the command is missing"* ]]
}

@test "exec leaves nothing open to the command" {
	entering 1 Attach '{"parameters":{"moved":1,"failures":[]}}' | agent
	# shellcheck disable=SC2016 # for the inner shell
	run -0 bash -c 'for fd in /proc/self/fd/*; do n=${fd##*/}; ((n < 3)) || eval "exec $n>&-"; done
		exec grpctl exec /a -- ls /proc/self/fd'
	printed $'0\n1\n2\n3' # 3: the directory that ls reads
}

@test "exec: a failure of ours is 125, and the command does not run" {
	agent <<-'END'
		org.grpagent.Attach {"error":"org.grpagent.Failed","parameters":{"errno":"ENOENT","message":"No such group","item":"/a"}}
		org.grpagent.Attach {"parameters":{"moved":0,"failures":[{"item":"0","errno":"EACCES","message":"Permission denied"}]}}
	END
	run -125 grpctl exec /a -- echo ran
	printed 'grpctl: exec /a: No such group (ENOENT)'
	run -125 grpctl exec /a,web:/b -- echo ran
	printed 'grpctl: exec /a,web:/b: Permission denied (EACCES)'
	run -125 grpctl exec --user no-such-user /a -- echo ran
	printed 'grpctl: exec no-such-user: No such user (ENOENT)'
	run -125 grpctl exec /a --
	run -125 grpctl exec /a --user nobody -- echo ran
	run -125 grpctl exec
}

@test "exec --user becomes the user by name and by number" {
	((EUID == 0)) || skip "needs root"
	entering 9 Attach '{"parameters":{"moved":1,"failures":[]}}' | agent
	run -0 grpctl exec --user nobody /a -- sh -c 'id -un; id -u; id -G; grep -E "^(Uid|Gid|Groups):" /proc/self/status'
	[[ $output == "$(printf 'nobody\n%s\n%s\n' "$(id -u nobody)" "$(id -G nobody)")"* ]]
	[[ $output != *$'\t0'* ]]
	run -0 grpctl exec --user "$(id -u nobody)" /a -- id -un
	printed nobody
}
