#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=client
#
# grpctl shield against an agent that answers from a script: the calls it makes and in which order,
# what it prints, and that a failure half-way is undone. On a real agent: shield.bats.

load cli_helper

# What every run asks first: where cpuset is, and what its files are called there.
found() {
	cat <<-END
		org.grpagent.ListSubsystems {"parameters":{"subsystems":[{"name":"debug","hierarchy":"default"},{"name":"cpuset","hierarchy":"c"}]}}
		org.grpagent.StatGroup {"parameters":{"stat":{"hierarchy":"c","group":"/","tasks":3,"files":[{"name":"tasks"},{"name":"${1-cpuset.}cpus"}]}}}
	END
}

made() {
	cat <<-'END'
		org.grpagent.MakeGroups {"parameters":{"failures":[]}}
		org.grpagent.MakeGroups {"parameters":{"failures":[]}}
		org.grpagent.ReadFile {"parameters":{"content":"0\n"}}
		org.grpagent.WriteFile {}
		org.grpagent.WriteFile {}
		org.grpagent.ReadFile {"parameters":{"content":"0-3\n"}}
		org.grpagent.ReadFile {"parameters":{"content":"2-3\n"}}
		org.grpagent.WriteFile {}
		org.grpagent.WriteFile {}
		org.grpagent.ReadFile {"parameters":{"content":"1\n"}}
		org.grpagent.WriteFile {}
	END
}

shown() {
	cat <<-'END'
		org.grpagent.ListGroups {"parameters":{"groups":[{"hierarchy":"c","group":"/","tasks":3},{"hierarchy":"c","group":"/shield","tasks":0},{"hierarchy":"c","group":"/shielded","tasks":9},{"hierarchy":"c","group":"/system","tasks":5}]}}
		org.grpagent.ReadFile {"parameters":{"content":"2-3\n"}}
		org.grpagent.ReadFile {"parameters":{"content":"0\n"}}
		org.grpagent.ReadFile {"parameters":{"content":"0-1\n"}}
		org.grpagent.ReadFile {"parameters":{"content":"0\n"}}
		org.grpagent.StatGroup {"parameters":{"stat":{"hierarchy":"c","group":"/","tasks":3}}}
		org.grpagent.ReadFile {"parameters":{"content":"0-3\n"}}
		org.grpagent.ReadFile {"parameters":{"content":"0\n"}}
	END
}

# The values that were written, "GROUP FILE VALUE" each.
written() {
	sed -nE 's/.*WriteFile.*"group":"([^"]*)","file":"([^"]*)","value":"([^"]*)".*/\1 \2 \3/p' "$RUN/log"
}

# calls N: the last N methods
calls() {
	sed -E 's/.*org\.grpagent\.([A-Za-z]*).*/\1/' "$RUN/log" | tail -n "$1" | tr '\n' ' '
}

@test "what does not go together is wrong usage, and nobody is asked" {
	local words
	for words in "--mems 0" "--kthreads" "--force" "--reset --cpus 1" "--reset --mems 0" \
		"--reset --kthreads" "/a /b" "--cpus"; do
		# shellcheck disable=SC2086 # words
		run grpctl shield $words
		status_is 2
		[[ $output == "grpctl: shield: "* ]]
	done
}

