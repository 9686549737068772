#!/bin/bash
# dosage: genes of two classes told by a model and by simple numbers; equal bytes; refusals; the reference values.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"
is 'a model is made' corpus_model
model=$(find "$tmp/run" -maxdepth 1 -name 'step-*' | sort -V | tail -n 1)
head=ensembl_id,gene_name,dosage_insensitive,dosage_sensitive
# Genes 1..24, every third sensitive; two that no model knows.
label() { printf 'ENSG%011d,G%d,%s\n' "$1" "$1" "$2"; }
{
	echo $head
	for i in $(seq 1 24); do label "$i" "$([ $((i % 3)) = 0 ] && echo ,Yes || echo Yes,)"; done
	echo 'ENSG99999999998,X1,Yes,'; echo 'ENSG99999999999,X2,,Yes'; echo 'ENSG99999999997,X3,,'
} >"$tmp/labels.csv"
awk 'BEGIN { print "ensgene\tstart\tend"; for (i = 1; i <= 24; i++) printf "ENSG%011d\t%d\t%d\n", i, 100, 100 + (i % 3 ? i : 1000 + i) }' >"$tmp/lengths.tsv"
{ echo gene_name; for i in 3 6 9 12 15 18 21 24; do echo G$i; done; echo X2; } >"$tmp/list.txt"
run() { dosage "$tmp/h.csv" --model "$model" --cells 4 --folds 3 --seeds 2 --batch 2 --seed 1 "$@"; }
all() { run --labels "$tmp/labels.csv" --lengths "$tmp/lengths.tsv" --list "$tmp/list.txt" "$@"; }
t 'two classes of genes' 0 "2 of 26 genes with a label are not in the model's vocabulary: ENSG99999999998 ENSG99999999999" all --tune-seeds 1 --out "$tmp/a" --threads 1
is 'that the labels are the list is told' grep -q 'of 9 sensitive genes 9 stand in the list, of 17 others 0: the labels are the list' "$tmp/.stderr"
t 'with two threads' 0 '' all --tune-seeds 1 --out "$tmp/b" --threads 2
is 'the same bytes' diff -r "$tmp/a" "$tmp/b"
is 'which hold no place of this machine' bash -c "! grep -rF '$tmp' '$tmp/a'"
is 'the report has it, and the genes that the model does not know' bash -c "grep -q '\"labels_follow_list_exactly\": true' '$tmp/a/report.json' && grep -q 'ENSG99999999999 X2' '$tmp/a/report.json' && grep -q '\"without_class\": 1' '$tmp/a/report.json'"
is 'every method stands there' test "$(cut -f3 "$tmp/a/metrics.tsv" | tail -n +2 | LC_ALL=C sort -u | tr '\n' ' ')" = \
	"expression+logistic expression-and-length+logistic gene-length genecompass+full genecompass+logistic random-weights+full random-weights+logistic shuffled-labels+full shuffled-labels+logistic word-rows+logistic "
value() { awk -F '\t' -v m="$2" -v k="$3" -v s="${4:-test}" '$3 == m && $5 == s && $7 == k { print $8; exit }' "$tmp/$1/metrics.tsv"; }
is 'a length that tells the classes has an AUC of 1' test "$(value a gene-length auroc_gene)" = 1
# X2 has no length, so of 9 x 17 pairs those with it lose to the 16 that have one, and tie with X1: (8 x 17 + 0.5) / (9 x 17).
is 'of all genes, one without a length counts as 0' test "$(value a gene-length auroc_all_genes)" = 0.892156863
is 'three folds of two seeds' test "$(grep -c "	genecompass+logistic	clean	each-fold	.*auroc_gene" "$tmp/a/metrics.tsv")" = 6
is 'no gene is in two folds of a seed' bash -c "awk -F '\t' '\$4 == \"genecompass+logistic\" && n[\$2, \$6]++ { bad = 1 } END { exit bad || NR < 20 }' '$tmp/a/predictions.tsv'"
is 'the mean over folds is the row of the seed' awk -F '\t' '$3 == "genecompass+logistic" && $7 == "auroc_gene" {
	if ($5 == "each-fold") s[int($6 / 100)] += $8 / 3; else { n++; d = s[$6] - $8; bad += d * d > 1e-16 } } END { exit bad || n != 2 }' "$tmp/a/metrics.tsv"
