#!/bin/bash
# zero-shot: embeddings scored as they are, beside principal components of counts.
. "$SRC/tests/tool.sh"
test_probe --write "$tmp" 90 || exit 1
c=$tmp/counts.h5ad
run() { # threads out option...
	local threads=$1 out=$2
	shift 2
	zero-shot --counts "$c" --embedding good="$tmp/good.h5ad" noise="$tmp/noise.h5ad" --batches both=alpha,beta --genes 60 \
		--pcs 10 --seeds 3 --threads "$threads" --out "$out" --report "$out/report.json" --quiet "$@"
}
t 'two samples, and both as batches' 0 '' run 1 "$tmp/a"
t 'the same with three threads' 0 '' run 3 "$tmp/b"
is 'gives the same bytes' diff -r "$tmp/a" "$tmp/b"
m=$tmp/a/metrics.tsv
value() { # dataset method split metric: mean over seeds
	awk -F'\t' -v d="$1" -v m="$2" -v s="$3" -v k="$4" '$2 == d && $3 == m && $5 == s && $7 == k { x += $8; n++ } END { if (n) print x / n }' "$tmp/a/metrics.tsv"
}
above() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && b != "" && a + 0 > b + 0) }'; }
is 'metrics.tsv has its header' test "$(head -n 1 "$m")" = "$(printf 'task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn')"
is 'three data sets; the sample without labels is none' test "$(cut -f2 "$m" | tail -n +2 | sort -u | tr '\n' ' ')" = 'alpha beta both '
is 'and is named in the report' grep -q '"dataset": "gamma"' "$tmp/a/report.json"
is 'a line per method, metric and seed' test "$(wc -l <"$m")" = $((1 + 2 * (4 * 3 * 2 + 3 * 2) + (4 * 3 * 2 + 4 * 2 + 3 * 4 + 1)))
is 'good vectors name cells' above "$(value alpha good 5-fold macro_f1)" 0.9
is 'noise does not' above 0.6 "$(value alpha noise 5-fold macro_f1)"
is 'counts do' above "$(value beta hvg+pca 5-fold accuracy)" 0.8
is 'the commonest type is half of the cells' test "$(value alpha majority 5-fold accuracy)" = 0.5
is 'types lie apart in the good ones' above "$(value alpha good all silhouette)" 0.2
is 'and not in noise' above 0.05 "$(value alpha noise all silhouette)"
is 'names pass from a batch to the other' above "$(value both good other-batch macro_f1)" 0.9
is 'batches mix where they do not matter' above "$(value both noise all batch_lisi)" 1.8
is 'half of the nearest are of the other one, then' test "$(value both shuffled-cells all other_batch)" = 0.502793

# The same numbers by scikit-learn; batches that lie apart by construction.
cat >"$tmp/check.py" <<'PY'
import csv, sys
import anndata, numpy as np
from sklearn.metrics import silhouette_score
from sklearn.neighbors import NearestNeighbors
d = sys.argv[1]
rows = {(r["dataset"], r["method"], r["split"], r["metric"]): float(r["value"]) for r in csv.DictReader(open(f"{d}/a/metrics.tsv"), delimiter="\t")}
for name in ("good", "noise"):
    a = anndata.read_h5ad(f"{d}/{name}.h5ad")
    a = a[a.obs["sample"].isin(["alpha", "beta"]).values & a.obs["label"].notna().values]
    x, y, b = (np.asarray(v) for v in (a.obsm["X_genecompass"].astype("f8"), a.obs["label"], a.obs["sample"]))
    near = NearestNeighbors(n_neighbors=15).fit(x).kneighbors(return_distance=False)
    for metric, want in (("silhouette", silhouette_score(x, y)), ("same_label", (y[near] == y[:, None]).mean()), ("other_batch", (b[near] != b[:, None]).mean())):
        assert abs(rows["both", name, "all", metric] - want) < 1e-6, (name, metric, want, rows["both", name, "all", metric])
    from sklearn.neighbors import KNeighborsClassifier
    named = np.empty_like(y)
    for one in ("alpha", "beta"):
        named[b == one] = KNeighborsClassifier(15).fit(x[b != one], y[b != one]).predict(x[b == one])
    assert abs(rows["both", name, "other-batch", "accuracy"] - (named == y).mean()) < 0.04  # ties go elsewhere
PY
if "$PYTHON" -c 'import sklearn, anndata' 2>/dev/null; then
	t 'scikit-learn finds the same' 0 '' "$PYTHON" -W ignore "$tmp/check.py" "$tmp"
else
	skip 'scikit-learn finds the same' 'no scikit-learn on this machine'
fi

only() { zero-shot --counts "$c" --genes 60 --pcs 10 --seeds 1 --quiet --out "$tmp/x" "$@"; }
t 'no counts' 2 'counts is missing' zero-shot --out "$tmp/x"
t 'no --out' 2 'out' zero-shot --counts "$c"
t 'a set without samples' 2 'NAME=SAMPLE,SAMPLE' only --batches both
t 'samples that nobody has' 0 '' only --batches none=x,y --report "$tmp/x.json"
is 'are a set that is skipped' grep -q 'none of its samples is there' "$tmp/x.json"
t 'another column' 3 'no sample has labelled cells' only --label other
t 'which is fine where it is said to be' 0 'nothing to score' only --label other --none-is-fine
t 'an embedding of another name' 3 "obsm" only --embedding a="$tmp/good.h5ad" --matrix X_other
t 'a number out of range' 2 'out of range' only --neighbours 0
t 'an output that cannot be written' 1 '' zero-shot --counts "$c" --genes 60 --pcs 10 --out /dev/null/x
end
