#!/usr/bin/env bash
# Installs a built quire: install.sh BINARY PREFIX [DESTDIR]. With PREFIX=/usr, configuration belongs into /etc.
set -euo pipefail
binary=$1 prefix=$2 root=${3:-}
here=$(cd "$(dirname "$0")/../.." && pwd)
sysconf=$prefix/etc
[ "$prefix" = /usr ] && sysconf=/etc
version=$("$binary" --version)
date=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}" +%Y-%m-%d)
share=$root$prefix/share

install -D -m 755 "$binary" "$root$prefix/bin/quire"
strip --strip-unneeded "$root$prefix/bin/quire"

install -d "$share/man/man1" "$share/bash-completion/completions" "$share/zsh/site-functions" "$share/fish/vendor_completions.d"
"$binary" --experimental-dump-help | python3 "$here/Configs/Packaging/manpage.py" "$version" "$date" | gzip -9n >"$share/man/man1/quire.1.gz"
"$binary" --generate-completion-script bash >"$share/bash-completion/completions/quire"
"$binary" --generate-completion-script zsh >"$share/zsh/site-functions/_quire"
"$binary" --generate-completion-script fish >"$share/fish/vendor_completions.d/quire.fish"

install -D -m 644 -t "$share/doc/quire/examples" "$here"/Configs/*.yaml
install -m 644 "$here/Configs/README.md" "$share/doc/quire/configuration.md"
install -m 644 "$here/README.md" "$here/LICENSE" "$share/doc/quire"
install -D -m 644 "$here/Sources/CQuirePlugin/include/quire_plugin.h" "$root$prefix/include/quire_plugin.h"

install -d "$root$prefix/lib/systemd/system"
sed "s|@BINDIR@|$prefix/bin|; s|@SYSCONFDIR@|$sysconf|" "$here/Configs/Packaging/quire.service" \
  >"$root$prefix/lib/systemd/system/quire.service"
# A configuration that is there already is the user's.
[ -e "$root$sysconf/quire/quire.yaml" ] || install -D -m 644 "$here/Configs/Packaging/quire.yaml" "$root$sysconf/quire/quire.yaml"
