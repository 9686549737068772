# paper: every number of the text is looked up in the results, and none is typed.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/audit-fake.sh"
cd "$tmp" || exit 1
fake_results "$tmp/r"
sum() { sha256sum <"$1" | cut -c1-64; }
has() { grep -qxF -- "$1" o/numbers.tex || { echo "no line '$1' in:"; cat o/numbers.tex; false; }; }
# A second seed and a second method in metrics.tsv, a report, a figure that can be drawn, claims.
{
	for s in 1 2; do
		printf 'annotate\tlung\tgenecompass+logistic\tclean\ttest\t%s\tmacro_f1\t0.%s\t2\n' $s ${s}5
		printf 'annotate\tlung\thvg+logistic\tclean\ttest\t%s\tmacro_f1\t0.%s\t2\n' $s $((s + 5))5
	done
	for s in small larger; do printf 'annotate\tsimulated\t%s\tclean\ttest\t1\tmacro_f1\t0.%s\t2\n' $s ${#s}; done
	printf 'annotate\ta_b & c\tmajority\tclean\ttest\t1\tmacro_f1\t-0.5\t2\n'
} >>r/annotate/metrics.tsv
fake_close r annotate r/pretrain/MANIFEST.tsv r/import/lung/MANIFEST.tsv
echo '{"parameters": 1234567, "loss": {"last": 7.123456}, "word": "50% of_it", "by type": {"B cells: 5%\n": 12}}' >r/pretrain/report.json
fake_close r pretrain r/tokenize/MANIFEST.tsv
echo '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="50"><rect width="80" height="40"/></svg>' >r/report/scores-01.svg
fake_close r report r/annotate/MANIFEST.tsv r/fetch/MANIFEST.tsv r.source/paper/report.css
mkdir -p r/paper/claims r/late text
printf 'id\tclaim\tverdict\tdetail\nA1\tit has 5 \xce\xb1\tundecided\t-0.25\nA2\tx\twet lab\t-\n' >r/paper/claims/claims.tsv
cat >text/main.tex <<'END'
\documentclass{article}
\usepackage{gcpaper}
\input{numbers}
\begin{document}
\gcCellsKept{} cells, \gcCellsKept, % \gcNoneOfThis
\gcPretrainParameters{} weights, \gcPretrainLossLast, \gcPretrainWord, \gcPretrainByTypeBCellsFive, \gcPretrainParamSteps, \gcConfidence\,\%, \gcStages.
\gcAnnotateLungTestMacroFOneHvgLogistic{} (\gcAnnotateLungTestMacroFOneHvgLogisticInterval),
\gcversus{annotate}{macro_f1}{genecompass+logistic}{hvg+logistic}, \gcversus{annotate}{macro_f1}{larger}{small}, \gcClaimsWetLab{} of \gcClaims{} claims.
\gcpart{annotate}{scores}
\gcpart{late}{late}
\begin{gcrows}{lrr}
\gctable{annotate/metrics.tsv}{dataset,method,value}{metric=accuracy}
\end{gcrows}
\begin{gcrows}{lll}
\gctable{paper/claims/claims.tsv}{id,claim,detail}{}
\end{gcrows}
\gcfigures{report/scores}
\end{document}
END
printf '\\begin{gcscoretable}{macro-F1}\n\\gcscores{annotate}{macro_f1}{test}\n\\end{gcscoretable}\n' >text/scores.tex
printf '\\gcLateNumber\n' >text/late.tex
cp "$SRC/paper/gcpaper.sty" text

t 'numbers without LaTeX'               0 ' 1 figures in' paper r --text text --out o --no-pdf
is 'a number of the page, once'         has "\\newcommand{\\gcCellsKept}{3}% report/numbers.tex:1 $(sum r/report/numbers.tex)"
is 'a count of a report'                has "\\newcommand{\\gcPretrainParameters}{1,234,567}% pretrain/report.json:parameters $(sum r/pretrain/report.json)"
is 'a number within'                    has "\\newcommand{\\gcPretrainLossLast}{7.12}% pretrain/report.json:loss.last $(sum r/pretrain/report.json)"
is 'words, for TeX'                     has "\\newcommand{\\gcPretrainWord}{50\\% of\\_it}% pretrain/report.json:word $(sum r/pretrain/report.json)"
is 'a key of any letters is one word'   has "\\newcommand{\\gcPretrainByTypeBCellsFive}{12}% pretrain/report.json:by%20type.B%20cells:%205%25%0A $(sum r/pretrain/report.json)"
is 'a parameter, with its line'         has "\\newcommand{\\gcPretrainParamSteps}{7}% pretrain/MANIFEST.tsv:$(grep -n -- --steps r/pretrain/MANIFEST.tsv | cut -d: -f1) $(sum r/pretrain/MANIFEST.tsv)"
m=$(sum r/annotate/metrics.tsv)
is 'a mean over seeds, with both lines' has "\\newcommand{\\gcAnnotateLungTestMacroFOneHvgLogistic}{0.700}% annotate/metrics.tsv:10,12 $m"
is 'and its interval by Student t'      has "\\newcommand{\\gcAnnotateLungTestMacroFOneHvgLogisticInterval}{0.065 to 1.335}% annotate/metrics.tsv:10,12 $m"
is 'a comparison, paired, with its verdict' has "\\newcommand{\\gcAnnotateVersusMacroFOneGenecompassLogisticOverHvgLogistic}{below (\$-\$0.500, \$-\$0.500 to \$-\$0.500)}% annotate/metrics.tsv:macro_f1 $m"
is 'one of made-up cells says so'       has "\\newcommand{\\gcAnnotateVersusMacroFOneLargerOverSmall}{+0.100, one seed, on made-up data sets}% annotate/metrics.tsv:macro_f1 $m"
is 'verdicts are counted'               has "\\newcommand{\\gcClaimsWetLab}{1}% paper/claims/claims.tsv:verdict $(sum r/paper/claims/claims.tsv)"
is 'a cell of a table is a number, too' has "\\newcommand{\\gcAnnotateMetricsTsvLungValue}{0.500}% annotate/metrics.tsv:2 $m"
is 'its row uses it'                    has 'lung & majority & \gcAnnotateMetricsTsvLungValue{}\\'
is 'words of a row are escaped'         grep -qF 'A1 & it has 5 α & \gcPaperClaimsClaimsTsvA' o/numbers.tex
is 'a minus is one'                     grep -qF '{$-$0.250}% paper/claims/claims.tsv:2 ' o/numbers.tex
is 'a data set may be called anything'  has '\gchead{a\_b \& c}\\*'
is 'a figure has its sum'               has "\\gcdraw{report-scores-01}% report/scores-01.svg:figure $(sum r/report/scores-01.svg)"
is 'a part that has run is marked'      has '\gcset{ran!annotate}{}'
is 'one that has not is not looked at'  bash -c "! grep -E '!late|Late' o/numbers.tex"
is 'and nothing that is not used is there' bash -c "! grep -q gcNoneOfThis o/numbers.tex && ! grep -q SixtyFour o/numbers.tex"
is 'no number is twice'                 test -z "$(sed -n 's/^\\newcommand{\(\\gc[A-Za-z]*\)}.*/\1/p' o/numbers.tex | sort | uniq -d)"
cp -r r moved
t 'the same elsewhere'                  0 '' paper moved --text text --out o2 --no-pdf --threads 2
is 'in the same bytes'                  cmp o/numbers.tex o2/numbers.tex
t '--list'                              0 '' paper r --list
is 'has names, values and places'       grep -qF '\gcPretrainLossLast	7.12	pretrain/report.json:loss.last ' "$tmp/.stdout"

# --- what is refused, by name and place
bad() { # sentence pattern line-of-text
	mkdir -p bad && printf 'one\n%s\n' "$3" >bad/main.tex
	t "$1" 3 "$2" paper r --text bad --out x --no-pdf
}
bad 'a number that the results do not have' "'main.tex' line 2: the results have no number '.gcCellsLost'" 'so \gcCellsLost{} cells'
bad 'a command that there is not'       "line 2: there is no command '.gcsum'" '\gcsum{x}'
bad 'a command with too few arguments'  'gctable wants 3 plain arguments' '\gctable{a}{b}'
bad 'an argument with TeX in it'        'wants 3 plain arguments' '\gctable{a}{b}{\c}'
bad 'a table without the column'        "has no column 'none'" '\gctable{annotate/metrics.tsv}{none}{}'
bad 'no table'                          'none.tsv' '\gctable{none.tsv}{a}{}'
bad 'a score that there is not'         "no clean scores 'auc' on 'test'" '\gcscores{annotate}{auc}{test}'
bad 'methods that there are not'        "no pairs of 'x' and 'y'" '\gcversus{annotate}{macro_f1}{x}{y}'
bad 'no figure'                         "no figure 'report/none" '\gcfigures{report/none}'
bad 'a part whose file is missing'      'gone.tex' '\gcpart{annotate}{gone}'
printf '\\gcpart{annotate}{main}\n' >bad/main.tex
t 'a part that has itself in it'        3 'parts within parts' paper r --text bad --out x --no-pdf
is 'and nothing was written'            test ! -e x
cp -r r.source moved.source
sed 's/"loss": {/"loss last": 8, "loss": {/' r/pretrain/report.json >moved/pretrain/report.json
fake_close moved pretrain moved/tokenize/MANIFEST.tsv
cp -r r told; cp -r r.source told.source
printf '\\newcommand{\\gcCellsKept}{\\input{/etc/hostname}}\n' >told/report/numbers.tex
fake_close told report r/annotate/MANIFEST.tsv r/fetch/MANIFEST.tsv
t 'a page whose number is a command'    3 "'report/numbers.tex': line 1: a value with commands of TeX" paper told --text text --out x --no-pdf
printf '\\newcommand{\\gcCellsKept}{5 \\%% \\textbackslash{}a\\_\\{b\\}}\n' >told/report/numbers.tex
fake_close told report r/annotate/MANIFEST.tsv r/fetch/MANIFEST.tsv
t 'letters that TeX escapes are none'   0 '' paper told --text text --out told-o --no-pdf
is 'and stay as they are'               grep -qF '{5 \% \textbackslash{}a\_\{b\}}% report/numbers.tex:1 ' told-o/numbers.tex
t 'two numbers of one name'             3 "two different numbers are called '.gcPretrainLossLast'" paper moved --text text --out x --no-pdf
rm -r moved/paper
t 'results without verdicts'            3 'claims RESULTS --out' paper moved --text text --out x --no-pdf
t 'no results'                          3 "no folder 'none'" paper none --text text --out x
t 'no --out'                            2 '' paper r --text text

# --- back from a number
fake_close_paper() { # results: a stage like any other
	cp o/numbers.tex "$1/paper/"
	fake_close "$1" paper r/annotate/MANIFEST.tsv r/report/MANIFEST.tsv r/pretrain/MANIFEST.tsv
}
rmdir r/late
fake_close_paper r
t 'a number by its name'                0 '' trace r/paper/numbers.tex:gcAnnotateLungTestMacroFOneHvgLogistic
is 'is shown'                           grep -qE '^number	paper/numbers.tex:[0-9]+	-	-	.gcAnnotateLungTestMacroFOneHvgLogistic = 0.700$' "$tmp/.stdout"
is 'leads to its rows'                  test "$(grep -cE '^row	annotate/metrics.tsv:1[02]	.*method=hvg.logistic' "$tmp/.stdout")" = 2
is 'to the weights'                     grep -q '^weights	pretrain/step-7/model.safetensors' "$tmp/.stdout"
is 'and to the raw file'                grep -q '^source	sc/lung.csv.gz	.*https://example.org/lung.csv.gz' "$tmp/.stdout"
is 'through its own stage'              grep -q '^made-by	annotate/MANIFEST.tsv' "$tmp/.stdout"
is 'not through others'                 bash -c "! grep -q report/ '$tmp/.stdout'"
cp "$tmp/.stdout" by-name
t 'or by its line'                      0 '' trace "r/paper/numbers.tex:$(grep -n 'HvgLogistic}{0.700' r/paper/numbers.tex | cut -d: -f1)"
is 'is the same'                        cmp by-name "$tmp/.stdout"
t 'a number of a report'                0 '' trace r/paper/numbers.tex:gcPretrainLossLast
is 'leads to its key and stage'         bash -c "grep -q '^from	pretrain/report.json:loss.last	.*as in its manifest' '$tmp/.stdout' && grep -q '^made-by	pretrain/' '$tmp/.stdout'"
t 'a number whose key has blanks'       0 '' trace r/paper/numbers.tex:gcPretrainByTypeBCellsFive
is 'leads to it as it is'               grep -q '^from	pretrain/report.json:by type.B cells: 5% 	-	.*as in its manifest' "$tmp/.stdout"
t 'a name that is not there'            3 "has no number 'gcNone'" trace r/paper/numbers.tex:gcNone
t 'a name in a table'                   2 'not in .annotate' trace r/annotate/metrics.tsv:gcCellsKept
cp -r r later; cp -r r.source later.source
echo >>later/pretrain/report.json; fake_close later pretrain later/tokenize/MANIFEST.tsv
t 'a place that has changed since'      4 'place of the number is not what' trace later/paper/numbers.tex:gcPretrainLossLast

# --- no number is typed
digits() { awk -f "$SRC/workflows/digits.awk" "$SRC/paper/words.txt" "$@"; }
is 'the text types no number'           digits "$SRC"/paper/*.tex
plant() { # sentence status line
	cp "$SRC/paper/main.tex" planted.tex && printf '%s\n' "$3" >>planted.tex
	t "$1" "$2" '' digits planted.tex
	[ "$2" = 0 ] || is 'is found, with its line' grep -q "^planted.tex:$(wc -l <planted.tex): " "$tmp/.stdout"
}
plant 'a planted digit'                 4 'we kept 91 of them'
plant 'one in a formula'                4 'at $p = 0.05$'
plant 'one behind an escaped percent sign' 4 '\% and then 5'
plant 'a number as a word'              4 'in Seven sets'
plant 'one within a word of ours'       4 'macro-F12'
plant 'one in brackets of a table'      4 '\begin{tabular}{l} 3 \end{tabular}'
plant 'labels, citations, lookups'      0 '\label{a1} \ref{a1} \cite{x2024,y2} \gcscores{a}{b_2}{test} \input{a2}'
plant 'comments and known names'        0 'SHA-256 and macro-F1 % 42'

# --- where LaTeX is: `run` installs it for the goal paper alone, and that goal is the test of the whole text
if command -v pdflatex >/dev/null && command -v rsvg-convert >/dev/null; then
	printf '@misc{a, title={A}}\n' >text/b.bib
	sed -i 's/^.end{document}/\\cite{a}\\bibliographystyle{plain}\\bibliography{b}\n&/' text/main.tex
	t 'a PDF'                           0 '' paper r --text text --out p1
	(cd / && TZ=Asia/Tokyo HOME=/ paper "$tmp/r" --text "$tmp/text" --out "$tmp/p2" --quiet)
	is 'the same from elsewhere'        cmp p1/paper.pdf p2/paper.pdf
	is 'and the programs that made it'  grep -q '^pdflatex	.' p1/programs.tsv
	is 'with no date or path in it'     bash -c "! grep -aE 'CreationDate|ModDate|$tmp' p1/paper.pdf"
	printf 'a \\ref{none}\n' >>text/scores.tex
	t 'a reference that leads nowhere'  3 'pdflatex: Reference .none' paper r --text text --out p3
	printf '\\nonesuch\n' >text/scores.tex
	t 'what TeX refuses'                3 'pdflatex: Undefined control sequence.*nonesuch' paper r --text text --out p3
	is 'leaves no PDF'                  test ! -e p3/paper.pdf
fi
t 'without the programs'                1 'is not on this machine' env PATH=/nonexistent "$BIN/paper" r --text text --out p4
is 'there are numbers, and no PDF'      bash -c 'test -s p4/numbers.tex && test ! -e p4/paper.pdf'
end
