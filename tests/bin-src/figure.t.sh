# figure: Figure 3 from metrics.tsv: intervals, missing methods, foreign words, broken files.
# shellcheck source=tests/tool.sh
. "$SRC/tests/tool.sh"
if ! command -v gnuplot >/dev/null; then skip 'figures' 'the package gnuplot-nox is not installed'; end; fi
has() { grep -qF -- "$1" "$2"; }
lacks() { ! grep -qF -- "$1" "$2"; }
head='task	dataset	method	variant	split	seed	metric	value	n'
row() { # dataset method seed value [metric split]
	printf 'annotate\t%s\t%s\tclean\t%s\t%s\t%s\t%s\t40\n' "$1" "$2" "${6:-test}" "$3" "${5:-macro_f1}" "$4"
}
{
	echo "$head"
	for seed in 1 2 3; do
		for size in 0 250 2000; do
			for kinds in all none; do
				row "<b>&'lung" "$size-human-$kinds-2+logistic" $seed "0.$((seed + size / 500))"
			done
		done
		row "<b>&'lung" hvg+logistic $seed 0.7
		row "<b>&'lung" 250-human-all-2+logistic $seed 0.99 macro_f1 val
	done
} >"$tmp/scaling.tsv"
t 'scores against sizes' 0 '1 figures' figure "$tmp/scaling.tsv" --name fig3a --out "$tmp/o" \
	--note 'Run: <three> & "seeds"' --claims "$SRC/reference/figure3.tsv"
is 'are drawn' test -s "$tmp/o/fig3a-01.svg"
is 'a data set may be called anything' has "&lt;b&gt;&amp;&#39;lung" "$tmp/o/fig3a-01.svg"
is 'and reaches nobody as it is' lacks '<b>' "$tmp/o/fig3a-01.svg"
is 'what was run stands under it' has 'Run: &lt;three&gt; &amp; &quot;seeds&quot;' "$tmp/o/fig3a-01.svg"
is 'so does what the paper shows' has 'The paper (A05): prior knowledge helps.' "$tmp/o/fig3a-01.svg"
is 'of this figure alone' lacks 'A14' "$tmp/o/fig3a-01.svg"
is 'an interval below 0 ends at the edge' bash -c "grep -q '>0.0<' '$tmp/o/fig3a-01.svg' && ! grep -q '>-0.1<' '$tmp/o/fig3a-01.svg'"
{ echo "$head"; for seed in 1 2; do for size in 250 500; do row near "$size-human-all-1+logistic" $seed "0.6$seed"; done
	row near hvg+logistic $seed 0.78; done; } >"$tmp/near.tsv"
t 'scores near each other' 0 '1 figures' figure "$tmp/near.tsv" --name fig3a --out "$tmp/near"
axis() { grep -oE '>[01]\.[0-9]<' "$tmp/near/fig3a-01.svg" | tr -d '<>' | sort -u | tr '\n' ' '; }
is 'have an axis of the tenths that hold their intervals' test "$(axis)" = '0.5 0.6 0.7 0.8 '
squares() { grep -ciE '<path[^>]* fill="#0072b2"|<polygon[^>]* fill="#0072b2"' "$tmp/near/fig3a-01.svg"; }
is 'and a square at every mean' test "$(squares)" -ge 2
dashed_lines() { grep -oiE 'stroke="#0072b2" stroke-dasharray' "$tmp/o/fig3a-01.svg" | wc -l; }
is 'a dashed line is dashed in the legend as well' test "$(dashed_lines)" = 2
of() { awk -F '\t' -v m="$1" '$3 == m && $5 == "test" { printf "%d %.6f %s %s", $7, $8, $9 == "-" ? "-" : sprintf("%.6f", $9), $10 == "-" ? "-" : sprintf("%.6f", $10) }' "$tmp/o/$2.tsv"; }
# Student's t for 2 degrees of freedom, 0.975: 4.302653; the standard error is 0.1 / sqrt(3).
is 'a mean has its 95 % interval' test "$(of 250-human-all-2+logistic fig3a)" = '3 0.200000 -0.048414 0.448414'
is 'equal scores have one of no width' test "$(of hvg+logistic fig3a)" = '3 0.700000 0.700000 0.700000'

{ echo "$head"; row a genecompass+logistic 1 0.5; row a geneformer 1 0.4; row a hvg+logistic 1 0.9
	row a hvg+logistic 2 0.7; row a novel 1 0.3; row b hvg+svm 1 0.6; row b tosica 1 nan; } >"$tmp/methods.tsv"
