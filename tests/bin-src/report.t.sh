# report: the page, its figures and numbers.tex, from a results folder that is made up.
# shellcheck source=tests/tool.sh
. "$SRC/tests/tool.sh"
fake() { bash "$SRC/tests/bin-src/report-fake.sh" "$@"; }
has() { grep -qF -- "$1" "$2"; }
lacks() { ! grep -qF -- "$1" "$2"; }
R=$tmp/results/one
page=$R/report/index.html
fake "$R"

t 'a results folder gives a page' 0 'figures and a page' report "$R" --out "$R/report" --profile test
is 'with figures beside it' test -s "$R/report/map-type.svg" -a -s "$R/report/scores-03.svg" \
	-a -s "$R/report/qc.svg" -a -s "$R/report/loss-value.svg"
is 'and nothing half-written' test -z "$(find "$R/report" -name '*.part')"

# --- the same again, elsewhere
fake "$tmp/second place/two"
(cd "$tmp/second place" && GNUTERM=dumb TMPDIR=/var/tmp LC_ALL=de_DE.UTF-8 \
	report two --out other --profile test --threads 2 --quiet)
is 'equal results give equal bytes, wherever they lie' diff -r "$R/report" "$tmp/second place/other"
t 'a second run over the first' 0 '' report "$R" --out "$R/report" --profile test
is 'its own output does not come into it' diff -r "$R/report" "$tmp/second place/other"

