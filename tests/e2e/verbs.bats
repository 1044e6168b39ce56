#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# bats file_tags=client
#
# Every verb of grpctl against a real agent, plain and with --json, with its exit
# codes; the control files; the exit codes of grpagent. The types of the replies
# are those of org.grpagent.varlink. How grpctl prints is tested in cli.bats.

load lib

setup_file() {
	new_instance
	start_agent
}

teardown_file() {
	cleanup
}

setup() {
	G=/t$BATS_TEST_NUMBER
	H=h$BATS_TEST_NUMBER
	ctl mkdir "$G" "$G/a"
}

teardown() {
	cleanup
}

# assert_json FILTER: of $output, which must be JSON
assert_json() {
	jq -e "$1" >/dev/null <<<"$output" || fail "not $1: $output"
}

# held NAME GROUP: a process that sleeps in it; sets PID
held() {
	spawn "$1" "$GRPCTL" --instance "$INSTANCE" exec "$2" -- "$SUPPORT/burn" 1 --hold
	wait_until 30 has_printed "$1"
	PID=$(spawned "$1")
}

@test "ping" {
	run -0 ctl ping
	assert_match "$output" "$INSTANCE"
	run -0 ctl --json ping
	assert_json ".instance == \"$INSTANCE\" and (.version | length > 0)"
}

@test "no agent: exit 3" {
	another_instance nobody
	run -3 ctl ping
	run -3 ctl ls
	run -3 ctl mkdir /x
	run -125 ctl exec / -- true
}

@test "wrong usage: exit 2" {
	local words
	for words in "" unheard-of "mkdir" "ls --nothing" "mv /a" "mv /a /b /c" "attach /a" \
		"get /a" "set /a b" "kill -s NOSUCH /" "mkdir -m 99 /x" "stat"; do
		# shellcheck disable=SC2086 # words
		run -2 ctl $words
	done
}

@test "mount, mounts, hierarchies, umount" {
	run -0 ctl mount -o cpuacct "$H"
	assert_equal "$output" "" "output"
	# the same again is no error, with other subsystems it is
	ctl mount -o cpuacct "$H"
	refused EBUSY mount -o none "$H"
	ctl mount -o none "$H-none"
	run -0 ctl --json mounts
	assert_json "any(.[]; .name == \"$H\" and .options == [\"cpuacct\"])"
	assert_json 'any(.[]; .name == "default")'
	run -0 ctl mounts
	assert_match "$output" "$H +$H +cpuacct"
	run -0 ctl --json hierarchies
	assert_json "any(.[]; .name == \"$H\" and .subsystems == [\"cpuacct\"] and .groups == 1 and .tasks > 1)"
	assert_json 'any(.[]; .name == "default" and (.subsystems | index("cpuacct")))'
	run -0 ctl hierarchies
	assert_match "$output" "$H"
	ctl umount "$H-none"
	ctl umount "$H"
	refused ENOENT umount "$H"
	refused ENOENT ls "$H:/"
}

# VER-1: 16 slots, one of them default.
@test "mount: no more hierarchies than there are slots" {
	local i made=()
	for ((i = 0; i < 20; i++)); do
		ctl mount -o none "$H-$i" 2>"$BATS_TEST_TMPDIR/error" || break
		made+=("$H-$i")
	done
	assert_between "${#made[@]}" 10 15 "hierarchies made"
	assert_match "$(cat "$BATS_TEST_TMPDIR/error")" '\(ENOSPC\)$'
	for i in "${made[@]}"; do
		ctl umount "$i"
	done
	ctl mount -o none "$H"
	ctl umount "$H"
}

@test "subsystems" {
	run -0 ctl --json subsystems
	assert_json 'any(.[]; .name == "cpuacct" and .shareable and .enabled and
		.hierarchy == "default")'
	run -0 ctl subsystems
	assert_match "$output" cpuacct
}

