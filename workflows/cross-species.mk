# cross-species: cell types of one species learnt from labelled cells of another, by CAME, by CAME whose
# genes start from the trained model's vectors, and by simple methods (cross-species --help), for each
# pair of the profile:
#   REFERENCE:QUERY        samples of the samples table; homologs from the gene tables
#   REFERENCE:QUERY:same   homologs have the same name in both
#   REFERENCE:itself:0.3   a check: half of the reference's cells as if of the other species, 0.3 of
#                          their genes hidden
# A pair whose inputs could not be had is left out. A profile without pairs makes tables without lines.
cross_species_pairs ?=
cross_species_seeds ?= 5
params/cross-species := --seeds $(cross_species_seeds) --backend $(BACKEND) --seed $(seed) \
	$(if $(strip $(cross_species_pairs)),pairs: $(cross_species_pairs))
cross_samples := $(sort $(filter-out itself,$(foreach p,$(cross_species_pairs),$(wordlist 1,2,$(subst :, \
	,$(p))))))
cross_model := $(if $(strip $(cross_species_pairs)),$R/pretrain/MANIFEST.tsv)

$R/cross-species/MANIFEST.tsv: $B/bin/cross-species $R/cross-species/params $R/tables/MANIFEST.tsv \
		$(cross_model) $(cross_samples:%=$R/import/%/MANIFEST.tsv) | $(closer)
	$(open_stage)
	$Qset -- $(cross_species_pairs); \
	 [ $$# -gt 0 ] || echo '  profile $(PROFILE) has no pairs of species (cross_species_pairs)'; \
	 for pair; do \
		from=$${pair%%:*}; to=$${pair#*:}; last=$${to#*:}; to=$${to%%:*}; \
		how='--tables $R/tables'; name=$$from-$$to; query=$R/import/$$to/cells.h5ad; \
		case $$to in itself) how="$$how --hidden $$last"; name=$$name-$$last; query=;; esac; \
		if [ "$$last" = same ]; then how=--same-names; fi; \
		if [ ! -e $R/import/$$from/cells.h5ad ] || { [ "$$query" ] && [ ! -e "$$query" ]; }; then \
			echo "  $$pair: left out, its inputs could not be had"; continue; fi; \
		$(tool)cross-species $R/import/$$from/cells.h5ad $$query $$how --model $(trained) \
			--dataset "$$name" --seeds $(cross_species_seeds) --backend $(BACKEND) --seed $(seed) \
			--out $(@D)/$$name --report $(@D)/$$name/report.json --threads $(THREADS) $(quiet) || exit; \
	 done
	$Qprintf 'task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn\n' >$(@D)/metrics.tsv; \
	 printf 'dataset\tmetric\tmethod\tagainst\tn_seeds\tmean_difference\tci95\n' \
		>$(@D)/comparisons.tsv; \
	 for f in $(@D)/*/metrics.tsv $(@D)/*/comparisons.tsv; do \
		[ ! -e "$$f" ] || tail -n +2 "$$f" >>$(@D)/$${f##*/}; done
	$(close_stage)

##@ Results
cross-species: $R/cross-species/MANIFEST.tsv ## cell types from one species to another
.PHONY: cross-species
