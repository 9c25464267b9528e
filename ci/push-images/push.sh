#!/usr/bin/env bash
# Builds and pushes one image, and says what it is.
set -euo pipefail

arguments=("$IMAGE" --environment "$ENVIRONMENT" --json)
if [[ $DEMO == true ]]; then
  arguments+=(--demo)
else
  arguments+=(--context "$CONTEXT")
fi

# The document is on stdout, whatever becomes of it; what a person reads is on stderr.
code=0
document=$(cargo xtask push-images "${arguments[@]}") || code=$?
if ((code != 0)); then
  # A line each, whatever is in it.
  jq -r '.errors[]? | "failed to \(.message)\(if .hint then ". Hint: \(.hint)" else "" end)"
    | gsub("%"; "%25") | gsub("\r"; "%0D") | gsub("\n"; "%0A") | "::error title=push-images::\(.)"' <<<"$document" || true
  exit "$code"
fi

image=$(jq -ce --arg image "$IMAGE" '.images[] | select(.name == $image)' <<<"$document")
digest=$(jq -er .digest <<<"$image")
[[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || {
  echo "::error title=push-images::\`$digest\` is no digest"
  exit 1
}
reference="$(jq -er .repository <<<"$image")@$digest"
{
  echo "digest=$digest"
  echo "reference=$reference"
} >>"$GITHUB_OUTPUT"
echo "**$IMAGE**: \`$reference\`" >>"$GITHUB_STEP_SUMMARY"
