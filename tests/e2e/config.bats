#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=alone, client
#
# The configuration as a whole: what save prints is what apply makes, all of it or
# nothing; diff tells before what apply would do; the agent applies its own file.
# Fails when something that can be set is not saved, when a failure in the middle
# leaves traces, when something is removed or changed that nobody asked for.

load lib

setup() {
	new_instance
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	cleanup
}

# A tree with something of everything.
make_tree() {
	ctl mount -o "xa,xs,release_agent=/bin/agent with blanks" jobs
	ctl mount -o xs,xa work
	ctl mkdir -m 0750 /shop /shop/web
	ctl mkdir $'/bytes\xff\\'
	ctl set /shop notify_on_release 1
	ctl set /shop cgroup.max.descendants 1
	ctl set /shop/web auto_delete 1
	ctl set / cgroup.clone_children 0
	ctl mkdir jobs:/a jobs:/a/b
	ctl set jobs:/a xa.setting 7
	ctl set jobs:/a/b xs.inherited 3
	ctl mount -o cpuacct,noprefix bare
	ctl set bare:/ load_enabled 1
	ctl mount -o none empty
	ctl apply - <<-'END'
		{"version": 1, "hierarchies": [{"name": "empty", "subsystems": [], "groups": [
			{"path": "/owned", "owner": "nobody", "group": 4711, "mode": "1770", "file_group": 5,
			"files": {"tasks": {"mode": "0600"}, "auto_delete": {"owner": "daemon"}}}]}]}
	END
}

# What an update of the store would move, and what a change would log.
fingerprint() {
	ctl --json tree / | jq -c '.[] | [.group, .uid, .gid, .mode]'
	ctl --json hierarchies | jq -c 'map([.name, .subsystems, .groups])'
	bpftool map dump pinned "$PINS/$INSTANCE/grp_groups" | sha256sum
	bpftool map dump pinned "$PINS/$INSTANCE/grp_hierarchies" | sha256sum
	wc -l <"$(agent_log)"
}

