# audit: every change in a results folder is found and named.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/audit-fake.sh"
cd "$tmp" || exit 1
fake_results "$tmp/good"
audit_all() { audit "$1" --level 0 --source "$tmp/good.source" --cache "$tmp/good.cache" "${@:2}"; }

t 'a good folder passes'                0 '0 fail, 1 open' audit_all good --out v
is 'what is not there is open, not good' grep -q '^raw	sc/none.h5	open	' v/audit.tsv
is 'nothing else is on stdout'          test "$(wc -l <"$tmp/.stdout")" = 1
is 'the verdicts are JSON too'          python3 -c 'import json; j = json.load(open("v/audit.json"))
assert j["passed"] and j["fails"] == 0 and j["files"] > 20 and j["findings"][0]["verdict"] == "open"'
is 'and a page'                         python3 -c 'import xml.dom.minidom as x
d = x.parse("v/audit.html"); assert len(d.getElementsByTagName("tr")) > 30'
mkdir elsewhere && cp -r good elsewhere/moved
t 'a copy elsewhere passes without anything beside it' 0 '0 fail' audit elsewhere/moved --level 0 --out w
is 'with raw inputs and sources open'   grep -q '^sources	paper/report.css	open	' w/audit.tsv
t 'the same folder elsewhere'           0 '' audit_all elsewhere/moved --out u --threads 1
is 'gives the same files'               diff -r v u

# One byte in each file: no two files in one run can hide each other, so all are changed at once.
cp -r good byte
find byte -type f ! -name '*.log' ! -name MANIFEST.tsv | LC_ALL=C sort >list
while IFS= read -r f; do change_byte "$f"; done <list
t 'one byte changed in every file'      4 'checks fail' audit_all byte
cut -f 2 "$tmp/.stdout" | sort -u >named
is 'each is named'                      test -z "$(sed 's,^byte/,,' list | LC_ALL=C sort | LC_ALL=C comm -23 - <(LC_ALL=C sort named))"
is 'none is told of by chance'          test -z "$(audit_all good | grep fails)"

# One at a time, too: what changes is the one thing that is told, and status 4.
while IFS= read -r f; do
	rm -rf one && cp -r good one
	change_byte "one/${f#byte/}"
	got=$(audit_all one 2>/dev/null)
	case $? in 4) ;; *) echo "# ${f#byte/}: passed"; got= ;; esac
	grep -q "	${f#byte/}	fails	changed" <<<"$got" || echo "${f#byte/}"
done <list >unseen
is 'a byte changed in any one file alone is found and named' test ! -s unseen

# One line of each kind of table.
for f in fetch/inputs.tsv fetch/samples.tsv tokenize/cells.tsv annotate/metrics.tsv annotate/predictions.tsv \
	pretrain/log.jsonl report/numbers.tex; do
	rm -rf one && cp -r good one && change_line "one/$f"
	t "a longer last line of $f"        4 "outputs '$f' changed" audit_all one
	rm -rf one && cp -r good one && sed -i '$d' "one/$f"
	t "a lost last line of $f"          4 "outputs '$f' changed" audit_all one
done

# One line of each kind in a manifest that nobody else reads: the last of the chain.
M=report/MANIFEST.tsv
broken() { # sentence pattern sed-script
	rm -rf one && cp -r good one && sed -i "$3" "one/$M"
	t "$1" 4 "$2" audit_all one
}
broken 'a manifest of another stage'     "its stage is 'other'"          's/^stage	report/stage	other/'
broken 'another version'                 'where most stages have'        's/^\(version	\)[^	]*/\10.0.7/'
broken 'no version'                      'names no version'              '/^version/d'
broken 'a parameter that nobody gave'    'params. missing'               's/^\(version.*\)/\1\nparam	--fast	-	-/'
broken 'another size of an output'       'the manifest says 70'          's/^\(output	index.html	\)[0-9]*/\170/'
broken 'another sum of an output'        'index.html. changed'           '/^output	index.html/s/[0-9a-f]\{64\}/'"$(printf '%064d' 4)/"
broken 'an output struck out'            'extra: is in no manifest'      '/^output	index.html/d'
broken 'an output too many'              'order or stands twice'         's/^\(output	index.html\)\(.*\)/\1\2\n\1\2/'
broken 'another sum of an input'         "stale: read 'fetch/MANIFEST.tsv'" '/^input	fetch/s/[0-9a-f]\{64\}/'"$(printf '%064d' 5)/"
broken 'an input that is nowhere'        "'lost/MANIFEST.tsv', which is missing" 's,^\(input	\)fetch/,\1lost/,'
broken 'outputs of nothing'               'come from nowhere'             '/^input/d'
broken 'a line that is none'             'cannot be read'                '$s/^output/outptu/'
rm -rf one && cp -r good one && sed -i 's/--steps 7/--steps 8/' one/pretrain/MANIFEST.tsv
t 'a parameter changed in a manifest'    4 'checks fail' audit_all one
is 'is told by the file beside it'      grep -q '^parameters	pretrain/params	fails	changed' "$tmp/.stdout"
is 'makes what read it stale'            grep -q '^inputs	annotate	fails	stale' "$tmp/.stdout"
rm -rf one && cp -r good one && echo '--steps 8 --seed 1' >one/pretrain/params
t 'a parameter changed in its file'      4 "params' changed: '--steps 8" audit_all one

