# map: cells as dots that lie near when the cells are alike.
# shellcheck source=tests/tool.sh
. "$SRC/tests/tool.sh"

test_probe --write "$tmp" 90 || exit 1
on() { # threads out input option...
	local threads=$1 out=$2
	shift 2
	map "$@" --threads "$threads" --out "$out" --quiet
}
t 'a map of an embedding' 0 '' on 1 "$tmp/a" "$tmp/good.h5ad" --matrix X_genecompass
t 'the same with three threads' 0 '' on 3 "$tmp/b" "$tmp/good.h5ad" --matrix X_genecompass
is 'gives the same bytes' diff -r "$tmp/a" "$tmp/b"
t 'another seed' 0 '' on 0 "$tmp/c" "$tmp/good.h5ad" --matrix X_genecompass --seed 5
is 'gives another map' bash -c "! cmp -s '$tmp/a/map.tsv' '$tmp/c/map.tsv'"
is 'with the same numbers of the vectors' test "$(grep same_label "$tmp/a/map.json")" = "$(grep same_label "$tmp/c/map.json")"
is 'map.tsv has its header' test "$(head -n 1 "$tmp/a/map.tsv")" = "$(printf 'cell_id\tsample\tspecies\tlabel\tx\ty\tgroup')"
is 'a line per cell, seven fields, two numbers' awk -F'\t' 'NR > 1 && (NF != 7 || $5 !~ /^-?[0-9.]+$/ || $6 !~ /^-?[0-9.]+$/) { exit 1 } END { exit NR != 271 }' "$tmp/a/map.tsv"
is 'a cell without a label has a dash' grep -q "$(printf '\tgamma\tmouse\t-\t')" "$tmp/a/map.tsv"
apart() { # types lie together: the mean distance within is far below that between types
	awk -F'\t' 'NR > 1 && $4 != "-" { x[n] = $5; y[n] = $6; l[n++] = $4 }
		END { for (i = 0; i < n; i++) for (j = 0; j < i; j++) {
			d = sqrt((x[i] - x[j])^2 + (y[i] - y[j])^2)
			if (l[i] == l[j]) { a += d; na++ } else { b += d; nb++ } }
			exit !(a / na < 0.7 * b / nb) }' "$1/map.tsv"
}
is 'cells of a type lie together' apart "$tmp/a"

if command -v gnuplot >/dev/null; then
	svg=$tmp/a/map.svg
	is 'map.svg is a picture of the labels' grep -q '<title>Map of the cells, coloured by label</title>' "$svg"
	is 'with the labels and their cells in its legend' bash -c "grep -q '>1 [a-z0-9]* ([0-9]*)</text>' '$svg' && grep -q 'other or none (90)' '$svg'"
	is 'and few bytes' test "$(wc -c <"$svg")" -lt 100000
else
	skip 'map.svg' 'the package gnuplot-nox is not installed'
fi
t 'vectors without counts need no --matrix' 0 '' on 0 "$tmp/d" "$tmp/good.h5ad"
mkdir -p "$tmp/nothing"
t 'without gnuplot' 0 'no map.svg: gnuplot is not on this machine' env PATH="$tmp/nothing" "$BIN/map" "$tmp/good.h5ad" --out "$tmp/plain"
is 'the rest is there' bash -c "cmp '$tmp/plain/map.tsv' '$tmp/d/map.tsv' && test ! -e '$tmp/plain/map.svg'"

# Labels of others: by barcode, or by cell_id as predictions.tsv has it; a prediction may be unsure.
awk -F'\t' 'BEGIN { OFS = "\t"; print "dataset", "cell_id", "barcode", "truth", "prediction", "score", "sure" }
	NR > 1 { print "x", $1, "no-such-name-" NR, "-", NR % 2 ? "odd" : "even", 0.5, NR < 12 ? "no" : "yes" }' "$tmp/a/map.tsv" >"$tmp/predictions.tsv"
