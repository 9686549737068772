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
mkdir -p "$r"/{perturb,drug,down}
# place seed method metric value, of the stage perturb
at() { printf 'perturb\t%s\t%s\tclean\t%s\t%s\t%s\t%s\t9\n' "$1" "$4" "$2" "$3" "$5" "$6"; }
{
	printf "$head"
	# Two lists with intervals of their own, one of them around chance; a made-up set is far above.
	at blood a/housekeeping 1 ours auroc 0.6; at blood a/housekeeping 1 ours auroc_low 0.55; at blood a/housekeeping 1 ours auroc_high 0.65
	at blood b/housekeeping 1 ours auroc 0.7; at blood b/housekeeping 1 ours auroc_low 0.45; at blood b/housekeeping 1 ours auroc_high 0.95
	at simulator a/housekeeping 1 ours auroc 0.99; at simulator a/housekeeping 2 ours auroc 0.97
	at simulator w/others 1 ours gain 0.25; at simulator w/others 2 ours gain 0.75
	# Steps: the metric has the target's name in it.
	at blood A+B 1 high towards_T_step 0.5; at blood A+B 1 high towards_T_step_low 0.25; at blood A+B 1 high towards_T_step_high 0.75
	at blood A+B 1 high towards_T_step_p 0.01; at blood C 1 high towards_T_step -9
	# One seed, three splits without intervals: mean 0.6, SD 0.1, t(2) 4.302653, half-width 0.248414.
	for x in x:0.5 y:0.6 z:0.7; do at pair "type-${x%:*}" 1 ours cosine "${x#*:}"; at pair "type-${x%:*}" 1 base cosine 0.1; done
	at pair lone 1 ours alone 0.5
	# A nan is no number.
	at pair odd 1 ours cosine nan
} >"$r/perturb/metrics.tsv"
{
	printf "$head"
	for s in 1:8:10 2:9:10 3:8.5:10; do
		IFS=: read -r seed a b <<<"$s"
		at drugs test "$seed" net+ours rmse "$a"; at drugs test "$seed" net rmse "$b"
		at simulated test "$seed" net+ours rmse "$a"; at simulated test "$seed" net alone_rmse 1
		at simulated test "$seed" net sim_rmse 2; at simulated test "$seed" net+ours sim_rmse 1
	done
} >"$r/drug/metrics.tsv"
printf -- '--controls 5 --top-half --x 1\n' >"$r/down/params"
for s in fetch pretrain annotate fig3/scores/1 fig3/scores/2 qc-filter/lung perturb drug down; do fake_close "$r" $s; done
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
Z1	R	text	above in each place	-	-	-	above perturb a/housekeeping ours auroc 0.5	-
Z2	R	text	above in all places	-	-	-	above perturb */housekeeping ours auroc 0.5	-
Z3	R	text	made up alone	-	-	-	above perturb */others ours gain 0	-
Z4	R	text	over splits	0.1	-	-	below perturb type-* ours cosine Z4	-
Z5	R	text	a step	-	-	-	above perturb *+* high towards_*_step 0	-
Z6	R	text	one after another	-	-	-	more perturb type-* cosine ours base and above perturb *+* high towards_*_step 0	-
Z7	R	text	one of them opposite	-	-	-	less perturb type-* cosine ours base and above perturb *+* high towards_*_step 0	-
Z8	R	text	one number	-	-	-	above perturb lone ours alone 0	-
Z9	R	text	lower error	-	-	-	less drug test rmse net+ours net	-
W1	R	text	of made-up drugs	-	-	-	less drug test sim_rmse net+ours net	-
W2	R	text	nothing there	-	-	-	more drug test mse net+ours net	-
W3	A	text	an option alone	-	-	-	flag down --top-half	-
W4	A	text	not that one	-	-	-	flag down --top	-
W5	A	text	not that stage	-	-	-	flag up --top-half	-
W6	R	text	one of them missing	-	-	-	above perturb lone ours alone 0 and above none * ours alone 0	-
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
is 'an interval of its own'           test "$(v Z1)" = 'trend only|0.6 [0.55, 0.65]'
is 'of several places all must say it' test "$(v Z2)" = 'undecided|0.6 to 0.7'
is 'and how many did is told'         grep -q '^Z2.*1 of 2 above, 0 below' o/claims.tsv
is 'made-up numbers are shown, and are no evidence' test "$(v Z3)" = 'not testable here|0.5 [-2.677, 3.677]'
is 'which is said'                    grep -q '^Z3.*these cells are simulated' o/claims.tsv
is 'without seeds the interval is over places' test "$(v Z4)" = 'opposite trend|0.6 [0.3516, 0.8484]'
is 'a metric with any name between'   test "$(v Z5)" = 'trend only|0.5 [0.25, 0.75]'
is 'two that hold'                    test "$(v Z6)" = 'trend only|+0.5 [+0.2516, +0.7484], +500.0 % of 0.1; 0.5 [0.25, 0.75]'
is 'one that does not decides'        test "$(v Z7 | cut -d'|' -f1)" = 'opposite trend'
is 'one number has no interval'       test "$(v Z8)" = 'undecided|0.5 (one number)'
is 'an error that falls, in per cent' test "$(v Z9)" = 'trend only|-1.5 [-2.742, -0.2579], -15.0 % of 10'
is 'that of made-up drugs is no evidence' test "$(v W1)" = 'not testable here|-1 [-1, -1], -50.0 % of 2'
is 'no such metric'                   test "$(v W2)" = 'not testable here|-'
is 'an option without a value'        test "$(v W3)" = 'followed|--top-half'
is 'a part of its name is another'    test "$(v W4)" = 'not testable here|-'
is 'nor one of a stage that has not run' test "$(v W5)" = 'not testable here|-'
is 'a part that cannot be told leaves the rest shown' test "$(v W6)" = 'not testable here|0.5 (one number)'
is 'facts are no claims'              test "$(wc -l <o/claims.tsv)" = 32
is 'the file of a number is said'     grep -q '^X9.*	make annotate	annotate/metrics.tsv$' o/claims.tsv
is 'a page that is well-formed'       python3 -c 'import xml.dom.minidom as x
d = x.parse("o/claims.html"); assert len(d.getElementsByTagName("tr")) == 32; assert not d.getElementsByTagName("script")
assert len(d.getElementsByTagName("input")) == 9'
is 'counts as JSON'                   python3 -c 'import json; j = json.load(open("o/claims.json"))
assert j["followed"] == 5 and sum(j.values()) == 31, j'
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
bad 'a word too many'                 'no check reads'                'above a b c d 1 2'
bad 'one too few'                     'no check reads'                'less a b c d'
bad 'no number to be above'           "no row 'Q' has a number"       'above perturb * ours auroc Q'
bad 'another kind behind and'         'no check reads'                'above perturb * ours auroc 1 and is 1 == 1'
bad 'too many at once'                'more than 8'                   "above a b c d 1$(printf ' and above a b c d 1%.0s' {1..8})"
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
