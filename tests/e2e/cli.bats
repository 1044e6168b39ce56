#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=client
#
# grpctl against an agent that answers from a script (tests/support/fake_agent.c): usage, connection,
# errors, what it sends. No root, no kernel side.

# shellcheck disable=SC2154 # set by run
load cli_helper

# --- usage and help ---

@test "no verb, unknown verb, unknown option, wrong number of words: exit 2 and a hint" {
	local words
	for words in "" nonsense --nonsense "ping extra" mkdir "mkdir -m 9 /a" "mkdir -m" "kill -s NOPE /a" \
		"attach /a" "attach --from /a /b 1" "attach --from /a --thread /b" "attach --dry-run /a 1" \
		"attach --dry-run --from /a /b" "mv /a" "get /a" "ls -z" \
		"ls --long=3" "--instance a/b ping" "--instance .. ping" "ping --instance ," "help nonsense"; do
		# shellcheck disable=SC2086 # words
		run grpctl $words
		status_is 2
		[[ $output == "grpctl: "*$'\n'"Try 'grpctl help"*"'." ]]
	done
	run grpctl mkdir
	[[ $output == *"Try 'grpctl help mkdir'." ]]
}

@test "an instance name of 64 characters is one, of 65 is not" {
	local name
	name=$(printf 'a%.0s' {1..64})
	run grpctl --instance "$name" ping
	status_is 3
	run grpctl --instance "${name}a" ping
	status_is 2
}

@test "--help lists every verb; each verb has help of its own, with an example" {
	local verb verbs expected
	expected="mount remount umount mounts hierarchies subsystems legacy mkdir rmdir mv chown chmod ls tree stat attach clone
		exec shield ps which get set usage save apply diff kill wait watch status features ping help"
	run -0 grpctl --help
	[[ $output == *"[HIERARCHY:]/path"* && $output == *"  \$ grpctl "* ]]
	verbs=$(grpctl --help | sed -nE 's/^  ([a-z]+) {2,}.*/\1/p')
	# shellcheck disable=SC2086 # words
	[[ $(sort <<<"$verbs") == "$(printf '%s\n' $expected | sort)" ]]
	for verb in $expected; do
		run -0 grpctl "$verb" --help
		[[ $output == "Usage: grpctl $verb"*"  \$ grpctl $verb"* ]]
		[[ $output == "$(grpctl help "$verb")" ]]
	done
}

