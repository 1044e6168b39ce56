# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# CPU time (section G): sums are exact to the nanosecond as soon as nobody runs in the groups any more.

section_usage() {
	has cpuacct || return 0
	a_family 1 4
	a_family 6 1
	a_family 3 2
	formats
	leaving
	reset
	own_eyes
}

usage() {
	cat "$1/cpuacct.usage"
}

# sum FILE GROUP...: of the first column, or of all with percpu files
sum() {
	local file=$1 total=0 number
	shift
	# shellcheck disable=SC2013 # words
	for number in $(cat "${@/%/"/$file"}"); do
		((total += number))
	done
	echo "$total"
}

# The groups' tasks have ended; the last of them may still be on its way off the CPU.
stands_still() {
	[[ -z $(cat "${@/%//tasks}") && $(sum cpuacct.usage "$@") == "$(sum cpuacct.usage "$@")" ]]
}

burn_in() {
	in_group "$1" "$SUPPORT/burn" 10
}

# a_family GROUPS TASKS: that many groups, so many tasks in each
a_family() {
	local name="$1 groups of $2" i j groups=() parent
	group family
	parent=$G
	for ((i = 0; i < $1; i++)); do
		mkdir "$parent/$i"
		configure "$parent/$i"
		groups+=("$parent/$i")
		for ((j = 0; j < $2; j++)); do
			burn_in "$parent/$i" &
		done
	done
	wait
	wait_for stands_still "$parent" "${groups[@]}"
	is "$name: each has used at least what was burnt" \
		"$(for g in "${groups[@]}"; do (($(usage "$g") >= 10000000 * $2)) || echo "$g"; done)" ''
	is "$name: the parent is the sum" "$(usage "$parent")" "$(sum cpuacct.usage "${groups[@]}")"
	is "$name: also on each CPU" "$(sum cpuacct.usage_percpu "$parent")" \
		"$(sum cpuacct.usage_percpu "${groups[@]}")"
	is "$name: the CPUs' sum is the whole" "$(sum cpuacct.usage_percpu "$parent")" \
		"$(usage "$parent")"
	is "$name: the top is not less" "$(says test "$(usage "$TOP")" -ge "$(usage "$parent")")" yes
	is "$name: the root is not less" "$(says test "$(usage "$DIR")" -ge "$(usage "$TOP")")" yes
	is "$name: ticks are nearly those of the children" "$(ticks_agree "$parent" "${groups[@]}")" yes
	usage "$TOP" >"$SCRATCH/top"
	tidy
	is "$name: the time of removed groups stays above" "$(usage "$TOP")" "$(cat "$SCRATCH/top")"
}

# ticks GROUP: user and system
ticks() {
	awk '{ sum += $2 } END { print sum + 0 }' "$1/cpuacct.stat"
}

