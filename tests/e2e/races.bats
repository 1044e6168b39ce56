# SPDX-License-Identifier: GPL-2.0-only
#
# The races of the specification (22.2), a bounded number of rounds each; ROUNDS in the environment
# asks for more. Those of release agents (RACE-4, RACE-10) are in release_race.bats, fork storms that
# are moved as a whole in nobody_missed.bats.
#
# timeout: 600

load lib

setup_file() {
	new_instance
	use_test_agent
	start_agent
}

teardown_file() {
	cleanup
}

setup() {
	G=/r$BATS_TEST_NUMBER
	H=h$BATS_TEST_NUMBER
	ROUNDS=${ROUNDS:-$(by_length 20 50 500)}
	ctl mkdir "$G" "$G/a" "$G/b"
}

teardown() {
	cleanup
}

tasks() {
	group_stat "$1" tasks
}

has_tasks() {
	(($(tasks "$1") > 0))
}

# call METHOD PARAMETERS: one line for `hostile calls`
call() {
	printf '{"method":"org.grpagent.%s","parameters":%s}\n' "$1" "$2"
}

# calls NAME <LINES: a client in the background that makes these calls, one after the other; not
# in a pipe, where it would belong to a subshell and go with it
calls() {
	local dir
	dir=$(state_dir)
	cat >"$dir/$1.calls"
	# shellcheck disable=SC2016 # for that shell
	spawn "$1" bash -c '"$1" "$2" calls <"$3"' client "$SUPPORT/hostile" \
		"$RUN_DIR/$INSTANCE/control.sock" "$dir/$1.calls"
}

# answers NAME: each distinct outcome once: an errno name or ok
answers() {
	await "$1" 120
	output "$1" | sed -n 's/^reply //p' |
		jq -r '.parameters.errno // .parameters.failures[0].errno // "ok"' | sort -u | paste -sd' '
}

# make_and_remove GROUP ROUNDS: two clients, one of which makes it and one removes it
make_and_remove() {
	local i
	calls maker < <(for ((i = 0; i < $2; i++)); do
		call MakeGroups "{\"groups\":[\"$1\"]}"
	done)
	calls remover < <(for ((i = 0; i < $2; i++)); do
		call RemoveGroups "{\"groups\":[\"$1\"]}"
	done)
}