@test "mkdir: -p, -m, several at once" {
	ctl mkdir -p "$G/p/q/r" "$G/p/q/r"
	ctl mkdir -m 0700 "$G/m"
	assert_equal "$(group_stat "$G/m" mode)" $((0700)) "mode"
	assert_equal "$(ctl --json tree "$G" | jq -r '[.[].group] | join(" ")')" \
		"$G $G/a $G/m $G/p $G/p/q $G/p/q/r" "tree: parents first, siblings by name"
	refused EEXIST mkdir "$G/p"
	refused ENOENT mkdir "$G/x/y"
}

@test "rmdir: busy, -r, --kill" {
	ctl mkdir -p "$G/p/q"
	held one "$G/p/q"
	refused EBUSY rmdir "$G/p"
	refused EBUSY rmdir "$G/p/q"
	refused EBUSY rmdir -r "$G/p"
	refused EBUSY rmdir /
	ctl rmdir -r --kill "$G/p"
	is_gone "$PID"
	refused ENOENT rmdir "$G/p"
	ctl rmdir "$G/a"
}

@test "mv" {
	held one "$G/a"
	ctl mkdir "$G/a/below" "$G/c"
	ctl mv "$G/a" "$G/b"
	assert_equal "$(group_of "$PID")" "$G/b" "group of a member"
	assert_equal "$(ctl --json ls "$G/b" | jq -r '.[].group')" "$G/b/below" "child"
	refused EEXIST mv "$G/b" "$G/c"
	refused EIO mv "$G/b" "$G/c/b"
	refused EINVAL mv "$G/b" "$G/b/below/x"
	refused ENOENT mv "$G/a" "$G/x"
	refused EBUSY mv / /x
	ctl mount -o cpuacct "$H"
	refused EXDEV mv "$G/b" "$H:/b"
	ctl umount "$H"
}

@test "ls and tree" {
	held one "$G/a"
	run -0 ctl --json ls "$G"
	assert_json "length == 1 and .[0].group == \"$G/a\" and .[0].hierarchy == \"default\" and
		.[0].tasks == 1 and .[0].children == 0 and .[0].uid == 0 and .[0].usage_ns > 0"
	run -0 ctl ls "$G"
	assert_match "$output" "$G/a +1 "
	run -0 ctl ls -l "$G"
	assert_match "$output" root
	run -0 ctl --json tree "$G"
	assert_json 'length == 2 and .[0].subtree_tasks == 1 and .[0].tasks == 0 and .[1].depth == 2'
	run -0 ctl tree "$G"
	assert_match "$output" "$G.*a +1 "
	run -0 ctl ls
	run -0 ctl tree
	refused ENOENT ls "$G/nothing"
}

@test "stat" {
	local before
	held one "$G/a"
	run -0 ctl --json stat "$G/a"
	assert_json ".group == \"$G/a\" and .hierarchy == \"default\" and .tasks == 1 and
		.processes == 1 and .chargers > 0 and .children == 0 and .uid == 0 and .mode == 493
		and .usage_ns >= .usage_own_ns and .usage_own_ns > 0 and .id > 0"
	assert_json '[.files[].name] | index("tasks") and index("cgroup.procs") and
		index("cpuacct.usage") and index("cpuacct.stat") and index("cpuacct.events")'
	before=$(group_stat "$G" created_ns)
	((before > 1500000000000000000))
	run -0 ctl stat "$G/a"
	assert_match "$output" cpuacct.usage_percpu
	refused ENOENT stat "$G/nothing"
}

@test "attach, ps, which" {
	held one "$G/a"
	run -0 ctl attach "$G" "$PID"
	assert_equal "$output" "" "output"
	run -0 ctl --json attach "$G/a" "$PID" "$PID"
	assert_json '.failures == []'
	run -0 ctl --json ps "$G/a"
	assert_json "length == 1 and .[0].pid == $PID and .[0].tgid == $PID and .[0].cpu_ns > 0 and
		.[0].group == \"$G/a\""
	run -0 ctl --json ps "$G"
	assert_json 'length == 0'
	run -0 ctl --json ps -r "$G"
	assert_json 'length == 1'
	run -0 ctl ps -p "$G/a"
	assert_match "$output" "$PID .* burn\$"
	run -0 ctl --json which "$PID"
	assert_json "length == 1 and .[0].pid == $PID and (.[0].exiting | not) and
		any(.[0].places[]; .hierarchy == \"default\" and .group == \"$G/a\")"
	run -0 ctl which "$PID"
	assert_match "$output" "(^|,)name=default:$G/a(\$|
)"
	refused ENOENT attach "$G/nothing" "$PID"
}

