# audit: every byte of the results against what the stages wrote down, and the work once more as far as
# LEVEL says (docs/audit.md).
#
#   $R.audit/audit.html   all verdicts as a page; audit.tsv and audit.json beside it
#
# Beside the results, not in them: an audit is no part of what it looks at.
audit_out ?= $R.audit
# 0: bytes alone; 1: scores and the page; 2: maps, and vectors from the weights; 3: the weights.
LEVEL ?= 1
audit_tools := $(addprefix $B/bin/,audit report map zero-shot embed annotate pretrain)

##@ Audit
audit: $(audit_tools) ## hash all results again, check the manifests, do the work again up to LEVEL [1]
	@$B/bin/audit $R --level $(LEVEL) --source . --cache $(CACHE) --out $(audit_out) --threads $(THREADS)
	@echo '$(audit_out)/audit.html'
.PHONY: audit

# claims: every claim of the paper (reference/claims.tsv) with what these results say about it.
#
#   $R.claims/claims.html   all claims as a page; claims.tsv and claims.json beside it
claims_out ?= $R.claims
claims: $B/bin/claims $B/bin/pretrain ## what the results say about every claim of the paper
	@$B/bin/claims $R --claims reference/claims.tsv --out $(claims_out) --threads $(THREADS)
	@echo '$(claims_out)/claims.html'
.PHONY: claims
