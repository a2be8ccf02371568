"""`FileInspector`: all questions about one photo file, each answered by its own file here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import local

from urbexmp.adapters.inspect import embedded, identity, jpeg, magic
from urbexmp.adapters.inspect.reader import Reader, opened
from urbexmp.adapters.inspect.tags import Tags, capture_facts
from urbexmp.adapters.inspect.tiff import read_tiff
from urbexmp.adapters.inspect.usual_exif import read_usual
from urbexmp.adapters.inspect.xmp_facts import read_xmp_facts
from urbexmp.model.errors import Problem, Undecodable
from urbexmp.model.observation import CaptureFacts, Preview
from urbexmp.model.photo import FileKind, Photo, PhotoFile, PhotoId
from urbexmp.rules.formats import KINDS, extension

_EXIFREAD = frozenset({"a JPEG", "a TIFF", "a DNG", "a PNG", "a WebP", "a HEIC", "an AVIF"})
"""Contents whose EXIF exifread can read; it knows raw files as far as they are TIFF."""


class FileInspector:
    """Opens photo files (`ports.Inspector`). Threads may share it: each has its own open files."""

    def __init__(self) -> None:
        self._mine = local()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Questions that this thread asks inside the block open each file once.

        Half of what they cost is opening a file and reading its directories. Nothing is kept
        for longer than the block: the next one sees the file as it stands then.
        """
        if getattr(self._mine, "readers", None) is not None:
            yield
            return
        with ExitStack() as files:
            self._mine.files, self._mine.readers = files, {}
            try:
                yield
            finally:
                self._mine.readers = None

    @contextmanager
    def _opened(self, path: Path) -> Iterator[Reader]:
        readers: dict[Path, Reader] | None = getattr(self._mine, "readers", None)
        if readers is None:
            with opened(path) as reader:
                yield reader
            return
        if path not in readers:
            readers[path] = self._mine.files.enter_context(opened(path))
        yield readers[path]

    def verify(self, file: PhotoFile) -> None:
        """Raise `NotAPhoto` when the content does not fit the extension.

        A `.tif` may be a DNG; a `.dng` must be one. Of raw extensions that have no magic bytes
        of their own, only what is certainly another format is refused.
        """
        with self._opened(file.path) as reader:
            magic.check(file.path, magic.sniff(reader))

    def photo_id(self, path: Path) -> PhotoId:
        """Digest of picture data that metadata writers do not touch (`identity` says which).

        Raises `Undecodable` where that data is cut off.
        """
        with self._opened(path) as reader:
            return identity.photo_id(reader, magic.sniff(reader))

    def facts(self, path: Path) -> CaptureFacts:
        """Capture facts; what the file does not say, or cannot be true, is None."""
        with self._opened(path) as reader:
            found = magic.sniff(reader)
            xmp = read_xmp_facts(reader, found)
            frame = _frame(reader, found)
            tags = read_usual(reader, found)
        return capture_facts(_exif(path, found) if tags is None else tags, xmp, frame)

    def preview(self, photo: Photo, long_side: int) -> Preview:
        """Upright picture of at most `long_side` pixels, at least where the source has them.

        A raw file or DNG: its smallest preview that is large enough; else a companion JPEG that
        is larger than what was found; else the file itself, where something can decode it.
        Raises `Undecodable`.
        """
        with self._opened(photo.path) as reader:
            found = magic.sniff(reader)
            if found in ("a HEIC", "an AVIF", "a PNG", "a WebP", "a Photoshop document"):
                return _decoded(photo.path, long_side, found)
            if found == "a JPEG" or (found == "a TIFF" and not _is_raw(photo.path)):
                return _decoded(photo.path, long_side, found)
            inside = embedded.find_previews(reader, found, long_side)
            best = inside.best(long_side)
            data = reader.at(best.offset, best.length) if best is not None else None
        if best is not None and best.long_side >= long_side:
            preview = _from_inside(photo.path, long_side, data, inside)
            if preview is not None:
                return preview
        for companion in photo.companions:
            try:
                return _decoded(companion.path, long_side, "a JPEG", "companion")
            except Problem:
                # The raw file may still have something; its own trouble is worth more.
                continue
        preview = _from_inside(photo.path, long_side, data, inside)
        if preview is not None:
            return preview
        return _developed(photo.path, long_side)


def _is_raw(path: Path) -> bool:
    return KINDS.get(extension(path.name)) in (FileKind.RAW, FileKind.DNG)


def _exif(path: Path, found: str) -> Tags:
    from urbexmp.adapters.inspect import exif, exiv2

    tags = exif.read_exif(path)
    if not tags and found not in _EXIFREAD:
        tags = exiv2.read_exif(path)
    return tags


def _frame(reader: Reader, found: str) -> tuple[int, int] | None:
    """The picture's size as stored, where the file says it outside of EXIF."""
    if found == "a JPEG":
        return jpeg.frame_size(reader)
    tiff = read_tiff(reader)
    main = tiff.main() if tiff is not None else None
    return main[0].size if main is not None else None


def _decoded(path: Path, long_side: int, found: str, source: str = "image") -> Preview:
    from urbexmp.adapters.inspect import preview

    if found == "a HEIC":
        return preview.decode_heif(path, long_side, source)
    return preview.decode(path, long_side, source)


def _from_inside(
    path: Path, long_side: int, data: bytes | None, inside: embedded.Previews
) -> Preview | None:
    """Decode an embedded preview; None where there is none or it is damaged."""
    from urbexmp.adapters.inspect import preview

    if data is None:
        return None
    upright = inside.upright_stored
    try:
        return preview.decode(
            path, long_side, "embedded preview", data, inside.orientation, upright
        )
    except Undecodable:
        return None


def _developed(path: Path, long_side: int) -> Preview:
    from urbexmp.adapters.inspect import demosaic, preview

    width, height, rgb = demosaic.develop(path)
    return preview.from_pixels(path, width, height, rgb, long_side, "demosaic")
