# claims: a verdict for every claim, from numbers of a results folder.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/audit-fake.sh"
cd "$tmp" || exit 1
r=$tmp/r
mkdir -p "$r"/{fetch,pretrain/step-7,annotate,fig3/scores/1,fig3/scores/2,qc-filter/lung} "$r.source"
printf 'sample\tspecies\nlung\thuman\nliver\tmouse\n' >"$r/fetch/samples.tsv"
printf -- '--epochs 3 --batch 16 --batch-size 99\n' >"$r/pretrain/params"
echo '{"num_hidden_layers": 12, "use_cls_token": true}' >"$r/pretrain/step-7/config.json"
: >"$r/pretrain/step-7/model.safetensors"
echo '{"rules": {"min_genes": 200, "mito_max": 0.15}}' >"$r/qc-filter/lung/report.json"
head='task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn\n'
row() { printf 'annotate\t%s\t%s\tclean\t%s\t%s\t%s\t%s\t9\n' "$@"; }
{
	printf "$head"
	# Human: +0.25, +0.35, +0.3 over the seeds; mouse: the other way, and the splits that do not count.
	for s in 1:0.50:0.25 2:0.60:0.25 3:0.55:0.25; do
		IFS=: read -r seed a b <<<"$s"
		row lung ours+knn test "$seed" macro_f1 "$a"; row lung base+knn test "$seed" macro_f1 "$b"
		row lung ours+knn val "$seed" macro_f1 0; row lung base+knn val "$seed" macro_f1 1
		row liver ours+knn test "$seed" macro_f1 "$b"; row liver base+knn test "$seed" macro_f1 "$a"
		row simulated ours+knn test "$seed" macro_f1 0.9; row simulated base+knn test "$seed" macro_f1 0.1
	done
	row lung alone test 1 macro_f1 0.5
} >"$r/annotate/metrics.tsv"
for s in 1 2; do
	{
		printf "$head"
		for size in 0 100 500 2000; do row lung "$size-both-all-1+logistic" test $s macro_f1 "0.$((size / 100 + 10 + s))"; done
	} >"$r/fig3/scores/$s/metrics.tsv"
