#!/bin/bash
# Memory of the corpus tools does not grow with the number of cells: the peak with eight times the cells is
# within a few MiB. A cell's name, id, sample, species and numbers take 70 to 270 bytes where all are held.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"
if nm "$BIN/import" 2>/dev/null | grep -q __asan_init; then
	skip 'memory by the number of cells' 'a sanitizer keeps its own'
	end
fi
corpus_tables
few=50000 many=400000 most=6144 # cells; KiB

# A Cell Ranger folder of $1 cells that have 400,000 counts among them, whatever their number; every tenth
# barcode stands there twice.
folder() {
	mkdir "$tmp/$1"
	awk 'BEGIN { OFS = "\t"; for (i = 1; i <= 300; i++) print sprintf("ENSG%011d", i), "G" i, "Gene Expression" }' >"$tmp/$1/features.tsv"
	awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) printf "BARCODE%010d-1\n", i % 10 ? i : i - i % 20 }' >"$tmp/$1/barcodes.tsv"
	awk -v n="$1" 'BEGIN {
		print "%%MatrixMarket matrix coordinate integer general"
		print 300, n, 400000
		for (k = 0; k < 400000; k++) {
			cell = int(k * n / 400000) + 1
			gene = cell == last ? gene + 1 : cell % 250 + 1
			last = cell
			print gene, cell, k % 5 + 1
		} }' >"$tmp/$1/matrix.mtx"
}
# peak NAME CELLS COMMAND: runs it, and notes its peak in KiB.
peak() {
	GC_TIMES="$tmp/cost" "${@:3}" --threads 2 --quiet && tail -n 1 "$tmp/cost" | cut -f4 >"$tmp/$1.$2"
}
run() {
	local x=$tmp/$1.
	folder "$1" &&
		peak import "$1" import "$tmp/$1" --species human --sample s --out "${x}i.h5ad" &&
		peak import-h5ad "$1" import "${x}i.h5ad" --out "${x}again.h5ad" &&
		peak homolog-map "$1" homolog-map "${x}i.h5ad" --tables "$tmp/tables" --out "${x}m.h5ad" &&
		peak qc-filter "$1" qc-filter "${x}m.h5ad" --tables "$tmp/tables" --min-genes 0 --min-coding 0 \
			--mito-max 1 --cells "${x}tsv" --report "${x}json" --out "${x}q.h5ad" &&
		peak median "$1" median "${x}q.h5ad" --memory 1 --out "${x}med.tsv" &&
		peak tokenize "$1" tokenize "${x}q.h5ad" --vocab "$tmp/v.tsv" --medians "${x}med.tsv" \
			--cells-per-shard 4096 --out "${x}shards" &&
		peak tokenize-arrow "$1" tokenize "${x}q.h5ad" --vocab "$tmp/v.tsv" --medians "${x}med.tsv" \
			--format arrow --max-length 2 --out "${x}arrow"
}
t 'a dictionary'                       0 '' vocab --tables "$tmp/tables" --out "$tmp/v.tsv"
is 'the stages over 50,000 cells'      run "$few"
is 'and over 400,000'                  run "$many"
within() { test "$(cat "$tmp/$1.$many")" -lt $(($(cat "$tmp/$1.$few") + $2)); }
for tool in import import-h5ad homolog-map qc-filter median tokenize tokenize-arrow; do
	is "$tool: $(cat "$tmp/$tool.$few" 2>/dev/null) KiB become $(cat "$tmp/$tool.$many" 2>/dev/null)" within "$tool" "$most"
done
end
