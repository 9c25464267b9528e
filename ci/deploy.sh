#!/usr/bin/env bash
# Deploys an environment and writes the job's summary. Without images it is what was promoted, or else what runs: nothing
# is built here.
set -euo pipefail

arguments=(--environment "$ENVIRONMENT" --yes --json)
if [[ -n $IMAGES ]]; then
  arguments+=(--images "$IMAGES")
fi

code=0
document=$(cargo xtask deploy "${arguments[@]}") || code=$?
# One screen for who looks only at the summary; the whole document is in the log.
echo "$document"
summary=$(jq -r --arg environment "$ENVIRONMENT" '
  "## \($environment): \(.status // "failed")",
  "",
  (if .url then "<\(.url)>\n" else empty end),
  (if .release then "Release \(.release)\n" else empty end),
  (if .promoted_from then "Promoted from \(.promoted_from.environment), release \(.promoted_from.release)\n" else empty end),
  (.images[]? | "- \(.name): `\(.digest)`"),
  (.warnings[]? | "- ⚠ \(.)"),
  (.errors[]? | "- failed to \(.message)\(if .hint then "  \n  hint: \(.hint)" else "" end)")
' <<<"$document") || summary=""
echo "${summary:-## $ENVIRONMENT: ended with $code}" >>"$GITHUB_STEP_SUMMARY"
exit "$code"