t 'predictions as labels' 0 '' on 0 "$tmp/p" "$tmp/good.h5ad" --labels "$tmp/predictions.tsv"
labels() { cut -f4 "$tmp/$1/map.tsv" | tail -n +2 | sort | uniq -c | awk '{ printf "%s=%s ", substr($0, 9), $1 }'; }
is 'of which the unsure ones are called so' test "$(labels p)" = 'even=130 not sure=10 odd=130 '
if command -v gnuplot >/dev/null; then
	is 'they are grey, below the others, without a number' grep -q '<path class="dot" stroke="#999999".*' <(grep -m 1 'class="dot"' "$tmp/p/map.svg")
	is 'in the legend behind them' test "$(grep -oE '>(1 |2 )?(odd|even|not sure) \([0-9]+\)' "$tmp/p/map.svg" | tr -d '\n')" = '>1 even (130)>2 odd (130)>not sure (10)'
	is 'dots of few cells are large' grep -q 'style="stroke-width:5.8"' "$tmp/p/map.svg"
	t 'a folder without templates' 1 'common.gp' on 0 "$tmp/y" "$tmp/good.h5ad" --templates "$tmp/nothing"
fi
t 'a column of obs' 0 '' on 0 "$tmp/q" "$tmp/good.h5ad" --label-column sample
is 'is taken' bash -c "! cut -f4 '$tmp/q/map.tsv' | grep -qx -e - && [ \$(cut -f4 '$tmp/q/map.tsv' | sort -u | wc -l) -gt 2 ]"
t 'a column that is not there' 3 "no column 'other'" on 0 "$tmp/x" "$tmp/good.h5ad" --label-column other
t 'labels of cells that are not there' 3 'no barcode of' on 0 "$tmp/x" "$tmp/good.h5ad" --labels <(printf 'barcode\tlabel\nnobody\tx\nnoone\ty\n')
t 'labels of two files' 2 'goes with one file' on 0 "$tmp/x" "$tmp/good.h5ad" "$tmp/good.h5ad" --labels "$tmp/predictions.tsv"

number() { # folder key
	sed -n "s/.*\"$2\": \([-0-9.e]*\).*/\1/p" "$1/map.json"
}
above() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && b != "" && a + 0 > b + 0) }'; }
t 'a map of noise' 0 '' on 0 "$tmp/n" "$tmp/noise.h5ad" --matrix X_genecompass
is 'the good embedding has neighbours of one type' above "$(number "$tmp/a" same_label)" 0.8
is 'noise has not' above 0.6 "$(number "$tmp/n" same_label)"
is 'nor do its communities agree with types' above 0.2 "$(number "$tmp/n" leiden_nmi)"
is 'those of the good one do' above "$(number "$tmp/a" leiden_nmi)" 0.5
is 'labelled cells are counted' test "$(number "$tmp/a" n_labelled)" = 180

t 'a map of counts' 0 '' on 0 "$tmp/k" "$tmp/counts.h5ad" --genes 60 --pcs 10 --report "$tmp/k.json"
is 'tells the types too' above "$(number "$tmp/k" same_label)" 0.8
is 'the report is map.json' cmp "$tmp/k.json" "$tmp/k/map.json"
t 'counts of several files' 0 '' on 0 "$tmp/two" "$tmp/counts.h5ad" "$tmp/counts.h5ad" --genes 60 --pcs 10
is 'are one map' test "$(wc -l <"$tmp/two/map.tsv")" = 541

t 'nothing to map' 2 'CELLS' map --out "$tmp/x"
t 'no --out' 2 '.--out' map "$tmp/good.h5ad"
t 'a matrix of two files' 2 'takes one file' on 0 "$tmp/x" "$tmp/good.h5ad" "$tmp/good.h5ad" --matrix X_genecompass
t 'a number out of range' 2 'out of range' on 0 "$tmp/x" "$tmp/good.h5ad" --matrix X_genecompass --neighbours 1
t 'a matrix that is not there' 3 'X_other' on 0 "$tmp/x" "$tmp/good.h5ad" --matrix X_other
t 'a file that is not there' 3 'absent.h5ad' on 0 "$tmp/x" "$tmp/absent.h5ad"
t 'more neighbours than cells' 3 'too few' on 0 "$tmp/x" "$tmp/good.h5ad" --matrix X_genecompass --neighbours 400
t 'an output that cannot be written' 1 '' on 0 /dev/null/x "$tmp/good.h5ad" --matrix X_genecompass
is 'nothing half-written is left' test ! -e "$tmp/x/map.tsv"
end
