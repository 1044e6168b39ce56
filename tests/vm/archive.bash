# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Getting packages out of one suite of the Debian archive that this host uses,
# without installing them and without touching the host's apt: its configuration
# is only read. To be sourced after common.bash; it runs nothing by itself.

# The archive that this host is installed from: its main component is there
# under the plain name of the release.
debian_archive() {
	local codename

	# shellcheck source=/dev/null
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	# shellcheck disable=SC2016 # these are apt's variables
	apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' \
		'Created-By: Packages' |
		awk -v release="$codename" \
			'$1 == release && $2 == "main" && !n++ { print $3 }'
}

# Proxies and the like stay as the host has them. Its hooks are not for us, and
# neither is what it has installed.
write_apt_conf() {
	local apt=$1 suite=$2 archive keyring

	archive=$(debian_archive)
	[[ $archive ]] || die "no Debian archive in apt's sources"
	keyring=$(dpkg -L debian-archive-keyring |
		grep -E '/debian-archive-keyring\.[gp]+$')

	mkdir -p "$apt"/{lists/partial,cache/archives/partial,sources}
	: >"$apt/status"
	echo "deb [signed-by=$keyring] $archive $suite main" \
		>"$apt/sources/$suite.list"
	cat >"$apt/apt.conf" <<-END
		Dir::Etc::sourcelist "$apt/none";
		Dir::Etc::sourceparts "$apt/sources";
		Dir::State::lists "$apt/lists";
		Dir::State::status "$apt/status";
		Dir::Cache "$apt/cache";
		APT::Architecture "${FETCH_ARCH:-amd64}";
		APT::Architectures { "${FETCH_ARCH:-amd64}"; };
		APT::Sandbox::User "$(id -un)";
		APT::Update::Error-Mode "any";
		Acquire::Languages "none";
		Acquire::Retries "1";
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
	END
}

# download DIR SUITE PACKAGE...: of FETCH_ARCH (amd64); leaves the files in DIR.
# PACKAGE may be META:PATTERN, the first that META depends on, which has to match.
download() {
	local dir=$1 apt=$1/apt package packages=()

	write_apt_conf "$apt" "$2"
	apt-get -c "$apt/apt.conf" update || return
	for package in "${@:3}"; do
		if [[ $package == *:* ]]; then
			package=$(dependency "$apt" "${package%%:*}" \
				"${package#*:}") || return
		fi
		packages+=("$package")
	done
	(cd "$dir" && apt-get -c "$apt/apt.conf" download "${packages[@]}")
}

dependency() {
	local apt=$1 meta=$2 pattern=$3 package

	package=$(apt-cache -c "$apt/apt.conf" depends "$meta" |
		awk '/^ *Depends: / && !n++ { print $2 }')
	# shellcheck disable=SC2053 # it is a pattern
	if [[ $package != $pattern ]]; then
		echo "$meta depends on '$package', not on $pattern" >&2
		return 1
	fi
	echo "$package"
}

# fetch NAME SUITE FINISH PACKAGE...: unpack the packages into $VM_CACHE/NAME,
# unless that is there. FINISH is called with the new tree before it gets its
# name.
fetch() {
	local name=$1 suite=$2 finish=$3
	local work=$VM_CACHE/fetch-$name log=$VM_CACHE/log/fetch-$name.log
	local lock package

	[[ ! -e $VM_CACHE/$name ]] || return 0
	need apt-get=apt dpkg-deb=dpkg flock=util-linux
	mkdir -p "$VM_CACHE/log"
	exec {lock}>"$VM_CACHE/fetch.lock"
	flock "$lock"
	if [[ -e $VM_CACHE/$name ]]; then
		exec {lock}>&-
		return 0
	fi

	rm -rf "$work"
	mkdir -p "$work/tree"
	if ! (download "$work" "$suite" "${@:4}") >"$log" 2>&1; then
		rm -rf "$work"
		die "cannot download $name from $suite (offline?): see $log"
	fi
	for package in "$work"/*.deb; do
		dpkg-deb -x "$package" "$work/tree"
	done
	"$finish" "$work/tree"
	mv "$work/tree" "$VM_CACHE/$name"
	rm -rf "$work"
	exec {lock}>&-
}

# finish_qemu TREE: for fetch(); what is unpacked has to run with the libraries
# of the host
finish_qemu() {
	local programs=("$1"/usr/bin/qemu-system-*) missing

	missing=$(ldd "${programs[@]}" | awk '/not found/ { print $1 }' | sort -u)
	[[ -z $missing ]] ||
		die "install qemu-system-x86 first, for ${missing//$'\n'/ }"
}
