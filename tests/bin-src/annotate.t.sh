# annotate: cell types from embeddings beside simple methods on counts.
# shellcheck source=tests/tool.sh
. "$SRC/tests/tool.sh"

test_probe --write "$tmp" 90 || exit 1
c=$tmp/counts.h5ad
run() { # threads out
	annotate compare --counts "$c" --embedding good="$tmp/good.h5ad" noise="$tmp/noise.h5ad" \
		--genes 60 --pcs 10 --seeds 3 --threads "$1" --out "$2" --report "$2/report.json" --quiet
}
t 'two samples, two embeddings' 0 '' run 1 "$tmp/a"
t 'the same with three threads' 0 '' run 3 "$tmp/b"
is 'gives the same bytes' diff -r "$tmp/a" "$tmp/b"

value() { # dataset method metric
	awk -F'\t' -v d="$1" -v m="$2" -v k="$3" '$1 == d && $2 == m && $3 == k { print $5 }' "$tmp/a/summary.tsv"
}
above() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && b != "" && a + 0 > b + 0) }'; }
is 'the good embedding tells the types' above "$(value alpha good+logistic macro_f1)" 0.9
is 'noise does not' above 0.6 "$(value alpha noise+logistic macro_f1)"
is 'counts tell them as well' above "$(value beta hvg+logistic accuracy)" 0.9
is 'so does a forest' above "$(value beta hvg+forest accuracy)" 0.8
is 'the commonest type is half of the cells' test "$(value beta majority accuracy)" = 0.5
is 'its interval over seeds is 0' awk -F'\t' '$2 == "majority" && $3 == "accuracy" { n++; bad += $6 != "0" } END { exit n != 2 || bad }' "$tmp/a/summary.tsv"
is 'a sample without labels is named in the report' grep -q '"sample": "gamma"' "$tmp/a/report.json"

is 'metrics.tsv has its header' test "$(head -n 1 "$tmp/a/metrics.tsv")" = "$(printf 'task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn')"
is 'every line has nine fields' awk -F'\t' 'NF != 9 { exit 1 }' "$tmp/a/metrics.tsv"
# 2 samples x 3 seeds x 10 methods x 36 cells of 90
is 'a prediction per cell outside training, method and seed' test "$(wc -l <"$tmp/a/predictions.tsv")" = $((1 + 2 * 3 * 10 * 36))
same_cells() { # every method of a seed has the same cells in test
	awk -F'\t' '$8 == "test" { n[$1 FS $9 FS $2]++ } END { for (i in n) if (n[i] != 10) exit 1 }' "$tmp/a/predictions.tsv"
}
is 'all methods are asked about the same cells' same_cells
recount() { # accuracy from predictions.tsv equals metrics.tsv
	awk -F'\t' 'FNR == NR { if ($8 == "test" && $9 == 1 && $7 == "good+knn" && $1 == "beta") { n++; k += $4 == $5 } next }
		$2 == "beta" && $3 == "good+knn" && $5 == "test" && $6 == 1 && $7 == "accuracy" { d = $8 - k / n; exit !(n == 18 && $9 == 18 && d < 1e-6 && d > -1e-6) }' \
		"$tmp/a/predictions.tsv" "$tmp/a/metrics.tsv"
}
is 'the accuracy is that of the predictions' recount
is 'comparisons: good beats noise' awk -F'\t' '$1 == "alpha" && $2 == "macro_f1" && $3 == "noise+logistic" && $4 == "good+logistic" { found = $6 < -0.2 } END { exit !found }' "$tmp/a/comparisons.tsv"

t 'cells that an embedding lacks are left out for all' 0 '60 cells of 3 types, 0 without a label, 30 not in every' \
	annotate compare --counts "$c" --embedding gap="$tmp/gap.h5ad" --genes 60 --pcs 10 --seeds 1 --out "$tmp/g"
is 'with one seed there is no interval' awk -F'\t' 'NR > 1 && $6 != "nan" { exit 1 }' "$tmp/g/summary.tsv"