# Stages of a family share the parameters that lie above them.
rm -rf one && cp -r good one && mkdir -p one/models/a one/models/b && echo '--steps 3' >one/models/params
for m in a b; do
	echo $m >one/models/$m/weights
	manifest one/models/$m --quiet --stage models/$m --params one/models/params --base one "$tmp/good.source"
done
t 'parameters of two stages in one file' 0 ' 0 fail' audit_all one
echo '--steps 4' >one/models/params
t 'changed there'                        4 "models/params' changed" audit_all one
is 'for both'                            test "$(grep -c '^parameters	models/params	fails' "$tmp/.stdout")" = 2
rm one/models/params
t 'and gone'                             4 "models/a/params' missing" audit_all one

# What lies where nothing belongs, and what does not lie where it belongs.
rm -rf one && cp -r good one && : >one/annotate/extra.tsv && mkdir one/loose && : >one/loose/x && : >one/top &&
	: >one/report/index.html.part && ln -s /etc/passwd one/report/link && mkfifo one/report/pipe
t 'files outside any manifest'           4 'strays' audit_all one
for f in annotate/extra.tsv loose/x top report/index.html.part report/link report/pipe; do
	is "$f is named"                     grep -q "^strays	$f	fails" "$tmp/.stdout"
done
rm -rf one && cp -r good one && rm one/annotate/metrics.tsv && rm -r one/tokenize && rm one/import/gone/MANIFEST.tsv
t 'what is missing'                      4 'missing' audit_all one
is 'a table by its name'                 grep -q '^outputs	annotate/metrics.tsv	fails	missing' "$tmp/.stdout"
is 'a whole stage by who read it'        grep -q "^inputs	pretrain	fails	read 'tokenize/MANIFEST.tsv', which is missing" "$tmp/.stdout"
rm -rf one && cp -r good one && rm one/annotate/metrics.tsv && ln -s ../../good/annotate/metrics.tsv one/annotate/metrics.tsv
t 'a link in the place of a table'       4 "annotate/metrics.tsv. missing" audit_all one

# The checkout and the cache.
cp -r good.source src && echo 'p{}' >>src/paper/report.css
t 'a style sheet that is another now'    4 "paper/report.css. stale" audit good --level 0 --source src
rm src/paper/report.css
t 'or is gone'                           4 'missing in the checkout' audit good --level 0 --source src
cp -r good.cache cache && change_byte cache/view/sc/lung.csv.gz
t 'a raw input that changed in the cache' 4 "sc/lung.csv.gz. changed" audit good --level 0 --cache cache
rm -rf src && cp -r good.source src && sed -i "s/[0-9a-f]\{64\}/$(printf '%064d' 9)/" src/manifests/inputs/fake.tsv
t 'a list of inputs with another sum'    4 'checks fail' audit good --level 0 --source src
is 'is told by the input that it is about' grep -q "^raw	sc/lung.csv.gz	fails	.*the checkout's list says" "$tmp/.stdout"