# --- what comes from files is escaped
bad='a&lt;b&gt;&amp;&quot;q&quot;&#39;s&#39;_ü$\%'
is 'a sample may be called anything' has "<th scope=\"row\">$bad</th>" "$page"
is 'also in a figure' has "$bad" "$R/report/qc.svg"
is 'also a cell type, with its umlauts' has "${bad}" "$R/report/map-type.svg"
is 'a data set too' has "<b>$bad</b>" "$page"
is 'nothing of it is there as it was' lacks 'a<b>' "$page"
is 'nor in any figure' test -z "$(grep -lF 'a<b>' "$R"/report/*.svg)"
is 'options are escaped' has '--note &lt;&amp;&quot;&#39;&gt;' "$page"
is 'addresses are escaped' has 'href="https://example.org/a&amp;b/&lt;4&gt;.csv.gz"' "$page"
if command -v xmllint >/dev/null; then
	is 'page and figures are well-formed' xmllint --noout "$page" "$R"/report/*.svg
else
	skip 'page and figures are well-formed' 'no xmllint'
fi
if command -v python3 >/dev/null; then
	is 'tags nest, ids are unique, links within the page lead somewhere' python3 - "$page" <<-'EOF'
		import html.parser, sys
		class Page(html.parser.HTMLParser):
		    void = {"meta", "br"}
		    def __init__(self):
		        super().__init__(); self.open, self.ids, self.to = [], [], []
		    def handle_starttag(self, tag, attrs):
		        names = [k for k, _ in attrs]
		        assert len(set(names)) == len(names), (tag, attrs)
		        if tag not in self.void: self.open.append(tag)
		        self.note(attrs)
		    def handle_startendtag(self, tag, attrs): self.note(attrs)
		    def note(self, attrs):
		        for k, v in attrs:
		            if k == "id": self.ids.append(v)
		            if k == "href" and v.startswith("#"): self.to.append(v[1:])
		    def handle_endtag(self, tag):
		        assert self.open and self.open[-1] == tag, (tag, self.open, self.getpos())
		        self.open.pop()
		p = Page(); p.feed(open(sys.argv[1], encoding="utf-8").read()); p.close()
		assert not p.open, p.open
		assert len(set(p.ids)) == len(p.ids), p.ids
		assert p.to and set(p.to) <= set(p.ids), set(p.to) - set(p.ids)
	EOF
else
	skip 'tags nest' 'no python3'
fi

# --- one species from another
is 'what gene vectors add to CAME' has '<td class="n">+0.062</td><td class="n">0.025</td><td>better</td>' "$page"
is 'an interval that holds 0 is no difference' has '<td class="n">0.050</td><td>no difference seen</td>' "$page"
is 'one seed tells none' has '<td>not told by one seed</td>' "$page"

# --- it needs nothing from elsewhere, and says nothing of this machine
is 'addresses stand only in links to sources' test -z "$(sed 's/href="https:[^"]*"//g' "$page" |
	grep -oE 'https?:|src=|url\(|@import|<link|<script [a-z]|javascript:| on[a-z]+="')"
is 'a path of some machine in a report stays out' lacks secret "$page"
is 'so does the place of a local mirror' lacks somebody "$page"
is 'and the folder of this run' test -z "$(grep -rlF "$tmp" "$R/report")"
is 'figures that stand alone name their language only' test -z "$(
	grep -ohE 'https?:[^"]*' "$R"/report/*.svg | grep -vxF http://www.w3.org/2000/svg)"

# --- the figures of the paper
figures=$R/report/figures.html
is 'figures of stages have a page' has '<img src="fig5b-01.svg" alt="error on &lt;odd&gt; &amp; even" loading="lazy"/>' "$figures"
is 'and lie beside it as they are' cmp "$R/fig5/fig5b-01.svg" "$R/report/fig5b-01.svg"
is 'a title that cannot stand in quotes is left out' has 'alt="fig5c-01.svg"' "$figures"
is 'a name that cannot be an address is told' has '1 files have names that cannot stand in an address: fig5/' "$figures"
is 'numbers stand under the figure, rounded' has '<td>gears</td><td class="n">0.1235</td><td class="n">–</td>' "$figures"
is 'counts in groups of three' has '<td class="n">1,234,567</td>' "$figures"
is 'words from tables are escaped there too' has "<td>$bad</td>" "$figures"
is 'each has its command' has '<code>make fig5 PROFILE=test</code>' "$figures"
is 'what has not run is told' has 'Figure 3: scale, rivals, species: make fig3' "$figures"
is 'as released stands beside clean' has '<td>r2</td><td class="n">0.35 ± 0.64</td><td class="n">0.65 ± 0.64</td><td class="n">+0.3</td>' "$figures"
is 'what has one of them alone does not' test "$(grep -c '<td>sciplex</td>' "$figures")" = 1
is 'that page is well-formed, too' python3 -c 'import sys, xml.dom.minidom as x; x.parse(sys.argv[1])' "$figures"

# --- the ledger
is 'cells after each rule, beside the paper' has '<td>human</td><td class="n">1,259</td><td class="n">1,259</td><td class="n">1,250</td><td class="n">1,000</td><td class="n">53,568,337</td>' "$page"
is 'the reason of a loss' has 'no &lt;cell&gt; is left' "$page"
is 'cells that stand twice, in per cent' has '<td class="n">7</td><td class="n">12</td><td class="n">12.0 %</td>' "$page"
is 'labelled cells that were trained on' has '<td>zeisel</td><td class="n">1,000</td><td class="n">0</td><td class="n">938</td>' "$page"

# --- the claims
t 'claims have a page where their table is named' 0 '' report "$R" --out "$tmp/claimed" --profile test --quiet \
	--claims "$SRC/reference/claims.tsv"
is 'whose cells say what they are' has '<td data-of="the paper says">the corpus holds' "$tmp/claimed/claims.html"
is 'whose large numbers have commas' has '>101,768,420 cells</td>' "$tmp/claimed/claims.html"
is 'with a row each' test "$(grep -c '<tr class="v-' "$tmp/claimed/claims.html")" = 93
is 'to which the first leads' has 'href="claims.html"' "$tmp/claimed/index.html"
is 'and else does not' lacks 'claims.html' "$page"
t 'a table of claims that is none' 3 "no column 'status'" report "$R" --out "$tmp/unclaimed" --claims "$R/vocab/vocab.tsv"

# --- in a browser
if command -v chromium >/dev/null; then
	is 'every page opens at two widths, light and dark, all links clicked, nothing on the console' \
		"${PYTHON:-python3}" "$SRC/tests/page-browser.py" "$tmp/claimed"
	# The check can fail.
	mkdir "$tmp/bad" && sed -e 's/href="#cells"/href="#cellar"/' -e 's/ lang="en"//' -e 's/<h2>Words/<h4>Words/; s,</h2>,</h2>,' \
		-e 's,</head>,<script>undefined.x</script><style>body{color:#999}main{width:3000px;max-width:none}</style></head>,' "$page" >"$tmp/bad/index.html"
	sed 's/max-width:699px/max-width:9px/' "$tmp/claimed/claims.html" >"$tmp/bad/claims.html"
	"${PYTHON:-python3}" "$SRC/tests/page-browser.py" "$tmp/bad" >"$tmp/bad.out"
	for what in 'a table of cards is wider' 'no language' 'exception' 'wider than the window' 'contrast' "'#cellar' names no place" "'figures.html' leads nowhere"; do
		is "it sees: $what" has "$what" "$tmp/bad.out"
	done
else
	skip 'the pages in a browser' 'the package chromium is not installed'
fi

# --- the numbers are those of the files
n_in=$(cat "$R"/import/*/report.json | grep -oE '"n_cells": [0-9]+' | awk '{ n += $2 } END { print n }')
is 'cells read are added up' has "<dt>Cells read</dt><dd><b>${n_in%???},${n_in: -3}</b>" "$page"
is 'genes count without the two signs' has '<dt>Genes in the vocabulary</dt><dd><b>1,900</b>' "$page"
is 'parameters come from the report' has '<b>1.23 million</b>' "$page"
val=$(grep '"val"' "$R/pretrain/log.jsonl" | sed -E 's/.*"id_loss": ([0-9.]+).*/\1/' |
	awk 'NR == 1 { a = $1 } { b = $1 } END { printf "%.2f → %.2f", a, b }')
