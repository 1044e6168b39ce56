#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=confines, client
#
# The documents tell the truth: what they show is taken out of them and done, and
# what they list is compared with what there is. Figures in what is shown may
# differ, words may not.
#
# shellcheck disable=SC2016 # backquotes of Markdown, and commands for another shell

load lib
# what a reader has: jq
PATH=${PATH#"$GOJQ":}

setup() {
	new_instance
	export GRPAGENT_INSTANCE=$INSTANCE
	cd "$BATS_TEST_TMPDIR" || return
	PATH=$BATS_TEST_TMPDIR/bin:$BUILD:$PATH
	# a guest's jq is another program, which sorts the members of objects
	mkdir bin
	! type -P jq.real >/dev/null || ln -s "$(type -P jq.real)" bin/jq
}

teardown() {
	cleanup
}

need_sources() {
	[[ -e $ROOT/README.md ]] || skip "no sources here"
}

# same_lists WHAT FILE1 FILE2: of lines, in any order
same_lists() {
	[[ -s $2 ]] || fail "$1: nothing was found to compare"
	diff <(sort -u "$2") <(sort -u "$3") >"$BATS_TEST_TMPDIR/diff" ||
		fail "$1: only in the one (<), only in the other (>):"$'\n'"$(cat "$BATS_TEST_TMPDIR/diff")"
}

# --- examples --------------------------------------------------------------------

# What stands in the ```console blocks of a file.
console() {
	awk '/^```/ { inside = /^```console/; next } inside' "$1"
}

# A console to a script: each command, behind it a line that tells how it ended.
script_of() {
	# what it has started in the background is its own to end
	printf '%s\n' 'exec 2>&1' 'trap '\''kill -KILL $(jobs -p)'\'' EXIT'
	awk 'function end() { if (any) print "echo \"@@ status $?\"" }
		/^\$ / { end(); any = 1; print "cat <<\"@@\"\n" $0 "\n@@"; print substr($0, 3); next }
		/^>( |$)/ { print substr($0, 3) }
		END { end() }' <<<"$1"
}

# Any number is one number, and so is a range of them; columns may be as wide as they like. Ids, sizes and the like vary.
without_figures() {
	sed -E '/^> |^>$/d; s/[0-9]+(\.[0-9]+)?/N/g; s/N-N/N/g; s/ +/ /g; s/ $//'
}

# do_console TEXT: in one shell; every command must succeed. What it printed is in file "printed".
do_console() {
	script_of "$1" >script
	grep -q '^\$ ' <<<"$1" || fail "there is no command in it"
	timeout $((60 * SLOW)) bash script >printed 3>&- 4>&- || fail "it does not come to an end: $(cat printed)"
	! grep '^@@ status [^0]' -B 20 printed || fail "a command has failed"
	# and what the shell says by itself at its end
	sed -i -E '/^@@ status/d; /^script: line [0-9]+: +[0-9]+ Killed /d; /^kill: usage/d' printed
}

# same_console FILE: do what is shown there, and see what is shown there
same_console() {
	local text
	text=$(console "$1")
	do_console "$text"
	diff <(without_figures <<<"$text") <(without_figures <printed) ||
		fail "$1 shows the one (<), there is the other (>)"
}

@test "docs: the example of the README does what it shows" {
	need_sources
	start_agent
	same_console "$ROOT/README.md"
	assert_equal "$(ctl --json hierarchies | jq -c '[.[] | [.name, .groups]]')" '[["default",1]]' "left behind"
}

@test "docs: the README opens with two commands, which make knows" {
	need_sources
	need make
	sed '/^## /,$d' "$ROOT/README.md" | sed -n 's/^    sudo make \([a-z-]*\) .*/\1/p' >shown
	assert_equal "$(paste -sd ' ' shown)" "demo check" "commands"
	while read -r target; do
		make -C "$ROOT" -n "$target" >/dev/null || fail "make does not know $target"
	done <shown
}

@test "docs: the example of the protocol does what it shows" {
	need_sources
	need python3
	start_agent
	same_console "$ROOT/docs/protocol.md"
}

@test "docs: the example of delegation does what it shows" {
	need_sources
	need setpriv
	start_agent
	same_console "$ROOT/docs/delegation.md"
	assert_equal "$(ctl --json hierarchies | jq -c '[.[] | [.name, .groups]]')" '[["default",1]]' "left behind"
}

@test "docs: the example of hierarchies does what it shows" {
	need_sources
	start_agent
	same_console "$ROOT/docs/hierarchies.md"
	assert_equal "$(ctl --json hierarchies | jq -c '[.[] | [.name, .groups]]')" '[["default",1]]' "left behind"
}

@test "docs: the example of cpusets does what it shows" {
	need_sources
	[[ $(</sys/devices/system/cpu/online) == 0-* ]] || skip "fewer than 2 CPUs"
	start_agent
	same_console "$ROOT/docs/cpuset.md"
	assert_equal "$(ctl --json hierarchies | jq -c '[.[] | [.name, .groups]]')" '[["default",1]]' "left behind"
}

@test "docs: the example of a configuration does what it shows" {
	need_sources
	start_agent
	same_console "$ROOT/docs/configuration.md"
}

@test "docs: the larger example of a configuration can be applied" {
	need_sources
	start_agent
	ctl apply "$ROOT/examples/groups.json"
	ctl diff "$ROOT/examples/groups.json"
}

@test "docs: the examples of grpctl(1), one after the other" {
	local text
	need_sources
	text=$(sed -n '/^\.SH EXAMPLES/,/^\.SH SEE/p' "$ROOT/cli/grpctl.1" |
		sed -n '/^\$ /{s/\\-/-/g; s/\\(aq/'"'"'/g; s/\\e/\\/g; p}')
	start_agent
	do_console "$text"
	grep -qx building printed || fail "exec has not run its command"
	grep -qxE '[1-9][0-9]*' printed || fail "no usage was printed"
	assert_equal "$(ctl --json hierarchies | jq length)" 1 "hierarchies left"
}

@test "docs: links between documents lead somewhere" {
	local file target
	need_sources
	for file in README.md CONTRIBUTING.md NEWS.md docs/*.md; do
		grep -oE '\]\([^)]+\)' "$ROOT/$file" | sed 's/^](//; s/)$//; s/#.*//' | grep -v '^http' |
			while read -r target; do
				echo "$file $target"
				[[ -e $ROOT/$(dirname "$file")/$target ]] || fail "$file: there is no $target"
			done
	done >links
	[[ -s links ]]
}

# --- verbs ------------------------------------------------------------------------

list_verbs() {
	"$GRPCTL" --help | sed -nE 's/^  ([a-z]+) {2,}.*/\1/p'
}

@test "docs: grpctl(1) has the verbs of grpctl, and their options" {
	local verb
	need_sources
	list_verbs >verbs
	sed -n '/^\.SH VERBS/,/^\.SH EXIT/p' "$ROOT/cli/grpctl.1" >section
	sed -nE '/^\.T[PQ]/{n; s/^\.BR? ([a-z]+).*/\1/p}' section >described
	same_lists "verbs of --help and of grpctl(1)" verbs described
	assert_equal "$(sed -nE '/^\.TP/{n; s/^\.BR? ([a-z]+).*/\1/p}' section | sort | uniq -d)" "" "described twice"
	while read -r verb; do
		sed -n "/^\.BR* $verb\( .*\)*\$/,/^\.[ST][SP]/p" section | sed 's/\\-/-/g' >entry
		"$GRPCTL" help "$verb" | sed -nE 's/^ +(-., )?(--[a-z]+).*/\2/p' | sed '/--help$/d; /--instance/d; /--json/d' |
			while read -r option; do
				grep -qF -e "$option" entry || fail "grpctl(1) does not tell of $verb $option"
			done
	done <verbs
}

# complete_line WORD...: what is offered for the last one
complete_line() {
	local COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE=$* COMP_WORDBREAKS=$' \t\n"\'><=;|&(:' COMPREPLY=()
	_grpctl
	printf '%s\n' "${COMPREPLY[@]}"
}

@test "docs: completion offers every verb, and groups where a verb takes one" {
	local verb words n=0
	need_sources
	start_agent
	ctl mkdir /offered
	# shellcheck source=cli/grpctl.bash
	source "$ROOT/cli/grpctl.bash"
	list_verbs >verbs
	complete_line grpctl "" >offered
	same_lists "verbs of --help and of the completion" verbs offered
	while read -r verb; do
		"$GRPCTL" help "$verb" | sed -n 1p | grep -qE "^Usage: grpctl $verb .*GROUP" || continue
		# a mode or an owner comes first
		[[ $verb == ch* ]] && words=("$verb" 0) || words=("$verb")
		complete_line grpctl "${words[@]}" /off | grep -q '^/offered' || fail "no group is offered to $verb"
		((n += 1))
	done <verbs
	((n > 10)) || fail "only $n verbs take a group"
}

@test "docs: grpctl(1) has a paragraph for each subsystem, with all of its files" {
	local subsystem n=0
	need_sources
	start_agent
	ctl mkdir /below
	while read -r subsystem; do
		sed -n "/^\.SS Subsystem $subsystem\$/,/^\.S[SH] /p" "$ROOT/cli/grpctl.1" |
			grep -o '\\fB[^\\]*\\fR' | sed 's/\\fB//; s/\\fR//' | tr ' ' '\n' >described
		{ ctl --json stat / && ctl --json stat /below; } |
			jq -r --arg s "$subsystem." '.files[].name | select(startswith($s)) | .[($s | length):]' |
			sort -u >files
		same_lists "files of $subsystem and in grpctl(1)" files described
		((n += 1))
	done < <(ctl --json subsystems | jq -r '.[].name')
	((n > 1)) || fail "there are only $n subsystems"
}

# --- settings ------------------------------------------------------------------------

@test "docs: grpagent(8) has the options of grpagent" {
	need_sources
	"$AGENT_BIN" --help | grep -oE '(^|[ ,])--[a-z-]+' | tr -d ' ,' >options
	sed -n '/^\.SH OPTIONS/,/^\.SH CONF/p' "$ROOT/agent/grpagent.8" | sed 's/\\-/-/g' |
		grep -oE '^\.B[IR]? .*' | grep -oE -- '--[a-z][a-z-]*' >described
	same_lists "options of --help and of grpagent(8)" options described
}

@test "docs: grpagent(8), the example and limits.md have the settings, with their defaults" {
	need_sources
	start_agent
	ctl --json status | jq -r '.config | del(.config) | keys[]' >keys
	sed -n '/^\.SH CONF/,/^\.SH METRICS/p' "$ROOT/agent/grpagent.8" |
		sed -nE 's/^\\fB([a-z\\-]+)\\fR\t.*/\1/p' | sed 's/\\-/-/g' >described
	same_lists "settings of the agent and of grpagent(8)" keys described
	sed -nE 's/^#([a-z-]+) = .*/\1/p' "$ROOT/examples/grpagent.conf" >example
	same_lists "settings of the agent and of grpagent.conf" keys example
	# of all numbers: not of the address, which depends on the name of the instance
	ctl --json status | jq -r '.config | del(.config, .metrics, ."groups-file", .mount) | to_entries[] | "\(.key) \(.value)"' >defaults
	sed -nE 's/^#([a-z-]+) = ([0-9]+)$/\1 \2/p' "$ROOT/examples/grpagent.conf" >example
	same_lists "defaults of the agent and in grpagent.conf" defaults example
	sed -nE 's/^\| `([a-z-]+)` \| ([0-9]+) \| [0-9]+ to .*/\1 \2/p' "$ROOT/docs/limits.md" >limits
	same_lists "defaults of the agent and in limits.md" defaults limits
	grep -q "16,384.*4,096" <(tr '\n' ' ' <"$ROOT/README.md") || fail "the README has other capacities"
}

@test "docs: the example of a configuration is one, with every line in force" {
	need_sources
	sed -E 's/^#([a-z-]+ = )/\1/' "$ROOT/examples/grpagent.conf" >all.conf
	start_agent --config "$BATS_TEST_TMPDIR/all.conf" --metrics none
	assert_equal "$(ctl --json status | jq -r .config.config)" "$BATS_TEST_TMPDIR/all.conf" "configuration"
}

@test "docs: memory per group and set is as limits.md has it" {
	local cpus fixed percpu name limit bytes n=0
	need_sources
	start_agent
	cpus=$(ctl get / cpuacct.usage_percpu | wc -w)
	while read -r name fixed percpu; do
		limit=$(ctl --json status | jq ".capacities[] | select(.name == \"$name\").limit")
		bytes=$(ctl --json status | jq ".capacities[] | select(.name == \"$name\").bytes")
		assert_equal $((limit * (fixed + percpu * cpus))) "$bytes" "bytes of all $name"
		((n += 1))
	done < <(sed -nE 's/^\| `capacity-([a-z]+)` \| ([0-9]+) \| ([0-9]+) \|$/\1 \2 \3/p' "$ROOT/docs/limits.md")
	assert_equal "$n" 2 "capacities with a cost in limits.md"
}

@test "docs: memory in all is about what README and limits.md say" {
	local file shown used
	need_sources
	start_agent
	(($(ctl get / cpuacct.usage_percpu | wc -w) == 2)) || skip "the figures are those of 2 CPUs"
	[[ $(printf '%s\n' 6.4 "$(uname -r)" | sort -V | head -n 1) == 6.4 ]] ||
		skip "before Linux 6.4 the kernel tells what a map takes when it is full"
	used=$(ctl --json status | jq .memory_bytes)
	for file in README.md docs/limits.md; do
		shown=$(tr '\n' ' ' <"$ROOT/$file" | sed -nE 's/.*about ([0-9]+)\.([0-9]) MiB (in all|with the defaults).*/\1\2/p')
		assert_between "$used" $((shown * 95000)) $((shown * 115000)) "bytes, about $shown / 10 MiB in $file"
	done
}

@test "docs: grpagent(8) says what each feature is for" {
	need_sources
	start_agent
	ctl --json features | jq -r '.[].name' >offered
	sed -n '/^\.SH FEATURES/,/^\.SH "EXIT/p' "$ROOT/agent/grpagent.8" | sed '1,/^\.ta/d; s/\\-/-/g' |
		grep -v '^\t' | grep -oE '\\fB[a-z0-9-]+\\fR' | sed -E 's/\\f[BR]//g' | grep -vx memory_pressure >described
	same_lists "features and those of grpagent(8)" offered described
}

# --- metrics --------------------------------------------------------------------------

# Name, type and labels of each family that is served.
list_served() {
	awk '/^# TYPE / { type[$3] = $4; next }
		/^#/ { next }
		{
			name = $0
			sub(/[{ ].*/, "", name)
			labels = ""
			rest = $0
			while (match(rest, /[{,][a-z]+="/)) {
				labels = labels " " substr(rest, RSTART + 1, RLENGTH - 3)
				rest = substr(rest, RSTART + RLENGTH)
			}
			seen[name] = labels
		}
		END { for (name in type) print name, type[name] seen[name] }' "$1"
}

@test "docs: metrics.md has the families that are served, with types and labels" {
	local address name
	need_sources
	need curl
	start_agent --metrics 127.0.0.1:0
	address=$(ctl --json status | jq -r .config.metrics)
	curl -sS --noproxy '*' "http://$address/metrics" >text
	list_served text >served
	sed -nE 's/^\| `((taskgroup|process)_[a-z_]+)` \| ([a-z]+) \| ([a-z, ]*)\|.*/\1 \3 \4/p' "$ROOT/docs/metrics.md" |
		sed 's/,//g; s/ *$//' >described
	same_lists "families that are served and those of metrics.md" served described
	sed '/^## Queries/,$!d' "$ROOT/docs/metrics.md" | grep -oE 'taskgroup_[a-z_]+' | sort -u >used
	[[ -s used ]]
	while read -r name; do
		grep -q "^$name " served || fail "a query asks for $name, which is not there"
	done <used
}

@test "docs: the rules of metrics.md are rules of Prometheus" {
	need_sources
	need promtool
	awk '/^```/ { inside = /^```yaml/; next } inside' "$ROOT/docs/metrics.md" >rules.yml
	run promtool check rules rules.yml
	((status == 0)) || fail "$output"
	assert_match "$output" '[1-9][0-9]* rules found' "rules"
}