sed 's/^X2$/G1/' "$tmp/list.txt" >"$tmp/other.txt"
t 'a list that the labels do not follow' 0 'of 9 sensitive genes 8 stand in the list, of 17 others 1: the labels are not the list' \
	run --labels "$tmp/labels.csv" --list "$tmp/other.txt" --tune-seeds 0 --out "$tmp/c"
is 'without lengths, nothing about them' bash -c "! grep -q length '$tmp/c/metrics.tsv'"
t 'the published procedure' 0 '' all --as-released --out "$tmp/r"
is 'one method, folds weighed by their curves' bash -c "grep -q '	genecompass+full	as-released	test	1	auroc_occurrence_weighted	' '$tmp/r/metrics.tsv' && ! grep -q clean '$tmp/r/metrics.tsv'"

bad() { run --labels "$1" --tune-seeds 0 --out "$tmp/x" "${@:2}"; }
{ cat "$tmp/labels.csv"; label 30 Yes,Yes; } >"$tmp/both.csv"
t 'a gene marked as both' 3 "line 29: gene 'ENSG00000000030' is in two classes at once" bad "$tmp/both.csv"
{ cat "$tmp/labels.csv"; label 3 Yes,; } >"$tmp/again.csv"
t 'a gene again in the other class' 3 "line 29: gene 'ENSG00000000003' is in two classes at once" bad "$tmp/again.csv"
grep -v ',Yes$' "$tmp/labels.csv" >"$tmp/one.csv"
t 'one class only' 3 '0 genes are sensitive and 17 are not: both are needed' bad "$tmp/one.csv"
{ echo $head; echo 'ENSG99999999998,X1,Yes,'; echo 'ENSG99999999999,X2,,Yes'; } >"$tmp/none.csv"
t 'no gene in the vocabulary' 3 'none of 2 genes with a label is in the model' bad "$tmp/none.csv"
# Three genes of each class that both halves of the cells show.
{
	echo $head
	awk -F '\t' '!seen[$2]++ && n[$8]++ < 3 { print $2 "," $3 "," ($8 == "sensitive" ? ",Yes" : "Yes,") }' <(grep genecompass+full "$tmp/a/predictions.tsv")
} >"$tmp/few.csv"
t 'a class of three: two folds' 0 '2 folds in place of 3: a class has 3 genes' bad "$tmp/few.csv"
grep -v "^$(grep -m 1 ,Yes$ "$tmp/few.csv")$" "$tmp/few.csv" >"$tmp/fewer.csv"
t 'a class of two, of which a fold would be empty' 3 'two folds with both need three of each' bad "$tmp/fewer.csv"
{ echo $head; label 297 Yes,; label 298 ,Yes; label 299 Yes,; } >"$tmp/unseen.csv"
t 'genes that no cell shows among those that the model reads' 3 'no gene with a label|none of 3' bad "$tmp/unseen.csv"
sed 's/Yes,$/Perhaps,/' "$tmp/labels.csv" >"$tmp/perhaps.csv"
t 'a mark that is none' 3 "line 2: dosage_insensitive says 'Perhaps'" bad "$tmp/perhaps.csv"
printf 'gene\n' >"$tmp/columns.csv"
t 'other columns' 3 "ensembl_id" bad "$tmp/columns.csv"
printf 'ensgene\tstart\tend\nENSG00000000001\t9\t3\n' >"$tmp/back.tsv"
t 'a gene that ends before it starts' 3 'ends before it starts' bad "$tmp/labels.csv" --lengths "$tmp/back.tsv"
printf 'ensgene\tstart\tend\nENSG00000000001\t9\tx\n' >"$tmp/word.tsv"
t 'a length that is none' 3 "end 'x' is no position" bad "$tmp/labels.csv" --lengths "$tmp/word.tsv"
t 'no labels' 2 'labels is missing' run --out "$tmp/x"
t 'one fold' 2 'out of range' bad "$tmp/labels.csv" --folds 1
t 'as released without training' 2 'must be above 0' bad "$tmp/labels.csv" --as-released
t 'no such file' 3 '' bad "$tmp/nothing.csv"
is 'nothing half-written is left' bash -c "! ls '$tmp'/x/*.tmp* '$tmp'/x/.*part* 2>/dev/null"
t 'an output that cannot be written' 1 '' run --labels "$tmp/labels.csv" --tune-seeds 0 --out /dev/null/x

end