is 'losses are those of held-out cells' has "<dt>Loss, hidden genes</dt><dd><b>$val</b>" "$page"
score=$(awk -F '\t' '$2 == "pbmc_sorted" && $3 == "genecompass+logistic" && $5 == "test" &&
	$7 == "macro_f1" { n++; s += $8; q += $8 * $8 }
	END { m = s / n; w = 2.7764451 * sqrt((q - n * m * m) / (n - 1) / n)
	printf "%.3f</td><td class=\"n\">%.3f to %.3f", m, m - w, m + w }' "$R/annotate/metrics.tsv")
is 'a score has its mean and 95 % interval by Student t' has "$score" "$page"
is 'scores without training have a table of their own' \
	has '<td>lines</td><td>this run&#39;s model</td><td class="n">0.621 ± 0.025</td><td class="n">–</td>' "$page"
is 'and are no row of the others' lacks '<td>zero-shot</td>' "$page"
is 'the share of cells that were seen in training is said' has 'baron_pair_human 75.0 %' "$page"
is 'a rule has words and the cells that it dropped' has 'too few cells in the sample (P2) 29' "$page"
is 'a loss above or below its baseline is said' has 'below the 6.41 of guess by frequency' "$page"
is 'a model that loses is said plainly' has 'Negative result' "$page"
is 'samples without an input are named in one sentence' has '1 sample of this profile is left out' "$page"
is 'and are no gap in a table' lacks 'Sample gone' "$page"
is 'nor are they counted' has 'in 4 samples' "$page"
is 'inputs that were left out have a list of their own' has '3 optional inputs could not be had' "$page"
is 'sums of the inputs are there' has "$(printf '%064d' 9)" "$page"
is 'so is the sum of every manifest' has \
	"$(sha256sum "$R/tokenize/MANIFEST.tsv" | cut -d' ' -f1)" "$page"
is 'per sample too' has "$(sha256sum "$R/qc-filter/celltypist/MANIFEST.tsv" | cut -d' ' -f1)" "$page"
is 'a stage without a manifest is said' has 'Stage embed has no MANIFEST.tsv' "$page"
is 'deviations have their ids and what this run was told' has 'follows the preset paper' "$page"
is 'a number of a report is there' has '<dt>families</dt><dd>1,645</dd>' "$page"
tag() { tr -d '\n' <"$page" | sed 's/<[^>]*>/|/g; s/||*/|/g' | grep -qF -- "$1"; } # the page's words, tags as one |
is 'what knowledge covers is there' tag '|family|human|20,000|50.0 %|3.25|1.50|777|0.912|0.610|0.990|'
is 'so is what it recovers, beside baseline, shuffled and random' tag '|family|human|family|1,000|81.2 %|25.0 %|1.0 %|1.1 %|'
is 'a kind without rows has dashes' tag '|grn|mouse|18,000|0.0 %|–|'
is 'counts stand beside the paper s, with the reason' tag "|gene families|human|1,037|1,645|$bad|"
is 'co-expression beside chance' tag 'over 2 matrices 1,250 pairs of genes pass the threshold; after each gene'
is 'which is told' tag 'leaves no relation, 111 do.'
is 'kinds agree or not' tag '|family|human|grn|900|0.123|0.004|'
is 'what benchmarks take as truth is told' tag '|human|family|4,321|432|10.0 %|'
is 'the authors vectors stand beside ours' tag '|family|human|mantel r|0.456|1,000|'
colour() { grep -oE "<path class=\"dot\" stroke=\"[^\"]*\"" "$1" | cut -d'"' -f4 | sort | tr '\n' ' '; }
is 'a cell type has one colour in all maps' test "$(colour "$R/report/map-type.svg")" = \
	"$(colour "$R/report/map-counts-type.svg")"

# --- numbers.tex
tex=$R/report/numbers.tex
is 'numbers.tex has them too' has "\\newcommand{\\gcCellsRead}{${n_in%???},${n_in: -3}}" "$tex"
is 'macros have letters only' test -z "$(grep -vE '^%|^\\newcommand\{\\gc[A-Za-z]+\}\{.*\}$' "$tex")"
is 'and each its own name' test -z "$(cut -d'{' -f2 "$tex" | sort | uniq -d)"
fake "$tmp/two" 100
printf '%s\n' 'annotate	a-b	m	clean	test	1	f1	0.1	5' 'annotate	a.b	m	clean	test	1	f1	0.2	5' \
	>>"$tmp/two/annotate/metrics.tsv"
t 'names that differ only in signs' 0 '' report "$tmp/two" --out "$tmp/two.out"
is 'still get a macro each' test "$(grep -c 'gcScoreABFOneMCleanTest' "$tmp/two.out/numbers.tex")" = 2

# --- two tasks with one metric
headline() { grep -E 'gcScore(Model|Baseline|DataSets|DataSetsAhead)\}' "$1/numbers.tex"; }
cp -r "$tmp/two" "$tmp/tasks" && mkdir -p "$tmp/tasks/cross-species"
{
	printf 'task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn\n'
	for m in came genecompass+came majority; do printf 'cross-species\tpair\t%s\tclean\ttest\t1\tmacro_f1\t0.4\t9\n' "$m"; done
} >"$tmp/tasks/cross-species/metrics.tsv"
t 'another task with the same metric' 0 '' report "$tmp/tasks" --out "$tmp/tasks.out"
is 'leaves what is said of the first as it was' test "$(headline "$tmp/tasks.out" | grep -c .)" = 4 -a \
	"$(headline "$tmp/tasks.out")" = "$(headline "$tmp/two.out")"

# --- a stage that is made after the page
audited=$tmp/audited
cp -r "$tmp/two" "$audited" && rm -rf "$audited/report"
mkdir "$audited/behind" && echo 1 >"$audited/behind/x" # named, and read by nobody
named=$(find "$audited" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | LC_ALL=C sort | paste -sd,)
mkdir "$audited/report" && echo "--profile test --stages $named" >"$audited/report/params"
close() { manifest "$audited/$1" --quiet --stage "$1" "${@:2}" --base "$audited" "$SRC"; }
close behind
report "$audited" --out "$audited/report" --profile test --stages "$named" --quiet --claims "$SRC/reference/claims.tsv"
mapfile -t read_by_page < <(find "$audited" -name MANIFEST.tsv ! -path '*/behind/*' -printf '--input\n%p\n')
close report --params "$audited/report/params" --input "$SRC/reference/claims.tsv" "${read_by_page[@]}"
audit "$audited" --level 1 --source "$SRC" >"$tmp/before" 2>/dev/null
is 'a page drawn again has the same bytes' test -z "$(grep '^repeat	report' "$tmp/before")" -a -s "$audited/report/claims.html"
mkdir "$audited/fig9" "$audited/fig1"
cp "$audited/annotate/metrics.tsv" "$audited/fig9" && close fig9 --input "$audited/annotate/MANIFEST.tsv"
cp "$audited/report/qc.svg" "$audited/fig1" && close fig1 --input "$audited/report/MANIFEST.tsv"
audit "$audited" --level 1 --source "$SRC" >"$tmp/after" 2>/dev/null
is 'also after another stage has run' test -z "$(grep '^repeat	report' "$tmp/after")"
is 'which is told' grep -q '^page	fig9	open	newer than the page' "$tmp/after"
is 'one made from the page is not newer than it' test -z "$(grep '^page	fig1' "$tmp/after")"
is 'nor is one that the page was made from' test "$(grep -c '^page	' "$tmp/after")" = 1
report "$audited" --out "$tmp/all" --profile test --quiet
is 'without a list all folders are looked at' has 'fig9' "$tmp/all/index.html"

# --- size
fake "$tmp/large" 60000
t '60,000 cells' 0 '' report "$tmp/large" --out "$tmp/large/report"
is 'give a page below 3 MB' test "$(stat -c %s "$tmp/large/report/index.html")" -lt 3000000
is 'at most 4,000 dots a figure' test "$(grep -o h0 "$tmp/large/report/map-type.svg" | wc -l)" = 4000
is 'and all of them in the legend' has '60,000' "$tmp/large/report/index.html"

# --- stages that have not run
mkdir "$tmp/empty"
t 'a folder where nothing has run' 0 '' report "$tmp/empty" --out "$tmp/empty.out"
none=$tmp/empty.out/index.html
for what in 'No map:' 'No sample:' 'Not trained:' 'No scores:' 'No list of inputs:' \
	'Stage pretrain has not run' 'No prior knowledge:' 'no vocabulary' 'No report of the stage tokenize'; do
	is "says: $what" has "$what" "$none"
done
is 'and draws nothing' test -z "$(find "$tmp/empty.out" -name '*.svg')"
fake "$tmp/part" 50
for stage in fetch import homolog-map qc-filter vocab tokenize knowledge pretrain map map-random \
	annotate tables median; do
	rm -r "${tmp:?}/part/$stage"
	t "without $stage there is a page still" 0 '' report "$tmp/part" --out "$tmp/part.out" --quiet
	is "that is well-formed" test -z "$(
		command -v xmllint >/dev/null && xmllint --noout "$tmp/part.out/index.html" 2>&1)"
