#!/bin/bash
# annotate compare with models and rivals: simulated cells with known types, a model of width 16.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"
is 'a model is trained' types_model
model=$(find "$tmp/run" -maxdepth 1 -name 'step-*' | sort -V | tail -n 1)
t 'medians by depth' 0 '' median "$tmp/sim_h1.q.h5ad" "$tmp/sim_m1.q.h5ad" --normalize depth --out "$tmp/depth.tsv" --quiet
for i in 0 1 2 3 4 5; do # sets of names, of ids
	printf 'set%s\tof genes' "$i"
	awk -F'\t' -v i="$i" 'NR > 1 && NR % 6 == i && $3 == 0 { printf "\t%s", i % 2 ? $1 : $2 }' "$tmp/tables/genes.tsv" | cut -f 1-201
	echo
done >"$tmp/sets.gmt"
run() { # folder, more
	local out=$1
	shift
	annotate compare --counts "$tmp/sim_h1.m.h5ad" --model gc="$model" --untrained rw="$model" --shuffled sk="$model" \
		--tune probe frozen full --tune-epochs 20 --tune-genes 64 --tune-lr 3e-3 --frozen-lr 1e-2 --frozen-epochs 20 \
		--gene-sets "$tmp/sets.gmt" --tosica-lr 0.05 --medians "$tmp/depth.tsv" --geneformer-genes 24 --geneformer-steps 20 \
		--geneformer-width 16 --rival-epochs 4 --genes 200 --pcs 10 --trees 20 --seeds 2 --out "$out" --report "$out/report.json" "$@"
}
t 'every method' 0 'of hidden genes' run "$tmp/a" --corpus "$tmp/sim_h1.q.h5ad" "$tmp/sim_m1.q.h5ad"
cp "$tmp/.stderr" "$tmp/said"
t 'with three threads' 0 '' run "$tmp/b" --corpus "$tmp/sim_h1.q.h5ad" "$tmp/sim_m1.q.h5ad" --threads 3 --quiet
is 'the same bytes' diff -r "$tmp/a" "$tmp/b"
methods='corpus geneformer-small geneformer-small-untrained gc+frozen gc+full gc+logistic hvg+forest hvg+logistic hvg+svm majority pca+knn pca+logistic rw+frozen rw+full rw+logistic sk+frozen sk+full sk+logistic tosica'
is 'all are in metrics.tsv' test "$(awk 'BEGIN { FS = "\t" } NR > 1 { print $3 }' "$tmp/a/metrics.tsv" | sort -u | xargs)" = "$(echo "$methods" | xargs -n1 | sort | xargs)"
is 'and the same but for the corpus in summary.tsv' test "$(awk 'BEGIN { FS = "\t" } NR > 1 { print $2 }' "$tmp/a/summary.tsv" | sort -u | wc -l)" = 18
same_cells() { awk -F'\t' '$8 == "test" { n[$9 FS $2]++ } END { for (i in n) if (n[i] != 18) exit 1 }' "$tmp/a/predictions.tsv"; }
is 'all are asked about the same cells' same_cells
value() { awk -F'\t' -v m="$1" '$2 == m && $3 == "accuracy" { print $5 }' "$tmp/a/summary.tsv"; }
above() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && b != "" && a + 0 > b + 0) }'; }
for m in tosica geneformer-small gc+full; do
	is "$m does better than the commonest type" above "$(value "$m")" "$(value majority)"
done
is 'the epoch that was chosen is in metrics.tsv' awk -F'\t' '$3 == "tosica" && $7 == "chosen_epoch" { n += $8 >= 1 && $8 <= 4 } END { exit n != 2 }' "$tmp/a/metrics.tsv"
said() { awk -F'\t' -v m="$1" '$7 == m { print $6 }' "$tmp/a/predictions.tsv" | sha256sum; }
is 'so is the learning rate' awk -F'\t' '$3 == "tosica" && $7 == "chosen_rate" && $5 == "val" { n += $8 == 0.05 } END { exit n != 2 }' "$tmp/a/metrics.tsv"
is 'a model without knowledge has none to permute' test "$(said gc+logistic)" = "$(said sk+logistic)"
is 'and other weights say something else' test "$(said gc+logistic)" != "$(said rw+logistic)"
is 'of gene sets the report has the name, not the folder' grep -q '"gene_sets": "sets.gmt"' "$tmp/a/report.json"
is 'the report says what geneformer-small is' grep -q '"pretraining_cells": ' "$tmp/a/report.json"

