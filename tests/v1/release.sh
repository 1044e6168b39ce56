# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Groups that are announced when they have become empty (section I). Sets the root's release_agent,
# which only an own hierarchy allows.

section_release() {
	local agent=$SCRATCH/agent
	[[ -n $own ]] || return 0
	reads 'release_agent: at first' "$DIR/release_agent" ''
	ln -s "$SUPPORT/released" "$agent"
	: >"$agent.log"
	chmod 0711 "$SCRATCH"
	settings "$agent"
	put "$DIR/release_agent" "$agent"
	announced "$agent"
	not_announced "$agent"
	what_it_gets "$agent"
	removes_itself "$agent"
	put "$DIR/release_agent" $'\n'
	without_agent "$agent"
}

# told NAME: a new group that is to be announced; sets G
told() {
	group "$1"
	put "$G/notify_on_release" 1
}

come_and_go() {
	in_group "$1" true
}

runs() {
	sed -n 's/^start [0-9]* //p' "$SCRATCH/agent.log"
}

has_run() {
	runs | grep -qxF "$1"
}

path() {
	echo "${1#"$DIR"}"
}

# announces NAME GROUP...: these and no other, in this order, since the last time. One
# of our own comes behind them; what would be too late for that is seen the next time.
announces() {
	local name=$1 group expected='' G
	shift
	for group; do
		expected+="$(path "$group") "
		wait_for has_run "$(path "$group")"
	done
	told "last$N"
	come_and_go "$G"
	wait_for has_run "$(path "$G")"
	rmdir "$G"
	is "$name" "$(runs | grep -v '/last[0-9]*$' | paste -sd ' ')" "${expected% }"
	: >"$SCRATCH/agent.log"
}

settings() {
	local long
	reads 'notify_on_release: of the root' "$DIR/notify_on_release" 0
	answers 0 'release_agent: write' write "$DIR/release_agent" "$1"
	reads 'release_agent: read' "$DIR/release_agent" "$1"
	answers 0 'release_agent: with a newline' write "$DIR/release_agent" "$1"$'\n'
	reads 'release_agent: without the newline' "$DIR/release_agent" "$1"
	answers 0 'release_agent: blanks' write "$DIR/release_agent" " $1 "$'\n'
	reads 'release_agent: without blanks' "$DIR/release_agent" "$1"
	long=/$(printf '%04095d' 0)
	answers E2BIG 'release_agent: 4096 characters' write "$DIR/release_agent" "$long"
	reads 'release_agent: the old one after that' "$DIR/release_agent" "$1"
	answers 0 'release_agent: 4095 characters' write "$DIR/release_agent" "${long%0}"
	answers 0 'release_agent: none' write "$DIR/release_agent" $'\n'
	reads 'release_agent: none, read' "$DIR/release_agent" ''
	is 'release_agent: of a user' "$(as_user "$SUPPORT/try" write "$DIR/release_agent" /x)" EACCES
}

announced() {
	local a
	told a
	come_and_go "$G"
	announces 'the last task ends' "$G"
	idle
	put "$G/tasks" "$P"
	put "$DIR/tasks" "$P"
	announces 'the last task goes elsewhere' "$G"
	put "$G/tasks" "$P"
	stop "$P"
	announces 'the last task is killed' "$G"
	a=$G
	mkdir "$a/child"
	put "$a/child/notify_on_release" 0
	rmdir "$a/child"
	announces 'the last child goes' "$a"
	mkdir "$a/child"
	configure "$a/child"
	come_and_go "$a/child"
	announces 'a child' "$a/child"
	rmdir "$a/child"
	announces 'its parent after it' "$a"
	told 's p'
	come_and_go "$G"
	announces 'a name with a blank' "$G"
	told before
	come_and_go "$G"
	announces 'before a rename' "$G"
	mv "$G" "$TOP/after"
	come_and_go "$TOP/after"
	announces 'after a rename' "$TOP/after"
	tidy
}

not_announced() {
	local a
	told two
	idle
	put "$G/tasks" "$P"
	come_and_go "$G"
	announces 'not: one of two leaves'
	a=$G
	mkdir "$a/child"
	put "$DIR/tasks" "$P"
	announces 'not: there is a child'
	put "$a/child/notify_on_release" 0
	rmdir "$a/child"
	announces 'but when that goes' "$a"
	told never
	announces 'not: nobody was ever in it'
	rmdir "$G"
	announces 'not: the group itself is removed'
	group off
	come_and_go "$G"
	announces 'not: without the flag'
	put "$G/notify_on_release" 1
	announces 'not: the flag is set when it is empty'
	tidy
}

report() {
	grep "^$1 " "$SCRATCH/agent.report" | cut -d ' ' -f 2- | paste -sd '|'
}

what_it_gets() {
	: >"$1.report"
	chmod 0666 "$1.report"
	told gets
	come_and_go "$G"
	wait_for grep -q '^end' "$1.log"
	is 'it gets: arguments' "$(report arg)" "$1|$(path "$G")"
	is 'it gets: environment' "$(report env)" 'HOME=/|PATH=/sbin:/bin:/usr/sbin:/usr/bin'
	is 'it gets: user' "$(report uid)" 0
	is 'it gets: directory' "$(report cwd)" /
	rm "$1.report"
	: >"$1.log"
	tidy
}

# Through the mount, which waits for nobody.
removes_itself() {
	# shellcheck disable=SC2016
	printf '#!/bin/sh\nexec rmdir "%s/$1"\n' "$DIR" >"$1.then"
	chmod +x "$1.then"
	told away
	come_and_go "$G"
	wait_for test ! -e "$G"
	is 'it may remove the group' "$(says test -e "$G")" no
	rm "$1.then"
	: >"$1.log"
	tidy
}

# Nothing is announced, and nothing else goes wrong.
without_agent() {
	local value
	for value in $'\n' /nonexistent "$SCRATCH" "$1 argument"; do
		put "$DIR/release_agent" "$value"
		told without
		come_and_go "$G"
		is "without: agent $(shown "${value##*/}"): the group stays" "$(says test -e "$G/tasks")" yes
		answers 0 "without: agent $(shown "${value##*/}"): can be removed" rmdir "$G"
	done
	put "$DIR/release_agent" "$1"
	announces 'without: nothing was kept for later'
	put "$DIR/release_agent" $'\n'
}