done

# --- broken files
refuse() { # sentence file text pattern
	local file=$tmp/broken/$2
	mkdir -p "${file%/*}"
	cp "$file" "$tmp/.kept" 2>/dev/null || rm -f "$tmp/.kept"
	printf '%b' "$3" >"$file"
	t "$1" 3 "$4" report "$tmp/broken" --out "$tmp/broken.out"
	if [ -e "$tmp/.kept" ]; then cp "$tmp/.kept" "$file"; else rm "$file"; fi
}
fake "$tmp/broken" 20
refuse 'a cut report' import/celltypist/report.json '{"n_cells": 5' "celltypist/report.json': line 1, column"
refuse 'a report that is a list' qc-filter/celltypist/report.json '[]' 'no JSON object'
refuse 'a broken line of the log' pretrain/log.jsonl '{"step": 1}\n{"step": }\n' "log.jsonl': line 2, column"
refuse 'a held-out loss without a step' pretrain/log.jsonl '{"split": "val"}\n' 'line 1 has no step'
refuse 'a broken config' pretrain/step-400/config.json '{' 'config.json'
rm "$tmp/broken/pretrain/report.json"
refuse 'broken weights' pretrain/step-400/model.safetensors 'abc' 'model.safetensors'
refuse 'broken baselines' pretrain/baselines.json 'x' 'baselines.json'
refuse 'a map without coordinates' map/map.tsv 'cell_id\tsample\n1\ts\n' "map.tsv' has no column"
refuse 'a map with a word for a number' map-random/map.tsv \
	'cell_id\tsample\tspecies\tlabel\tx\ty\n1\ts\thuman\tT\t0\tfar\n' "data row 1: y is 'far'"
