# What `make ledger` prints, from samples.tsv, pairs.tsv and sets.tsv.
FNR == 1 { table++; next }
table == 1 { cells += $2; again += $4; others += $5 }
table == 2 && $1 == "sample" { pair[++n] = sprintf("  %s and %s share %d cells", $2, $3, $4) }
table == 3 { set[++m] = sprintf("  %-24s %7d of %7d labelled cells are in the corpus", $1, $5, $2) }
END {
	printf "  %d cells in the corpus: %d repeat one of their sample, %d stand in another sample too\n", cells, again, others
	for (i = 1; i <= n; i++) print pair[i]
	for (i = 1; i <= m; i++) print set[i]
}
