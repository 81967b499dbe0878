#!/bin/bash
# Collects the C names that Rust programs ask for: the functions that the libc crate declares for x86_64-unknown-linux-gnu, and what the
# objects of C libraries refer to and do not define. Run by hand; the outcome is kept in asked.txt, beside it.
#
#   tests/c_names/collect.sh LIBC_CRATE_DIR WHO=FILE.a... > tests/c_names/asked.txt
#
# LIBC_CRATE_DIR is the crate's folder in cargo's registry. WHO is the crate that the archive belongs to; several archives may have one name.
# Each line: a name, and who asks for it. A name of C's is one that none of the archives defines, that another crate does not bring, and that
# is no name of C++ or of the compiler.
set -euo pipefail
export LC_ALL=C

declared() { # Functions in `extern "C"` blocks.
	awk '
		match($0, /^ *(unsafe )?extern "C" \{/) { match($0, /^ */); indent = RLENGTH; inside = 1; next }
		inside && match($0, /^ *\}/) && RLENGTH == indent + 1 { inside = 0 }
		inside && match($0, /pub (safe |unsafe )?fn [A-Za-z0-9_]+\(/) {
			name = substr($0, RSTART, RLENGTH - 1); sub(/.* /, "", name); print name "\tlibc"
		}' "$@"
}

libc=$1
shift
unix=$libc/src/unix
modules=("$unix/mod.rs" "$unix/linux_like/mod.rs" "$unix/linux_like/linux_l4re_shared.rs" "$unix/linux_like/linux/mod.rs")
modules+=("$unix/linux_like/linux/gnu/mod.rs" "$unix/linux_like/linux/gnu/b64/mod.rs" "$unix/linux_like/linux/gnu/b64/x86_64/mod.rs")
modules+=("$unix/linux_like/linux/gnu/b64/x86_64/not_x32.rs")
while IFS= read -r file; do modules+=("$file"); done < <(find "$libc/src/new/glibc" "$libc/src/new/linux_uapi" "$libc/src/new/common/linux_like" "$libc/src/new/common/posix" -name '*.rs')

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
for archive in "$@"; do
	who=${archive%%=*} file=${archive#*=}
	nm -u "$file" 2>/dev/null | awk -v who="$who" 'NF == 2 { print $2 "\t" who }' >>"$work/undefined"
	nm --defined-only -g "$file" 2>/dev/null | awk 'NF == 3 { print $3 }' >>"$work/defined"
done
sort -u "$work/defined" >"$work/known"
{
	declared "${modules[@]}"
	# What libraries take from others of their kind, from C++, the compiler and the linker is no name of C's.
	others='Brotli|GSS_|RTMP_|ZSTD_|ber_|bz_|gss_|http_|idn2_|ldap_|mbedtls_|nghttp2_|psl_|rustsecp256k1_|sasl_'
	others+='|_Z|_R|_GLOBAL_OFFSET_TABLE_|__gxx_|__cxa_[bert]|__start_|__stop_|_dl_|__tls_get_addr[[:space:]]|__u(div|mod)ti3[[:space:]]'
	sort -u "$work/undefined" | join -t $'\t' -v 1 - "$work/known" | grep -Ev "^($others)|@"
} | sort -u | awk -F '\t' '$1 != last { printf "%s%s", (NR > 1 ? "\n" : ""), $1; last = $1 } { printf " %s", $2 } END { print "" }'
