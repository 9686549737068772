#!/bin/bash
# cross-species: cell types from one species to another, on made-up cells of three types.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"

# cells PREFIX SEED SPECIES: genes x 45 cells; type t is strong in every third gene, noise by a small generator.
cells() {
	awk -v p="$1" -v r="$2" 'function draw(n) { r = (r * 16807) % 2147483647; return r % n }
		BEGIN {
		for (c = 1; c <= 45; c++) line = line ",c" c
		print line
		for (i = 1; i <= 120; i++) {
			line = p i
			for (c = 1; c <= 45; c++)
				line = line "," draw(i % 7 + 2) + (i <= 60 && i % 3 == c % 3 ? 8 + draw(5) : 0)
			print line
		} }' >"$tmp/$1.csv"
	awk 'BEGIN { print "barcode\ttype"; for (c = 1; c <= 45; c++) print "c" c "\t" substr("xyz", c % 3 + 1, 1) }' \
		>"$tmp/labels.tsv"
	import "$tmp/$1.csv" --labels "$tmp/labels.tsv" --label-column type --species "$3" --sample "$1" \
		--out "$tmp/$1.h5ad" --quiet
}
two() { cells G 11 mouse && mv "$tmp/G.h5ad" "$tmp/same.h5ad" && cells g 11 mouse && cells G 23 human; }
is 'cells of two species' two
awk 'BEGIN { print "mouse\thuman"; for (i = 1; i <= 110; i++) print "g" i "\tG" i; print "g1\tG2" }' >"$tmp/pairs.tsv"
printf 'mouse\thuman\nnone\tNONE\n' >"$tmp/strangers.tsv"
printf 'mouse\ng1\n' >"$tmp/column.tsv"
head -n 4 "$tmp/pairs.tsv" >"$tmp/three.tsv"
mkdir "$tmp/tables"
awk 'BEGIN { OFS = "\t"; print "id", "name", "species", "biotype", "core", "token", "median", "homolog"
	for (s = 0; s < 2; s++) for (i = 1; i <= 120; i++)
		print sprintf(s ? "ENSMUSG%011d" : "ENSG%011d", i), (s ? "g" : "G") i, s, "protein_coding", 1, -1, "-", \
			s && i <= 110 ? sprintf("ENSG%011d", i) : "-" }' >"$tmp/tables/genes.tsv"
few=(--seeds 1 --seed 1 --epochs 250 --first 100 --width 32)
run() { cross-species "$tmp/g.h5ad" "$tmp/G.h5ad" --quiet "${few[@]}" "$@"; }

t 'mouse to human by a table of pairs'  0 '' run --homologs "$tmp/pairs.tsv" --out "$tmp/a" --threads 1
is 'a line per cell, method and seed'   test "$(wc -l <"$tmp/a/predictions.tsv")" = $((1 + 45 * 4))
is 'the header of every metrics.tsv'    grep -qx $'task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn' "$tmp/a/metrics.tsv"
is 'two metrics of three methods'        test "$(awk -F '\t' '$4 == "clean" && $7 !~ /^chosen_/' "$tmp/a/metrics.tsv" | wc -l)" = 6
is 'the epoch and its agreement'        test "$(grep -c 'chosen_\(epoch\|ami\)' "$tmp/a/metrics.tsv")" = 2
is 'and the released way'               test "$(grep -c 'as-released.*accuracy' "$tmp/a/metrics.tsv")" = 2
# value METHOD: the least accuracy
value() { awk -F '\t' -v m="$1" '$3 == m && $7 == "accuracy" && (!n++ || $8 < v) { v = $8 } END { print v }' "$tmp/a/metrics.tsv"; }
is 'types are told by CAME'             awk -v v="$(value came)" 'BEGIN { exit !(v > 0.9) }'
is 'and by logistic regression'         awk -v v="$(value logistic-1to1)" 'BEGIN { exit !(v > 0.9) }'
is 'majority is a third'                awk -v v="$(value majority)" 'BEGIN { exit !(v > 0.33 && v < 0.34) }'
awk -F '\t' '$7 == "came" && $8 == "clean" && $10 == 1 { n++; r += $4 == $5 } END { printf "%.9g\n", r / n }' "$tmp/a/predictions.tsv" >"$tmp/right"
is 'scores are those of the names'      grep -q "came.clean.test.1.accuracy.$(cat "$tmp/right")" "$tmp/a/metrics.tsv"
t 'the same on four threads'            0 '' run --homologs "$tmp/pairs.tsv" --out "$tmp/b" --threads 4
is 'gives the same bytes'               diff -r "$tmp/a" "$tmp/b"
t 'by gene tables'                      0 'clusters' cross-species "$tmp/G.h5ad" "$tmp/g.h5ad" --tables "$tmp/tables" --seeds 2 --epochs 4 --first 2 \
	--width 8 --out "$tmp/c"
