#!/usr/bin/env bash
# The step of action.yml: installs Pull Responder, asks about the manifests, and writes SARIF and the outputs.
# From the environment: MANIFESTS, CLUSTER, NAMESPACE, REGION, UNDECIDED, VERSION, and what GitHub sets.
set -euo pipefail

refuse() {
  echo "::error title=Pull Responder::$1"
  exit 2
}

# Each value has a form that cannot be an option, or anything else than what it says.
[[ $VERSION =~ ^[0-9]+(\.[0-9]+){2}$ ]] || refuse "version: give three numbers, such as 0.2.0"
[[ $CLUSTER =~ ^(arn:aws[a-z-]*:eks:[a-z0-9-]+:[0-9]{12}:cluster/)?[0-9A-Za-z][0-9A-Za-z_-]{0,99}$ ]] ||
  refuse "cluster: give the name or the ARN of an EKS cluster"
[[ -z $NAMESPACE || $NAMESPACE =~ ^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$ ]] || refuse "namespace: that is no name of one"
[[ -z $REGION || $REGION =~ ^[a-z]{2}(-[a-z]+)+-[0-9]+$ ]] || refuse "region: that is no name of one"
[[ $UNDECIDED == pass || $UNDECIDED == fail ]] || refuse "undecided: give pass or fail"
[[ -n $MANIFESTS && -e $MANIFESTS ]] || refuse "manifests: there is no such file or folder"
case $MANIFESTS in
  /* | ./*) ;;
  *) MANIFESTS=./$MANIFESTS ;;
esac

environment=$RUNNER_TEMP/pull-responder
sarif=$RUNNER_TEMP/pull-responder.sarif
if [ ! -x "$environment/bin/pull-responder" ]; then
  python -m venv "$environment"
  "$environment/bin/python" -m pip install --quiet --disable-pip-version-check "pull-responder==$VERSION"
fi
if [ -n "$REGION" ]; then export AWS_REGION=$REGION; fi

status=0
"$environment/bin/pull-responder" diagnose --manifests "$MANIFESTS" --cluster "$CLUSTER" \
  ${NAMESPACE:+--namespace "$NAMESPACE"} --format sarif >"$sarif" || status=$?
{
  echo "sarif=$sarif"
  echo "status=$status"
} >>"$GITHUB_OUTPUT"

case $status in
  0) echo "Every image of ECR can be pulled." ;;
  1) echo "::error title=Pull Responder::Some images cannot be pulled: the SARIF file has the causes and their fixes" ;;
  3)
    echo "::warning title=Pull Responder::Nothing wrong was found, but something could not be decided"
    if [ "$UNDECIDED" = pass ]; then status=0; fi
    ;;
  *) echo "::error title=Pull Responder::It could not be asked: see above" ;;
esac
exit "$status"