@test "attach into several hierarchies, and a failure of one changes none" {
	ctl mount -o cpuacct "$H"
	ctl mkdir "$H:/x"
	held one "$G/a"
	refused ENOENT attach "$G,$H:/nothing" "$PID"
	assert_equal "$(group_of "$PID") $(group_of "$PID" "$H")" "$G/a /" "groups"
	ctl attach "$G,$H:/x" "$PID"
	assert_equal "$(group_of "$PID") $(group_of "$PID" "$H")" "$G /x" "groups"
	stop one
	wait_quiet "$H:/x"
	ctl rmdir "$H:/x"
	ctl umount "$H"
}

@test "exec: inside from the first instruction, status of the command" {
	run -7 ctl exec "$G/a" -- bash -c 'exit 7'
	run -127 ctl exec "$G/a" -- no-such-program-here
	run -126 ctl exec "$G/a" -- /
	run -125 ctl exec "$G/nothing" -- true
	run -0 ctl exec "$G/a" -- "$GRPCTL" --instance "$INSTANCE" which 0
	assert_match "$output" "default:$G/a"
	run -0 ctl exec --user nobody "$G/a" -- id -u
	assert_equal "$output" 65534 "uid"
}

@test "get and set: every control file can be read, and what cannot be written says so" {
	local file mode
	held one "$G/a"
	while read -r file mode; do
		run -0 ctl get "$G/a" "$file"
		run -0 ctl --json get "$G/a" "$file"
		assert_json 'has("content")'
		((mode & 0222)) || refused EINVAL set "$G/a" "$file" 0
	done < <(ctl --json stat "$G/a" | jq -r '.files[] | "\(.name) \(.mode)"')
	assert_equal "$(ctl get "$G/a" tasks)" "$PID" "tasks"
	assert_equal "$(ctl get "$G/a" cgroup.procs)" "$PID" "cgroup.procs"
	ctl set "$G" cgroup.procs "$PID"
	assert_equal "$(ctl get "$G/a" tasks)" "" "tasks"
}

@test "control files of cpuacct: forms and sums" {
	local usage cpus
	cpus=$(ctl get / cpuacct.usage_percpu | wc -w)
	ctl exec "$G/a" -- "$SUPPORT/storm" --seconds 1 >/dev/null
	wait_quiet "$G/a"
	usage=$(ctl get "$G/a" cpuacct.usage)
	assert_match "$usage" '^[0-9]+$' usage
	assert_equal "$(ctl get "$G/a" cpuacct.usage_own)" "$usage" usage_own
	assert_equal "$(ctl get "$G" cpuacct.usage)" "$usage" "usage of the parent"
	assert_equal "$(ctl get "$G" cpuacct.usage_own)" 0 "usage_own of the parent"
	assert_equal "$(ctl get "$G/a" cpuacct.usage_percpu | tr ' ' '\n' | add_up)" "$usage" percpu
	# by ticks, as the kernel's: their sum is not usage
	assert_match "$(ctl get "$G/a" cpuacct.usage_user)" '^[0-9]+$' usage_user
	assert_match "$(ctl get "$G/a" cpuacct.usage_sys)" '^[0-9]+$' usage_sys
	assert_equal "$(ctl get "$G/a" cpuacct.usage_percpu_user | wc -w)" "$cpus" "CPUs"
	assert_equal "$(ctl get "$G/a" cpuacct.usage_percpu_sys | wc -w)" "$cpus" "CPUs"
	assert_match "$(ctl get "$G/a" cpuacct.usage_all)" $'^cpu user system\n0 [0-9]+ [0-9]+' usage_all
	assert_equal "$(ctl get "$G/a" cpuacct.usage_all | wc -l)" $((cpus + 1)) "lines of usage_all"
	assert_match "$(ctl get "$G/a" cpuacct.stat)" $'^user [0-9]+\nsystem [0-9]+$' stat
	assert_equal "$(ctl get "$G/a" cpuacct.events | awk '{ printf "%s ", $1 }')" \
		"forks execs exits switches preempted migrations " events
}

