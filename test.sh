#!/usr/bin/env bash
# Builds everything and runs every test. Installs what the tests need where apt may; what is missing otherwise is skipped visibly.
set -euo pipefail
cd "$(dirname "$0")"

missing=()
command -v redis-server >/dev/null || missing+=(redis-server)
command -v chromium >/dev/null || missing+=(chromium)
/sbin/ldconfig -p | grep -q 'libucp\.so\.0' || missing+=(libucx0)
command -v ucx_perftest >/dev/null || missing+=(ucx-utils)
[[ -e /usr/include/ucp/api/ucp.h ]] || missing+=(libucx-dev)
command -v ip >/dev/null || missing+=(iproute2)
command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1 || missing+=(docker-compose)
if ((${#missing[@]})); then
  if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
    echo "installing ${missing[*]}"
    apt-get update -qq >/dev/null
    # The distribution starts a Redis of its own on install; the tests start theirs.
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    echo "not installed: ${missing[*]}; the tests that need them will be skipped"
  fi
fi

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
dotnet build NanoAspire.slnx -c Release -v quiet
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
# One project at a time: they start processes and compute, and two cores are soon full.
dotnet test NanoAspire.slnx -c Release --no-build -maxcpucount:1 -v quiet --logger "console;verbosity=normal" "$@" 2>&1 | grep -v -E '^\s*Passed ' | tee "$log" || status=${PIPESTATUS[0]}

awk '
  /^ *Total tests: Unknown/ { next }
  /^ *Passed: [0-9]+/  { passed  += $2 }
  /^ *Failed: [0-9]+/  { failed  += $2 }
  /^ *Skipped: [0-9]+/ { skipped += $2 }
  END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped; exit passed == 0 || failed > 0 }
' "$log" || status=1
exit "$status"
