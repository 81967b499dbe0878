#!/bin/sh
# Fills vendor/ with the archives of the packages that rt/Cargo.lock names, from cargo's cache, but for those that absent/ stands in for.
set -eu
cd "$(dirname "$0")"
cargo fetch --locked --manifest-path ../rt/Cargo.toml
cache=${CARGO_HOME:-$HOME/.cargo}/registry/cache
rm -f vendor/*.crate
awk -F '"' '/^name = / { name = $2 } /^version = / { version = $2 } /^checksum = / { print name, version }' Cargo.lock |
	while read -r name version; do
		if [ -f "absent/$name.toml" ]; then
			sed -i "s/^version = .*/version = \"$version\"/" "absent/$name.toml"
		else
			cp "$cache"/*/"$name-$version.crate" vendor/
		fi
	done