# The ledger says how many cells of a set the model was trained on.
printf 'set\tcells\tno_counts\trepeated\tin_corpus\tshare\nalpha\t90\t0\t0\t88\t0.978\n' >"$tmp/sets.tsv"
annotate_ledger() { annotate compare --counts "$c" --embedding good="$tmp/good.h5ad" --genes 60 --pcs 10 --seeds 1 --out "$tmp/led" --report "$tmp/led.json" --ledger "$@"; }
t 'with a ledger' 0 "sample 'alpha': 88 of 90 labelled cells are in the pretraining corpus" annotate_ledger "$tmp/sets.tsv"
is 'a set that it does not know is a warning' grep -q "warning: sample 'beta': the ledger does not say" "$tmp/.stderr"
is 'the report has the figure' grep -q '"cells_in_corpus": 88' "$tmp/led.json"
is 'and says where there is none' grep -q '"cells_in_corpus": null' "$tmp/led.json"
sed 's/88/91/' "$tmp/sets.tsv" >"$tmp/sets2.tsv"
t 'more cells than the set has' 3 "sets2.tsv': set 'alpha': 91 of 90 cells" annotate_ledger "$tmp/sets2.tsv"
{ cat "$tmp/sets.tsv"; tail -n 1 "$tmp/sets.tsv"; } >"$tmp/sets2.tsv"
t 'a set that stands twice' 3 "set 'alpha' stands twice" annotate_ledger "$tmp/sets2.tsv"
sed 's/88/some/' "$tmp/sets.tsv" >"$tmp/sets2.tsv"
t 'a number that is none' 3 "set 'alpha' has no numbers" annotate_ledger "$tmp/sets2.tsv"

t 'no counts' 2 '--counts is missing' annotate compare --out "$tmp/x"
t 'no --out' 2 '--out is missing' annotate compare --counts "$c"
t 'an embedding without a name' 2 'NAME=FILE' annotate compare --counts "$c" --embedding "$tmp/good.h5ad" --out "$tmp/x"
t 'two embeddings of one name' 2 'two methods' annotate compare --counts "$c" --embedding a="$tmp/good.h5ad" a="$tmp/noise.h5ad" --out "$tmp/x"
t 'an embedding named as a baseline' 2 'two methods' annotate compare --counts "$c" --embedding hvg="$tmp/good.h5ad" --out "$tmp/x"
t 'no seeds' 2 '--seeds is 1 to 1000' annotate compare --counts "$c" --seeds 0 --out "$tmp/x"
t 'no trees, no forest' 0 '' annotate compare --counts "$c" --genes 60 --pcs 10 --seeds 1 --trees 0 --out "$tmp/bare" --quiet
is 'in the tables' test "$(grep -c forest "$tmp/bare/summary.tsv")" = 0
t 'a missing file' 3 "absent.h5ad" annotate compare --counts "$tmp/absent.h5ad" --out "$tmp/x"
echo 'not HDF5' >"$tmp/text.h5ad"
t 'a text file' 3 "text.h5ad" annotate compare --counts "$tmp/text.h5ad" --out "$tmp/x"
t 'an embedding without the matrix' 3 "X_other" annotate compare --counts "$c" --embedding a="$tmp/good.h5ad" --matrix X_other --out "$tmp/x"
t 'counts where there are none' 3 'no counts in X' annotate compare --counts "$tmp/good.h5ad" --out "$tmp/x"
t 'no such label column' 3 'no sample has labelled cells' annotate compare --counts "$c" --label nothing --out "$tmp/x"
t 'no such label column, where a stage may go on' 0 'nothing to compare' annotate compare --counts "$c" --label nothing --none-is-fine --out "$tmp/none"
is 'leaves tables with only a header' test "$(cat "$tmp"/none/*.tsv | wc -l)" = 4
t 'a label column of numbers' 3 "'cell_id' does not hold texts" annotate compare --counts "$c" --label cell_id --out "$tmp/x"
t 'a sample that comes twice' 3 "'alpha' was in an earlier file" annotate compare --counts "$c" "$c" --genes 60 --seeds 1 --out "$tmp/x"
is 'nothing half-written is left' test -z "$(find "$tmp/x" -type f 2>/dev/null)"
is 'help names the methods' bash -c 'annotate compare --help | grep -q NAME+logistic'
printf ',G1,G2,G3\nc1,3,1,2\nc2,1,1,5\n' >"$tmp/plain.csv"
import "$tmp/plain.csv" --species human --sample plain --out "$tmp/plain.h5ad" --quiet
t 'a file without labels beside one with them' 0 '' annotate compare --counts "$c" "$tmp/plain.h5ad" \
	--embedding good="$tmp/good.h5ad" --genes 60 --pcs 10 --seeds 1 --out "$tmp/p" --report "$tmp/p.json" --quiet
is 'its sample is named in the report' grep -q '"sample": "plain"' "$tmp/p.json"
is 'which holds no path, so that it is the same wherever the files lie' bash -c "! grep -F '$tmp' '$tmp/p.json'"
end
