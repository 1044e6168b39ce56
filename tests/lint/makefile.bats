#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
#
# What the Makefile does besides compiling: make install, and whose build/ is after sudo make.

# shellcheck disable=SC2016 # text for other shells

bats_require_minimum_version 1.5.0

setup() {
	ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	BUILD=${BUILD:-$ROOT/build}
	# those of the make that runs us are not for the ones we run
	unset MAKEFLAGS MAKELEVEL MFLAGS MAKEOVERRIDES SUDO_UID SUDO_GID DESTDIR PREFIX O
}

# --- install ---------------------------------------------------------------------------

# What is built is installed as it is.
install_to() {
	make --no-print-directory -C "$ROOT" -o all O="$BUILD" "$@"
}

# search REGEX OPTION...: in what is installed below $to and is text
search() {
	find "$to" -type f ! -path '*bin/*' -exec grep -E "${@:2}" -e "$1" {} +
}

@test "make install: everything is below DESTDIR/PREFIX, and texts name the paths there" {
	local to=$BATS_TEST_TMPDIR/to file
	run -0 install_to install DESTDIR="$to" PREFIX=/opt/grp
	for file in sbin/grpagent bin/grpctl share/man/man1/grpctl.1 share/man/man8/grpagent.8 \
		share/grpagent/org.grpagent.varlink share/grpagent/grpagent.conf \
		lib/systemd/system/grpagent.service share/bash-completion/completions/grpctl; do
		[ -s "$to/opt/grp/$file" ]
	done
	run -0 find "$to" -type f ! -path "$to/opt/grp/*"
	[ -z "$output" ]
	grep -qx 'ExecStart=/opt/grp/sbin/grpagent' "$to/opt/grp/lib/systemd/system/grpagent.service"
	run ! search '/usr/(local|s?bin)'
	# each path below the prefix that a text names is there
	run -0 search '/opt/grp/[A-Za-z0-9_./-]*[a-z]' -ho
	((${#lines[@]} >= 4))
	for file in "${lines[@]}"; do
		[ -e "$to$file" ]
	done
	run -0 "$to/opt/grp/bin/grpctl" --version
}

@test "make install: /usr/local by default; make uninstall leaves no file" {
	local to=$BATS_TEST_TMPDIR/to
	run -0 install_to install DESTDIR="$to"
	grep -qF '/usr/local/share/grpagent/org.grpagent.varlink' "$to/usr/local/share/man/man1/grpctl.1"
	run -0 install_to uninstall DESTDIR="$to"
	run -0 find "$to" -type f
	[ -z "$output" ]
}

# --- whose is what was built -----------------------------------------------------------------

# A tree of user 65534 without sources, in which sudo make makes something.
make_tree() {
	((EUID == 0)) || skip "files of two users: needs root"
	TREE=$BATS_TEST_TMPDIR/tree
	mkdir -p "$TREE"/{.ci,tests,examples,build}
	cp "$ROOT/Makefile" "$TREE"
	cp "$ROOT/.ci/give-back" "$TREE/.ci"
	fake .ci/packages <<<''
	fake tests/run <<<'echo "ran tests/run"; mkdir -p "$BUILD/test/log"; touch "$BUILD/test/log/x"; exit "${STATUS:-0}"'
	fake examples/demo.sh <<<'echo "ran the demo"; mkdir -p "$BUILD/demo"; touch "$BUILD/demo/x"; exit "${STATUS:-0}"'
	touch "$BATS_TEST_TMPDIR/outside"
	chown -R 65534:65534 "$TREE"
	ln -s "$BATS_TEST_TMPDIR/outside" "$TREE/build/link"
	touch "$TREE/build/other"
	chown 65533 "$TREE/build/other"
}

fake() {
	{
		echo '#!/bin/bash'
		cat
	} >"$TREE/$1"
	chmod +x "$TREE/$1"
}

# Files of root's in build/
of_root() {
	find "$TREE/build" -user 0
}

sudo_make() {
	SUDO_UID=65534 make --no-print-directory -C "$TREE" "$@"
}

@test "sudo make check and demo: build/ is the owner's afterwards, also when they fail" {
	make_tree
	run -0 sudo_make check
	[[ $output == *"ran tests/run"* ]]
	[ -e "$TREE/build/test/log/x" ]
	[ -z "$(of_root)" ]
	run -0 sudo_make demo
	[[ $output == *"ran the demo"* ]]
	[ -e "$TREE/build/demo/x" ]
	[ -z "$(of_root)" ]
	rm -r "$TREE/build/test" "$TREE/build/demo"
	STATUS=3 run -2 sudo_make check
	STATUS=3 run -2 sudo_make demo
	[ -e "$TREE/build/test/log/x" ]
	[ -e "$TREE/build/demo/x" ]
	[ -z "$(of_root)" ]
	# what was not root's, and what is not in build/, stays whose it was
	[ "$(stat -c %u "$TREE/build/other")" = 65533 ]
	[ "$(stat -c %u "$BATS_TEST_TMPDIR/outside")" = 0 ]
}

@test "without sudo, and in a tree of root's, nothing changes hands" {
	make_tree
	run -0 make --no-print-directory -C "$TREE" check
	[ "$(stat -c %u "$TREE/build/test/log/x")" = 0 ]
	chown 0:0 "$TREE"
	run -0 sudo_make check
	[ "$(stat -c %u "$TREE/build/test/log/x")" = 0 ]
}
