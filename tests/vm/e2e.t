#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The e2e and BPF tests on other kernels: a guest for each kernel, all at the same time,
# each running several files at a time. Prints TAP with every result of every
# file. 6.1 is booted with preempt=full, where programs of ours can be preempted
# in the middle of a storage helper.
#
# A file without results, because the guest died or hung, is a failure, and so is
# whatever `run` finds wrong with the guest, complaints of its kernel included;
# the end of the console log is shown then. What had not been begun goes to
# another guest.
#
# Environment:
#	VM_KERNELS	which (6.1 6.12)
#	VM_ALL		1: every file on every kernel, in full length. Otherwise what
#			an automatic build has time for, in short form: guest-storm
#			on every kernel, the files of SHORT on one each, and one
#			portion of ROTA on one, with every commit another
#	VM_QUICK	1: short form with VM_ALL too
#	VM_RESUME	1: go on with a run of VM_ALL that was cut short. Results
#			that it had without a failure are taken as they are
#	VM_FILES	only these files of tests/e2e, without .bats, or of another
#			level, as in bpf/test_place.c, on every kernel, in short form
#			unless VM_ALL is set
#	VM_JOBS		how many files at a time in a guest (3)
#	VM_TURN		which portion of ROTA (the number of commits)
#
# timeout: 28000

set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.bash"

# Those that take a minute or so here, by turns on this kernel and that. counts.bats frees maps of
# task storage, which on 6.1 keeps others from finding theirs (docs/limits.md): not beside the storm.
readonly SHORT=(orphans debug helpers bench/counts.bats)
# What takes 5 minutes or so and has passed on both, a portion a line
readonly ROTA=(
	'bpf/test_fastpath.c bpf/test_idleness.c bpf/test_drop.c bpf/test_place.c'
	'tasks verbs'
	'delegation metrics'
	nobody_missed
)
readonly SECONDS_ALL=12000 SECONDS_SHORT=1500
readonly RESULTS=$BUILD/vm-results

read -ra kernels <<<"${VM_KERNELS:-6.1 6.12}"
jobs=${VM_JOBS:-3}
n=0

append_of() {
	case $1 in
	6.1) echo preempt=full ;;
	esac
}

