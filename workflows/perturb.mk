# perturb: what deletions of regulators find. Figures 2b-g, S3 and S4a of the paper, on cells that can be
# had.
#
#   perturb-sim/SEED   the simulator, where every wire is known: a model of its own per seed, all regulators
#                      deleted, beside random weights, the published procedure, correlation and co-expression
#   perturb-real       cells of the profile and its model: regulators of public lists deleted (sample:regulators),
#                      their targets by TRRUST, CollecTRI and DoRothEA against housekeeping and all other genes
#   perturb-state      genes raised in cells of one label: how much nearer they come to those of another, beside
#                      matched random genes (sample:from:to:genes). Figure 6b
#   perturb            the rows of all, metrics.tsv
# Deletions are compared with matched random ones; --help of perturb and grn-recognition say how.
perturb_sim_seeds ?= 1 2 3 4 5
# cells, genes and regulators of a species, width, layers and genes read of the model, steps, controls, cells asked
perturb_sim_sizes ?= 1200 800 32 48 2 192 300 5 100
perturb_real ?=
perturb_states ?=
perturb_controls ?= 20
perturb_max_cells ?= 100
perturb_state_controls ?= 20
grn_lists := trrust=prior_knowledge/grn/trrust_rawdata.human.tsv collectri=prior_knowledge/grn/collectri_human.csv \
	dorothea=prior_knowledge/grn/dorothea_hs_ABCD.tsv
housekeeping := gene_reference/UbiquitouslyExpressedGenes.txt
perturb_real_options := --controls $(perturb_controls) --max-cells $(perturb_max_cells) --seed $(seed) --backend $(BACKEND)
params/perturb-real := $(perturb_real_options) $(if $(strip $(perturb_real)),cells: $(perturb_real))

perturb_tools := $(addprefix $B/bin/,simulate gene-tables import homolog-map qc-filter vocab median tokenize \
	pretrain perturb grn-recognition)
define perturb_sim_rule
params/perturb-sim/$(1) := $(perturb_sim_sizes)
$R/perturb-sim/$(1)/MANIFEST.tsv: $(perturb_tools) $R/perturb-sim/$(1)/params workflows/perturb-sim.sh | $$(closer)
	$$(open_stage)
	$$Q$$(RUN) bash workflows/perturb-sim.sh $B/bin $$(@D) $(1) $(perturb_sim_sizes) $$(THREADS)
	$$(close_stage)
endef
$(foreach s,$(perturb_sim_seeds),$(eval $(call perturb_sim_rule,$(s))))

# A list that could not be had is left out; without any there is nothing to compare with, and no table.
listed = $$(for x in $(1); do f=$(CACHE)/view/$${x\#*=}; [ ! -e "$$f" ] || echo "$${x%%=*}=$$f"; done)
$R/perturb-real/MANIFEST.tsv: $B/bin/perturb $B/bin/grn-recognition $R/perturb-real/params $R/fetch/MANIFEST.tsv \
		$(if $(strip $(perturb_real)),$R/pretrain/MANIFEST.tsv) \
		$(foreach p,$(perturb_real),$R/qc-filter/$(firstword $(subst :, ,$(p)))/MANIFEST.tsv) | $(closer)
	$(open_stage)
	$Qset -- $(perturb_real); \
	 lists="$(call listed,$(grn_lists))"; against="$(call listed,housekeeping=$(housekeeping))"; \
	 [ $$# -gt 0 ] || echo '  profile $(PROFILE) deletes nothing in real cells (perturb_real)'; \
	 for x; do \
		name=$${x%%:*}; genes=$${x#*:}; cells=$R/qc-filter/$$name/cells.h5ad; \
		if [ ! -e $$cells ] || [ ! "$$lists" ]; then \
			echo "  $$name: left out, its inputs could not be had"; continue; fi; \
		$(tool)perturb $$cells --model $(trained) --genes $${genes//,/ } $(perturb_real_options) \
			--out $(@D)/$$name/deleted --threads $(THREADS) $(quiet); \
		$(tool)perturb $$cells --model $(trained) --genes $${genes//,/ } --as-released $(perturb_real_options) \
			--controls 0 --out $(@D)/$$name/released --threads $(THREADS) $(quiet); \
		$(tool)grn-recognition --effects genecompass=$(@D)/$$name/deleted released=$(@D)/$$name/released \
			--targets $$lists $${against:+--against $$against} --counts $$cells --vocab $(trained)/vocab.tsv \
			--dataset $$name --seed $(seed) --out $(@D)/$$name/grn $(quiet); \
	 done
	$(close_stage)

perturb_state_options := --change high --controls $(perturb_state_controls) --seed $(seed) --backend $(BACKEND)
params/perturb-state := $(perturb_state_options) $(if $(strip $(perturb_states)),cells: $(perturb_states))
$R/perturb-state/MANIFEST.tsv: $B/bin/perturb $R/perturb-state/params \
		$(if $(strip $(perturb_states)),$R/pretrain/MANIFEST.tsv) \
		$(foreach p,$(perturb_states),$R/qc-filter/$(firstword $(subst :, ,$(p)))/MANIFEST.tsv) | $(closer)
	$(open_stage)
	$Qset -- $(perturb_states); \
	 [ $$# -gt 0 ] || echo '  profile $(PROFILE) raises nothing (perturb_states)'; \
	 for x; do \
		IFS=: read -r name from to genes <<<"$$x"; cells=$R/qc-filter/$$name/cells.h5ad; \
		if [ ! -e $$cells ]; then echo "  $$name: left out, its inputs could not be had"; continue; fi; \
		$(tool)perturb $$cells --model $(trained) --sets $$genes --genes $${genes//+/ } --source $$from \
			--target $$to $(perturb_state_options) --out $(@D)/$$name --threads $(THREADS) $(quiet); \
	 done
	$(close_stage)

perturb_parts := $(perturb_sim_seeds:%=$R/perturb-sim/%/MANIFEST.tsv) $R/perturb-real/MANIFEST.tsv \
	$R/perturb-state/MANIFEST.tsv
$R/perturb/MANIFEST.tsv: $(perturb_parts) | $(closer)
	$(open_stage)
	$Qprintf 'task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn\n' >$(@D)/metrics.tsv; \
	 for f in $(perturb_sim_seeds:%=$R/perturb-sim/%/grn/metrics.tsv) $R/perturb-real/*/grn/metrics.tsv \
			$R/perturb-real/*/*d/metrics.tsv $R/perturb-state/*/metrics.tsv; do \
		[ ! -e "$$f" ] || tail -n +2 "$$f" >>$(@D)/metrics.tsv; done
	$(close_stage)

##@ Results
perturb: $R/perturb/MANIFEST.tsv ## what deletions of regulators find, simulated and real
.PHONY: perturb
