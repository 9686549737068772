# audit: every byte of the results against what the stages wrote down (docs/audit.md).
#
#   $R.audit/audit.html   all verdicts as a page; audit.tsv and audit.json beside it
#
# Beside the results, not in them: an audit is no part of what it looks at.
audit_out ?= $R.audit

##@ Audit
audit: $B/bin/audit ## hash all results again, check every manifest against the next
	@$B/bin/audit $R --source . --cache $(CACHE) --out $(audit_out) --threads $(THREADS)
	@echo '$(audit_out)/audit.html'
.PHONY: audit
