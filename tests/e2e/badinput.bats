#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# bats file_tags=client
#
# Property 7: whatever comes in is answered with a clear error or carried out,
# other clients are served meanwhile, and nothing is lost. Each test ends with an
# agent that still answers, has not grown much and has no connection left over.

load lib

setup_file() {
	new_instance
	start_agent
	ctl mkdir /g
}

teardown_file() {
	cleanup
}

setup() {
	SHARED=$INSTANCE
	SOCKET=$RUN_DIR/$INSTANCE/control.sock
	BEFORE=$(ctl --json tree / | jq -c '[.[].group]')
}

teardown() {
	local status=0
	cleanup || status=1
	INSTANCE=$SHARED
	is_running "$(agent_pid)" || fail "the agent is gone" || status=1
	# the one that asks is a connection too
	wait_until 30 connections_are 1 || status=1
	return "$status"
}

connections_are() {
	[[ $(ctl --json status | jq .connections) == "$1" ]]
}

assert_served() {
	timeout 5 "$GRPCTL" --instance "$INSTANCE" ping >/dev/null || fail "others are not served"
}

assert_unchanged() {
	assert_equal "$(ctl --json tree / | jq -c '[.[].group]')" "$BEFORE" "the tree"
}

# hostile MODE [ARGUMENT]: to its end
hostile() {
	timeout 60 "$SUPPORT/hostile" "$SOCKET" "$@"
}

# --- names ---------------------------------------------------------------------------

@test "7: names of groups that cannot be" {
	local long name
	long=$(printf 'x%.0s' {1..256})
	refused EINVAL mkdir ""
	for name in /. /.. /g/. /g/.. /g/../h $'/a\nb' $'/a\tb' $'/a\x01b' $'/a\x7fb'; do
		refused EINVAL mkdir "$name"
	done
	refused ENAMETOOLONG mkdir "/$long"
	refused ENOENT mkdir /not/there
	refused EEXIST mkdir /g
	refused EEXIST mkdir /
	refused EEXIST mkdir /tasks
	refused EEXIST mkdir /g/cpuacct.usage
	refused EINVAL mkdir no-slash
	assert_match "$REPLY" "did you mean '/no-slash'\?" "hint"
	refused EINVAL mkdir -p no-slash/x
	assert_match "$REPLY" "did you mean '/no-slash/x'\?" "hint of mkdir -p"
	refused EINVAL ls default
	assert_match "$REPLY" "did you mean 'default:/'\?" "hint with a hierarchy"
	refused EINVAL mv /g $'/h\n'
	assert_unchanged
}

@test "7: the longest name, a path of a page and one byte more" {
	local name path='' i
	name=$(printf 'x%.0s' {1..255})
	ctl mkdir "/$name"
	ctl rmdir "/$name"
	for ((i = 0; i < 15; i++)); do
		path+=/$name
	done
	ctl mkdir -p "$path/${name:0:254}"
	assert_equal "$(ctl --json ls "$path" | jq -r '.[0].group')" "$path/${name:0:254}" "path"
	refused ENAMETOOLONG mkdir "$path/$name/$name"
	ctl rmdir -r "/$name"
	assert_unchanged
}

@test "7: a slash too many is folded" {
	ctl mkdir //g///x/
	assert_equal "$(ctl --json ls /g/ | jq -r '.[].group')" /g/x "path"
	ctl rmdir /g//x
	assert_unchanged
}

