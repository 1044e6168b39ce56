#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 600
# bats file_tags=client
#
# watch against a real agent: what is told, in which order, to whom; the final figures of a removed
# group; a reader that does not read; how it ends. And what stat shows of a group's past.

load lib

BACKLOG=16

setup_file() {
	new_instance
	echo "watch-backlog = $BACKLOG" >"$(state_dir)/config"
	start_agent --config "$(state_dir)/config"
}

teardown_file() {
	cleanup
}

setup() {
	G=/t$BATS_TEST_NUMBER
	ctl mkdir "$G"
}

teardown() {
	cleanup
}

watchers() {
	ctl --json status | jq .counters.watchers
}

# The agent has as many watchers, no more and no less.
are_watching() {
	[[ $(watchers) == "$1" ]]
}

# watch_as NAME [ARG...]: in the background, as JSON, and it has begun
watch_as() {
	local before
	before=$(watchers)
	spawn "$1" "$GRPCTL" --instance "$INSTANCE" --json watch "${@:2}"
	wait_until 30 are_watching $((before + 1))
}

# events NAME FILTER: of what was told so far, a line each
events() {
	output "$1" | jq -r "$2"
}

# has_told NAME EVENT GROUP
has_told() {
	output "$1" | jq -se "any(.event == \"$2\" and .group == \"$3\")" >/dev/null
}

nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}

# burning NAME GROUP MS: a process that runs in it for so long
burning() {
	spawn "$1" "$GRPCTL" --instance "$INSTANCE" exec "$2" -- "$SUPPORT/burn" "$3"
}

@test "what happens is told in order, once" {
	local expected pid
	watch_as w "$G"
	ctl mkdir "$G/a"
	ctl mv "$G/a" "$G/b"
	burning run "$G/b" 10
	pid=$(spawned run)
	wait_until 30 has_told w empty "$G/b"
	ctl rmdir "$G/b"
	wait_until 30 has_told w rmdir "$G/b"
	expected="mkdir $G/a null null
mv $G/b $G/a null
attach $G/b / 1
empty $G/b null null
rmdir $G/b null null"
	assert_equal "$(events w '"\(.event) \(.group) \(.from) \(.moved)"')" "$expected" "events"
	assert_equal "$(events w 'select(.event == "attach").pid')" "$pid" "who entered by itself"
	assert_equal "$(events w '.hierarchy' | sort -u)" default "hierarchy"
	assert_equal "$(events w '.seq')" "$(events w '.seq' | sort -nu)" "order of numbers"
	assert_equal "$(events w '.time_ns')" "$(events w '.time_ns' | sort -n)" "order of times"
	assert_between "$(events w '.time_ns' | tail -n 1)" $(($(date +%s%N) - 600000000000)) "$(date +%s%N)" "time"
}

@test "an event is there when the operation is answered" {
	watch_as w "$G"
	for _ in {1..20}; do
		ctl mkdir "$G/a"
		wait_until 5 has_told w mkdir "$G/a"
		ctl rmdir "$G/a"
	done
	# refused operations are not events
	refused ENOENT rmdir "$G/a"
	refused EEXIST mkdir "$G"
	ctl mkdir "$G/end"
	wait_until 5 has_told w mkdir "$G/end"
	assert_equal "$(events w .event | sort | uniq -c | awk '{ print $2, $1 }' | paste -sd ' ')" \
		"mkdir 21 rmdir 20" "events"
}

