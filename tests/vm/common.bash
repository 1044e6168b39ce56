# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the scripts in this directory share: where things are, and how to fail.
# To be sourced by bash after `set -euo pipefail`; it runs nothing by itself.
#
#	BUILD		what `make` has built (build/)
#	VM_CACHE	directory for kernels, images and logs ($BUILD/vm)

VM_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$VM_DIR/../.." && pwd)
BUILD=$(realpath -m "${BUILD:-$ROOT/build}")
VM_CACHE=$(realpath -m "${VM_CACHE:-$BUILD/vm}")
export BUILD VM_CACHE
# shellcheck disable=SC2034 # for those who source us
readonly VM_DIR ROOT BUILD VM_CACHE

# Our own failures, apart from those of the command in the guest, as env(1) and
# timeout(1) do it.
# shellcheck disable=SC2034
readonly EXIT_USAGE=2 EXIT_TIMEOUT=124 EXIT_RUNNER=125

say() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die() {
	say "$@"
	exit "$EXIT_RUNNER"
}

die_usage() {
	say "$@"
	exit "$EXIT_USAGE"
}

# need PROGRAM=PACKAGE...: all of these must be there
need() {
	local pair missing=()

	for pair; do
		command -v "${pair%%=*}" >/dev/null || missing+=("${pair##*=}")
	done
	((${#missing[@]} == 0)) || die "install first: ${missing[*]}"
}