# Level 1, against one who changes a table and then closes every stage again.
forge() { # file below annotate, sed-script
	rm -rf one && cp -r good one && cp -r good.source one.source && sed -i "$2" "one/annotate/$1"
	fake_close "$PWD/one" annotate one/pretrain/MANIFEST.tsv one/import/lung/MANIFEST.tsv
	fake_close "$PWD/one" report one/annotate/MANIFEST.tsv one/fetch/MANIFEST.tsv one.source/paper/report.css
}
forge metrics.tsv 's/	macro_f1	0.333333333/	macro_f1	0.933333333/'
t 'a forged chain has no fault in its bytes' 0 '0 fail' audit_all one
audit one --level 1 >got 2>/dev/null
is 'scores counted again find it, by its row' grep -q '^scores	annotate/metrics.tsv:3	fails	macro_f1 is 0.933333333; the predictions give 0.333333333$' got
forge metrics.tsv '/	accuracy	/s/2$/3/'
audit one --level 1 >got 2>/dev/null
is 'as they do another number of cells' grep -q '^scores	annotate/metrics.tsv:2	fails	n is 3; the predictions give 2$' got
forge summary.tsv 's/0.5/0.6/'
audit one --level 1 >got 2>/dev/null
is 'or another mean'                    grep -q '^scores	annotate/summary.tsv:2	fails	the mean is 0.6' got
forge metrics.tsv '/	majority	/d'
audit one --level 1 >got 2>/dev/null
is 'or scores that were left out'       grep -q '^scores	annotate	fails	metrics.tsv has no row for the predictions of lung, majority' got
forge predictions.tsv 's/	B cell	T cell/	B cell	B cell/'
audit one --level 1 >got 2>/dev/null
is 'or predictions that give other scores' grep -q '^scores	annotate/metrics.tsv:2	fails	accuracy is 0.5; the predictions give 1$' got
forge predictions.tsv 's/^cell_id	/cell	/;s/	truth	/	t	/'
audit one --level 1 >got 2>/dev/null
is 'or predictions that are none'       grep -q '^scores	annotate	fails	predictions.tsv cannot be read' got
# Scores that are means over conditions: no truth and prediction of a class, but a number for each condition.
conditions() { # sed-scripts for predictions.tsv and metrics.tsv
	local f=one/perturb-predict-run row
	rm -rf one && cp -r good one && cp -r good.source one.source && mkdir $f
	{
		printf 'dataset\tcondition\tclass\tn_cells\tmethod\tvariant\tsplit_seed\ttraining_seed\tmse\n'
		for row in 'A+ctrl single 0.25' 'A+B pair 0.75' 'B+C pair nan'; do
			printf 'made\t%s\t%s\t5\tmean\tclean\t1\t-\t%s\n' $row
		done | sed "$1"
	} >$f/predictions.tsv
	{
		printf 'task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn\n'
		for row in 'test 0.5 2' 'single 0.25 1' 'pair 0.75 1' 'other 3 1'; do
			printf 'perturb-predict\tmade\tmean\tclean\t%s\t1\tmse\t%s\t%s\n' $row
		done | sed "$2"
	} >$f/metrics.tsv
	fake_close "$PWD/one" perturb-predict-run
	audit one --level 1 --out v1 >got 2>/dev/null
}
conditions '' ''
is 'means over conditions hold'         grep -q '^scores	perturb-predict-run/metrics.tsv	holds	3 of 4 rows' v1/audit.tsv
conditions '' 's/0\.5\t2/0.51\t2/'
is 'another mean is told'               grep -q '^scores	perturb-predict-run/metrics.tsv:2	fails	mse is 0.51 of 2; the predictions give 0.5 of 2$' got
conditions '' 's/0\.5\t2/0.5\t3/'
is 'as is another number of them'       grep -q '^scores	perturb-predict-run/metrics.tsv:2	fails	mse is 0.5 of 3' got
conditions 's/0\.75/0.85/' ''
is 'or another prediction'              grep -q '^scores	perturb-predict-run/metrics.tsv:4	fails	mse is 0.75 of 1; the predictions give 0.85 of 1$' got
conditions '' '/pair/d'
is 'or a mean that was left out'        grep -q '^scores	perturb-predict-run/metrics.tsv	fails	no row for 1 means' got

if command -v gnuplot >/dev/null; then
	audit good --level 1 --out v1 >got 2>/dev/null
	is 'scores that are right hold'     grep -q '^scores	annotate/metrics.tsv	holds	6 of 7 rows' v1/audit.tsv
	is 'a page that nothing there can give is told' grep -q '^repeat	report	fails	could not be run again: report: ' got
	is 'nothing is left in TMPDIR'      bash -c "mkdir t; TMPDIR=t audit good --level 1 >/dev/null 2>&1; rmdir t"
else
	skip 'a page drawn again' 'the package gnuplot-nox is not installed'
fi

t 'a level that there is not'            2 '0, 1, 2 or 3' audit good --level 4
t 'fewer than no cells'                  2 '0 or more' audit good --cells -1
t 'no folder'                            3 "no folder 'none'" audit none
mkdir bare
t 'a folder without a manifest'          3 'no MANIFEST.tsv below' audit bare
t 'no word'                              2 '' audit
if [ -c /dev/full ]; then
	t 'a full disk'                      1 'No space left' audit_all good --report /dev/full
else
	skip 'a full disk' 'no /dev/full here'
fi
end