# Leakage: quality control dropped some cells, so they are not in the corpus.
in_q=$(awk -F'\t' '$3 == "corpus" && $5 == "all" { print $8 * $9 }' "$tmp/a/metrics.tsv")
is 'the log counts them' grep -qE "sample 'sim_h1': $in_q of [0-9]+ labelled cells are in the pretraining corpus\$" "$tmp/said"
unseen() { # cells of test outside the corpus, of a seed, from the test cells' share
	awk -F'\t' -v s="$1" '$3 == "corpus" && $5 == "test" && $6 == s { printf "%.0f", (1 - $8) * $9 }' "$tmp/a/metrics.tsv"
}
is 'a seed whose test cells are all in the corpus has no scores without them' test "$(awk -F'\t' '$5 == "test-unseen" && $6 == 0' "$tmp/a/metrics.tsv" | wc -l)" = 0
is 'scores without them have as many cells' test "$(awk -F'\t' '$3 == "gc+full" && $5 == "test-unseen" && $6 == 1 && $7 == "accuracy" { print $9 }' "$tmp/a/metrics.tsv")" = "$(unseen 1)"
few() { annotate compare --counts "$tmp/sim_h1.q.h5ad" --genes 200 --pcs 10 --trees 0 --seeds 1 --out "$tmp/few" "$@"; }
t 'a corpus of the set itself' 0 'so no test cell is new' few --corpus "$tmp/sim_h1.q.h5ad"
is 'leaves no other scores' test "$(grep -c test-unseen "$tmp/few/metrics.tsv")" = 0
t 'a corpus of other cells' 0 '0 of ' few --corpus "$tmp/sim_h2.q.h5ad"
both() { awk -F'\t' '$5 == "test" && $3 != "corpus" { a[$3 $7] = $8 FS $9; n++ } $5 == "test-unseen" { n--; if (a[$3 $7] != $8 FS $9) exit 1 } END { exit n != 0 }' "$tmp/few/metrics.tsv"; }
is 'gives every score twice' both
t 'cells without content' 0 'nobody can tell' annotate compare --counts "$tmp/sim_h1.h5ad" --genes 200 --pcs 10 --trees 0 --seeds 1 --out "$tmp/few" --corpus "$tmp/sim_h1.q.h5ad"
t 'a corpus without content' 3 'obs cell_id and content' few --corpus "$tmp/sim_h1.h5ad"

t 'a corpus that is not there' 3 'absent.h5ad' few --corpus "$tmp/absent.h5ad"
t 'medians that are not there' 3 'absent.tsv' few --medians "$tmp/absent.tsv"
t 'gene sets that are not there' 3 'absent.gmt' few --gene-sets "$tmp/absent.gmt"
echo 'no set' >"$tmp/bad.gmt"
t 'a line that is no set' 3 'line 1 is no gene set' few --gene-sets "$tmp/bad.gmt"
printf 'a\tb\tnobody\tknows\tthese\tfive\tgenes\tor\tsix\n' >"$tmp/bad.gmt"
t 'rates to choose from' 0 '' few --gene-sets "$tmp/sets.gmt" --rival-epochs 2 --quiet
is 'one of four is taken, by validation cells' awk -F'\t' '$3 == "tosica" && $7 == "chosen_rate" && $5 == "val" { n += $8 == 0.001 || $8 == 0.003 || $8 == 0.01 || $8 == 0.03 } END { exit n != 1 }' "$tmp/few/metrics.tsv"
t 'a learning rate below 0' 2 'tosica-lr is not below 0' few --tosica-lr -1
t 'sets of genes that nobody knows' 3 'no gene set has more than 4' few --gene-sets "$tmp/bad.gmt"
t 'a model without a name' 2 '--model wants NAME=FOLDER' few --model "$model"
t 'a model that is not there' 3 "model 'm'" few --model m="$tmp/absent"
t 'two models of one name' 2 "two methods would be called 'm\+frozen'" few --model m="$model" --untrained m="$model"
t 'another way to train' 2 "not 'half'" few --model m="$model" --tune half
t 'a rate of 0' 2 'above 0' few --tune-lr 0
t 'a width that four heads do not divide' 3 'cannot be' few --medians "$tmp/depth.tsv" --geneformer-width 6
is 'nothing half-written is left' test -z "$(find "$tmp" -name '*.part')"
end
