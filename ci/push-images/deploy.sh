#!/usr/bin/env bash
# Starts leo-infra's deploy workflow with this image; the other one stays as it runs.
set -euo pipefail

gh workflow run deploy.yml --repo "$INFRA_REPOSITORY" --ref "$INFRA_REF" \
  --raw-field environment="$ENVIRONMENT" --raw-field images="$IMAGE=$DIGEST"
echo "Started the deploy of \`$ENVIRONMENT\` in [$INFRA_REPOSITORY]($GITHUB_SERVER_URL/$INFRA_REPOSITORY/actions/workflows/deploy.yml)" \
  >>"$GITHUB_STEP_SUMMARY"