@test "7: names that only look odd" {
	local name
	# shellcheck disable=SC1003,SC2016 # just characters
	for name in ' ' 'a b' '"' "'" '\' '*' '$(x)' '-x' '...' '.hidden' 'a,b' 'ä' '%s%n' '{}' '#'; do
		name=${name//\\/\\\\}
		ctl mkdir -- "/g/$name"
		assert_equal "$(ctl --json ls /g | jq -r '.[].group')" "/g/$name" "name in JSON"
		ctl rmdir -- "/g/$name"
	done
	assert_unchanged
}

# Bytes are kept; in JSON they are \xHH, a backslash is \\, and both work as input.
@test "7: a name with invalid UTF-8, quotes and backslashes" {
	local raw=$'/g/q"\xff\xc3(' shown
	shown='/g/q"\xff\xc3('
	ctl mkdir "$raw\\\\"
	assert_equal "$(ctl --json ls /g | jq -r '.[].group')" "$shown\\\\" "name in JSON"
	assert_equal "$(group_stat "$shown\\\\" group)" "$shown\\\\" "found as it is shown"
	ctl exec "$raw\\\\" -- true
	ctl --json usage -r /g | jq -e . >/dev/null
	refused EEXIST mkdir "$shown\\\\"
	ctl rmdir "$shown\\\\"
	assert_unchanged
}

@test "7: hierarchies that are not there, and names they cannot have" {
	local name
	refused ENOENT mkdir nowhere:/x
	refused ENOENT ls nowhere:/
	refused ENOENT attach nowhere:/x $$
	refused ENOENT umount nowhere
	refused EBUSY umount default
	for name in '' 'a b' a/b 'a:b' ä "$(printf 'x%.0s' {1..65})"; do
		refused '(EINVAL|ENAMETOOLONG)' mount -o cpuacct "$name"
	done
	refused ENOENT mount -o unheard-of new
	refused EINVAL mount -o cpuacct,,none new
	refused EINVAL attach /g,/ $$
	assert_unchanged
}

# --- pids ------------------------------------------------------------------------------

@test "7: pids that are none" {
	local pid text
	spawn gone "$SUPPORT/burn" 0
	await gone 30
	for pid in "$(spawned gone)" 4194304 2147483647; do
		refused ESRCH attach /g "$pid"
		refused ESRCH attach --thread /g "$pid"
		refused ESRCH which "$pid"
	done
	for text in '' x 12x ' ' 1.5 0x10 99999999999999999999 $'1\n' 1@ 1@x @5 +; do
		refused '(EINVAL|ESRCH|ERANGE)' attach /g "$text"
		refused '(EINVAL|ESRCH|ERANGE)' which "$text"
	done
	refused '(EINVAL|ESRCH)' attach -- /g -1
	assert_equal "$(group_stat /g tasks)" 0 tasks
}

@test "7: a pid with a start time that is another's" {
	local pid start
	spawn held "$SUPPORT/burn" 0 --hold
	wait_until 30 has_printed held
	pid=$(spawned held)
	start=$(start_time "$pid")
	refused ESRCH attach /g "$pid@$((start + 1))"
	assert_equal "$(group_of "$pid")" / "group"
	ctl attach /g "$pid@$start"
	assert_equal "$(group_of "$pid")" /g "group"
	ctl attach / "$pid"
}

@test "7: 0 is the caller, in attach and in the tasks file" {
	run -0 bash -c "exec \"$GRPCTL\" --instance $INSTANCE attach /g 0"
	# the whole process that wrote: grpctl itself, gone now
	wait_quiet /g
	ctl set /g tasks 0
	wait_quiet /g
}

# Rules of the historical tasks file: first number counts, no number is EIO.
@test "7: what is written to tasks and cgroup.procs" {
	local pid text
	spawn held "$SUPPORT/burn" 0 --hold
	wait_until 30 has_printed held
	pid=$(spawned held)
	for text in x '' ' ' 0x10 0abc ','; do
		refused EIO set /g tasks "$text"
	done
	refused ESRCH set -- /g tasks -1
	refused ESRCH set /g tasks 4194304
	ctl set /g tasks " $pid and more"
	assert_equal "$(ctl get /g tasks)" "$pid" "tasks"
	ctl set / cgroup.procs "$pid"
	assert_equal "$(ctl get /g tasks)" "" "tasks"
}

@test "7: bulk requests try all and report each failure" {
	local status=0 errors
	errors=$(ctl mkdir /g/1 /nowhere/2 /g/3 /g/3 2>&1) || status=$?
	assert_equal "$status" 1 "status"
	assert_equal "$(wc -l <<<"$errors")" 2 "lines of errors"
	assert_match "$errors" 'mkdir /nowhere/2: .*ENOENT.*mkdir /g/3: .*EEXIST' "errors"
	assert_equal "$(ctl --json ls /g | jq length)" 2 "groups made"
	status=0
	errors=$(ctl rmdir /g/1 /g/2 /g/3 2>&1) || status=$?
	assert_equal "$status" 1 "status"
	assert_match "$errors" '^grpctl: rmdir /g/2: [^:]+ \(ENOENT\)$' "errors"
	assert_unchanged
}

@test "7: control files that are not there or cannot be written" {
	refused ENOENT get /g nothing
	refused ENOENT get /g ../g/tasks
	refused ENOENT set /g nothing 1
	refused EINVAL set /g cpuacct.usage 1
	refused EINVAL set /g cpuacct.usage x
	refused EINVAL set /g cpuacct.stat 0
	assert_match "$REPLY" '^grpctl: set /g cpuacct.stat: ' "what it is about"
	refused ENOENT get /nowhere tasks
	assert_match "$REPLY" '^grpctl: get /nowhere: ' "what it is about"
}

# --- the wire ----------------------------------------------------------------------------

@test "7: half a request, for ever" {
	spawn half "$SUPPORT/hostile" "$SOCKET" half
	wait_until 30 has_printed half
	assert_served
	stop half
}

@test "7: a request that comes byte by byte" {
	assert_match "$(hostile drip '{"method":"org.grpagent.Ping"}')" \
		'^reply .*"instance":"'"$INSTANCE"'"' "answer"
}

@test "7: a megabyte without an end" {
	local rss
	rss=$(rss_kb)
	assert_match "$(hostile flood 1048576)" '^(closed|reply .*error)' "1 MiB"
	assert_match "$(hostile flood 67108864)" '^(closed|reply .*error)' "64 MiB"
	assert_served
	assert_between "$(rss_kb)" 0 $((rss + 16384)) "kB of memory afterwards"
}

@test "7: a million nested brackets" {
	assert_match "$(hostile nested 1000)" '^(closed|reply .*error)' "a thousand"
	assert_match "$(hostile nested 1000000)" '^(closed|reply .*error)' "a million"
	assert_served
}

@test "7: garbage" {
	assert_match "$(hostile garbage 10)" '^(closed|reply .*error|timeout)' "10 bytes"
	assert_match "$(hostile garbage 100000)" '^(closed|reply .*error)' "100,000 bytes"
	assert_served
}

@test "7: requests that are JSON but no calls" {
	local text
	for text in null 1 '"x"' '[]' '{}' '{"method":1}' '{"method":""}' '{"method":"x"}' \
		'{"method":"org.grpagent.Ping","parameters":[]}' \
		'{"method":"org.grpagent.Nothing"}' '{"method":"org.nowhere.Ping"}' \
		'{"method":"org.grpagent.StatGroup"}' \
		'{"method":"org.grpagent.StatGroup","parameters":{"group":7}}' \
		'{"method":"org.grpagent.MakeGroups","parameters":{"groups":"/x"}}' \
		'{"method":"org.grpagent.MakeGroups","parameters":{"groups":[7]}}' \
		'{"method":"org.grpagent.MakeGroups","parameters":{"groups":["/x"],"mode":-1}}' \
		'{"method":"org.grpagent.Attach","parameters":{"groups":[],"pids":[]}}' \
		'{"method":"org.grpagent.Attach","parameters":{"groups":["/g"],"pids":[1]}}' \
		'{"method":"org.grpagent.Kill","parameters":{"group":"/g","signal":4096}}' \
		'{"method":"org.grpagent.ReadFile","parameters":{"group":"/g","file":"a\u0000b"}}' \
		'{"method":"org.grpagent.StatGroup","parameters":{"group":"/g\u0000x"}}'; do
		assert_match "$(hostile call "$text")" '^(closed|reply .*"error":"org\.)' "$text"
		assert_served
	done
	assert_unchanged
}

@test "7: calls one after the other without waiting are answered in order" {
	local answers
	answers=$(for group in / /g /nowhere /g; do
		echo '{"method":"org.grpagent.StatGroup","parameters":{"group":"'"$group"'"}}'
	done | hostile calls)
	assert_equal "$(wc -l <<<"$answers")" 4 "answers"
	assert_equal "$(sed -n 's/^reply //p' <<<"$answers" |
		jq -r '.parameters.stat.group // .error' | tr '\n' ' ')" \
		"/ /g org.grpagent.Failed /g " "answers"
}

