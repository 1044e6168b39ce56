#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Memory policy of running tasks on arm64: what knows registers there (agent/place) in a guest
# of that architecture, emulated. Nothing else of ours is in it: the helper that stops
# threads, and the programs of place.bats that are stopped, linked statically.
#
# timeout: 900

set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.bash"

readonly CC=aarch64-linux-gnu-gcc QEMU=$VM_CACHE/qemu-arm64/usr
readonly SECONDS_MAX=$((${SLOW:-1} * 400))
# into 32 threads each: 1,024 injections
readonly ROUNDS=$((${SOAK:-0} == 1 ? 128 : 32))

# program NAME SOURCE...
program() {
	# confined.c is not asked for io_uring here
	"$CC" -D_GNU_SOURCE -I"$ROOT/include" -I"$ROOT/agent" -I"$ROOT/tests/support" -std=gnu11 -O2 \
		-Wall -static -pthread -Wl,--unresolved-symbols=ignore-in-object-files \
		-o "$work/root/bin/$1" "${@:2}"
}

make_image() {
	local name

	mkdir -p "$work/root"/{bin,proc,sys,dev,tmp}
	cp "$VM_CACHE/arm64/bin/busybox" "$work/root/bin/"
	cp "$VM_DIR/arm64/init" "$work/root/"
	program helper "$VM_DIR/arm64/helper.c" "$ROOT"/agent/place/*.c "$ROOT/agent/base/parse.c"
	for name in inject blocked undisturbed confined; do
		program "$name" "$ROOT/tests/support/$name.c"
	done
	(cd "$work/root" && find . | cpio -o -H newc --quiet) >"$work/image"
}

boot() {
	local node args=()

	for node in 0 1; do
		args+=(
			-object "memory-backend-ram,id=mem$node,size=512M"
			-numa "node,nodeid=$node,memdev=mem$node,cpus=$node"
		)
	done
	setpriv --pdeathsig KILL timeout --foreground --kill-after 5 "$SECONDS_MAX" \
		"$QEMU/bin/qemu-system-aarch64" -L "$QEMU/share/qemu" -nodefaults -no-user-config \
		-display none -no-reboot -machine virt -cpu cortex-a57 -accel tcg,thread=multi \
		-smp 2,sockets=2 -m 1024M "${args[@]}" -kernel "$VM_CACHE/arm64/vmlinuz" \
		-initrd "$work/image" -serial stdio \
		-append "console=ttyAMA0 quiet panic=-1 oops=panic mitigations=off ROUNDS=$ROUNDS" </dev/null
}

# Its lines get numbers. Without the last one it died, or it took too long.
report() {
	tr -d '\r' <"$work/console" | awk '
		/^(not )?ok - / { n++; sub(/ok -/, "ok " n " -"); print; next }
		/^@end$/ { end = 1; next }
		{ sub(/^# */, ""); print "# " $0 }
		END {
			print (end ? "ok " : "not ok ") ++n " - the guest comes to its end"
			print "1.." n
		}'
}

"$VM_DIR/fetch-qemu"
"$VM_DIR/fetch-arm64"
need "$CC=gcc-aarch64-linux-gnu" cpio=cpio setpriv=util-linux
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make_image
boot >"$work/console" || echo "# qemu: status $?" >>"$work/console"
report
