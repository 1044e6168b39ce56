#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The e2e tests on other kernels: a guest for each kernel, all at the same time,
# each running several files at a time. Prints TAP with every result of every
# file. 6.1 is booted with preempt=full, where programs of ours can be preempted
# in the middle of a storage helper.
#
# A file without results, because the guest died or hung, is a failure, and so is
# whatever `run` finds wrong with the guest, complaints of its kernel included;
# the end of the console log is shown then.
#
# Environment:
#	VM_KERNELS	which (6.1 6.12)
#	VM_ALL		1: every file on every kernel, in full length. Otherwise the
#			storm of guest-storm on every kernel, and the files of SHORT
#			in their short form on one each: what an automatic build has
#			time for
#	VM_FILES	only these files of tests/e2e, without .bats, on every kernel
#	VM_JOBS		how many files at a time in a guest (3)
#
# timeout: 14000

set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.bash"

# Those that take a minute or so here, by turns on this kernel and that
readonly SHORT=(orphans debug helpers)
readonly SECONDS_ALL=12000 SECONDS_SHORT=1500

read -ra kernels <<<"${VM_KERNELS:-6.1 6.12}"
jobs=${VM_JOBS:-3}
n=0

append_of() {
	case $1 in
	6.1) echo preempt=full ;;
	esac
}

# files_of INDEX: those that the kernel of this index runs
files_of() {
	local i names

	if [[ ${VM_FILES-} ]]; then
		read -ra names <<<"$VM_FILES"
	elif [[ ${VM_ALL-} ]]; then
		names=(guest-storm "$ROOT"/tests/e2e/*.bats)
		names=("${names[@]##*/}")
		names=("${names[@]%.bats}")
	else
		names=(guest-storm "${SHORT[@]}")
	fi
	for i in "${!names[@]}"; do
		if [[ ${names[i]} == guest-storm ]]; then
			echo "tests/vm/guest-storm"
		elif [[ ${VM_ALL-}${VM_FILES-} ]] || ((i % ${#kernels[@]} == $1)); then
			echo "tests/e2e/${names[i]}.bats"
		fi
	done
}

# run_guest KERNEL INDEX: leaves KERNEL.out, .err and .status in $work
run_guest() {
	local kernel=$1 status=0 short=-q seconds=$SECONDS_SHORT append=()
	local -a files

	mapfile -t files < <(files_of "$2")
	if [[ ${VM_ALL-} ]]; then
		short='' seconds=$SECONDS_ALL
	fi
	[[ -z $(append_of "$kernel") ]] || append=(--append "$(append_of "$kernel")")
	printf '%s\n' "${files[@]#tests/}" >"$work/$kernel.files"
	# whoever ends us ends the subshell that waits for it
	setpriv --pdeathsig TERM "$VM_DIR/run" --kernel "$kernel" "${append[@]}" --timeout "$seconds" -- \
		tests/vm/guest-e2e "$jobs" ${short:+"$short"} "${files[@]}" \
		>"$work/$kernel.out" 2>"$work/$kernel.err" || status=$?
	echo "$status" >"$work/$kernel.status"
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

	block=$(sed -n "\|^@file $2 |,\|^@end $2\$|p" "$work/$1.out")
	if [[ $block != *"@end $2" ]]; then
		result fail "$1 $2: no results"
		return
	fi
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
	local kernel=$1 name

	while read -r name; do
		report_file "$kernel" "$name"
	done <"$work/$kernel.files"
	if [[ $(<"$work/$kernel.status") == 0 ]]; then
		result ok "$kernel: the guest"
	else
		result fail "$kernel: the guest (status $(<"$work/$kernel.status"))"
		sed 's/^/# /' "$work/$kernel.err"
	fi
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
	for i in "${!kernels[@]}"; do
		run_guest "${kernels[i]}" "$i" &
	done
	wait
	for i in "${!kernels[@]}"; do
		report "${kernels[i]}"
	done
	echo "1..$n"
}

main "$@"