is 'human to mouse, twice'              test "$(grep -c $'came\tclean\ttest\t[01]\taccuracy' "$tmp/c/metrics.tsv")" = 2
t 'where both name genes alike'         0 '' cross-species "$tmp/same.h5ad" "$tmp/G.h5ad" --same-names --seeds 1 --epochs 4 --first 2 \
	--width 8 --out "$tmp/s"
is 'every gene is its own homolog'      grep -q ' 240 genes' "$tmp/.stderr"
t 'sources without import'              0 '' cross-species "$tmp/g.csv" "$tmp/G.csv" --reference-labels "$tmp/labels.tsv" \
	--query-labels "$tmp/labels.tsv" --label-column type --reference-species mouse --query-species human \
	--homologs "$tmp/pairs.tsv" "${few[@]}" --out "$tmp/raw" --quiet
is 'the same names'                     diff <(cut -f 3-5,7- "$tmp/a/predictions.tsv") <(cut -f 3-5,7- "$tmp/raw/predictions.tsv")
t 'cells against themselves'            0 'to name, which keep' cross-species "$tmp/g.h5ad" --hidden 0.2 --homologs "$tmp/pairs.tsv" \
	"${few[@]}" --seeds 3 --out "$tmp/self" --report "$tmp/self.json" --threads 1
t 'on two threads'                      0 '' cross-species "$tmp/g.h5ad" --hidden 0.2 --homologs "$tmp/pairs.tsv" \
	"${few[@]}" --seeds 3 --out "$tmp/self2" --threads 2 --quiet
