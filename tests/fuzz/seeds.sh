#!/bin/bash
# seeds.sh OUT FORMATS: the text files of a folder like golden/formats as inputs of the importers' fuzz
# targets: OUT/import_csv, and OUT/import_mtx with a folder's files one behind the other.
set -euo pipefail
out=$1 formats=$2
rm -rf "$out"
mkdir -p "$out/import_csv" "$out/import_mtx" "$out/labels"
for f in "$formats"/*/*.csv "$formats"/*/*.tsv "$formats"/*/*.[ct]sv.gz; do
	if [ -f "$f" ]; then
		cp "$f" "$out/import_csv/"
		# Small enough to change quickly: some rows of some columns.
		case $f in *.gz) ;; *) head -n 12 "$f" | cut -c1-400 >"$out/import_csv/cut-${f##*/}" ;; esac
	fi
done
for d in "$formats"/*/*/; do
	m=$(find "$d" -name 'matrix.mtx' | head -n 1)
	f=$(find "$d" \( -name features.tsv -o -name genes.tsv \) | head -n 1)
	b=$(find "$d" -name barcodes.tsv | head -n 1)
	if [ -n "$m" ] && [ -n "$f" ] && [ -n "$b" ]; then
		{ cat "$m"; printf '\0'; cat "$f"; printf '\0'; cat "$b"; } >"$out/import_mtx/$(basename "$d")"
	fi
done