t 'methods' 0 '2 figures' figure "$tmp/methods.tsv" --kind methods --name fig3b --out "$tmp/o"
is 'one seed has no interval' test "$(of geneformer fig3b)" = '1 0.400000 - -'
is 'which is said' has '0.400 (one seed)' "$tmp/o/fig3b-01.svg"
words() { grep -oE "this run&#39;s model|geneformer|variable genes|novel" "$1" | tr '\n' ' '; }
is 'ours, deep, simple, unknown: whoever wins' test "$(words "$tmp/o/fig3b-01.svg")" = \
	'this run&#39;s model geneformer variable genes novel '
is 'a method that is not there has no row' lacks tosica "$tmp/o/fig3b-02.svg"
is 'the legend has the colours of bars' has 'other deep models' "$tmp/o/fig3b-01.svg"
is 'a method that is not known is called so' has 'methods not known here' "$tmp/o/fig3b-01.svg"
is 'and no others' lacks 'other deep models' "$tmp/o/fig3b-02.svg"
t 'one of them' 0 '1 figures' figure "$tmp/methods.tsv" --kind methods --sets b --name fig3c --out "$tmp/o"
is 'its table has no other' lacks 'geneformer' "$tmp/o/fig3c.tsv"
is 'a score is a macro for the text' has '\newcommand{\gcScoreBMacroFOneHvgSvmCleanTest}{0.600}' "$tmp/o/fig3c.tex"
figure "$tmp/methods.tsv" --kind methods --name fig3b --out "$tmp/o2" --quiet
is 'equal scores give equal bytes' cmp "$tmp/o/fig3b-01.svg" "$tmp/o2/fig3b-01.svg"
sed 's/macro_f1/mse_top20/; s/test/unseen_single/' "$tmp/methods.tsv" >"$tmp/errors.tsv"
t 'another metric of other rows' 0 '2 figures' figure "$tmp/errors.tsv" --kind methods --metric mse_top20 --split unseen_single --name fig5f --out "$tmp/o5"
is 'with its words' grep -q 'squared error, 20 most changed genes, on' "$tmp/o5/fig5f-01.svg"
sed 's/macro_f1/rmse/; s/\tgeneformer/\tdeepce/; s/\thvg+logistic/\tridge/' "$tmp/methods.tsv" >"$tmp/drugs.tsv"
t 'expression after drugs' 0 '2 figures' figure "$tmp/drugs.tsv" --kind methods --metric rmse --name fig4d --out "$tmp/o8"
is 'has its words' grep -q 'root mean squared error on' "$tmp/o8/fig4d-01.svg"
is 'the network before simple methods' test "$(grep -oE '>(deepce|ridge)' "$tmp/o8/fig4d-01.svg" | head -n 2 | tr '\n' ' ')" = '>deepce >ridge '
sed 's/macro_f1/pearson_change_de/; s/\ta\t/\tsimulated\t/' "$tmp/methods.tsv" >"$tmp/changes.tsv"
figure "$tmp/changes.tsv" --kind methods --metric pearson_change_de --split test --name changes --out "$tmp/o10" --quiet
is 'long words of a metric fit' grep -rqE '> *correlation of changes, most changed genes, on [a-z]+( |,|<)' "$tmp/o10"
for control in cpa+shuffled deepce+shuffled deepsem+genecompass-shuffled+soft random-weights+full genecompass-without-knowledge+logistic; do
	sed "s/\tgeneformer/\t$control/" "$tmp/methods.tsv" >"$tmp/control.tsv"
	figure "$tmp/control.tsv" --kind methods --name control --out "$tmp/o9" --quiet
	is "$control is a control" has 'its controls' "$tmp/o9/control-01.svg"
done
sed 's/\thvg+logistic\tclean\t/\thvg+logistic\tas-released\t/' "$tmp/methods.tsv" >"$tmp/released.tsv"
t 'variants as released' 0 '2 figures' figure "$tmp/released.tsv" --kind methods --as-released --name fig4c --out "$tmp/o6"
is 'are named' has 'variable genes + logistic, as-released' "$tmp/o6/fig4c-01.svg"
figure "$tmp/released.tsv" --kind methods --name fig4c --out "$tmp/o7" --quiet
is 'and drawn only when asked for' lacks 'as-released' "$tmp/o7/fig4c-01.svg"
sed 's/macro_f1/accuracy/; s/0\.9/0.8/' "$tmp/methods.tsv" >"$tmp/accuracy.tsv"
t 'accuracy' 0 '2 figures' figure "$tmp/accuracy.tsv" --kind methods --metric accuracy --name fig3d --out "$tmp/o8"
is 'has an axis that ends at 1' grep -q '>1<' "$tmp/o8/fig3d-01.svg"
t 'which macro-F1 is not' 0 '0 figures' figure "$tmp/errors.tsv" --kind methods --name fig5f --out "$tmp/none"
t 'nothing to draw' 0 '0 figures' figure "$tmp/methods.tsv" --name fig3a --out "$tmp/none"
is 'leaves nothing' test -z "$(ls "$tmp/none")"