@test "7: a client that never reads" {
	local rss
	rss=$(rss_kb)
	spawn deaf "$SUPPORT/hostile" "$SOCKET" deaf 1000000
	wait_until 30 assert_served
	wait_until 60 has_printed deaf
	# it was held back, not buffered without end
	assert_between "$(output deaf | awk '{ print $2 }')" 1 20000000 "bytes taken from it"
	assert_served
	assert_between "$(rss_kb)" 0 $((rss + 16384)) "kB of memory meanwhile"
	stop deaf
}

# The reply is larger than any socket buffer.
@test "7: a client that goes away in the middle of a large reply" {
	local i
	seq -f "/g/n%.0f" 3000 | xargs "$GRPCTL" --instance "$INSTANCE" mkdir
	for i in {1..20}; do
		ctl tree / | head -n 1 >/dev/null || true
		printf '{"method":"org.grpagent.ListGroups","parameters":{"recursive":true}}\n' |
			"$SUPPORT/hostile" "$SOCKET" calls 2>/dev/null | head -c 100 >/dev/null || true
	done
	assert_served
	ctl rmdir -r /g
	ctl mkdir /g
	assert_unchanged
}

# --- limits per user ----------------------------------------------------------------------

as_nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}

@test "7: one user cannot take all connections" {
	local limit answered
	limit=$(ctl --json status | jq -r '.config["connections-per-uid"]')
	chmod 755 "$BATS_TEST_TMPDIR"
	spawn many setpriv --reuid 65534 --regid 65534 --clear-groups --pdeathsig KILL \
		"$SUPPORT/hostile" "$SOCKET" connect $((limit + 40))
	wait_until 60 has_printed many
	answered=$(output many | awk '{ print $2 }')
	assert_between "$answered" 1 "$limit" "connections of one user that were served"
	# another user has its own
	assert_served
	as_nobody timeout 5 "$GRPCTL" --instance "$INSTANCE" ping 2>/dev/null && fail "one too many"
	stop many
	wait_until 30 as_nobody "$GRPCTL" --instance "$INSTANCE" ping
}

