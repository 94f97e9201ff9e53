#!/usr/bin/env bash
# Try an installed wheel as its users do: outside the tree, with nothing else installed.
# Usage: try_wheel.sh VENV
set -euo pipefail

bin=$(cd "$1/bin" && pwd)
export PATH="$bin:$PATH"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

package=$("$bin/python" -c 'import reconciler; print(reconciler.__path__[0])')
case $package in
  "${bin%/bin}"/*) ;;
  *) echo "not the wheel, but $package" >&2; exit 1 ;;
esac

reconcile --version
test "$(imageset-reconciler --version)" = "$(reconcile --version)"
reconcile --help > help.txt
for schema in manifest plan record report reconciler; do
  reconcile schema "$schema" > "$schema.json"
done
# The templates, with those whose names begin with a dot.
reconcile init new --github --repository hospital/metadata --aws-account 123456789012 \
  --region us-east-1 --datastore research=12345678901234567890123456789012 > init.txt
for file in .gitignore .github/CODEOWNERS .vscode/settings.json iam/policy-plan.json; do
  test -s "new/$file"
done
# The manifests of the demo, against the emulator: all that the package needs to read is there.
# As at a terminal: a CI job plans a checkout only.
unset CI
cp -R "$package/demo_manifests/." .
reconcile validate
reconcile plan --out saved.json > plan.txt
reconcile show saved.json > /dev/null
