# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the sections of the battery share: asserting, processes of its own, waiting, taking all away.

export V1_BATTERY=$$
N=0
FAILED=0
STARTED=()
declare -A EXPECTED_OTHERWISE REASONS USED NAMES

# --- asserting -------------------------------------------------------------------------------

# read_deviations FILE: {NODES} in a result is those with memory
read_deviations() {
	local name result reason nodes
	nodes=$(cat /sys/devices/system/node/has_memory)
	while IFS='|' read -r name result reason; do
		[[ $name != '#'* && -n $name ]] || continue
		EXPECTED_OTHERWISE[$name]=${result//'{NODES}'/$nodes}
		REASONS[$name]=$reason
	done <"$1"
}

check_deviations() {
	local name
	for name in "${!EXPECTED_OTHERWISE[@]}"; do
		[[ -n ${USED[$name]-} ]] || outcome 1 "a deviation of which nothing was asked: $name"
	done
}

# outcome STATUS NAME [LINE...]: the lines say what was wrong
outcome() {
	local status=$1 name=$2 line
	shift 2
	((N += 1))
	if ((status == 0)); then
		echo "ok $N - $name"
		return
	fi
	((FAILED += 1))
	echo "not ok $N - $name"
	for line; do
		echo "#   $line"
	done
}

# is NAME ACTUAL EXPECTED: the one way to assert. In a line, what is no text shows as the shell
# would write it.
is() {
	local name="$SECTION: $1" actual=$2 expected=$3
	if [[ -n ${NAMES[$name]-} ]]; then
		outcome 1 "$name" "two assertions have this name"
		return
	fi
	NAMES[$name]=1
	if [[ -n ${EXPECTED_OTHERWISE[$name]-} ]]; then
		USED[$name]=1
		expected=${EXPECTED_OTHERWISE[$name]}
	fi
	if [[ $actual == "$expected" ]]; then
		outcome 0 "$name${REASONS[$name]:+ (differs: ${REASONS[$name]})}"
	else
		outcome 1 "$name" "got      $(shown "$actual")" "expected $(shown "$expected")"
	fi
}

shown() {
	[[ $1 =~ ^[[:print:]]+$ ]] && echo "$1" || printf '%q\n' "$1"
}

# try OPERATION ARGUMENT...: 0 or the name of the error
try() {
	"$SUPPORT/try" "$@"
}

# answers EXPECTED NAME OPERATION ARGUMENT...
answers() {
	is "$2" "$(try "${@:3}")" "$1"
}

# says COMMAND...: yes or no, for conditions
says() {
	if "$@" >/dev/null 2>&1; then
		echo yes
	else
		echo no
	fi
}

# becomes EXPECTED NAME COMMAND...: at once, or within a deadline
becomes() {
	local expected=$1 name=$2 end=$((SECONDS + 10 * SLOW)) actual
	shift 2
	if [[ -n ${EXPECTED_OTHERWISE["$SECTION: $name"]-} ]]; then
		expected=${EXPECTED_OTHERWISE["$SECTION: $name"]}
	fi
	while :; do
		actual=$("$@" 2>/dev/null) || true
		if [[ $actual == "$expected" ]] || ((SECONDS >= end)); then
			break
		fi
		sleep 0.01 # lint: sleep-ok a step of a poll with a deadline
	done
	is "$name" "$actual" "$expected"
}

# --- files and groups ------------------------------------------------------------------------

has() {
	[[ $CONTROLLERS == *" $1 "* ]]
}

# content FILE: the text in REPLY without its last newline; "no newline" if there is none
content() {
	REPLY=$(cat "$1" && printf .) || {
		REPLY='unreadable'
		return
	}
	case $REPLY in
	*$'\n.') REPLY=${REPLY%$'\n.'} ;;
	.) REPLY='' ;;
	*) REPLY="no newline: $REPLY" ;;
	esac
}

# reads NAME FILE EXPECTED: its one line (or none in an empty file, which is the same here)
reads() {
	content "$2"
	is "$1" "$REPLY" "$3"
}

