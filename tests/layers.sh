#!/bin/bash
# Checks which layer includes which, by the `#include "..."` lines:
#   tests/layers.sh [ROOT]
# Prints one line per forbidden include; the status is 4 when there is any. Headers are named from
# the root, so a path shows its layer. Tests, benches and tools may include everything.
set -euo pipefail
cd "${1:-.}"

# layer: what it may include besides itself. The order is the one of docs/design.md.
layers='
lib/base:
lib/data: lib/base
lib/tensor: lib/base
lib/io: lib/base lib/data lib/tensor
lib/manifest: lib/base lib/data lib/tensor lib/io
lib/cell: lib/base lib/data
lib/nn: lib/base lib/data lib/tensor
kernels: lib/base lib/tensor
lib/app: lib/base lib/data lib/tensor lib/io lib/manifest lib/cell lib/nn kernels
lib/report: lib/base lib/data lib/io lib/manifest
bin-src: lib/base lib/data lib/tensor lib/io lib/manifest lib/cell lib/nn lib/app lib/report kernels
bench: *
tests: *
'

# A folder that is not there yet is no trouble.
{ find lib kernels bin-src bench tests -type f \( -name '*.[ch]' -o -name '*.cu' -o -name '*.cuh' \) \
	-print0 2>/dev/null || true; } | LC_ALL=C sort -z | xargs -0 -r awk -v layers="$layers" '
function layer_of(path,   part) {
	split(path, part, "/")
	return part[1] == "lib" ? part[1] "/" part[2] : part[1]
}
BEGIN {
	n = split(layers, line, "\n")
	for (i = 1; i <= n; i++) {
		if (line[i] == "")
			continue
		split(line[i], half, ": *")
		may[half[1], half[1]] = 1
		known[half[1]] = 1
		m = split(half[2], to, " ")
		for (j = 1; j <= m; j++)
			may[half[1], to[j]] = 1
	}
}
FNR == 1 {
	from = layer_of(FILENAME)
	if (!(from in known)) {
		print FILENAME ": there is no layer \047" from "\047"
		bad = 1
		nextfile
	}
}
/^[ \t]*#[ \t]*include[ \t]*"/ && !((from, "*") in may) {
	path = $0
	sub(/^[^"]*"/, "", path)
	sub(/".*/, "", path)
	to_layer = layer_of(path)
	if (!(to_layer in known))
		print FILENAME ":" FNR ": \047" path "\047 is not named from the root"
	else if (!((from, to_layer) in may))
		print FILENAME ":" FNR ": " from " may not include \047" path "\047"
	else
		next
	bad = 1
}
END { exit bad ? 4 : 0 }' || {
	status=$?
	[ "$status" != 123 ] || exit 4 # how xargs tells that awk ended with 4
	exit "$status"
}