@test "--version" {
	run -0 grpctl --version
	[[ $output =~ ^grpctl\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "output that cannot be written is a failure" {
	run sh -c 'grpctl help >/dev/full'
	status_is 1
	printed 'grpctl: help: No space left on device (ENOSPC)'
	agent_reply GetUsage "{\"parameters\":{\"usage\":[$USAGE]}}"
	run sh -c 'grpctl usage >/dev/full'
	status_is 1
	printed 'grpctl: usage: No space left on device (ENOSPC)'
}

# --- the connection ---

@test "nobody there: exit 3 and how to start the agent; exec 125" {
	run --separate-stderr grpctl ping
	status_is 3
	[[ -z $output && $stderr == "grpctl: ping: "*"(ENOENT)"*"(grpagent --instance main)"*"starting." ]]
	run grpctl exec /a -- true
	status_is 125
}

@test "a socket that nobody listens on: exit 3" {
	printf 'org.grpagent.Ping !leave {}\n' | agent
	cp -a "$RUN/main/control.sock" "$RUN/kept" 2>/dev/null || ln "$RUN/main/control.sock" "$RUN/kept"
	run -0 grpctl ping
	mv "$RUN/kept" "$RUN/main/control.sock"
	run grpctl ping
	status_is 3
	[[ $output == *"(ECONNREFUSED)"* ]]
}

@test "a path too long for a socket: exit 3" {
	GRPAGENT_RUNDIR=/$(printf 'a%.0s' {1..120}) run grpctl ping
	status_is 3
	[[ $output == *"(ENAMETOOLONG)"* ]]
}

@test "an agent that dies before, or in the middle of its answer: exit 3" {
	printf 'org.grpagent.Ping !half {"parameters":{"instance":"main"}}\norg.grpagent.Ping !close\n' | agent
	run grpctl ping
	status_is 3
	[[ $output == *"hung up before it answered"* ]]
	run grpctl ping
	status_is 3
}

@test "an answer that is no JSON, no object, of another shape: EPROTO" {
	agent <<-'END'
		org.grpagent.ListMounts no json
		org.grpagent.ListMounts [1]
		org.grpagent.ListMounts {"parameters":[]}
		org.grpagent.ListMounts {"parameters":{"mounts":3}}
		org.grpagent.StatGroup {}
		org.grpagent.ListMounts {"error":"some.other.Error"}
	END
	for verb in mounts mounts mounts mounts "stat /a" mounts; do
		# shellcheck disable=SC2086 # words
		run grpctl $verb
		status_is 1
		[[ $output == "grpctl: "*"(EPROTO)" ]]
	done
}

@test "an answer byte by byte, and one of 40 MB" {
	agent <<-'END'
		org.grpagent.Ping !slow {"parameters":{"instance":"main","version":"1.2"}}
		org.grpagent.Ping !pad=40000000 {"parameters":{"instance":"main","version":"1.3"}}
	END
	run -0 grpctl ping
	[[ $output == *"1.2"* ]]
	run -0 grpctl ping
	[[ $output == *"1.3"* ]]
}

@test "a request longer than the agent reads is not sent" {
	agent_reply Ping '{}'
	seq -f "/group-with-a-long-name-%09g" 40000 >"$RUN/groups"
	# shellcheck disable=SC2046 # words
	run bash -c 'ulimit -s unlimited; grpctl mkdir $(cat "$GRPAGENT_RUNDIR/groups")'
	status_is 1
	printed 'grpctl: mkdir: Argument list too long (E2BIG)'
}

@test "an agent that is starting is asked again, also when it is replaced" {
	agent <<-'END'
		org.grpagent.Ping {"error":"org.grpagent.Starting","parameters":{}}
		org.grpagent.Ping !hangup {"error":"org.grpagent.Starting"}
		org.grpagent.Ping {"parameters":{"instance":"main","version":"1"}}
	END
	run -0 grpctl ping
	[[ $(wc -l <"$RUN/log") == 3 ]]
}

@test "an agent that does not get ready: exit 3 after five seconds" {
	local begin=$EPOCHREALTIME end
	printf 'org.grpagent.Ping* {"error":"org.grpagent.Starting"}\n' | agent
	run grpctl ping
	end=$EPOCHREALTIME
	status_is 3
	[[ $output == *"still starting"* ]]
	((${end/./} - ${begin/./} >= 5000000))
}

@test "the instance: option before and after the verb, environment" {
	local words
	mkdir "$RUN/other"
	printf 'org.grpagent.Ping* {"parameters":{"instance":"other","version":"1"}}\n' | agent other
	for words in "--instance other ping" "ping --instance other" "ping --instance=other"; do
		# shellcheck disable=SC2086 # words
		run -0 grpctl $words
	done
	GRPAGENT_INSTANCE=other run -0 grpctl ping
	GRPAGENT_INSTANCE=other run -3 grpctl --instance main ping
	GRPAGENT_INSTANCE='a b' run -2 grpctl ping
}

# --- errors ---

@test "the form of an error: item of the agent, else the word, else none" {
	agent <<-'END'
		org.grpagent.ReadFile {"error":"org.grpagent.Failed","parameters":{"errno":"ENOENT","message":"No such group","item":"/a"}}
		org.grpagent.ReadFile {"error":"org.grpagent.Failed","parameters":{"errno":"ENOENT","message":"No such file","item":null}}
		org.grpagent.WriteFile {"error":"org.grpagent.Failed","parameters":{"errno":"EINVAL","message":"Not a number"}}
		org.grpagent.ListMounts {"error":"org.grpagent.Failed","parameters":{"errno":"EBUSY","message":""}}
		org.grpagent.Kill {"error":"org.varlink.service.MethodNotFound","parameters":{"method":"org.grpagent.Kill"}}
		org.grpagent.RenameGroup {"error":"org.grpagent.Failed","parameters":{"errno":"EINVAL","message":"Bad\nname","item":"/a\nb"}}
	END
	run -1 grpctl get /a nothing
	printed 'grpctl: get /a: No such group (ENOENT)'
	run -1 grpctl get /a nothing
	printed 'grpctl: get /a nothing: No such file (ENOENT)'
	run -1 grpctl set /a nothing x
	printed 'grpctl: set /a nothing: Not a number (EINVAL)'
	run -1 grpctl mounts
	printed 'grpctl: mounts: Device or resource busy (EBUSY)'
	run -1 grpctl kill /a
	[[ $output == 'grpctl: kill org.grpagent.Kill: '*' (EOPNOTSUPP)' ]]
	run -1 grpctl mv $'/a\nb' /c
	printed 'grpctl: mv /a\x0ab: Bad\x0aname (EINVAL)'
}

@test "bulk verbs report each failure by its item" {
	local failures='"failures":[{"item":"/a","errno":"EEXIST","message":"File exists"},{"item":"/b","errno":"EACCES","message":"Permission denied"}]'
	local expected=$'@ /a: File exists (EEXIST)\n@ /b: Permission denied (EACCES)'
	agent <<-END
		org.grpagent.MakeGroups {"parameters":{$failures}}
		org.grpagent.RemoveGroups {"parameters":{$failures}}
		org.grpagent.Attach {"parameters":{"moved":1,$failures}}
		org.grpagent.WhichTasks {"parameters":{"placements":[{"pid":1,"exiting":false,"places":[]}],$failures}}
	END
	for verb in mkdir rmdir "attach /x"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr -1 grpctl $verb /a /b /c
		printed ""
		[[ $stderr == "${expected//@/grpctl: ${verb% *}}" ]]
	done
	run --separate-stderr -1 grpctl which --json 1 2 3
	jq -e '. == [{"pid": 1, "exiting": false, "places": []}]' <<<"$output"
	[[ $stderr == "${expected//@/grpctl: which}" ]]
}

# --- what is sent ---

@test "parameters of chown: names and numbers, the group with its files of members or alone" {
	printf 'org.grpagent.ChangeOwner%.0s {}\n' 1 2 3 4 5 6 7 | agent
	run -0 grpctl chown root /a
	sent ChangeOwner '{"group":"/a","uid":0,"members":true}'
	run -0 grpctl chown root:0 /a
	sent ChangeOwner '{"group":"/a","uid":0,"gid":0,"members":true}'
	run -0 grpctl chown root: web:/a
	sent ChangeOwner '{"group":"web:/a","uid":0,"gid":0,"members":true}'
	run -0 grpctl chown :4000000000 /a
	sent ChangeOwner '{"group":"/a","gid":4000000000,"members":true}'
	run -0 grpctl chown -d 4294967294:7 /a
	sent ChangeOwner '{"group":"/a","uid":4294967294,"gid":7}'
	run -0 grpctl chown 7 /a tasks
	sent ChangeOwner '{"group":"/a","file":"tasks","uid":7}'
	run -0 grpctl chown --directory :root /a
	sent ChangeOwner '{"group":"/a","gid":0}'
}

@test "owners and modes that are none" {
	local text
	for text in '' :; do
		run -2 grpctl chown "$text" /a
	done
	for text in no.such.user 4294967295 root:no.such.group root:4294967295 4000000000: -7; do
		run -1 grpctl chown -- "$text" /a
		[[ $output == *'No such user or group of users (ENOENT)' ]]
	done
	run -2 grpctl chown -d root /a tasks
	run -2 grpctl chown root
	for text in '' 8 778 u u+q '+r,' rwx u+r,,g+r 77777; do
		run -2 grpctl chmod -- "$text" /a
		[[ $output == *"not a mode: $text"* ]]
	done
}

@test "parameters of chmod: octal at once, changes of what there is" {
	agent <<-'END'
		org.grpagent.ChangeMode {}
		org.grpagent.ChangeMode {}
		org.grpagent.StatGroup {"parameters":{"stat":{"mode":493,"files":[{"name":"tasks","mode":420}]}}}
		org.grpagent.ChangeMode {}
		org.grpagent.StatGroup {"parameters":{"stat":{"mode":493,"files":[{"name":"tasks","mode":420}]}}}
		org.grpagent.ChangeMode {}
		org.grpagent.StatGroup {"parameters":{"stat":{"mode":493,"files":[]}}}
	END
	run -0 grpctl chmod 0750 /a
	sent ChangeMode '{"group":"/a","mode":488}'
	run -0 grpctl chmod 0 /a tasks
	sent ChangeMode '{"group":"/a","mode":0,"file":"tasks"}'
	run -0 grpctl chmod g+w,o= /a
	sent ChangeMode '{"group":"/a","mode":504}'
	run -0 grpctl chmod -- -r /a tasks
	sent ChangeMode '{"group":"/a","mode":128,"file":"tasks"}'
	run -1 grpctl chmod u+w /a tasks
	[[ $output == *'/a tasks: No such control file'*'(ENOENT)' ]]
}

@test "users and groups of users in errors have their names" {
	agent <<-'END'
		org.grpagent.ReadFile {"error":"org.grpagent.Failed","parameters":{"errno":"EACCES","message":"uid 0 needs o+r on f of web:/a, which has uid 4000000000, gid 0, mode 0600"}}
	END
	run -1 grpctl get web:/a f
	[[ $output == "grpctl: get web:/a f: uid 0 (root) needs o+r on f of web:/a, which has uid 4000000000, gid 0 (root), mode 0600 (EACCES)" ]]
}

@test "parameters of the verbs that change something" {
	printf 'org.grpagent.%s {}\n' Mount Mount Remount Unmount MakeGroups MakeGroups RemoveGroups RemoveGroups \
		RenameGroup WriteFile | agent
	umask 0027
	run -0 grpctl mount web
	sent Mount '{"name":"web"}'
	run -0 grpctl mount -o cpuacct,none web
	sent Mount '{"name":"web","options":"cpuacct,none"}'
	run -0 grpctl remount -o none web
	sent Remount '{"name":"web","options":"none"}'
	run -0 grpctl umount web
	sent Unmount '{"name":"web"}'
	run -0 grpctl mkdir /a web:/b
	sent MakeGroups '{"groups":["/a","web:/b"],"umask":23}'
	run -0 grpctl mkdir -pm 0750 /a/b
	sent MakeGroups '{"groups":["/a/b"],"parents":true,"mode":488,"umask":23}'
	run -0 grpctl rmdir /a
	sent RemoveGroups '{"groups":["/a"]}'
	run -0 grpctl rmdir -r --kill /a /b
	sent RemoveGroups '{"groups":["/a","/b"],"recursive":true,"kill":true}'
	run -0 grpctl mv /a /b
	sent RenameGroup '{"from":"/a","to":"/b"}'
	run -0 grpctl set -- /a tasks -1
	sent WriteFile '{"group":"/a","file":"tasks","value":"-1"}'
}

@test "attach: lists of groups, threads, members of a group" {
	printf 'org.grpagent.Attach {"parameters":{"moved":1,"failures":[]}}\n%.0s' {1..5} | agent
	run -0 grpctl attach /a 1 2@33
	sent Attach '{"groups":["/a"],"pids":["1","2@33"]}'
	run -0 grpctl attach --thread '/a,b,web:/x\,/y,/z' 7
	sent Attach '{"groups":["/a,b","web:/x\\,/y","/z"],"pids":["7"],"thread":true}'
	run -0 grpctl attach --from /a /b,web:/c
	sent Attach '{"groups":["/b","web:/c"],"pids":[],"from":"/a"}'
	run -0 grpctl attach /a -- -5
	sent Attach '{"groups":["/a"],"pids":["-5"]}'
	run -0 grpctl attach --json /a 1
	jq -e '. == {"moved": 1, "failures": []}' <<<"$output"
}

@test "names: bytes that are not UTF-8 become \\xHH, the rest is sent as it is" {
	printf 'org.grpagent.MakeGroups {}\n' | agent
	run -0 grpctl mkdir $'/\xff\xc3\xa4\\\\\\x41"'
	sent MakeGroups $'{"groups":["/\\\\xff\xc3\xa4\\\\\\\\\\\\x41\\""],"umask":18}'
}

@test "kill: names and numbers of signals" {
	printf 'org.grpagent.Kill {"parameters":{"signalled":2}}\n%.0s' {1..5} | agent
	run -0 grpctl kill /a
	printed ""
	sent Kill '{"group":"/a","signal":15}'
	run -0 grpctl kill -r -s KILL /a
	sent Kill '{"group":"/a","recursive":true,"signal":9}'
	run -0 grpctl kill -s sigusr1 /a
	sent Kill '{"group":"/a","signal":10}'
	run -0 grpctl kill -s 40 /a
	sent Kill '{"group":"/a","signal":40}'
	run -0 grpctl kill --json /a
	[[ $(jq -c . <<<"$output") == '{"signalled":2}' ]]
}

@test "verbs that list ask for the right group" {
	agent <<-END
		org.grpagent.ListGroups {"parameters":{"groups":[]}}
		org.grpagent.ListGroups {"parameters":{"groups":[]}}
		org.grpagent.ListGroups {"parameters":{"groups":[]}}
		org.grpagent.GetUsage {"parameters":{"usage":[]}}
		org.grpagent.GetUsage {"parameters":{"usage":[]}}
		org.grpagent.ListTasks {"parameters":{"tasks":[]}}
		org.grpagent.Wait {"parameters":{"usage":$USAGE}}
		org.grpagent.GetStatus {"parameters":{"status":{}}}
	END
	run -0 grpctl --json ls
	printed '[]'
	sent ListGroups '{"group":"/"}'
	run -0 grpctl ls -l web:/a --json
	sent ListGroups '{"group":"web:/a"}'
	run -0 grpctl tree
	sent ListGroups '{"group":"/","recursive":true}'
	run -0 grpctl usage
	sent GetUsage '{}'
	run -0 grpctl usage -r /a
	sent GetUsage '{"group":"/a","recursive":true}'
	run -0 grpctl ps -rp /a
	sent ListTasks '{"group":"/a","recursive":true,"processes":true}'
	run -0 grpctl wait -r /a
	sent Wait '{"group":"/a","recursive":true}'
	run -0 grpctl status --audit
	sent GetStatus '{"audit":true}'
}

# --- manual and completion ---

@test "the manual names every verb and option, and its examples are calls that grpctl takes" {
	local verb option page=$BATS_TEST_DIRNAME/../../cli/grpctl.1 verbs
	verbs=$(grpctl --help | sed -nE 's/^  ([a-z]+) {2,}.*/\1/p')
	for verb in $verbs; do
		grep -qE "^\.BR? $verb( |\$)" "$page"
		for option in $(grpctl help "$verb" | sed -nE 's/^ .*--([a-z]+) .*/\1/p'); do
			grep -q -- "\\\\-\\\\-$option\\b" "$page"
		done
	done
	sed -nE 's/^\$ grpctl (--?[a-z]+ )?([a-z]+).*/\2/p' "$page" >"$RUN/used"
	[[ -s $RUN/used ]]
	while read -r verb; do
		grep -qx "$verb" <<<"$verbs"
	done <"$RUN/used"
}

complete() {
	# shellcheck disable=SC2016 # for the inner shell
	bash --norc -c '
		source "$0"
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
		_grpctl 2>/dev/null
		printf "%s\n" "${COMPREPLY[@]}"' "$BATS_TEST_DIRNAME/../../cli/grpctl.bash" "$@"
}

@test "completion: verbs, options, groups, files" {
	agent <<-'END'
		org.grpagent.ListHierarchies {"parameters":{"hierarchies":[{"name":"default","subsystems":[],"groups":3,"tasks":2},{"name":"web","subsystems":[],"groups":1,"tasks":2}]}}
		org.grpagent.ListGroups {"parameters":{"groups":[{"hierarchy":"default","group":"/shop","depth":1},{"hierarchy":"default","group":"/ship","depth":1},{"hierarchy":"default","group":"/x","depth":1}]}}
		org.grpagent.StatGroup {"parameters":{"stat":{"files":[{"name":"tasks"},{"name":"cpuacct.usage"},{"name":"cpuacct.stat"}]}}}
	END
	run -0 complete grpctl hier
	printed hierarchies
	run -0 complete grpctl rmdir --
	[[ $output == *--kill* && $output == *--recursive* && $output == *--instance* ]]
	run -0 complete grpctl ps web
	printed 'web:/'
	run -0 complete grpctl ps /sh
	printed $'/shop\n/ship'
	run -0 complete grpctl get /shop cpu
	printed $'cpuacct.usage\ncpuacct.stat'
}