refuse 'a coordinate that is not finite' map/map.tsv \
	'cell_id\tsample\tspecies\tlabel\tx\ty\n1\ts\thuman\tT\tinf\t0\n' "x is 'inf'"
refuse 'a short row of scores' annotate/metrics.tsv \
	'task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn\na\tb\n' 'line 2 has 2 fields'
refuse 'a score that is no number' annotate/metrics.tsv \
	'task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn\na\tb\tc\td\te\t1\tf\tgood\t3\n' \
	"value is 'good'"
refuse 'a difference that is no number' cross-species/comparisons.tsv \
	'dataset\tmetric\tmethod\tagainst\tn_seeds\tmean_difference\tci95\na\tb\tc\td\t2\tmuch\t0\n' "'much' is no number"
refuse 'inputs without sums' fetch/inputs.tsv 'path\tbytes\nx\t1\n' "no column 'sha256'"
refuse 'a cut table of a figure' fig5/fig5b.tsv 'a\tb\n1\n' 'line 2 has 1 field'
refuse 'a ledger without its columns' corpus-ledger/sums.tsv 'what\nhuman\n' "sums.tsv' has no column"
refuse 'a broken vocabulary' vocab/vocab.tsv 'token\tid\n1\n' 'vocab.tsv'
refuse 'a broken manifest' tables/MANIFEST.tsv 'hello\n' 'MANIFEST.tsv'
refuse 'a broken report of knowledge' knowledge/grn.json '{"a": 1, "a": 2}' 'grn.json'
is 'none of them left a page' test ! -e "$tmp/broken.out"
refuse 'a text with a zero byte' fetch/inputs.tsv 'path\0bytes\n' 'zero byte'
cp "$page" "$tmp/before.html"
echo '{' >"$R/tables/report.json"
t 'a run that fails' 3 'tables/report.json' report "$R" --out "$R/report"
is 'leaves the earlier page as it was' cmp "$tmp/before.html" "$page"

