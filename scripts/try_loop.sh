#!/usr/bin/env bash
# Run the whole loop on our own manifests, with the emulator in the place of AWS and a bare
# repository in the place of a host: pull request, plan, merge, apply, records, empty plan.
# Usage: try_loop.sh. Needs `reconcile`, git and openssl on PATH. Leaves nothing behind.
set -euo pipefail

source=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# The pull request and the merge are made below. Those of the CI system that runs this are not meant.
unset CI
for name in $(compgen -e); do
  case $name in GITHUB_* | GITLAB_* | GIT_* | CI_*) unset "$name" ;; esac
done
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
export GIT_AUTHOR_NAME=Steward GIT_AUTHOR_EMAIL=steward@example.org
export GIT_COMMITTER_NAME=Steward GIT_COMMITTER_EMAIL=steward@example.org

say() { printf '\n== %s\n' "$1"; }

say "A repository as reconcile init makes it, without manifests"
git init --quiet --bare --initial-branch=main "$folder/remote.git"
git clone --quiet "$folder/remote.git" "$folder/clone" 2> /dev/null
cd "$folder/clone"
git checkout --quiet -B main
cp "$source/reconciler.yaml" .
printf 'record: {mode: branch}\n' >> reconciler.yaml
printf '.reconcile/\nplan*.json\n' > .gitignore
openssl rand -hex 32 > reconciler.key
mkdir manifests
cp "$source/manifests/README.md" manifests/
git add --all
git commit --quiet --message "Make a repository of manifests"
git push --quiet --set-upstream origin main

say "A pull request with our manifests, and the plan of its merge"
git checkout --quiet -b correct
cp "$source"/manifests/*.yaml manifests/
git add --all
git commit --quiet --message "Correct metadata"
git push --quiet origin correct
git checkout --quiet --detach main
git merge --quiet --no-ff --message "Test merge" correct
records=refs/remotes/origin/reconcile/records
git update-ref "$records" origin/main
reconcile validate
reconcile plan --base origin/main --review "$folder/review.json" --out "$folder/plan.json"

say "The merge"
git checkout --quiet main
git merge --quiet --no-ff --message "Merge the correction" correct
git push --quiet origin main

say "The apply of what was reviewed"
reconcile plan --check "$folder/review.json"
reconcile apply --reviewed "$folder/review.json" --push

say "What the repository says: each image set in its version, nothing to do"
git fetch --quiet origin "+refs/heads/reconcile/records:$records"
git ls-tree -r --name-only "$records" records/
reconcile plan --detailed-exitcode
