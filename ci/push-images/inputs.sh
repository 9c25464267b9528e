#!/usr/bin/env bash
# Refuses inputs that could only fail later, and says where things are.
set -euo pipefail

refuse() {
  echo "::error title=push-images::$1"
  exit 2
}

case "$IMAGE" in
  orchestrator | generator) ;;
  *) refuse "image is \`$IMAGE\`: there are \`orchestrator\` and \`generator\`" ;;
esac
for flag in DEMO DEPLOY; do
  case "${!flag}" in
    true | false) ;;
    *) refuse "${flag,,} is \`${!flag}\`: wanted \`true\` or \`false\`" ;;
  esac
done
if [[ $DEPLOY == true ]]; then
  [[ $INFRA_REPOSITORY == ?*/?* ]] || refuse "infra-repository is \`$INFRA_REPOSITORY\`: a deploy is started in \`owner/leo-infra\`"
  [[ -n $TOKEN ]] || refuse "token is empty: a deploy is started with one that may start workflows in $INFRA_REPOSITORY"
fi
folder=$(cd "$WORKSPACE" && realpath -e -- "$CONTEXT") || refuse "context is \`$CONTEXT\`: it is not in the workspace"
# Where it is in the end: a link would lead out of the workspace as well as `..` does.
workspace=$(realpath -e -- "$WORKSPACE")
[[ $folder == "$workspace" || $folder == "${workspace%/}/"* ]] || refuse "context is \`$CONTEXT\`: it is not in the workspace"
[[ -d $folder ]] || refuse "context is \`$CONTEXT\`: that is no folder"

infra=$(cd -- "$ACTION/../.." && pwd)
{
  echo "context=$folder"
  echo "infra=$infra"
  echo "lock=$(sha256sum "$infra/Cargo.lock" | cut -c 1-16)"
} >>"$GITHUB_OUTPUT"
