#!/bin/bash
# knowledge-diff: a table beside pickled ones made from it, whose agreement and random rows are known; refusals.
. "$SRC/tests/tool.sh"
. "$SRC/tests/bin-src/corpus.sh"
corpus_files || exit 1
vocab --tables "$tmp/tables" --out "$tmp/vocab.tsv" --quiet || exit 1
corpus_families
knowledge-embed family --vocab "$tmp/vocab.tsv" --tables "$tmp/tables" --hgnc "$tmp/hgnc.json" --dim 64 --passes 40 \
	--out "$tmp/ours.st" --text "$tmp/ours.txt" --quiet || exit 1
# The authors' side: their own tokens (human genes backwards, half of the mouse genes), vectors that are ours with the numbers
# in another order and other signs, so that all cosines stay; three fifths of the other genes normal, two fifths uniform in 0..1.
cat >"$tmp/theirs.py" <<'PY'
import pickle, random, sys
d, deal = sys.argv[1], len(sys.argv) > 2
random.seed(5)
genes = [l.rstrip("\n").split("\t") for l in open(d + "/vocab.tsv")][3:]
human = [g for g in genes if g[3] == "human"][::-1]
mouse = [g for g in genes if g[3] == "mouse"][::2]
ids = ["<pad>", "<mask>"] + [g[1] for g in human + mouse]
pickle.dump({k: i for i, k in enumerate(ids)}, open(d + "/tokens.pickle", "wb"), protocol=4)
pickle.dump({g[1]: g[2] for g in genes}, open(d + "/names.pickle", "wb"), protocol=4)
ours = dict(l.rstrip("\n").split("\t") for l in open(d + "/ours.txt"))
order = list(range(64)); random.shuffle(order)
sign = [random.choice((-1, 1)) for _ in order]
for species, side in (("human", human), ("mouse", mouse)):
    known = [g[2] for g in side if g[2] in ours]
    source = dict(zip(known, random.sample(known, len(known)) if deal else known))
    with open("%s/%s.txt" % (d, species), "w") as f:
        for i, g in enumerate(side):
            if g[2] in source:
                x = [float(v) for v in ours[source[g[2]]].split()]
                x = [3 * s * x[j] for j, s in zip(order, sign)]
            else:
                x = [random.gauss(0, 0.1) if i % 5 < 3 else random.random() for _ in order]
            f.write(("*" if i % 7 == 0 else "") + g[2] + "\t" + " ".join("%.9g" % v for v in x) + "\n")
PY
theirs() { # WHERE [deal]
	"$PYTHON" "$tmp/theirs.py" "$tmp" ${2:+"$2"} || return 1
	for s in human mouse; do "$PYTHON" "$SRC/tests/bin-src/pickle-vectors.py" "$tmp/$s.pickle" <"$tmp/$s.txt" || return 1; done
	import-pickle vocab "$tmp/tokens.pickle" --names "$tmp/names.pickle" --out "$tmp/$1.tsv" --quiet &&
		import-pickle family "$tmp/human.pickle" "$tmp/mouse.pickle" --vocab "$tmp/$1.tsv" --out "$tmp/$1.st" --quiet
}
is 'pickles are made and imported'      theirs same
diff=(knowledge-diff "$tmp/ours.st" --vocab "$tmp/vocab.tsv" --quiet)
t 'ours beside theirs'                  0 '' "${diff[@]}" --with "$tmp/same.st" --with-vocab "$tmp/same.tsv" --out "$tmp/d" --threads 1
t 'again with two threads'              0 '' "${diff[@]}" --with "$tmp/same.st" --with-vocab "$tmp/same.tsv" --out "$tmp/e" --threads 2
is 'the same bytes'                     diff -r "$tmp/d" "$tmp/e"
# value FOLDER SPECIES MEASURE TEST: an awk condition on the value x
value() { awk -F'\t' -v s="$2" -v m="$3" '$1 == "family" && $2 == s && $3 == m { x = $4; n++; good = ('"$4"') } END { if (n != 1 || !good) { print "value " x ", rows " n > "/dev/stderr"; exit 1 } }' "$tmp/$1/diff.tsv"; }
is 'all human genes are on both sides'  value d human 'genes of both vocabularies' 'x == 280'
is 'and half of the mouse genes'        value d mouse 'genes of both vocabularies' 'x == 140'
is 'ours has families for six sevenths' value d human 'present ours' 'x == 240'
is 'which agree with theirs'            value d human 'mantel r' 'x > 0.999'
is 'as chance does not'                 value d human 'mantel p' 'x <= 0.0101'
is 'mouse too'                          value d mouse 'mantel r' 'x > 0.999'
is 'one in seven of theirs is random'   value d human 'look random theirs' 'x > 0.12 && x < 0.17'
is 'of our learned rows none looks so'  value d human 'look random ours present' 'x < 0.02'
is 'of our random ones nearly all do'   value d human 'look random ours absent' 'x > 0.95'
is 'their rows are longer'              value d human 'mean length theirs' 'x > 0'
theirs dealt deal || exit 1
t 'theirs dealt to other genes'         0 '' "${diff[@]}" --with "$tmp/dealt.st" --with-vocab "$tmp/dealt.tsv" --out "$tmp/f"
is 'do not agree'                       value f human 'mantel r' 'x < 0.1 && x > -0.1'
is 'and look as little random'          value f human 'look random theirs' 'x > 0.12 && x < 0.17'
t 'a table beside itself'               0 '' "${diff[@]}" --with "$tmp/ours.st" --out "$tmp/g"
is 'is the same'                        value g mouse 'mantel r' 'x > 0.999999'
awk -F'\t' 'NR == 1 || $3 == 0' "$tmp/tables/genes.tsv" >"$tmp/genes.tsv" && mkdir "$tmp/one" && mv "$tmp/genes.tsv" "$tmp/one"
vocab --tables "$tmp/one" --out "$tmp/one.tsv" --quiet
knowledge-embed family --vocab "$tmp/one.tsv" --tables "$tmp/one" --hgnc "$tmp/hgnc.json" --dim 64 --passes 2 --out "$tmp/one.st" --quiet
t 'theirs without mouse'                0 '' "${diff[@]}" --with "$tmp/one.st" --with-vocab "$tmp/one.tsv" --out "$tmp/h"
is 'has no mouse gene in common'        value h mouse 'genes of both vocabularies' 'x == 0'
printf 'G1 G2\nG3 G4\n' >"$tmp/net.txt"
knowledge-embed grn --vocab "$tmp/vocab.tsv" --tables "$tmp/tables" --pairs "$tmp/net.txt" --dim 64 --out "$tmp/grn.st" --quiet
t 'no kind on both sides'               3 'no kind is on both sides' "${diff[@]}" --with "$tmp/grn.st" --out "$tmp/x"
t 'a table of another vocabulary'       3 'tokens' "${diff[@]}" --with "$tmp/same.st" --out "$tmp/x"
t 'a table twice'                       2 'another table of kind family' "${diff[@]}" "$tmp/ours.st" --with "$tmp/ours.st" --out "$tmp/x"
t 'nothing beside it'                   2 'with is missing' "${diff[@]}" --out "$tmp/x"
t 'no vocabulary'                       2 'vocab is missing' knowledge-diff "$tmp/ours.st" --with "$tmp/ours.st" --out "$tmp/x"
t 'no output'                           2 'out is missing' "${diff[@]}" --with "$tmp/ours.st"
is 'none of them left a file'           test ! -e "$tmp/x/diff.tsv"
end