done
for s in fetch pretrain annotate fig3/scores/1 fig3/scores/2 qc-filter/lung; do fake_close "$r" $s; done
cat >c.tsv <<'END'
id	status	where	claim	number	unit	deviations	check	why
F1	F	-	a fact	7	-	-	-	-
X1	A	text	a sum	10	-	A1	is F1 + 3 == X1	-
X2	A	text	another sum	11	-	-	is F1 + 3 == X2	-
X3	A	text	brackets and functions	2	-	-	is trunc((F1 - 2) / 2) == X3	-
X4	A	text	a setting	3	-	-	param pretrain --epochs == X4	-
X5	A	text	a setting that differs	10	-	-	param pretrain --batch == X5	-
X6	A	text	a stage that did not run	10	-	-	param peca --x == X6	-
X7	A	text	a shape	12	-	-	config num_hidden_layers == X7	-
X8	A	text	a rule	15	%	-	report qc-filter rules.mito_max == X8 / 100	-
X9	R	text	a direction	-	-	-	higher annotate macro_f1 ours+* base+* human	-
Y1	R	text	the other	-	-	-	higher annotate macro_f1 ours+* base+* mouse	-
Y2	R	text	both together	-	-	-	higher annotate macro_f1 ours+* base+*	-
Y3	R	text	large above small	-	-	-	higher fig3/scores/... macro_f1 >-both-all-*+logistic <-both-all-*+logistic	-
Y4	R	text	a method that is not there	-	-	-	higher annotate macro_f1 ours+* none+*	-
Y5	N	text	cells of others	-	-	-	-	their cells are not here
Y6	X	text	a dish	-	-	-	-	needs a dish
Y7	A	text	a default	15	%	-	default pretrain --mask-rate == Y7 / 100	-
END
t 'a table of claims'                 0 '' claims r --claims c.tsv --out o
v() { awk -F '\t' -v i="$1" '$1 == i { print $8 "|" $9 }' o/claims.tsv; }
is 'a sum that holds'                 test "$(v X1)" = 'reproduced|10'
is 'one that does not'                test "$(v X2)" = 'contradicted|10'
is 'brackets and functions'           test "$(v X3)" = 'reproduced|2'
is 'a setting that was followed'      test "$(v X4)" = 'followed|3'
is 'one that was not, of two that begin alike' test "$(v X5)" = 'not testable here|16'
is 'a stage that has not run'         test "$(v X6)" = 'not testable here|-'
is 'the shape of the checkpoint'      test "$(v X7)" = 'followed|12'
is 'a rule of a stage per sample'     test "$(v X8)" = 'followed|0.15'
# mean 0.3, SD 0.05, t(2) 4.302653: half-width 0.124207.
is 'a direction with its interval'    test "$(v X9)" = 'trend only|+0.3000 [+0.1758, +0.4242]'
is 'the other way round'              test "$(v Y1)" = 'opposite trend|-0.3000 [-0.4242, -0.1758]'
is 'neither, made-up cells left out'   test "$(v Y2)" = 'undecided|+0.0000 [+0.0000, +0.0000]'
is 'largest against smallest, not random ones' test "$(v Y3)" = 'trend only|+0.1900 [+0.1900, +0.1900]'
is 'methods that are not there'       test "$(v Y4)" = 'not testable here|-'
is 'a reason'                         grep -q '^Y5.*their cells are not here' o/claims.tsv
is 'a laboratory'                     test "$(v Y6)" = 'wet lab|-'
is 'a default'                        test "$(v Y7)" = 'followed|0.15'
is 'facts are no claims'              test "$(wc -l <o/claims.tsv)" = 17
is 'the file of a number is said'     grep -q '^X9.*	make annotate	annotate/metrics.tsv$' o/claims.tsv
is 'a page that is well-formed'       python3 -c 'import xml.dom.minidom as x
d = x.parse("o/claims.html"); assert len(d.getElementsByTagName("tr")) == 17; assert not d.getElementsByTagName("script")
assert len(d.getElementsByTagName("input")) == 9'
is 'counts as JSON'                   python3 -c 'import json; j = json.load(open("o/claims.json"))
assert j["followed"] == 4 and sum(j.values()) == 16, j'
t 'again, with one thread'            0 '' claims r --claims c.tsv --out o2 --threads 1
is 'the same bytes'                   diff -r o o2
mkdir -p "$r/simulate"; : >"$r/simulate/x"; fake_close "$r" simulate
t 'the same of simulated cells'       0 '' claims r --claims c.tsv --out o
is 'proves no direction'              test "$(v X9 | cut -d'|' -f1)" = 'not testable here'

# The table of the project.
t 'every claim of the paper'          0 '' claims r --claims "$SRC/reference/claims.tsv" --out all
is 'has a verdict, and a reason, a number or both' awk -F '\t' 'NR > 1 && ($8 == "" || ($10 == "-" && $9 == "-")) { print; bad = 1 }
	END { exit bad || NR != 94 }' all/claims.tsv
is 'the paper and its dictionary disagree' grep -qP '^C07\t.*\tcontradicted\t50558\t' all/claims.tsv
is 'no id stands twice'               test -z "$(cut -f 1 "$SRC/reference/claims.tsv" | sort | uniq -d)"
is 'all arithmetic is computed'       test "$(cut -f 1,8 all/claims.tsv | grep -c reproduced)" = 12

bad() { # sentence pattern row
	printf 'id\tstatus\twhere\tclaim\tnumber\tunit\tdeviations\tcheck\twhy\nZ\tA\t-\tc\t1\t-\t-\t%s\t%s\n' "$3" "${4--}" >b.tsv
	t "$1" 3 "$2" claims r --claims b.tsv --out x
}
bad 'neither check nor reason'        'neither a check nor a reason'  '-'
bad 'an unknown check'                'no check reads'                'guess 1'
bad 'no comparison'                   'no ==, < or >'                 'is 1 + 1'
bad 'an unknown row'                  "no row 'Q' has a number"       'is Q == 1'
bad 'an open bracket'                 'no closing bracket'            'is (1 == 1'
bad 'half a sum'                      'no number at'                  'is 1 + == 1'
bad 'something behind a sum'          'something more at'             'is 1 2 == 1'
bad 'an unknown function'             'unknown function'              'is sin(1) == 1'
bad 'brackets without end'            'too many brackets'             "is $(printf '(%.0s' {1..99})1 == 1"
printf 'id\tstatus\n' >b.tsv
t 'a table that lacks columns'        3 'where' claims r --claims b.tsv --out x
t 'no --out'                          2 '' claims r --claims c.tsv
is 'nothing is left of a refusal'     test ! -e x
end