# differs FILE TEXT: what diff prints, and that apply --dry-run prints the same
differs() {
	local status=0
	ctl diff "$1" >diff.out || status=$?
	assert_equal "$(cat diff.out)" "$2" "diff $1"
	assert_equal "$status" $((${#2} > 0)) "status of diff $1"
	assert_equal "$(ctl apply --dry-run "$1")" "$2" "apply --dry-run $1"
}

@test "config: applying what was saved changes nothing" {
	local before
	need bpftool
	use_test_agent
	start_agent
	make_tree
	ctl save >saved.json
	before=$(fingerprint)
	differs saved.json ""
	ctl apply saved.json
	ctl apply - <saved.json
	assert_equal "$(fingerprint)" "$before" "after apply"
	ctl save | cmp - saved.json
}

@test "config: save, apply on a fresh agent, save: the same bytes" {
	use_test_agent
	start_agent
	make_tree
	ctl save >saved.json
	jq -e '[.hierarchies[].groups[].settings // {} | keys[]] | unique |
		contains(["auto_delete", "cgroup.clone_children", "load_enabled", "notify_on_release",
			"xa.setting", "xs.inherited"])' saved.json
	jq -e '.hierarchies[] | select(.name == "jobs") |
		.names == ["work"] and .release_agent == "/bin/agent with blanks"' saved.json
	another_instance fresh
	start_agent
	ctl apply saved.json
	ctl save | cmp - saved.json
	assert_equal "$(ctl get jobs:/a/b xs.inherited)" 3 "a setting"
	restart_agent
	ctl save | cmp - saved.json
}

@test "config: what a file does not say becomes as preset, what it does not mention stays" {
	start_agent
	ctl mkdir -m 0700 /a /a/b /other
	ctl set /a notify_on_release 1
	ctl mkdir /a/c
	spawn task sleep infinity
	ctl attach /a/c "$(spawned task)"
	cat >file.json <<-'END'
		{"version": 1, "hierarchies": [{"name": "default", "groups": [
			{"path": "/a"}, {"path": "/a/c"}, {"path": "/a/new", "mode": "0711"}]}]}
	END
	differs file.json "$(
		cat <<-'END'
			~ default:/a mode 0700 -> 0755
			~ default:/a notify_on_release 1 -> 0
			~ default:/a/c notify_on_release 1 -> 0
			+ group default:/a/new
			+ default:/a/new mode 0711
			= group default:/a/b
			= group default:/other
		END
	)"
	assert_equal "$(group_stat /a mode)" 448 "mode after diff"
	ctl apply file.json
	differs file.json "$(printf '= group default:/a/b\n= group default:/other')"
	assert_equal "$(group_of "$(spawned task)")" /a/c "group of the task"
	assert_equal "$(group_stat /a/b mode)" 448 "mode of who was not mentioned"
}

@test "config: owners by name, by number, and of single files" {
	start_agent
	cat >file.json <<-'END'
		{"version": 1, "hierarchies": [{"name": "default", "groups": [
			{"path": "/a", "owner": "nobody", "group": 4711, "files": {"tasks": {"owner": "daemon"}}},
			{"path": "/b", "owner": 4711, "file_owner": "daemon"}]}]}
	END
	ctl apply file.json
	assert_equal "$(group_stat /a uid),$(group_stat /a gid)" "$(id -u nobody),4711" "owner and group"
	assert_equal "$(group_stat /a 'files[] | select(.name == "tasks").uid')" "$(id -u daemon)" "tasks"
	assert_equal "$(group_stat /a 'files[] | select(.name == "cgroup.procs").uid')" \
		"$(id -u nobody)" "cgroup.procs"
	assert_equal "$(group_stat /a 'files[] | select(.name == "auto_delete").uid')" 0 "auto_delete"
	assert_equal "$(group_stat /b 'files[] | select(.name == "auto_delete").uid')" \
		"$(id -u daemon)" "auto_delete of /b"
	ctl save >saved.json
	assert_json "$(jq -c '.hierarchies[0].groups[1:]' saved.json)" \
		'[{"path": "/a", "owner": "nobody", "group": 4711, "files": {"tasks": {"owner": "daemon"}}},
		{"path": "/b", "owner": 4711, "file_owner": "daemon"}]' "saved"
	assert_equal "$(ctl --json save | jq -c '.hierarchies[0].groups[1].owner')" "$(id -u nobody)" "as JSON"
	sed -i 's/4711/4712/' file.json
	assert_match "$(ctl diff file.json)" '^~ default:/a group 4711 -> 4712' "diff"
}

@test "config: a failure in the middle takes everything back" {
	local before
	use_test_agent
	# room for 64 stored values in all: owners of files are such
	start_agent --capacity-groups 16
	ctl mkdir /keep
	ctl set /keep auto_delete 1
	ctl save >before.json
	jq '.hierarchies[0].groups += [range(8) as $i | {path: "/keep/\($i)", files:
		(["tasks", "cgroup.procs", "notify_on_release", "auto_delete", "cgroup.clone_children",
		"cpuacct.usage", "cpuacct.stat", "cpuacct.events", "xs.veto", "xs.hold", "xs.setting",
		"xs.inherited"] | map({key: ., value: {mode: "0600"}}) | from_entries)}] |
		.hierarchies += [{name: "jobs", subsystems: ["xs"], release_agent: "/x", groups: [
		{path: "/"}, {path: "/a"}]}]' before.json >after.json
	refused ENOSPC apply after.json
	assert_match "$REPLY" 'hierarchies\[0\]\.groups\[[0-9]+\]\.files\.' "place"
	ctl save | cmp - before.json
	assert_equal "$(ctl --json status | jq .groups)" 2 "groups"
	assert_match "$(tail -n 1 "$(agent_log)")" 'by uid 0, pid [0-9]+: ENOSPC: .*; taken back$' "log"
	restart_agent --capacity-groups 16
	ctl save | cmp - before.json
	# the parent was not released by what came and went
	assert_equal "$(group_stat /keep children)" 0 "children"
}

# refuses ERRNO PLACE JSON: by apply and by diff, and nothing changes
refuses() {
	local before
	before=$(ctl save)
	printf '%s\n' "$3" >bad.json
	refused "$1" apply bad.json
	assert_match "$REPLY" "^grpctl: apply bad.json: $2" "apply"
	refused "$1" diff bad.json
	assert_equal "$(ctl diff bad.json 2>/dev/null || true)" "" "output of a diff that failed"
	assert_equal "$(ctl save)" "$before" "after the refusal"
}

