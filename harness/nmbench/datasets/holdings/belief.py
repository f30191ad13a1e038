"""Whether bytes are the right ones: by their digest, or by the digest of what is in them."""

from __future__ import annotations

import fnmatch
import hashlib
import zipfile
import zlib
from pathlib import Path

from nmbench.datasets.holdings.catalogue import File, Known
from nmbench.datasets.holdings.receipt import Digests

MEMBERS_MAX = 100_000
MEMBER_BYTES_MAX = 64 << 20


def wrong(file: File, found: Digests) -> str | None:
    """Say what is wrong with the bytes; None where nothing is, or where no digest of them binds."""
    return mismatch(file, found) if file.digest_binds else None


def mismatch(known: Known, found: Digests) -> str | None:
    """Say in what a file differs from the known one."""
    if known.bytes is not None and found.size != known.bytes:
        return f"{found.size:,} bytes, the file has {known.bytes:,}"
    for kind, right, own in (("SHA-256", known.sha256, found.sha256), ("MD5", known.md5, found.md5)):
        if right is not None and right != own:
            return f"damaged, or not the file: its {kind} is {own}, the known one {right}"
    return None


def wrong_by_hand(file: File, path: Path, found: Digests) -> str | None:
    """Say what is wrong with a file that people put in place of the one that is fetched."""
    if file.instead is not None and path.name == file.instead.name:
        return mismatch(file.instead, found)
    return wrong(file, found) or wrong_contents(file, path)


def wrong_contents(file: File, path: Path) -> str | None:
    """Say what is wrong with what is in an archive; None where nothing is, or nothing is known."""
    if file.contents is None:
        return None
    try:
        members, digest = contents_of(path, file.contents.pattern)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError) as error:
        return f"not a readable zip archive: {error}"
    if members != file.contents.members:
        return f"{members:,} members like {file.contents.pattern}, the set has {file.contents.members:,}"
    if digest != file.contents.sha256:
        return (
            f"its {file.contents.pattern} are not the known ones: {digest}, known is {file.contents.sha256}"
        )
    return None


def contents_of(path: Path, pattern: str) -> tuple[int, str]:
    """Count and hash the members of a zip archive that match; see `Contents`.

    Raises
    ------
    ValueError
        If there are too many, or too large ones, to trust.
    """
    digest = hashlib.sha256()
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        if len(infos) > MEMBERS_MAX:
            raise ValueError(f"{len(infos)} members, more than {MEMBERS_MAX}")
        inside = {info.filename.partition("/")[2]: info for info in infos if not info.is_dir()}
        wanted = sorted(name for name in inside if fnmatch.fnmatchcase(name, pattern))
        for name in wanted:
            if inside[name].file_size > MEMBER_BYTES_MAX:
                raise ValueError(f"{name}: {inside[name].file_size} bytes, more than {MEMBER_BYTES_MAX}")
            own = hashlib.sha256(archive.read(inside[name])).hexdigest()
            digest.update(f"{name}\0{own}\n".encode())
    return len(wanted), digest.hexdigest()
