#!/usr/bin/env bash
# Copy the packages of requirements.lock below the comments of the lock that `reconcile init` writes.
set -euo pipefail

cd "$(dirname "$0")/.."
shipped=reconciler/init/templates/hosted/reconcile-requirements.txt
comments=$(sed '/^--only-binary/,$d' "$shipped")
{ printf '%s\n' "$comments"; sed -n '/^--only-binary/,$p' requirements.lock; } > "$shipped.new"
mv "$shipped.new" "$shipped"
