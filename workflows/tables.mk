# tables: genes.tsv and aliases.tsv from the public gene tables among the inputs. Each of those but
# two is optional; report.json says which were there and what followed.
params/tables :=

$R/tables/MANIFEST.tsv: $B/bin/gene-tables $R/tables/params $R/fetch/MANIFEST.tsv | $(closer)
	$(open_stage)
	$Q$(tool)gene-tables --inputs $(CACHE)/view --out $(@D) --report $(@D)/report.json --quiet
	$(close_stage)

##@ Results
tables: $R/tables/MANIFEST.tsv ## gene and alias tables
.PHONY: tables