@test "attach: one for each hierarchy in which somebody moves, with the number of threads" {
	local h=h$BATS_TEST_NUMBER n
	ctl mount -o none "$h"
	ctl mkdir "$h:/x" "$G/a"
	start_threads 4
	watch_as w
	ctl attach "$G/a,$h:/x" "${TIDS[0]}"
	ctl attach "$G,$h:/x" "${TIDS[0]}"
	ctl attach "$G" "${TIDS[0]}"
	n=${#TIDS[@]}
	ctl attach --from "$G" /
	wait_until 30 has_told w empty "$G"
	assert_equal "$(events w '"\(.event) \(.hierarchy):\(.group) \(.from) \(.moved)"')" \
		"attach default:$G/a / $n
attach $h:/x / $n
attach default:$G $G/a $n
empty default:$G/a null null
attach default:/ $G $n
empty default:$G null null" "events"
}

@test "release: a group that is removed by itself, after the program was started for another" {
	local h=h$BATS_TEST_NUMBER
	ctl mount -o "none,release_agent=$(type -P true)" "$h"
	ctl mkdir "$h:/told" "$G/gone"
	ctl set "$h:/told" notify_on_release 1
	ctl set "$G/gone" auto_delete 1
	watch_as w
	burning one "$h:/told" 1
	wait_until 30 has_told w release /told
	burning two "$G/gone" 1
	wait_until 30 has_told w rmdir "$G/gone"
	assert_equal "$(events w '"\(.event) \(.group) \(.action) \(has("uid"))"')" \
		"attach /told null true
empty /told null false
release /told agent false
attach $G/gone null true
empty $G/gone null false
release $G/gone delete false
rmdir $G/gone null true" "events"
}

@test "the final figures of a removed group are those that were read before" {
	local before event name value
	ctl mkdir "$G/a"
	burning one "$G/a" 30
	burning two "$G/a" 20
	await one 30
	await two 30
	wait_quiet "$G/a"
	before=$(ctl --json usage "$G/a" | jq -c '.[0]')
	ctl get "$G/a" cpuacct.events >"$(state_dir)/events"
	watch_as w "$G"
	ctl rmdir "$G/a"
	wait_until 30 has_told w rmdir "$G/a"
	event=$(events w .)
	for name in usage_ns usage_own_ns user_ns system_ns; do
		assert_equal "$(jq ".$name" <<<"$event")" "$(jq ".$name" <<<"$before")" "$name"
	done
	while read -r name value; do
		[[ $name == preempted ]] || assert_equal "$(jq ".$name" <<<"$event")" "$value" "$name"
	done <"$(state_dir)/events"
	assert_between "$(jq .usage_ns <<<"$event")" 50000000 60000000000 "time used"
	assert_between "$(jq .peak_tasks <<<"$event")" 1 100 "most tasks"
	assert_between "$(jq .lived_ns <<<"$event")" 1 600000000000 "life"
}

# nobody_reads NAME: a watcher whose output is full sooner or later; PIPE is its other end
nobody_reads() {
	PIPE=$(state_dir)/$1.pipe
	mkfifo "$PIPE"
	exec {READER}<>"$PIPE"
	spawn "$1" sh -c "exec '$GRPCTL' --instance '$INSTANCE' --json watch $G >'$PIPE'"
}

@test "a reader that does not read is told exactly what it has lost; nobody waits for it" {
	local groups total=3000 last=0 seq event count sum=0 lost=0
	mapfile -t groups < <(seq -f "$G/group-number-%g" $((total / 2)))
	nobody_reads slow
	wait_until 30 are_watching 1
	ctl mkdir "${groups[@]}"
	timeout $((30 * SLOW)) "$GRPCTL" --instance "$INSTANCE" ping
	ctl rmdir "${groups[@]}"
	assert_between "$(ctl --json status | jq .counters.watch_lost)" 1 "$total" "lost"
	# Now it reads: an end is put behind what there is.
	timeout $((60 * SLOW)) cat "$PIPE" >"$(state_dir)/events" 3>&- {READER}>&- &
	wait_until 60 grep -q '"lost"' "$(state_dir)/events"
	ctl mkdir "$G/end"
	ctl rmdir "$G/end"
	ctl rmdir "$G"
	await slow 30
	exec {READER}>&-
	wait $!
	while read -r seq event count; do
		((sum += count))
		((last == 0 || seq == last + count)) || fail "from number $last to $event $seq ($count)"
		[[ $event != lost ]] || ((lost += count))
		last=$seq
	done < <(jq -r '"\(.seq) \(.event) \(.count // 1)"' "$(state_dir)/events")
	assert_equal "$sum" $((total + 3)) "told and lost"
	assert_between "$lost" 1 "$total" "lost"
	ctl mkdir "$G"
}

@test "who may not search a group is not told of it" {
	need setpriv
	ctl mkdir -m 0700 "$G/closed"
	ctl mkdir "$G/open"
	spawn w setpriv --reuid 65534 --regid 65534 --clear-groups --pdeathsig KILL \
		"$GRPCTL" --instance "$INSTANCE" --json watch
	wait_until 30 are_watching 1
	ctl mkdir "$G/closed/a"
	ctl rmdir "$G/closed/a"
	burning run "$G/closed" 1
	await run 30
	spawn hold "$GRPCTL" --instance "$INSTANCE" exec "$G/closed" -- "$SUPPORT/burn" 1 --hold
	wait_until 30 has_printed hold
	ctl attach "$G/open" "$(spawned hold)"
	wait_until 30 has_told w attach "$G/open"
	assert_equal "$(events w '"\(.event) \(.group) \(.from)"')" "attach $G/open null" "events"
	run -1 nobody "$GRPCTL" --instance "$INSTANCE" watch "$G/closed"
	assert_match "$output" '\(EACCES\)$' "a group that is closed"
}

@test "lines for people, and the end of a pipe" {
	local line='^[0-9-]+ [0-9:]+\.[0-9]{6} mkdir   default:'$G'/a uid=0 pid=[0-9]+$'
	spawn pipe bash -c "'$GRPCTL' --instance '$INSTANCE' watch $G | head -n 1; echo \${PIPESTATUS[0]}"
	wait_until 30 are_watching 1
	ctl mkdir "$G/a"
	# There is no second event that could tell it that nobody reads any more.
	await pipe 30
	assert_match "$(output pipe | head -n 1)" "$line" "the line"
	assert_equal "$(output pipe | tail -n 1)" 0 "status"
	wait_until 30 are_watching 0
}

@test "an interrupt, and the removal of the group, are an end like any other" {
	local status=0
	spawn one env --default-signal=INT "$GRPCTL" --instance "$INSTANCE" watch
	wait_until 30 are_watching 1
	kill -INT "$(spawned one)"
	await one 30 || status=$?
	assert_equal "$status" 0 "status after SIGINT"
	ctl mkdir "$G/a"
	watch_as two "$G/a"
	ctl rmdir "$G/a"
	await two 30 || status=$?
	assert_equal "$status" 0 "status after the removal"
	assert_equal "$(events two .event)" rmdir "events"
}

@test "an agent that ends ends the stream: exit 3, and says so" {
	local how status
	another_instance ends
	start_agent
	for how in stop_agent kill_agent; do
		spawn w "$GRPCTL" --instance "$INSTANCE" watch
		wait_until 30 are_watching 1
		"$how"
		status=0
		await w 30 || status=$?
		assert_equal "$status" 3 "status after $how"
		assert_match "$(errors w)" "^grpctl: watch: the agent of instance $INSTANCE has ended" "$how"
		start_agent
	done
}

# --- stat -----------------------------------------------------------------------------

# seconds_since GROUP: its last activity
seconds_since() {
	echo $((($(date +%s%N) - $(group_stat "$1" last_activity_ns)) / 1000000000))
}

@test "stat: the most tasks at a time, and when they were last active" {
	local created
	ctl mkdir "$G/a"
	assert_equal "$(group_stat "$G/a" '| [.peak_tasks, .last_activity_ns] | join(" ")')" "0 0" "of a new group"
	created=$(group_stat "$G/a" created_ns)
	assert_between "$created" $(($(date +%s%N) - 600000000000)) "$(date +%s%N)" "created"
	start_threads 4
	ctl attach "$G/a" "${TIDS[0]}"
	assert_equal "$(group_stat "$G/a" peak_tasks)" ${#TIDS[@]} "peak"
	ctl attach --thread / "${TIDS[1]}" "${TIDS[2]}"
	assert_equal "$(group_stat "$G/a" peak_tasks)" ${#TIDS[@]} "peak when some have left"
	tell burn 3 5
	assert_between "$(seconds_since "$G/a")" 0 $((10 * SLOW)) "seconds since it was active"
	ctl attach / "${TIDS[0]}"
	restart_agent --config "$(state_of_file)/config"
	assert_equal "$(group_stat "$G/a" peak_tasks)" ${#TIDS[@]} "peak after a restart"
	assert_between "$(group_stat "$G/a" last_activity_ns)" "$created" "$(date +%s%N)" "last activity"
	run -0 ctl stat "$G/a"
	assert_match "$output" "Last activity: +$(date +%Y)-"
	assert_match "$output" "Peak tasks: +${#TIDS[@]}"
}

# Nothing happens in it but that its one task sleeps, then runs.
@test "stat: a sleeping member's group grows idle, a running one's is active now" {
	local before
	ctl mkdir "$G/a"
	start_threads 1
	ctl attach "$G/a" "${TIDS[0]}"
	tell burn 1 5
	wait_asleep "${TIDS[@]}"
	before=$(group_stat "$G/a" last_activity_ns)
	is_older() {
		(($(date +%s%N) - $(group_stat "$G/a" last_activity_ns) > 500000000))
	}
	wait_until 30 is_older
	# of a sleeper it does not move, but by what its CPU was stolen meanwhile
	assert_between $(($(group_stat "$G/a" last_activity_ns) - before)) -20000000 250000000 "drift"
	tell burn 1 5
	assert_between $(($(group_stat "$G/a" last_activity_ns) - before)) 400000000 600000000000 "activity"
}
