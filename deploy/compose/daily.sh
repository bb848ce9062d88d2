#!/bin/sh
# What has to be done every day, for a timer of the machine, as root:
#   17 5 * * *  /opt/renkei/deploy/compose/daily.sh
# Certificates first: 30 days after the last revocation list nobody can connect any more.
# Every step is tried; the exit status is 1 where one of them failed. `daily.sh pki` does that step alone.
set -u
cd "$(dirname "$0")" || exit 1
# Some composes know a service of a profile only where that is named, and would make broker and
# database anew for a job that depends on them: both run.
compose=${COMPOSE:-"podman compose"}
job="$compose --profile jobs run --rm --no-deps"
failed=0

tried() {
    "$@" || { echo "failed: $*" >&2; failed=1; }
}

# What other accounts read of ./pki. Who reads a file meanwhile meets the old one or the new one.
brought() { # FOLDER OWNER PROCESS
    for file in pki/trust/* pki/crls/* "pki/$3/tls.pem" "pki/$3/tls.key"; do
        to=$1/${file#pki/}
        install -d -o "$2" -g "$2" -m 700 "$1" "${to%/*}" &&
            install -o "$2" -g "$2" -m 600 "$file" "$to.new" &&
            mv "$to.new" "$to" || return 1
    done
}

tried $job pki-renew
tried brought broker/pki 999 broker-rabbitmq
tried brought postgresql/pki 999 postgresql
tried brought prometheus/pki 65534 prometheus
[ "${1:-}" = pki ] && exit $failed

tried $compose exec postgresql pg_ctl reload -D /var/lib/postgresql/data
tried $job reconcile
tried $job backup
if [ "$(date +%d)" = 02 ]; then tried $job review; fi
exit $failed