@test "7: one user cannot take all groups" {
	local i
	another_instance limits
	printf 'groups-per-uid = 5\nstreams-per-uid = 2\n' >"$BATS_TEST_TMPDIR/conf"
	start_agent --config "$BATS_TEST_TMPDIR/conf"
	ctl mkdir -m 0777 /shared
	for ((i = 1; i <= 10; i++)); do
		as_nobody "$GRPCTL" --instance "$INSTANCE" mkdir "/shared/$i" \
			2>"$BATS_TEST_TMPDIR/error" || break
	done
	assert_equal "$i" 6 "group that was refused"
	assert_match "$(cat "$BATS_TEST_TMPDIR/error")" 'groups-per-uid' "message"
	ctl mkdir /shared/of-root
	as_nobody "$GRPCTL" --instance "$INSTANCE" rmdir /shared/1
	as_nobody "$GRPCTL" --instance "$INSTANCE" mkdir /shared/again
}

@test "7: one user cannot have more requests waiting than allowed" {
	local i
	another_instance limits
	printf 'streams-per-uid = 2\n' >"$BATS_TEST_TMPDIR/conf"
	start_agent --config "$BATS_TEST_TMPDIR/conf"
	ctl mkdir /busy
	spawn held "$GRPCTL" --instance "$INSTANCE" exec /busy -- "$SUPPORT/burn" 0 --hold
	wait_until 30 has_printed held
	for i in 1 2; do
		spawn "wait$i" setpriv --reuid 65534 --regid 65534 --clear-groups \
			"$GRPCTL" --instance "$INSTANCE" wait /busy
	done
	# the one that is refused would else take the place of one of them
	wait_until 30 requests_wait 2
	refuses_wait
	# root has its own allowance
	spawn root_wait "$GRPCTL" --instance "$INSTANCE" wait /busy
	stop held
	for i in wait1 wait2 root_wait; do
		await "$i" 30
	done
}

requests_wait() {
	[[ $(ctl --json status | jq .counters.requests_waiting) == "$1" ]]
}

refuses_wait() {
	local status=0
	as_nobody timeout $((5 * SLOW)) "$GRPCTL" --instance "$INSTANCE" wait /busy \
		>/dev/null 2>"$BATS_TEST_TMPDIR/error" || status=$?
	((status == 1)) && grep -q streams-per-uid "$BATS_TEST_TMPDIR/error"
}

@test "7: what others may not do" {
	spawn held "$SUPPORT/burn" 0 --hold
	wait_until 30 has_printed held
	ctl mkdir -m 0700 /private
	for command in "mkdir /x" "rmdir /g" "mv /g /h" "mkdir /private/x" \
		"attach /g $(spawned held)" "set /g cpuacct.usage 0" "mount -o cpuacct mine"; do
		# shellcheck disable=SC2086 # words
		run -1 as_nobody "$GRPCTL" --instance "$INSTANCE" $command
		assert_match "$output" '\((EACCES|EPERM)\)$' "$command"
	done
	run -125 as_nobody "$GRPCTL" --instance "$INSTANCE" exec /g -- true
	assert_match "$output" '^grpctl: exec /g: uid 65534.* needs o[+]w on cgroup.procs of default:/g, .* \(EACCES\)$' exec
	assert_equal "$(group_of "$(spawned held)")" / "group"
	ctl rmdir /private
	assert_unchanged
}

# --- starting ----------------------------------------------------------------------------

@test "7: calls while the agent starts are answered or refused, never lost" {
	local i status
	another_instance starting
	start_agent
	seq -f "/g%.0f" 500 | xargs "$GRPCTL" --instance "$INSTANCE" mkdir
	for i in {1..5}; do
		kill_agent
		spawn_agent
		until ctl --json tree / >"$BATS_TEST_TMPDIR/tree" 2>"$BATS_TEST_TMPDIR/error"; do
			# not reachable yet, or starting for longer than grpctl waits
			grep -qE 'not reachable|still starting|hung up' "$BATS_TEST_TMPDIR/error"
			is_running "$(agent_pid)"
			step
		done
		# the first answer is already whole
		assert_equal "$(jq length "$BATS_TEST_TMPDIR/tree")" 501 "groups, start $i"
	done
}