@test "config: mistakes name their place and change nothing" {
	use_test_agent
	start_agent --capacity-groups 4
	ctl mkdir /a
	refuses EINVAL 'line 3, column [0-9]+: ' $'{"version": 1,\n"hierarchies": [\n}'
	refuses EINVAL 'line 1, column [0-9]+: ' '{"version": 1, "version": 1}'
	refuses EINVAL 'line 1, column [0-9]+: ' $'"\xff"'
	refuses EINVAL 'a JSON object is wanted' '[]'
	refuses EINVAL 'version: ' '{"version": 2}'
	refuses EINVAL 'hierarchies\[0\]\.groups\[1\]\.modes: no such member' \
		'{"version": 1, "hierarchies": [{"name": "default", "groups": [{"path": "/"}, {"modes": 1}]}]}'
	refuses EINVAL 'hierarchies\[0\]\.groups\[0\]\.owner: no user .no-such-user. here' \
		'{"version": 1, "hierarchies": [{"groups": [{"owner": "no-such-user"}]}]}'
	refuses EINVAL 'hierarchies\[0\]\.groups\[1\]\.settings\.notify_on_release: write 0 or 1' \
		'{"version": 1, "hierarchies": [{"name": "default", "groups": [{"path": "/b"},
			{"path": "/b/c", "settings": {"notify_on_release": "2x"}}]}]}'
	refuses EBUSY "hierarchies\[0\]\.subsystems: 'xa' comes from hierarchy default" \
		'{"version": 1, "hierarchies": [{"name": "jobs", "subsystems": ["xa"]}]}'
	refuses ENOSPC '[0-9]+ more groups: .*capacity-groups' \
		'{"version": 1, "hierarchies": [{"name": "default", "groups": [
			{"path": "/b"}, {"path": "/c"}, {"path": "/d"}]}]}'
	rm -f bad.json
	refused ENOENT apply bad.json
}

@test "config: nobody but root" {
	local verb
	need setpriv
	start_agent
	ctl save >file.json
	for verb in save "apply file.json" "apply --dry-run file.json" "diff file.json"; do
		# shellcheck disable=SC2086 # words
		run -1 setpriv --reuid 65534 --regid 65534 --clear-groups \
			"$GRPCTL" --instance "$INSTANCE" $verb
		assert_match "$output" "^grpctl: ${verb%% *}.* \(EPERM\)$" "$verb"
	done
}

@test "config: usage" {
	local words
	start_agent
	for words in "save x" apply diff "apply a b" "diff --dry-run a" "apply --wet-run a"; do
		# shellcheck disable=SC2086 # words
		run -2 "$GRPCTL" --instance "$INSTANCE" $words
	done
	assert_equal "$(ctl --json diff <(ctl save))" "[]" "diff as JSON"
	echo '{"version": 1, "hierarchies": [{"name": "j", "subsystems": []}]}' >file.json
	assert_json "$(ctl --json apply file.json)" '[{"hierarchy": "j", "kind": "add", "to": "none"}]' \
		"apply as JSON"
	assert_equal "$(ctl apply file.json)" "" "what apply prints"
}

# 10,000 groups are more than one request: they come in parts, and in one go.
@test "config: 10,000 groups" {
	local ms
	start_agent
	jq -n '{version: 1, hierarchies: [{name: "big", subsystems: ["cpuacct"], groups:
		([range(100) | {path: "/\(.)"}] + [range(9900) | {path: "/\(. % 100)/a-name-of-some-length-\(.)",
		owner: 1000, mode: "0700", settings: {notify_on_release: "1"}}])}]}' >big.json
	assert_between "$(jq -c . big.json | wc -c)" 1048577 8000000 "bytes: more than a request may have"
	assert_equal "$(ctl apply --dry-run big.json | grep -c '^+ group big:')" 10000 "groups in the diff"
	assert_equal "$(ctl --json hierarchies | jq length)" 1 "hierarchies after the diff"
	ms=$(agent_ms)
	ctl apply big.json
	ms=$(($(agent_ms) - ms))
	assert_equal "$(logged_changes | grep -o '"kind":"add"' | wc -l)" $((1 + 100 + 9900 * 4)) \
		"changes in the log"
	echo "# apply took $ms ms of the agent" >&3
	# a guest is far slower than its deadlines are longer
	((ms < 1500 * SLOW * SLOW)) || [[ $AGENT_BIN == *san* ]] || fail "$ms ms"
	assert_equal "$(ctl --json hierarchies | jq -c '.[] | select(.name == "big").groups')" 10001 "groups"
	differs big.json ""
	ctl save >saved.json
	ctl apply saved.json
	ctl save | cmp - saved.json
	# the last one is wrong: nothing of it is done
	jq '.hierarchies[0].name = "other" | .hierarchies[0].groups[9999].mode = "9"' big.json >bad.json
	refused EINVAL apply bad.json
	assert_match "$REPLY" 'hierarchies\[0\]\.groups\[9999\]\.mode' "place"
	assert_equal "$(ctl --json hierarchies | jq length)" 2 "hierarchies"
}

