#!/usr/bin/env bash
# Makes quire_VERSION_ARCH.deb and quire-VERSION-linux-ARCH.tar.gz: package.sh BINARY OUTPUT_FOLDER.
# The binary must be linked with --static-swift-stdlib, as the target machine has no Swift.
set -euo pipefail
binary=$1 output=$2
here=$(cd "$(dirname "$0")/../.." && pwd)
if ldd "$binary" | grep -q libswift; then echo "$binary needs Swift's libraries: build it with --static-swift-stdlib" >&2; exit 1; fi
version=$("$binary" --version)
arch=$(dpkg --print-architecture)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$here" log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
scratch=$(mktemp -d); trap 'rm -rf "$scratch"' EXIT
mkdir -p "$output"

# The .deb: everything below /usr, and /etc/quire/quire.yaml as a file that upgrades leave alone.
root=$scratch/deb
"$here/Configs/Packaging/install.sh" "$binary" /usr "$root"
doc=$root/usr/share/doc/quire
rm "$doc/LICENSE"
{ printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nCopyright: the authors of Quire\n'
  printf 'License: Apache-2.0\n On Debian systems, see /usr/share/common-licenses/Apache-2.0.\n'; } >"$doc/copyright"
mkdir "$root/DEBIAN" "$scratch/debian"
# dpkg-shlibdeps reads the libraries that the binary is linked against; it wants a source package around it.
printf 'Source: quire\n\nPackage: quire\nArchitecture: any\n' >"$scratch/debian/control"
depends=$(cd "$scratch" && dpkg-shlibdeps -O -e "$root/usr/bin/quire" 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
cat >"$root/DEBIAN/control" <<CONTROL
Package: quire
Version: $version
Architecture: $arch
Maintainer: ${MAINTAINER:-Quire <quire@localhost>}
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)
Depends: $depends
Recommends: ca-certificates, libcurl4, libvulkan1, mesa-vulkan-drivers
Section: net
Priority: optional
Description: server for large language models on Vulkan GPUs and CPUs
 Quire serves a large language model to clients of the OpenAI API. It runs
 on any GPU with a Vulkan 1.2 driver and on CPUs, has a paged key-value
 cache, continuous batching and exchangeable scheduling policies, and reads
 GGUF, AWQ, GPTQ and compressed-tensors checkpoints.
CONTROL
echo /etc/quire/quire.yaml >"$root/DEBIAN/conffiles"
(cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
find "$root" -type d -exec chmod 755 {} +
dpkg-deb --root-owner-group --build "$root" "$output/quire_${version}_$arch.deb" >/dev/null

# The tarball: one folder that runs where it is unpacked, or is copied over /usr/local.
name=quire-$version-linux-$(uname -m)
"$here/Configs/Packaging/install.sh" "$binary" /usr/local "$scratch/tar"
mv "$scratch/tar/usr/local" "$scratch/$name"
tar -C "$scratch" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -czf "$output/$name.tar.gz" "$name"
echo "$output/quire_${version}_$arch.deb"
echo "$output/$name.tar.gz"
