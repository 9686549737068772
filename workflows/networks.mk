# networks: regulatory networks from expression (grn --help), scored by known ones.
#
#   networks/inputs.tsv      what could be had of manifests/inputs/networks.tsv
#   networks/SET/            metrics.tsv and predictions.tsv of a set of cells
#   networks/metrics.tsv     the rows of all sets
# Sets: mDC of BEELINE with its three truths. Fetched by the stage itself: no other wants these files.
networks_manifest ?= manifests/inputs/networks.tsv
networks_seeds ?= 5
networks_options := --seeds $(networks_seeds) --seed $(seed)
networks_in := $(CACHE)/view/benchmarks/beeline_genelink
params/networks := $(networks_options)

$R/networks/MANIFEST.tsv: $(networks_manifest) $B/bin/fetch $B/bin/grn $R/networks/params | $(closer)
	$(open_stage)
	$QGC_TIMES=$(@D)/time.log $B/bin/fetch $(networks_manifest) --cache $(CACHE) \
		$(if $(MIRROR),--mirror '$(MIRROR)') --threads $(THREADS) --out $(@D)/inputs.tsv
	$Qx=$(networks_in)/string/mDC_TFs500/BL--ExpressionData.csv; set --; for k in nonspecific specific string; do \
		f=$(networks_in)/$$k/mDC_TFs500/BL--network.csv; [ ! -e $$f ] || set -- "$$@" "$$k=$$f"; done; \
	 if [ -e $$x ] && [ $$# -gt 0 ]; then \
		$(tool)grn --expression $$x --truth "$$@" $(networks_options) --out $(@D)/mdc --threads $(THREADS) $(quiet); \
	 else echo '  mdc: left out, its inputs could not be had'; fi; \
	 printf 'task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn\n' >$(@D)/metrics.tsv; \
	 for f in $(@D)/*/metrics.tsv; do [ ! -e "$$f" ] || tail -n +2 "$$f" >>$(@D)/metrics.tsv; done
	$(close_stage)

##@ Results
networks: $R/networks/MANIFEST.tsv ## regulatory networks from expression, scored by known ones
.PHONY: networks