# A baseline for this group's own files only.
@test "writing 0 to cpuacct.usage" {
	local usage text
	ctl exec "$G/a" -- "$SUPPORT/burn" 50
	wait_quiet "$G/a"
	usage=$(usage_ns "$G/a")
	for text in 1 10 -1 a 0x0 '0 1'; do
		refused EINVAL set -- "$G/a" cpuacct.usage "$text"
	done
	assert_equal "$(ctl get "$G/a" cpuacct.usage)" "$usage" "after refused writes"
	ctl set "$G/a" cpuacct.usage 0
	assert_equal "$(ctl get "$G/a" cpuacct.usage)" 0 "usage"
	assert_equal "$(ctl get "$G/a" cpuacct.usage_percpu | tr ' ' '\n' | add_up)" 0 usage_percpu
	assert_equal "$(ctl get "$G/a" cpuacct.usage_own)" "$usage" "usage_own is not reset"
	assert_equal "$(ctl get "$G" cpuacct.usage)" "$usage" "the parent is not reset"
	ctl exec "$G/a" -- "$SUPPORT/burn" 20
	wait_quiet "$G/a"
	assert_between "$(ctl get "$G/a" cpuacct.usage)" 20000000 "$usage" "usage since then"
}

@test "usage" {
	ctl exec "$G/a" -- "$SUPPORT/burn" 20
	wait_quiet "$G/a"
	run -0 ctl --json usage "$G/a"
	assert_json "length == 1 and .[0].hierarchy == \"default\" and .[0].group == \"$G/a\" and
		.[0].usage_ns > 20000000 and .[0].usage_own_ns == .[0].usage_ns and
		.[0].tasks == 0 and .[0].processes == 0 and (.[0] | has(\"user_ns\") and has(\"system_ns\"))"
	run -0 ctl --json usage -r "$G"
	assert_json 'length == 2 and .[0].usage_ns == .[1].usage_ns and .[0].usage_own_ns == 0'
	ctl mount -o cpuacct "$H"
	run -0 ctl --json usage
	assert_json "[.[] | [.hierarchy, .group]] | index([[\"default\", \"/\"]]) and
		index([[\"$H\", \"/\"]]) and length >= 2"
	ctl umount "$H"
	run -0 ctl usage "$G/a"
	assert_match "$output" "$G/a"
}

@test "kill: each process once, also deep down, and KILL until none is left" {
	local name
	ctl mkdir "$G/a/b"
	for name in 1 2; do
		held "$name" "$G/a"
	done
	held deep "$G/a/b"
	run -0 ctl --json kill -s 0 "$G/a"
	assert_json '.signalled == 2'
	run -0 ctl --json kill -r -s CONT "$G/a"
	assert_json '.signalled == 3'
	ctl kill "$G/a"
	wait_until 10 is_gone "$(spawned 1)"
	is_running "$PID"
	ctl kill -r -s KILL "$G"
	assert_equal "$(group_stat "$G/a/b" tasks)" 0 "tasks, right after KILL"
	spawn bomb "$GRPCTL" --instance "$INSTANCE" exec "$G/a" -- "$SUPPORT/storm"
	wait_until 30 has_forks "$G/a" 50
	ctl kill -s KILL "$G/a"
	assert_equal "$(group_stat "$G/a" tasks)" 0 "tasks of the storm, right after KILL"
	wait_until 10 is_gone "$(spawned bomb)"
}

has_forks() {
	(($(event "$1" forks) >= $2))
}

@test "wait" {
	ctl mkdir "$G/a/b"
	run -0 ctl --json wait "$G/a"
	assert_json ".group == \"$G/a\" and .tasks == 0"
	held deep "$G/a/b"
	run -0 timeout 10 "$GRPCTL" --instance "$INSTANCE" wait "$G/a"
	spawn waits "$GRPCTL" --instance "$INSTANCE" --json wait -r "$G/a"
	# it waits: 20 other calls are done before it is
	for _ in {1..20}; do
		ctl ping >/dev/null
	done
	is_running "$(spawned waits)"
	stop deep
	await waits 10
	output=$(output waits)
	assert_json '.tasks == 0 and .usage_ns > 0'
}

@test "status and features" {
	run -0 ctl --json status
	assert_json ".instance == \"$INSTANCE\" and .state == \"running\" and .pid == $(agent_pid) and
		.generation > 0 and .events_lost == 0 and .audit_corrections == 0 and .groups > 2 and
		([.capacities[].name] | index(\"groups\") and index(\"sets\")) and
		all(.capacities[]; (.limit // .used // 0) >= (.used // 0)) and
		all(.capacities[] | select(.name == (\"groups\", \"sets\", \"map:cells\")); .bytes > 0) and
		([.capacities[] | select(.name | startswith(\"map:\")).bytes] | add) == .memory_bytes and
		(.programs | length > 3) and .config[\"capacity-sets\"] == \"4096\""
	run -0 ctl status
	assert_match "$output" $'\nsets +[0-9]+ +4096 '
	assert_match "$output" $'\ntasks +- +[0-9]'
	run -0 ctl --json status --audit
	assert_json '.audit_corrections == 0'
	run -0 ctl --json features
	assert_json 'length > 0 and all(.[]; .available or (.needed | not)) and
		all(.[]; .available or (.reason | length > 0))'
	run -0 ctl features
}

@test "the interface can be asked for, as varlinkctl does" {
	local answer socket=$RUN_DIR/$INSTANCE/control.sock
	answer=$("$SUPPORT/hostile" "$socket" call '{"method":"org.varlink.service.GetInfo"}')
	jq -e '.parameters.interfaces | index("org.grpagent") and index("org.varlink.service")' \
		<<<"${answer#reply }"
	answer=$("$SUPPORT/hostile" "$socket" call '{"method":
		"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"org.grpagent"}}')
	jq -j .parameters.description <<<"${answer#reply }" >"$BATS_TEST_TMPDIR/description"
	grep -q '^method Attach' "$BATS_TEST_TMPDIR/description"
	[[ ! -e $ROOT/include/grp/org.grpagent.varlink ]] ||
		diff "$ROOT/include/grp/org.grpagent.varlink" "$BATS_TEST_TMPDIR/description"
}

@test "grpagent: exit codes" {
	run -0 timeout 30 "$AGENT_BIN" --version
	run -0 timeout 30 "$AGENT_BIN" --help
	run -2 timeout 30 "$AGENT_BIN" --nothing
	run -2 timeout 30 "$AGENT_BIN" --instance a/b
	run -2 timeout 30 "$AGENT_BIN" --instance "$INSTANCE-x" --capacity-sets none
	run -1 timeout 30 "$AGENT_BIN" --instance "$INSTANCE-x" --config /nowhere
	run -1 timeout 30 setpriv --reuid 65534 --clear-groups "$AGENT_BIN" --instance "$INSTANCE-x"
	[[ ! -e $PINS/$INSTANCE-x ]]
}

@test "the socket is open to all, its directory is not" {
	assert_equal "$(stat -c %a "$RUN_DIR/$INSTANCE/control.sock")" 666 "mode of the socket"
	assert_match "$(stat -c %A "$RUN_DIR/$INSTANCE")" '^drwxr.xr-x' "directory"
	run -0 setpriv --reuid 65534 --clear-groups "$GRPCTL" --instance "$INSTANCE" ls
}