@test "made: both groups, their lists, exclusive, nobody to move" {
	{
		found
		made
		echo 'org.grpagent.ListTasks {"parameters":{"tasks":[]}}'
		shown
	} | agent
	run -0 grpctl shield --cpus 'package:1,!2' --mems 1
	printed 'GROUP     CPUS MEMS TASKS
c:/shield 2-3  0        0
c:/system 0-1  0        5
c:/       0-3  0        3'
	[[ $(written) == 'c:/shield cpuset.cpus package:1,!2
c:/shield cpuset.mems 1
c:/system cpuset.cpus 0-1
c:/system cpuset.mems 0
c:/shield cpuset.cpu_exclusive 1' ]]
}

@test "without the prefix, where the hierarchy has none" {
	{
		found ""
		made
		echo 'org.grpagent.ListTasks {"parameters":{"tasks":[]}}'
		shown
	} | agent
	run -0 grpctl shield --json --cpus 2-3
	[[ $(jq -c '[.moved, .left, (.groups | length)]' <<<"$output") == '[0,[],3]' ]]
	[[ $(written | head -n 2) == $'c:/shield cpus 2-3\nc:/shield mems 0' ]]
}

# Tasks are looked at in /proc: this shell is one, with all of its threads there; 2 is a kernel
# thread, in every pid namespace but those that begin elsewhere.
@test "tasks: a process as a whole, in rounds; kernel threads stay and are told" {
	local pid=$$ start kernel=""
	start=$(awk '{ print $22 }' /proc/$$/stat)
	[[ $(cat /proc/2/comm 2>/dev/null) != kthreadd ]] ||
		kernel=',{"pid":2,"tgid":2,"command":"kthreadd"}'
	{
		found
		made
		echo "org.grpagent.ListTasks {\"parameters\":{\"tasks\":[{\"pid\":$pid,\"tgid\":$pid,\"command\":\"bash\"}$kernel,{\"pid\":4194303,\"tgid\":4194303,\"command\":\"gone\"}]}}"
		echo 'org.grpagent.Attach {"parameters":{"moved":1,"failures":[]}}'
		echo "org.grpagent.ListTasks {\"parameters\":{\"tasks\":[{\"pid\":4194303,\"tgid\":4194303,\"command\":\"gone\"}$kernel]}}"
		shown
	} | agent
	run -0 grpctl shield --json --cpus 2-3
	grep -qF "\"Attach\",\"parameters\":{\"groups\":[\"c:/system\"],\"pids\":[\"$pid@$start\"]}" <(sed 's/org.grpagent.//' "$RUN/log")
	[[ $(jq .moved <<<"$output") == 1 ]]
	[[ -z $kernel || $(jq -r '.left[] | "\(.pid) \(.command): \(.reason)"' <<<"$output") == \
		'2 kthreadd: kernel thread that cannot be moved' ]]
}

@test "tasks that are refused are reported once, and the exit code is 1" {
	local pid=$$ start
	start=$(awk '{ print $22 }' /proc/$$/stat)
	{
		found
		made
		echo "org.grpagent.ListTasks {\"parameters\":{\"tasks\":[{\"pid\":$pid,\"tgid\":$pid,\"command\":\"bash\"}]}}"
		echo "org.grpagent.Attach {\"parameters\":{\"moved\":0,\"failures\":[{\"item\":\"$pid@$start\",\"errno\":\"EINVAL\",\"message\":\"bound\"}]}}"
		echo "org.grpagent.ListTasks {\"parameters\":{\"tasks\":[{\"pid\":$pid,\"tgid\":$pid,\"command\":\"bash\"}]}}"
		shown
	} | agent
	run --separate-stderr grpctl shield --cpus 2-3
	status_is 1
	# shellcheck disable=SC2154 # set by run
	[[ $stderr == "grpctl: shield $pid@$start: bound (EINVAL)" ]]
}

@test "a failure half-way: what was made goes again" {
	{
		found
		made | head -n 8
		# the second list of the system group
		echo 'org.grpagent.WriteFile {"error":"org.grpagent.Failed","parameters":{"errno":"EINVAL","message":"no"}}'
		echo 'org.grpagent.RemoveGroups {"parameters":{"failures":[]}}'
		echo 'org.grpagent.RemoveGroups {"parameters":{"failures":[]}}'
	} | agent
	run grpctl shield --cpus 2-3
	status_is 1
	printed 'grpctl: shield c:/system cpuset.mems: no (EINVAL)'
	[[ $(grep -o '"groups":.*' "$RUN/log" | tail -n 2) == '"groups":["c:/shield"]}}
"groups":["c:/system"]}}' ]]
}

@test "a change that fails half-way: everything is as it was, the latest first" {
	{
		found
		cat <<-'END'
			org.grpagent.MakeGroups {"parameters":{"failures":[{"item":"c:/shield","errno":"EEXIST","message":"x"}]}}
			org.grpagent.MakeGroups {"parameters":{"failures":[{"item":"c:/system","errno":"EEXIST","message":"x"}]}}
			org.grpagent.ReadFile {"parameters":{"content":"0\n"}}
			org.grpagent.ReadFile {"parameters":{"content":"1\n"}}
			org.grpagent.WriteFile {}
			org.grpagent.ReadFile {"parameters":{"content":"2\n"}}
			org.grpagent.WriteFile {}
			org.grpagent.ReadFile {"parameters":{"content":"0\n"}}
			org.grpagent.ReadFile {"parameters":{"content":"0-3\n"}}
			org.grpagent.ReadFile {"parameters":{"content":"0-3\n"}}
			org.grpagent.WriteFile {}
			org.grpagent.WriteFile {}
		END
	} | agent
	run grpctl shield --cpus 0-3
	status_is 1
	printed 'grpctl: shield 0-3: No CPU would be left for everything else (ENOSPC)'
	[[ $(written) == 'c:/shield cpuset.cpu_exclusive 0
c:/shield cpuset.cpus 0-3
c:/shield cpuset.cpus 2
c:/shield cpuset.cpu_exclusive 1' ]]
}

@test "reset: from the deepest up, again when somebody came in meanwhile" {
	{
		found
		cat <<-'END'
			org.grpagent.ListGroups {"parameters":{"groups":[{"hierarchy":"c","group":"/"},{"hierarchy":"c","group":"/shield"},{"hierarchy":"c","group":"/shield/x"},{"hierarchy":"c","group":"/system"}]}}
			org.grpagent.Attach {"parameters":{"moved":2,"failures":[]}}
			org.grpagent.RemoveGroups {"parameters":{"failures":[{"item":"c:/system","errno":"EBUSY","message":"1 task"}]}}
			org.grpagent.Attach {"parameters":{"moved":1,"failures":[]}}
			org.grpagent.RemoveGroups {"parameters":{"failures":[]}}
			org.grpagent.Attach {"parameters":{"moved":0,"failures":[]}}
			org.grpagent.RemoveGroups {"parameters":{"failures":[]}}
			org.grpagent.Attach {"parameters":{"moved":4,"failures":[]}}
			org.grpagent.RemoveGroups {"parameters":{"failures":[]}}
		END
	} | agent
	run -0 grpctl shield --reset --force --json
	[[ $(jq -c . <<<"$output") == '{"moved":7}' ]]
	[[ $(grep -o '"from":[^}]*' "$RUN/log" | tr '\n' ' ') == \
		'"from":"c:/system" "from":"c:/system" "from":"c:/shield/x" "from":"c:/shield" ' ]]
}

@test "reset: groups below are left alone without --force, and nothing is done" {
	{
		found
		echo 'org.grpagent.ListGroups {"parameters":{"groups":[{"hierarchy":"c","group":"/shield"},{"hierarchy":"c","group":"/shield/x"}]}}'
	} | agent
	run grpctl shield --reset
	status_is 1
	[[ $output == 'grpctl: shield /shield/x: '*'(EBUSY)' ]]
	[[ $(calls 1) == "ListGroups " ]]
}

@test "no cpuset, switched off, bound elsewhere, no shield" {
	agent_reply ListSubsystems '{"parameters":{"subsystems":[{"name":"debug","hierarchy":"default"}]}}'
	run grpctl shield
	status_is 1
	printed 'grpctl: shield: This agent has no subsystem cpuset (EOPNOTSUPP)'
	found switched.off | agent
	run grpctl shield
	status_is 1
	printed 'grpctl: shield c:/: cpuset is switched off here (ENOENT)'
	found | sed 's/"stat":{"hierarchy":"c"/"stat":{"hierarchy":"default"/' | agent
	run grpctl shield /a
	status_is 1
	printed 'grpctl: shield /a: cpuset is bound to hierarchy c (EINVAL)'
	{
		found
		echo 'org.grpagent.ListGroups {"parameters":{"groups":[{"hierarchy":"c","group":"/"},{"hierarchy":"c","group":"/shields"}]}}'
	} | agent
	run grpctl shield
	status_is 1
	printed 'grpctl: shield c:/: There is no shield here (ENOENT)'
}
