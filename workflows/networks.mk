# networks: regulatory networks from expression (grn --help), scored by known ones.
#
#   networks-vectors         gene vectors of the profile's model in networks_cells, and how alike they are
#   networks/inputs.tsv      what could be had of manifests/inputs/networks.tsv
#   networks/SET/            metrics.tsv and predictions.tsv of a set of cells
#   networks/metrics.tsv     the rows of all sets
#   networks/authors-cosines.tsv   how alike the published model's gene vectors are
# Sets: mDC of BEELINE with its three truths; hESC, where networks_hesc names its expression (genes x cells,
# named after BEELINE's); a simulated sample with the regulators whose wires are known. Inputs are fetched by
# the stage itself: no other wants these files.
networks_manifest ?= manifests/inputs/networks.tsv
networks_cells ?=
networks_simulated ?=
# So many regulators of the simulator's list.
networks_regulators ?= 8
networks_hesc ?=
networks_seeds ?= 5
networks_size ?=
networks_options := --seeds $(networks_seeds) --seed $(seed) $(networks_size)
networks_view := $(CACHE)/view/benchmarks
networks_grn = $(tool)grn $(networks_options) $(if $(networks_cells),--vectors \
	genecompass=$R/networks-vectors/genes.h5ad) --threads $(THREADS) $(quiet)

networks_truth = awk -F '\t' -v OFS=, -v n=$(networks_regulators) 'BEGIN { print "Gene1", "Gene2" } \
	NR == 1 { for (i = 1; i <= NF; i++) col[$$i] = i; next } $$col["species"] != "human" || !$$col["real"] { next } \
	!($$col["tf"] in seen) && m++ < n { seen[$$col["tf"]] } $$col["tf"] in seen { print $$col["tf"], $$col["target"] }'

params/networks-vectors := --genes --backend $(BACKEND) cells: $(networks_cells)
$R/networks-vectors/MANIFEST.tsv: $B/bin/embed $B/bin/gene-cosines $R/networks-vectors/params \
		$R/pretrain/MANIFEST.tsv $(networks_cells:%=$R/qc-filter/%/MANIFEST.tsv) | $(closer)
	$(open_stage)
	$Q$(tool)embed $(networks_cells:%=$R/qc-filter/%/cells.h5ad) --model $(trained) --genes --backend $(BACKEND) \
		--out $(@D)/genes.h5ad --report $(@D)/report.json --threads $(THREADS) $(quiet)
	$Q$(tool)gene-cosines $(@D)/genes.h5ad --out $(@D)/cosines.tsv --threads $(THREADS) $(quiet)
	$(close_stage)

params/networks := $(networks_options) $(if $(networks_simulated),$(networks_simulated): \
	$(networks_regulators) regulators) $(if $(networks_hesc),data: hESC)
$R/networks/MANIFEST.tsv: $(networks_manifest) $B/bin/fetch $B/bin/grn $B/bin/gene-cosines $R/networks/params \
		$(if $(networks_cells),$R/networks-vectors/MANIFEST.tsv) $(networks_hesc) \
		$(if $(networks_simulated),$R/simulate/MANIFEST.tsv $R/qc-filter/$(networks_simulated)/MANIFEST.tsv) \
		| $(closer)
	$(open_stage)
	$Q$(if $(networks_manifest),GC_TIMES=$(@D)/time.log $B/bin/fetch $(networks_manifest) --cache $(CACHE) \
		$(if $(MIRROR),--mirror '$(MIRROR)') --threads $(THREADS) --out $(@D)/inputs.tsv,:)
	$Qd=$(networks_view)/beeline_genelink; x=$$d/string/mDC_TFs500/BL--ExpressionData.csv; set --; \
	 for k in nonspecific specific string; do f=$$d/$$k/mDC_TFs500/BL--network.csv; \
		[ ! -e $$f ] || set -- "$$@" "mdc-$$k=$$f"; done; \
	 if [ -z '$(networks_manifest)' ]; then :; \
	 elif [ -e $$x ] && [ $$# -gt 0 ]; then $(networks_grn) --expression $$x --truth "$$@" --out $(@D)/mdc; \
	 else echo '  mdc: left out, its inputs could not be had'; fi
	$Qd=$(networks_view)/beeline_hesc_genecompass; \
	 if [ -n '$(networks_hesc)' ] && [ -e $$d/BL-hESC-ChIP-seq-no-peca-network.csv ]; then \
		$(networks_grn) --expression '$(networks_hesc)' --out $(@D)/hesc \
			--truth hesc-chip=$$d/BL-hESC-ChIP-seq-no-peca-network.csv; \
	 else echo '  hesc: left out (networks_hesc names its expression)'; fi; \
	 if [ -e $$d/GeneCompass-emb-0708.npy ]; then $(tool)gene-cosines $$d/GeneCompass-emb-0708.npy \
		--out $(@D)/authors-cosines.tsv --threads $(THREADS) $(quiet); fi
	$Q$(if $(networks_simulated),$(networks_truth) $R/simulate/truth/network.tsv >$(@D)/simulated.csv; \
		$(networks_grn) --expression $R/qc-filter/$(networks_simulated)/cells.h5ad \
		--truth simulated=$(@D)/simulated.csv --out $(@D)/simulated,:)
	$Qprintf 'task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn\n' >$(@D)/metrics.tsv; \
	 for f in $(@D)/*/metrics.tsv; do [ ! -e "$$f" ] || tail -n +2 "$$f" >>$(@D)/metrics.tsv; done
	$(close_stage)

##@ Results
networks: $R/networks/MANIFEST.tsv ## regulatory networks from expression, scored by known ones
.PHONY: networks