is 'the same bytes'                     diff -r "$tmp/self" "$tmp/self2"
# Half of each type, rounded up: 8 of 15, and so 24 of 45.
is 'half of the cells are named'        test "$(cut -f 3 "$tmp/self/predictions.tsv" | sort -u | wc -l)" = 25
is 'the report counts the others'       grep -q '"reference_cells": 21' "$tmp/self.json"
import "$tmp/G.csv" --species human --sample G --out "$tmp/bare.h5ad" --quiet
t 'a query without labels'              0 '' cross-species "$tmp/g.h5ad" "$tmp/bare.h5ad" --homologs "$tmp/pairs.tsv" "${few[@]}" --out "$tmp/d" --quiet
is 'is named, the same'                 diff <(cut -f 3,5- "$tmp/a/predictions.tsv") <(cut -f 3,5- "$tmp/d/predictions.tsv")
is 'and has no scores'                  test "$(grep -vc chosen_ "$tmp/d/metrics.tsv")" = 1
awk 'NR == 1 { print; next } { print $1 "\tx" }' "$tmp/labels.tsv" >"$tmp/one.tsv"
import "$tmp/g.csv" --labels "$tmp/one.tsv" --label-column type --species mouse --sample g --out "$tmp/one.h5ad" --quiet
bad() { cross-species "$@" --homologs "$tmp/pairs.tsv" "${few[@]}" --out "$tmp/x"; }
t 'no labels in the reference'          3 "no obs column 'label'" bad "$tmp/bare.h5ad" "$tmp/g.h5ad"
t 'one class'                           3 'at least two'       bad "$tmp/one.h5ad" "$tmp/G.h5ad"
t 'one species twice'                   3 'both files hold cells of species' bad "$tmp/g.h5ad" "$tmp/g.h5ad"
t 'no homolog in common'                3 'homologs were measured in both' run --homologs "$tmp/strangers.tsv" --out "$tmp/x"
t 'few homologs in common'              3 'only 3 1-to-1 homologs.*2.5 %.*species named wrongly' run --homologs "$tmp/three.tsv" --out "$tmp/x"
t 'a share above 1'                     2 'within \[0, 1\]'   run --homologs "$tmp/pairs.tsv" --least-overlap 2 --out "$tmp/x"
t 'a table of one column'               3 'columns, not two'   run --homologs "$tmp/column.tsv" --out "$tmp/x"
t 'a file that is not there'            3 'No such file'       run --homologs "$tmp/none" --out "$tmp/x"
t 'neither tables nor pairs'            2 'one of --tables'    run --out "$tmp/x"
t 'no epoch to choose'                  2 'epochs is'          run --homologs "$tmp/pairs.tsv" --first 300 --out "$tmp/x"
t 'a check takes no query'              2 'takes the query from' run --homologs "$tmp/pairs.tsv" --hidden 0.2 --out "$tmp/x"
t 'all genes hidden'                    2 'below 1'            cross-species "$tmp/g.h5ad" --homologs "$tmp/pairs.tsv" --hidden 1 --out "$tmp/x"
t 'no query'                            2 'a query are needed' cross-species "$tmp/g.h5ad" --homologs "$tmp/pairs.tsv" --out "$tmp/x"
t 'no model there'                      3 'the model'          run --homologs "$tmp/pairs.tsv" --model "$tmp/nowhere" --out "$tmp/x"
t 'no --out'                            2 'out is missing'     run --homologs "$tmp/pairs.tsv"
is 'and nothing was written'            test ! -e "$tmp/x"
# GeneCompass + CAME: simulated cells of both species, and a model after a few steps.
small_model() {
	simulate --out "$tmp/sim" --cells 300 --types 3 --seed 2 --quiet &&
		gene-tables --inputs "$tmp/sim/mirror" --out "$tmp/t" --quiet || return 1
	local s
	for s in human/sim_h1 mouse/sim_m1; do
		local name=${s#*/}
		import "$tmp/sim/mirror/sc_$s" --labels "$tmp/sim/mirror/sc_$s/labels.tsv" --label-column celltype \
			--sample "$name" --species "${s%%/*}" --out "$tmp/$name.h5ad" --quiet &&
			homolog-map "$tmp/$name.h5ad" --tables "$tmp/t" --out "$tmp/$name.m.h5ad" --quiet &&
			qc-filter "$tmp/$name.m.h5ad" --tables "$tmp/t" --out "$tmp/$name.q.h5ad" --quiet || return 1
	done
	mv "$tmp/tables" "$tmp/made-tables" && mv "$tmp/t" "$tmp/tables" && corpus_tokens "$tmp/sim_h1" "$tmp/sim_m1" || return 1
	corpus_config 64
	pretrain --shards "$tmp/s" --tables "$tmp/tables" --config "$tmp/model.json" --steps 5 --batch 8 --lr 2e-3 \
		--warmup 1 --held-out 0.1 --out "$tmp/run" --quiet
}
is 'a model is trained'                 small_model
with() { cross-species "$tmp/sim_m1.h5ad" "$tmp/sim_h1.h5ad" --tables "$tmp/tables" --model "$tmp/run/step-5" --seeds 2 \
	--epochs 130 --first 110 --width 16 "$@"; }
t 'with its gene vectors'               0 'genes start from a vector' with --out "$tmp/v" --report "$tmp/v.json" --threads 1
is 'both ways are scored'               test "$(cut -f 3 "$tmp/v/metrics.tsv" | grep -c 'came$')" = \
	$((2 * $(cut -f 3 "$tmp/v/metrics.tsv" | grep -cx came)))
# difference of the mean accuracies by hand
awk -F '\t' '$4 == "clean" && $7 == "accuracy" { s[$3] += $8 / 2 }
	END { printf "%.6f\n", s["genecompass+came"] - s["came"] }' "$tmp/v/metrics.tsv" >"$tmp/by-hand"
is 'and compared seed by seed'          diff "$tmp/by-hand" <(awk -F '\t' '$2 == "accuracy" { printf "%.6f\n", $6 }' "$tmp/v/comparisons.tsv")
is 'the vectors change the names' test -n "$(diff <(awk '$7 == "came"' "$tmp/v/predictions.tsv" | cut -f 3,5,6) \
	<(awk '$7 == "genecompass+came"' "$tmp/v/predictions.tsv" | cut -f 3,5,6))"
is 'most genes have one'                awk -F '[:,]' '/"genes"/ { g = $2 } /with_a_vector/ { v = $2 } END { exit !(v > 0.5 * g) }' "$tmp/v.json"
t 'on three threads'                    0 '' with --out "$tmp/v3" --threads 3 --quiet
is 'the same bytes with vectors'        diff -r "$tmp/v" "$tmp/v3"
t 'help'                                0 ''                   cross-species --help
end
