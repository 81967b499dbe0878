#!/bin/sh
# Puts what is needed to build and run for linux/arm64 into FOLDER/arm64: install-arm64.sh FOLDER
#
# FOLDER/arm64/bin then has a rustc for amd64 and arm64, a cross compiler for C with its binutils, and an emulator of the processor. What
# the machine has itself is used: a rustc with the target (`rustup target add aarch64-unknown-linux-gnu`), aarch64-linux-gnu-gcc, qemu-aarch64.
# The rest comes from Debian. It is unpacked, not installed: no root is needed, and the system and its Rust stay as they are.
set -eu
folder=$1/arm64
target=aarch64-unknown-linux-gnu

if [ -e "$folder/complete" ]; then
	exit 0
fi
rm -rf "$folder"
mkdir -p "$folder/bin" "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial" "$folder/debs"
cd "$folder"
folder=$PWD

need=
has_target() {
	command -v rustc >/dev/null && [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ]
}
has_target || need="$need rustc"
command -v aarch64-linux-gnu-gcc >/dev/null || need="$need gcc"
command -v qemu-aarch64 >/dev/null || need="$need qemu"

apt() {
	apt-get -qq -o Debug::NoLocking=1 -o APT::Sandbox::User=root -o Dir::State::Lists="$folder/apt/lists" -o Dir::Cache="$folder/apt/cache" \
		-o 'APT::Architectures::=amd64' -o 'APT::Architectures::=arm64' -o Acquire::Languages=none "$@"
}
if [ -n "$need" ]; then
	echo "fetching for linux/arm64 into $folder:$need" >&2
	if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
		echo "error: missing for linux/arm64:$need; install them: \`rustup target add $target\`, gcc-aarch64-linux-gnu, qemu-user" >&2
		exit 1
	fi
	apt update
fi
case $need in *rustc*)
	# The library of the compiler is a package of its own, and so is that of LLVM; the machine's C library serves all.
	llvm=$(apt-cache -o Dir::State::Lists="$folder/apt/lists" -o Dir::Cache="$folder/apt/cache" -o APT::Architectures=amd64 depends rustc-web libstd-rust-web-1.96 |
		sed -n 's/^ *Depends: \(libllvm[0-9]*\)$/\1/p' | sort -u)
	(cd debs && apt download rustc-web:amd64 libstd-rust-web-1.96:amd64 libstd-rust-web-dev:amd64 libstd-rust-web-dev:arm64 ${llvm:+"$llvm:amd64"})
	;;
esac
packages=
case $need in *gcc*) packages="gcc-aarch64-linux-gnu libc6-dev-arm64-cross" ;; esac
case $need in *qemu*) packages="$packages qemu-user" ;; esac
if [ -n "$packages" ]; then
	# With the libraries that the machine lacks.
	# shellcheck disable=SC2086
	apt install --yes --download-only --no-install-recommends $packages >&2
	find apt/cache/archives -name '*.deb' -exec mv '{}' debs/ ';'
fi
for deb in debs/*.deb; do
	[ ! -e "$deb" ] || dpkg-deb -x "$deb" root
done
rm -rf apt debs

# What starts a program of the folder with the folder's libraries. The libraries are named on the command line of the loader, so that what the
# program starts keeps the machine's.
libraries=$folder/root/usr/lib/x86_64-linux-gnu
starter() {
	printf '#!/bin/sh\nexec /lib64/ld-linux-x86-64.so.2 --library-path %s %s "$@"\n' "$libraries" "$folder/root/usr/bin/$1" >"bin/$1"
	chmod +x "bin/$1"
}
case $need in *rustc*) starter rustc ;; esac
case $need in *qemu*) starter qemu-aarch64 ;; esac
case $need in *gcc*)
	for tool in root/usr/bin/aarch64-linux-gnu-*; do
		starter "$(basename "$tool")"
	done
	# The compiler starts the assembler and the linker itself.
	printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "$libraries" "$folder/root/usr/bin/aarch64-linux-gnu-gcc" >bin/aarch64-linux-gnu-gcc
	;;
esac
touch complete
# The build script looks for the compiler again: the runtime is built for this machine, too.
touch "$OLDPWD/build.rs" 2>/dev/null || true
