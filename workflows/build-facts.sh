#!/bin/bash
# build-facts: what the programs are made of, as a table for `crate`.
#
#   build-facts.sh VERSION ARCHIVE FLAGS PROGRAM...     at the root of the checkout; CC names the compiler,
#                                                       MAKE the make
#
#   kind      name                    version         sha256      detail
#   date      2026-01-31              -               -           of SOURCE_DATE_EPOCH, else of the last commit
#   compiler  cc                      its own words   of the file flags
#   engine    make                    4.3             of the file its own words
#   library   libhdf5_serial.so.103   1.10.8-1        of the file pkg:deb/debian/..., or its name alone
#   program   embed                   0.1.0           of the file -
#   needs     embed                   -               -           libhdf5_serial.so.103
#   source    lib/base/err.c          -               of the file -
#   archive   genecompass-0.1.0...    -               of the file -
# Libraries are all that the loader brings, needs are those that a program names itself. Where there
# is no dpkg a version is what the name of the file ends with.
set -euo pipefail
export LC_ALL=C
version=$1 archive=$2 flags=$3
shift 3
row() { printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "${3:--}" "${4:--}" "${5:--}"; }
sum() { sha256sum <"$1" | cut -c1-64; }

row kind name version sha256 detail
if [ -n "${SOURCE_DATE_EPOCH:-}" ]; then date=$(date -u -d "@$SOURCE_DATE_EPOCH" +%F)
elif [ -e .git ] && date=$(git log -1 --format=%cs 2>/dev/null) && [ -n "$date" ]; then :
else date=$(date -u -r CHANGELOG.md +%F); fi
row date "$date"

words=$("$CC" --version | sed -n 1p)
row compiler "$CC" "$words" "$(sum "$(readlink -f "$(command -v "$CC")")")" "$flags"

make=${MAKE:-make}
words=$("$make" --version | sed -n 1p)
row engine "${make##*/}" "${words##* }" "$(sum "$(readlink -f "$(command -v "$make")")")" "$words"

# The loader's list: soname => file. Packages know files by the folder that they were packed for, with or
# without /usr; one question for all, since each reads the whole database.
distribution=$(. /etc/os-release 2>/dev/null && echo "${ID:-linux}" || echo linux)
libraries=$(ldd "$@" 2>/dev/null | awk '$2 == "=>" && $3 ~ /^\// { print $1 "\t" $3 }' | sort -u |
	while IFS=$'\t' read -r soname file; do printf '%s\t%s\n' "$soname" "$(readlink -f "$file")"; done)
declare -A package=() number=()
if command -v dpkg-query >/dev/null; then
	names=()
	while IFS=$'\t' read -r _ real; do names+=("/usr${real#/usr}" "${real#/usr}"); done <<<"$libraries"
	while IFS= read -r line; do
		name=${line#*: }
		package[/usr${name#/usr}]=${line%%: *}
	done < <(dpkg-query -S "${names[@]}" 2>/dev/null || true)
	while IFS=$'\t' read -r name version_of; do number[$name]=$version_of; done < <(
		dpkg-query -W -f '${binary:Package}\t${Version}\n' "${package[@]%%,*}" 2>/dev/null || true)
fi
while IFS=$'\t' read -r soname real; do
	p=${package[/usr${real#/usr}]:-} p=${p%%,*}
	v=${number[$p]:-${number[${p%:*}]:-}} purl=$soname
	if [ -n "$v" ]; then purl="pkg:deb/$distribution/${p%:*}@${v//+/%2B}"; else v=$(sed -n 's/.*\.so\.//p' <<<"$real"); fi
	row library "$soname" "$v" "$(sum "$real")" "$purl"
done <<<"$libraries"
for program; do row program "${program##*/}" "$version" "$(sum "$program")"; done
for program; do
	readelf -d "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p' | sort -u |
	while read -r soname; do row needs "${program##*/}" - - "$soname"; done
done
find GNUmakefile run lib kernels bin-src workflows reference/settings paper \( -name '*.[ch]' -o -name '*.cu' \
	-o -name '*.mk' -o -name '*.awk' -o -name '*.sh' -o -name '*.gp' -o -name '*.css' -o -name '*.json' \
	-o -name GNUmakefile -o -name run \) -type f | sort | xargs -d '\n' sha256sum |
	sed 's/^\(.\{64\}\)  \(.*\)/source\t\2\t-\t\1\t-/'
row archive "${archive##*/}" - "$(sum "$archive")"