# What was applied, as the log has it in lines of a bearable length.
logged_changes() {
	sed -nE 's/^ApplyConfiguration (.*) by uid 0, pid [0-9]+: .*$/\1/p' "$(agent_log)" | tr -d '\n'
}

# CPU time of the agent so far
agent_ms() {
	awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) * 1000 / hz }' "/proc/$(agent_pid)/stat"
}

# Killed before an update of the store: the next agent has each change done or not
# done, and applying again does the rest. tests/unit/test_changes.c tries each update.
@test "config: apply, killed in the middle" {
	local n
	use_test_agent
	start_agent
	ctl mkdir /a
	ctl save >before.json
	cat >after.json <<-'END'
		{"version": 1, "hierarchies": [
			{"name": "default", "groups": [{"path": "/", "settings": {"notify_on_release": "1"}},
				{"path": "/a", "owner": 5, "files": {"tasks": {"mode": "0600"}}}, {"path": "/a/b"}]},
			{"name": "jobs", "subsystems": ["xs"], "release_agent": "/x", "groups": [
				{"path": "/"}, {"path": "/a", "mode": "0700", "settings": {"xs.setting": "3"}}]}]}
	END
	for ((n = 1; n < 60; n += 4)); do
		stop_agent
		GRPAGENT_FAULT_STOP=$n GRPAGENT_FAULT_AFTER_READY=1 spawn_agent
		wait_until "$START_SECONDS" agent_answers
		! ctl apply after.json 2>/dev/null || break
		restart_agent
		ctl apply after.json
		differs after.json ""
		ctl rmdir -r /a/b jobs:/a
		ctl umount jobs
		ctl apply before.json
		differs before.json ""
	done
	echo "$n updates"
	((n > 5 && n < 60))
}

# --- at the start ------------------------------------------------------------------------

groups_file_state() {
	ctl --json status | jq -r .groups_file
}

@test "config: the agent applies its file when it starts" {
	echo "groups-file = $PWD/groups.json" >agent.conf
	cat >groups.json <<-'END'
		{"version": 1, "hierarchies": [{"name": "jobs", "subsystems": ["cpuacct"], "groups": [
			{"path": "/a", "owner": "nobody", "settings": {"notify_on_release": "1"}}]}]}
	END
	start_agent --config "$PWD/agent.conf"
	assert_equal "$(groups_file_state)" applied "state"
	ctl diff groups.json
	assert_equal "$(group_stat jobs:/a uid)" "$(id -u nobody)" "owner"
	assert_match "$(ctl status)" 'Groups file: *applied' "status"
	ctl set jobs:/a notify_on_release 0
	ctl mkdir jobs:/more
	restart_agent --config "$PWD/agent.conf"
	assert_equal "$(ctl get jobs:/a notify_on_release)" 1 "what was changed by hand"
	assert_equal "$(group_stat jobs:/more tasks)" 0 "what the file does not mention"
	restart_agent
	assert_equal "$(groups_file_state)" none "state without the setting"
}

@test "config: a file that is wrong does not keep the agent from starting" {
	local text
	echo "groups-file = $PWD/groups.json" >agent.conf
	start_agent
	ctl mkdir /kept
	for text in missing '{' '{"version": 1, "hierarchies": [{"name": "new", "subsystems": []}, {}]}' fifo; do
		rm -f groups.json
		case $text in
		missing) ;;
		fifo) mkfifo groups.json ;;
		*) echo "$text" >groups.json ;;
		esac
		restart_agent --config "$PWD/agent.conf"
		assert_match "$(groups_file_state)" \
			'^(No such file|line [12], column|hierarchies\[1\]\.name: it is missing|Invalid argument)' "$text"
		assert_match "$(tail -n 5 "$(agent_log)")" "groups-file $PWD/groups.json: " "log of $text"
		assert_equal "$(ctl --json ls / | jq -r '.[].group')" /kept "groups"
		assert_equal "$(ctl --json hierarchies | jq length)" 1 "hierarchies"
	done
}

@test "config: the setting is a path or none" {
	echo "groups-file = groups.json" >agent.conf
	run -1 "$AGENT_BIN" --instance "$INSTANCE" --config "$PWD/agent.conf"
	assert_match "$output" 'agent.conf:1: groups-file: .groups.json. is neither a path' "message"
}