# portion INDEX: what the kernel of this index has to run in addition, if it is its turn
portion() {
	local turn=${VM_TURN:-$(git -C "$ROOT" rev-list --count HEAD 2>/dev/null || date +%j)}

	turn=$((10#$turn))
	((turn % ${#kernels[@]} != $1)) || echo "${ROTA[turn / ${#kernels[@]} % ${#ROTA[@]}]}"
}

# files_of INDEX: those that the kernel of this index runs
files_of() {
	local i names

	if [[ ${VM_FILES-} ]]; then
		read -ra names <<<"$VM_FILES"
	elif [[ ${VM_ALL-} ]]; then
		names=(guest-storm "$ROOT"/tests/e2e/*.bats)
		names=("${names[@]##*/}")
		names=("${names[@]%.bats}" bench/counts.bats)
		for i in "$ROOT"/tests/bpf/test_*.c; do
			names+=("bpf/${i##*/}")
		done
	else
		read -ra names <<<"guest-storm $(portion "$1")"
		for i in "${!SHORT[@]}"; do
			((i % ${#kernels[@]} != $1)) || names+=("${SHORT[i]}")
		done
	fi
	for i in "${names[@]}"; do
		case $i in
		guest-storm) echo "vm/guest-storm" ;;
		*/*) echo "$i" ;;
		*) echo "e2e/$i.bats" ;;
		esac
	done
}

# block_of KERNEL NAME: the file with what guest-e2e has said of it
block_of() {
	echo "$results/$1/${2//\//-}"
}

# has_block KERNEL NAME: wholly
has_block() {
	[[ $(tail -n 1 "$(block_of "$@")" 2>/dev/null) == "@end $2" ]]
}

is_good() {
	has_block "$@" && ! grep -q '^fail' "$(block_of "$@")"
}

# collect DIR: guest-e2e's output; each block to a file, the names of those begun
# to `begun`
collect() {
	local line block='' name

	while IFS= read -r line; do
		case $line in
		'@start '*) echo "${line#@start }" >>"$1/begun" ;;
		'@file '*) block=$line$'\n' ;;
		'@end '*)
			name=${line#@end }
			printf '%s%s\n' "$block" "$line" >"$1/${name//\//-}"
			;;
		*) block+=$line$'\n' ;;
		esac
	done
}

# one_guest KERNEL DIR FILE...: its status is added to DIR/guests, its complaints to
# DIR/guests.err
one_guest() {
	local kernel=$1 dir=$2 status=0 short=-q seconds=$SECONDS_SHORT append=()

	if [[ ${VM_ALL-} ]]; then
		short=${VM_QUICK:+-q} seconds=$SECONDS_ALL
	fi
	[[ -z $(append_of "$kernel") ]] || append=(--append "$(append_of "$kernel")")
	# whoever ends us ends the subshell that waits for it
	setpriv --pdeathsig TERM "$VM_DIR/run" --kernel "$kernel" "${append[@]}" --timeout "$seconds" -- \
		tests/vm/guest-e2e "$jobs" ${short:+"$short"} "${@:3}" \
		2>>"$dir/guests.err" | collect "$dir" || status=${PIPESTATUS[0]}
	echo "$status" >>"$dir/guests"
	return "$status"
}

# pending KERNEL: what has not been begun and has no result from before
pending() {
	local name

	while read -r name; do
		grep -qxF "$name" "$results/$1/begun" || has_block "$1" "$name" || echo "tests/$name"
	done <"$results/$1/files"
}

# run_kernel KERNEL INDEX: guests, until every file has been begun
run_kernel() {
	local kernel=$1 dir=$results/$1 name before=
	local -a left

	[[ ${VM_RESUME-} ]] || rm -rf "$dir"
	mkdir -p "$dir"
	rm -f "$dir"/{begun,guests,guests.err}
	: >"$dir/begun"
	: >"$dir/guests"
	files_of "$2" >"$dir/files"
	while read -r name; do
		is_good "$kernel" "$name" || rm -f "$(block_of "$kernel" "$name")"
	done <"$dir/files"
	mapfile -t left < <(pending "$kernel")
	while ((${#left[@]})) && [[ ${#left[@]} != "$before" ]]; do
		before=${#left[@]}
		one_guest "$kernel" "$dir" "${left[@]}" || true
		mapfile -t left < <(pending "$kernel")
	done
}

# result KIND TEXT [REASON]: a TAP line
result() {
	n=$((n + 1))
	case $1 in
	ok) echo "ok $n - $2" ;;
	skip) echo "ok $n - $2 # skip $3" ;;
	*) echo "not ok $n - $2" ;;
	esac
}

# report_file KERNEL NAME: the block of guest-e2e, as TAP; a failure's output last
report_file() {
	local block kind text

	if ! has_block "$1" "$2"; then
		result fail "$1 $2: no results"
		return
	fi
	block=$(<"$(block_of "$1" "$2")")
	while IFS=$'\t' read -r kind text; do
		case $kind in
		ok) result ok "$1 $2: $text" ;;
		skip) result skip "$1 $2" "$text" ;;
		esac
	done <<<"$block"
	while IFS=$'\t' read -r kind text; do
		[[ $kind != fail ]] || result fail "$1 $2: $text"
	done <<<"$block"
	grep '^#' <<<"$block" || true
	sed -n 's/^@file \(.*\) \([0-9]*\)$/# \1: \2 s/p' <<<"$block"
}

report() {
	local kernel=$1 name status bad=

	while read -r name; do
		report_file "$kernel" "$name"
	done <"$results/$kernel/files"
	while read -r status; do
		if [[ $status == 0 ]]; then
			result ok "$kernel: a guest"
		else
			result fail "$kernel: a guest (status $status)"
			bad=1
		fi
	done <"$results/$kernel/guests"
	[[ ! $bad ]] || sed 's/^/# /' "$results/$kernel/guests.err"
}

main() {
	local i

	"$VM_DIR/fetch-qemu"
	for i in "${!kernels[@]}"; do
		"$VM_DIR/fetch-kernel" "${kernels[i]}"
	done
	work=$(mktemp -d)
	trap 'kill $(jobs -pr) 2>/dev/null || true; rm -rf "$work"' EXIT
	trap 'exit 143' TERM INT HUP
	results=$work
	[[ ! ${VM_ALL-} ]] || results=$RESULTS
	for i in "${!kernels[@]}"; do
		run_kernel "${kernels[i]}" "$i" &
	done
	wait
	for i in "${!kernels[@]}"; do
		report "${kernels[i]}"
	done
	echo "1..$n"
}

main "$@"
