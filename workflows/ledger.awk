# What `make ledger` prints, from samples.tsv and sets.tsv.
FNR == 1 { table++; next }
table == 1 {
	cells += $2
	again += $4
	others += $5
}
table == 2 && !said++ {
	printf "  %d cells in the corpus: %d repeat one of their sample, %d stand in another sample too\n", cells, again, others
}
table == 2 { printf "  %-24s %7d of %7d labelled cells are in the corpus\n", $1, $5, $2 }
END {
	if (!said)
		printf "  %d cells in the corpus: %d repeat one of their sample, %d stand in another sample too\n", cells, again, others
}