# A child of a task that goes into two hierarchies at once is in both or in neither.
@test "RACE-1: fork while the parent is moved in several hierarchies" {
	local i from=a to=b odd
	ctl mount -o none "$H"
	ctl mkdir "$H:/a" "$H:/b"
	spawn storm "$SUPPORT/oracle" --instance "$INSTANCE" --group "$G/a,$H:/a" -- "$SUPPORT/storm"
	wait_until 30 has_tasks "$G/a"
	for ((i = 0; i < ROUNDS; i++)); do
		ctl attach --from "$G/$from" "$G/$to,$H:/$to"
		[[ $from == a ]] && from=b to=a || from=a to=b
		# shellcheck disable=SC2046 # words; some have ended meanwhile
		odd=$(ctl --json which $(ctl get "$G/$from" tasks | head -n 40) 2>/dev/null |
			jq -c --arg g "$G/$from" --arg h "/$from" --arg name "$H" '
				[.[] | select(.exiting | not) | {pid} +
				 (.places | map({(.hierarchy): .group}) | add) |
				 select(.default != $g or .[$name] != $h)]')
		assert_equal "${odd:-[]}" "[]" "tasks that are not in both, round $i"
		assert_equal "$(tasks "$H:/$to")" 0 "left behind in the second hierarchy"
	done
	stop storm
	wait_quiet "$G/a" "$G/b" "$H:/a" "$H:/b"
	assert_equal "$(audit)" 0 "corrections of the audit"
	ctl rmdir "$H:/a" "$H:/b"
	ctl umount "$H"
}

# A group that everybody was moved out of can be removed at once: no child is born into it later.
@test "RACE-2: fork while the parent is moved: never in a removed group" {
	local i
	make_v1 V1
	ctl mkdir "$G/0"
	spawn_in_both storm "$G/0" "$V1" "$SUPPORT/storm"
	wait_until 30 has_tasks "$G/0"
	for ((i = 0; i < ROUNDS; i++)); do
		ctl mkdir "$G/$((i + 1))"
		ctl attach --from "$G/$i" "$G/$((i + 1))"
		ctl rmdir "$G/$i"
	done
	stop storm
	wait_quiet "$G/$ROUNDS" "$V1"
	ctl rmdir "$G/$ROUNDS"
	wait_until 30 is_quiet "$G" "$V1"
	# the time of the removed groups is in their parent
	assert_exact "$G" "$V1"
	assert_equal "$(audit)" 0 "corrections of the audit"
}

@test "RACE-3: exit while being moved" {
	local i from=a to=b failures
	make_v1 V1
	spawn_in_both storm "$G/a" "$V1" "$SUPPORT/storm" --quick --workers 4
	wait_until 30 has_tasks "$G/a"
	for ((i = 0; i < ROUNDS; i++)); do
		# shellcheck disable=SC2046 # words
		ctl attach --thread "$G/$to" $(ctl get "$G/$from" tasks) 2>"$BATS_TEST_TMPDIR/err" || true
		failures=$(sed 's/.*(\(.*\))$/\1/' "$BATS_TEST_TMPDIR/err" | sort -u)
		assert_match "$failures" '^(ESRCH)?$' "what else could happen, round $i"
		[[ $from == a ]] && from=b to=a || from=a to=b
	done
	stop storm
	wait_quiet "$G/a" "$G/b" "$V1"
	assert_exact "$G/a $G/b" "$V1"
	assert_equal "$(audit)" 0 "corrections of the audit"
}

# One wins: EBUSY for rmdir, or there is no such group for the other.
@test "RACE-5: rmdir against attach" {
	local i pid rounds=$((ROUNDS * 20))
	spawn sleeper sleep infinity
	pid=$(spawned sleeper)
	ctl attach "$G/a" "$pid"
	make_and_remove "$G/x" "$rounds"
	calls mover < <(for ((i = 0; i < rounds; i++)); do
		call Attach "{\"groups\":[\"$G/x\"],\"pids\":[\"$pid\"]}"
		call Attach "{\"groups\":[\"$G/a\"],\"pids\":[\"$pid\"]}"
	done)
	assert_match "$(answers maker)" '^(EEXIST )?ok$' "answers to mkdir"
	assert_match "$(answers remover)" '^(EBUSY )?(ENOENT )?ok$' "answers to rmdir"
	assert_match "$(answers mover)" '^(ENOENT ?)?(ok)?$' "answers to attach"
	assert_equal "$(group_of "$pid")" "$G/a" "where the task is"
	if ctl --json ls "$G" | jq -e --arg x "$G/x" 'any(.[]; .group == $x)' >/dev/null; then
		ctl rmdir "$G/x"
	fi
	assert_equal "$(ctl get "$G/a" tasks)" "$pid" "members"
	assert_equal "$(audit)" 0 "corrections of the audit"
}

# Either the reference is there first and rmdir is EBUSY, or there is no group to hold.
@test "RACE-6: rmdir against a subsystem's reference" {
	local i rounds=$((ROUNDS * 20))
	make_and_remove "$G/x" "$rounds"
	calls holder < <(for ((i = 0; i < rounds; i++)); do
		call WriteFile "{\"group\":\"$G/x\",\"file\":\"xs.hold\",\"value\":\"1\"}"
		call WriteFile "{\"group\":\"$G/x\",\"file\":\"xs.hold\",\"value\":\"0\"}"
	done)
	assert_match "$(answers maker)" '^(EEXIST )?ok$' "answers to mkdir"
	assert_match "$(answers remover)" '^(EBUSY )?(ENOENT )?ok$' "answers to rmdir"
	# EINVAL: it was removed and made again meanwhile, and there is nothing to drop
	assert_match "$(answers holder)" '^(EINVAL ?)?(ENOENT ?)?(ok)?$' "answers to taking and dropping"
	if ctl --json ls "$G" | jq -e --arg x "$G/x" 'any(.[]; .group == $x)' >/dev/null; then
		assert_equal "$(group_stat "$G/x" references)" "$(ctl get "$G/x" xs.hold)" references
		[[ $(ctl get "$G/x" xs.hold) == 0 ]] || ctl set "$G/x" xs.hold 0
		ctl rmdir "$G/x"
	fi
}

# A snapshot may miss newcomers; it never misses who stays, nor shows anybody twice.
@test "RACE-7: reading tasks while the membership changes" {
	local i pid ids
	spawn sleeper sleep infinity
	pid=$(spawned sleeper)
	ctl attach "$G/a" "$pid"
	spawn storm "$SUPPORT/oracle" --instance "$INSTANCE" --group "$G/a" -- "$SUPPORT/storm"
	wait_until 30 has_tasks "$G/a"
	for ((i = 0; i < ROUNDS; i++)); do
		ids=$(ctl get "$G/a" tasks)
		sort -nuC <<<"$ids" || fail "not ascending, or one twice: $ids"
		grep -qx "$pid" <<<"$ids" || fail "the one that stays is not listed"
	done
	stop storm
	wait_until 60 holds_only "$pid"
}

holds_only() {
	[[ $(ctl get "$G/a" tasks) == "$1" ]]
}

# Hierarchies come and go under tasks that are born, charged and end.
@test "RACE-8: births and charges during mount, remount and umount" {
	local i
	make_v1 V1
	spawn_in_both storm "$G/a" "$V1" "$SUPPORT/storm"
	wait_until 30 has_tasks "$G/a"
	for ((i = 0; i < ROUNDS; i++)); do
		ctl mount -o cpuacct "$H"
		ctl mkdir "$H:/x"
		ctl attach --from "$G/a" "$G/b,$H:/x"
		ctl attach --from "$G/b" "$G/a,$H:/"
		ctl rmdir "$H:/x"
		ctl umount "$H"
	done
	stop storm
	wait_quiet "$G/a" "$G/b" "$V1"
	assert_exact "$G/a $G/b" "$V1"
	assert_equal "$(audit)" 0 "corrections of the audit"
}

# A clone whose task is moved meanwhile begins anew where that is now (CLONE-3). It ends with one
# new group, or with an error and none. tests/unit/test_clone.c has the moments one by one.
@test "RACE-9: clone against moves" {
	local i pid group cloned=0
	spawn sleeper sleep infinity
	pid=$(spawned sleeper)
	ctl attach "$G/a" "$pid"
	calls mover < <(for ((i = 0; i < ROUNDS * 40; i++)); do
		call Attach "{\"groups\":[\"$G/b\"],\"pids\":[\"$pid\"]}"
		call Attach "{\"groups\":[\"$G/a\"],\"pids\":[\"$pid\"]}"
	done)
	for ((i = 0; i < ROUNDS; i++)); do
		if group=$(ctl clone "$pid" 2>"$BATS_TEST_TMPDIR/error"); then
			assert_match "$group" "^default:$G/[ab]/node_$pid\$" "the new group"
			# nobody else puts it back in there
			ctl attach "$G/a" "$pid"
			ctl rmdir "$group"
			((cloned += 1))
		else
			assert_match "$(cat "$BATS_TEST_TMPDIR/error")" EAGAIN "why there is none"
		fi
	done
	((cloned)) || fail "no clone in $ROUNDS rounds"
	assert_equal "$(answers mover)" ok "answers to attach"
	assert_equal "$(ctl --json ls "$G" | jq -r '.[].group' | paste -sd' ')" "$G/a $G/b" "groups"
	assert_equal "$(ctl --json stat "$G" | jq .descendants)" 2 "groups at all depths"
	assert_equal "$(audit)" 0 "corrections of the audit"
}
