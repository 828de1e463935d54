#!/usr/bin/env bash
# Installs the packages into a clean Debian 12 without Swift and uses them: test_package.sh FOLDER MODEL, as root.
# FOLDER holds what `make package` made. The clean root is made by debootstrap, once, and kept in FOLDER.
set -euo pipefail
folder=$(cd "$1" && pwd) model=$(readlink -f "$2")
deb=$(ls "$folder"/quire_*.deb) tarball=$(ls "$folder"/quire-*.tar.gz)
[ "$(id -u)" = 0 ] || { echo "needs root, for chroot" >&2; exit 1; }
if [ -z "${QUIRE_TEST_NAMESPACE:-}" ]; then QUIRE_TEST_NAMESPACE=1 exec unshare --mount "$0" "$@"; fi

clean=$folder/clean-root.tar
if [ ! -e "$clean" ]; then
  echo "making a clean Debian 12 (one minute)"
  command -v debootstrap >/dev/null || { echo "debootstrap is missing: apt-get install debootstrap" >&2; exit 1; }
  fresh=$(mktemp -d)
  debootstrap --variant=minbase --include=ca-certificates bookworm "$fresh" >"$folder/debootstrap.log"
  tar -C "$fresh" -cf "$clean.part" . && mv "$clean.part" "$clean"
  rm -rf "$fresh"
fi

# A mount namespace of its own, so that everything below vanishes with this process.
mount --make-rprivate /
root=$(mktemp -d); trap 'umount -l "$root" 2>/dev/null || true; rmdir "$root" 2>/dev/null || true' EXIT
mount -t tmpfs -o size=4G tmpfs "$root"
tar -C "$root" -xf "$clean"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp "$deb" "$root/quire.deb"
mkdir -p "$root/model"; touch "$root/model/smollm2.gguf"; mount --bind "$model" "$root/model/smollm2.gguf"

inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
ok() { echo "ok: $*"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
install_packages() { inside apt-get install -y -qq --no-install-recommends "$@" >"$folder/apt.log" 2>&1 || { cat "$folder/apt.log" >&2; fail "apt-get install $*"; }; }

inside sh -c '! command -v swift && ! find / -xdev -name "libswift*" | grep -q .' || fail "the root is not clean"
inside apt-get update -qq >"$folder/apt.log" 2>&1 || { cat "$folder/apt.log" >&2; fail "apt-get update"; }
install_packages $(inside dpkg-deb -f /quire.deb Depends | sed 's/([^)]*)//g; s/|[^,]*//g; s/,/ /g')
inside dpkg -i /quire.deb >"$folder/dpkg.log" 2>&1 || { cat "$folder/dpkg.log" >&2; fail "dpkg -i"; }
ok "dpkg -i: $(inside dpkg-query -W quire)"
inside dpkg --verify quire | grep . && fail "dpkg --verify"
! inside ldd /usr/bin/quire | grep -E "not found|libswift" || fail "libraries"
version=$(inside quire --version)
[ "$version" = "$(inside dpkg-query -W -f '${Version}' quire)" ] || fail "version $version"
ok "quire --version: $version"

# Without a Vulkan loader the CPU answers.
answer=$(inside quire generate /model/smollm2.gguf --prompt "What is the capital of France?" --max-tokens 20 2>"$folder/generate.log") \
  || { cat "$folder/generate.log" >&2; fail "generate"; }
case $answer in *Paris*) ok "quire generate MODEL: $answer" ;; *) fail "the answer is: $answer" ;; esac
inside quire devices >"$folder/devices.log" 2>&1 && fail "devices without a loader must fail"
grep -qi vulkan "$folder/devices.log" || fail "devices does not say what is missing"
ok "quire devices without a loader: $(tail -1 "$folder/devices.log")"

# The recommended packages bring a device; the processor's, as the root has no GPU.
install_packages libvulkan1 mesa-vulkan-drivers
inside quire devices >"$folder/devices.log" 2>&1 || { cat "$folder/devices.log" >&2; fail "devices"; }
grep -q llvmpipe "$folder/devices.log" || fail "llvmpipe is not listed"
ok "quire devices: $(head -1 "$folder/devices.log")"
answer=$(inside quire generate /model/smollm2.gguf --set backend.name=vulkan --set cache.memory=64MiB --set scheduler.max_num_batched_tokens=64 --set scheduler.max_num_seqs=16 \
  --prompt "What is the capital of France?" --max-tokens 8 2>"$folder/generate.log") || { cat "$folder/generate.log" >&2; fail "generate on vulkan"; }
case $answer in *Paris*) ok "on vulkan: $answer" ;; *) fail "on vulkan the answer is: $answer" ;; esac

# The service, with its default configuration pointing to the model.
inside quire config check /usr/share/doc/quire/examples/quickstart.yaml >/dev/null || fail "an example"
inside quire config check /etc/quire/quire.yaml >/dev/null || fail "quire.yaml"
install_packages systemd zsh fish man-db
inside systemd-analyze verify /usr/lib/systemd/system/quire.service 2>&1 | grep -v "man page" | grep . && fail "quire.service"
ok "quire.service: exposure $(inside systemd-analyze security --offline=yes quire.service 2>/dev/null | grep -o 'Overall exposure level.*' || echo unknown)"
inside bash -c 'source /usr/share/bash-completion/completions/quire && complete -p quire' >/dev/null || fail "bash completions"
inside zsh -n /usr/share/zsh/site-functions/_quire || fail "zsh completions"
inside fish -n /usr/share/fish/vendor_completions.d/quire.fish || fail "fish completions"
ok "completions for bash, zsh and fish"
# man-db of a minimal root drops manual pages of packages (dpkg's path-exclude), but not of this one: render it.
inside sh -c 'man --warnings -l /usr/share/man/man1/quire.1.gz 2>&1 >/dev/null' | grep . && fail "warnings in the man page"
inside man -l /usr/share/man/man1/quire.1.gz | grep -q "quire serve" || fail "man page"
ok "man quire"

inside dpkg --purge quire >"$folder/dpkg.log" 2>&1
inside sh -c '! find /usr /etc -path "*quire*" -not -path "/usr/share/doc/*" | grep .' || fail "purge leaves files"
tar -C "$root/opt" -xf "$tarball"
[ "$(inside sh -c '/opt/quire-*/bin/quire --version')" = "$version" ] || fail "the tarball"
ok "the tarball: $(basename "$tarball")"