# ticks_agree PARENT CHILD...: within 2 * max(CPUs^2, 32)
ticks_agree() {
	local total=0 n group difference
	for group in "${@:2}"; do
		((total += $(ticks "$group"))) || true
	done
	n=$(cpus_possible)
	difference=$(($(ticks "$1") - total))
	((${difference#-} <= 2 * (n * n > 32 ? n * n : 32))) && echo yes || echo "no: $difference"
}

formats() {
	local n
	n=$(cpus_possible)
	group f
	burn_in "$G"
	wait_for stands_still "$G"
	is 'usage: a number' "$(says grep -qxE '[1-9][0-9]*' "$G/cpuacct.usage")" yes
	is 'usage_user: a number' "$(says grep -qxE '[0-9]+' "$G/cpuacct.usage_user")" yes
	is 'usage_sys: a number' "$(says grep -qxE '[0-9]+' "$G/cpuacct.usage_sys")" yes
	is 'stat: two lines' "$(sed -E 's/[0-9]+$/N/' "$G/cpuacct.stat")" $'user N\nsystem N'
	is 'usage_percpu: a number and a blank for each CPU' \
		"$(says grep -qxE "([0-9]+ ){$n}" "$G/cpuacct.usage_percpu")" yes
	is 'usage_percpu_user: as well' "$(says grep -qxE "([0-9]+ ){$n}" \
		"$G/cpuacct.usage_percpu_user")" yes
	is 'usage_percpu_sys: as well' "$(says grep -qxE "([0-9]+ ){$n}" \
		"$G/cpuacct.usage_percpu_sys")" yes
	is 'usage_all: its lines' "$(sed -E 's/ [0-9]+/ N/g' "$G/cpuacct.usage_all")" \
		"$(echo cpu user system && seq -f '%g N N' 0 $((n - 1)))"
	is 'usage_user: the sum of its CPUs' "$(cat "$G/cpuacct.usage_user")" \
		"$(sum cpuacct.usage_percpu_user "$G")"
	is 'usage_sys: the sum of its CPUs' "$(cat "$G/cpuacct.usage_sys")" \
		"$(sum cpuacct.usage_percpu_sys "$G")"
	is 'usage_all: the user column' "$(awk 'NR > 1 { s += $2 } END { printf "%.0f\n", s }' \
		"$G/cpuacct.usage_all")" "$(cat "$G/cpuacct.usage_user")"
	tidy
}

# Time before a move belongs to the old group, after it to the new one.
leaving() {
	local a b parent before after
	group both
	parent=$G
	a=$parent/a b=$parent/b
	mkdir "$a" "$b"
	configure "$a"
	configure "$b"
	start "$SUPPORT/burn" 0 --forever
	put "$a/tasks" "$P"
	wait_for test_above 20000000 "$a"
	put "$b/tasks" "$P"
	before=$(usage "$a")
	wait_for test_above 20000000 "$b"
	after=$(usage "$a")
	is 'left: the old group stands still' "$after" "$before"
	put "$DIR/tasks" "$P"
	is 'left: it has what was used there' "$(says test "$after" -ge 20000000)" yes
	wait_for stands_still "$a" "$b" "$parent"
	is 'left: the parent is the sum of both visits' "$(usage "$parent")" "$(sum cpuacct.usage "$a" "$b")"
	is 'left: the parent had none of its own' "$(cat "$parent/tasks")" ''
	tidy
}

test_above() {
	(($(usage "$2") > $1))
}

reset() {
	local parent stat
	group r
	parent=$G
	mkdir "$G/c"
	configure "$G/c"
	G=$G/c
	burn_in "$G"
	wait_for stands_still "$G"
	stat=$(cat "$G/cpuacct.stat")
	answers EINVAL 'reset: not with 1' write "$G/cpuacct.usage" 1
	is 'reset: unchanged by that' "$(says test "$(usage "$G")" -gt 0)" yes
	answers 0 'reset: a write of nothing' write "$G/cpuacct.usage" ''
	is 'reset: unchanged by nothing' "$(says test "$(usage "$G")" -gt 0)" yes
	usage "$parent" >"$SCRATCH/parent"
	answers 0 'reset' write "$G/cpuacct.usage" 0
	reads 'reset: usage' "$G/cpuacct.usage" 0
	is 'reset: usage_percpu' "$(sum cpuacct.usage_percpu "$G")" 0
	reads 'reset: usage_user' "$G/cpuacct.usage_user" 0
	reads 'reset: usage_sys' "$G/cpuacct.usage_sys" 0
	is 'reset: stat stays' "$(cat "$G/cpuacct.stat")" "$stat"
	is 'reset: the parent stays' "$(usage "$parent")" "$(cat "$SCRATCH/parent")"
	burn_in "$G"
	wait_for stands_still "$G"
	is 'reset: and it counts on' "$(says test "$(usage "$G")" -ge 10000000)" yes
	tidy
}

own_eyes() {
	group s
	# shellcheck disable=SC2016
	is 'a task sees its own time go on' "$(in_group "$G" sh -c 'read a <"$1/cpuacct.usage"; b=$a i=0
		while [ "$b" -le "$a" ] && [ $i -lt 1000000 ]; do
			read b <"$1/cpuacct.usage"; i=$((i + 1))
		done
		[ "$b" -gt "$a" ] && echo yes' sh "$G")" yes
	tidy
}