{ printf 'row\tseries\tvalue\tlow\thigh\n<i>\tone\t0.5\t0.4\t0.7\n<i>\ttwo\t-2\t-\t-\nb\tone\tnan\t-\t-\nb\ttwo\t1\t-\tnan\n'; } >"$tmp/marks.tsv"
t 'marks of a table' 0 '1 figures' figure "$tmp/marks.tsv" --kind marks --name fig2b --line 0 --label 'so <much>' --out "$tmp/m"
is 'rows, series and axis have their words' bash -c "grep -q '&lt;i&gt;' '$tmp/m/fig2b-01.svg' && grep -q '>two<' '$tmp/m/fig2b-01.svg' &&
	grep -q 'so &lt;much&gt;' '$tmp/m/fig2b-01.svg'"
is 'the table lies beside it' cmp "$tmp/marks.tsv" "$tmp/m/fig2b.tsv"
sed 's/0.5/half/' "$tmp/marks.tsv" >"$tmp/bad.tsv"
t 'a mark at no number' 3 "row 1: 'half' in column 'value' is no number" figure "$tmp/bad.tsv" --kind marks --name x --out "$tmp/x"
head -1 "$tmp/marks.tsv" >"$tmp/bad.tsv"
t 'no mark' 3 'no number to draw' figure "$tmp/bad.tsv" --kind marks --name x --out "$tmp/x"
{ printf 'row\tseries\tvalue\tlow\thigh\n'; for i in {1..61}; do printf '%s\ta\t1\t-\t-\n' $i; done; } >"$tmp/bad.tsv"
t 'too many rows' 3 'more than 60 rows' figure "$tmp/bad.tsv" --kind marks --name x --out "$tmp/x"
t 'two tables' 2 'takes one table' figure "$tmp/marks.tsv" "$tmp/marks.tsv" --kind marks --name x --out "$tmp/x"
printf 'dataset\tmethod\ttype\tgroup\tcosine_from\tn\nd\tword-rows\tbeta\thomologs\t0.98\t7\nd\tword-rows\tbeta\tothers\t-1.00\t3\nd\tx\talpha\tothers\t0.00\t3\n' >"$tmp/den.tsv"
t 'densities, a figure a type' 0 '2 figures' figure "$tmp/den.tsv" --kind density --name fig2a --out "$tmp/m"
is 'with words for methods and groups' bash -c "grep -q 'words alone' '$tmp/m/fig2a-01.svg' && grep -q 'a gene and its homolog' '$tmp/m/fig2a-01.svg'"
sed 's/0.98/3/' "$tmp/den.tsv" >"$tmp/bad.tsv"
t 'a cosine of 3' 3 'row 1: not of homology' figure "$tmp/bad.tsv" --kind density --name x --out "$tmp/x"
t 'densities without their columns' 3 "no column" figure "$tmp/marks.tsv" --kind density --name x --out "$tmp/x"

{ echo "$head"; row a m 1 good; } >"$tmp/bad.tsv"
t 'a score that is a word' 3 "value is 'good', not a number" figure "$tmp/bad.tsv" --name x --out "$tmp/x"
printf '%s\nannotate\ta\n' "$head" >"$tmp/bad.tsv"
t 'a short row' 3 'line 2 has 2 fields' figure "$tmp/bad.tsv" --name x --out "$tmp/x"
printf 'task\tvalue\n' >"$tmp/bad.tsv"
t 'a missing column' 3 'no column' figure "$tmp/bad.tsv" --name x --out "$tmp/x"
printf 'figure\ttext\n' >"$tmp/claims.tsv"
t 'broken claims' 3 "no column 'claims'" figure "$tmp/methods.tsv" --kind methods --name x --out "$tmp/x" --claims "$tmp/claims.tsv"
t 'no name' 2 'name is missing' figure "$tmp/methods.tsv" --out "$tmp/x"
t 'a name that is a path' 2 'small letters' figure "$tmp/methods.tsv" --name ../x --out "$tmp/x"
t 'no file' 3 'nowhere' figure "$tmp/nowhere" --name x --out "$tmp/x"
end