# put FILE TEXT: what has to succeed, or the battery makes no sense
put() {
	local answer
	answer=$(try write "$1" "$2")
	if [[ $answer != 0 ]]; then
		outcome 1 "preparing: '$2' to ${1#"$DIR"}" "$answer"
	fi
}

# configure GROUP [CPUS [MEMS]]: so that tasks may come in; without lists, those of the parent
configure() {
	has cpuset || return 0
	put "$1/cpuset.cpus" "${2-$(cat "${1%/*}/cpuset.cpus")}"
	put "$1/cpuset.mems" "${3-$(cat "${1%/*}/cpuset.mems")}"
}

# group NAME: below the top, ready for tasks; sets G
group() {
	G=$TOP/$1
	mkdir "$G"
	configure "$G"
}

cpus_possible() {
	local list
	list=$(cat /sys/devices/system/cpu/possible)
	echo $((${list##*[-,]} + 1))
}

# --- processes -------------------------------------------------------------------------------

# start COMMAND...: sets P. It dies with the battery.
start() {
	setpriv --pdeathsig KILL "$@" </dev/null >"$SCRATCH/out" 2>/dev/null &
	P=$!
	STARTED+=("$P")
}

# A process that does nothing; sets P.
idle() {
	start sleep infinity
	wait_for is_program "$P" sleep
}

is_program() {
	[[ $(cat "/proc/$1/comm") == "$2" ]]
}

# wait_for COMMAND...: for what comes in any case
wait_for() {
	local end=$((SECONDS + 20 * SLOW))
	until "$@" 2>/dev/null; do
		((SECONDS < end)) || {
			outcome 1 "waiting for: $*"
			return 0
		}
		sleep 0.01 # lint: sleep-ok a step of a poll with a deadline
	done
}

# stop PID: and reaped
stop() {
	kill -KILL "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

# as_user COMMAND...: somebody without rights
as_user() {
	setpriv --reuid 54321 --regid 54321 --clear-groups "$@"
}

# in_group GROUP COMMAND...: a shell goes in first
in_group() {
	local group=$1
	shift
	# shellcheck disable=SC2016
	sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$group" "$@"
}

# where PID: the groups of the hierarchy, from the top of the battery on, that list this thread
where() {
	local file found=''
	while read -r file; do
		if grep -qx "$1" "$file"; then
			file=${file#"$DIR"}
			found+="${found:+ }${file%/tasks}/"
		fi
	done < <(find "$DIR" -name tasks 2>/dev/null)
	echo "${found//"${TOP#"$DIR"}"/}"
}

# lists GROUP PID...: its tasks are just these
lists() {
	local group=$1
	shift
	[[ $(cat "$group/tasks") == "$(printf '%s\n' "$@" | sort -n)" ]]
}

# --- the end ---------------------------------------------------------------------------------

# tidy: no process of ours and no group below the top
tidy() {
	local pid
	for pid in "${STARTED[@]}"; do
		stop "$pid"
	done
	STARTED=()
	find "$TOP" -mindepth 1 -depth -type d -exec chmod u+rwx {} + 2>/dev/null || true
	wait_for remove_groups "$TOP" -mindepth 1
}

# remove_groups DIR FIND-OPTION...: with who is left in them, if it is one of ours. Somebody else who
# has come in, by a defect of what is tested, is not touched, and is the failure.
remove_groups() {
	local dir pid
	while read -r -d '' dir; do
		while read -r pid; do
			! is_ours "$pid" || kill -KILL "$pid" 2>/dev/null || true
		done <"$dir/cgroup.procs"
		rmdir "$dir" || return
	done < <(find "$1" "${@:2}" -depth -type d -print0)
}

# is_ours PID: started by this battery, or by what it has started
is_ours() {
	grep -qzx "V1_BATTERY=$V1_BATTERY" "/proc/$1/environ" 2>/dev/null
}

clean_up() {
	local status=$? pid
	trap - EXIT
	for pid in "${STARTED[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	if [[ -d ${TOP-} ]]; then
		wait_for remove_groups "$TOP" >&2
	fi
	[[ -z ${SCRATCH-} ]] || rm -rf "$SCRATCH"
	exit "$status"
}