# --- the call and the machine
t 'no results folder' 3 "no results folder" report "$tmp/nowhere" --out "$tmp/o"
t 'no --out' 2 'out is missing' report "$tmp/two"
t 'no folder named' 2 'wants RESULTS' report --out "$tmp/o"
mkdir "$tmp/bin"
t 'without gnuplot' 1 'gnuplot is not on this machine' \
	env PATH="$tmp/bin" "$BIN/report" "$tmp/two" --out "$tmp/without"
is 'nothing is written' test ! -e "$tmp/without"
printf '#!/bin/sh\necho broken pipes >&2\nexit 3\n' >"$tmp/bin/gnuplot"
chmod +x "$tmp/bin/gnuplot"
t 'a gnuplot that fails' 1 "figure 'map-species': gnuplot failed: broken pipes" \
	env PATH="$tmp/bin:$PATH" "$BIN/report" "$tmp/two" --out "$tmp/without"
printf '#!/bin/sh\necho no figure\n' >"$tmp/bin/gnuplot"
t 'a gnuplot that draws nothing' 1 'drew no whole SVG' \
	env PATH="$tmp/bin:$PATH" "$BIN/report" "$tmp/two" --out "$tmp/without"
t 'no templates' 1 'figure template' report "$tmp/two" --out "$tmp/without" --templates "$tmp/empty"
mkdir "$tmp/templates"
cp "$SRC"/paper/*.gp "$SRC/paper/report.css" "$tmp/templates"
echo 'plot nonsense(' >"$tmp/templates/loss.gp"
t 'a broken template' 1 "figure 'loss-id': gnuplot failed" report "$tmp/two" --out "$tmp/without" \
	--templates "$tmp/templates"
t 'a file where the folder should be' 1 'before.html' report "$tmp/two" --out "$tmp/before.html"
t 'a full disk' 1 '/dev/full' report "$tmp/two" --out "$tmp/full" --report /dev/full
t '--report' 0 '' report "$tmp/two" --out "$tmp/full" --report "$tmp/report.json"
is 'counts what was found' has '"n_samples": 4' "$tmp/report.json"
end
