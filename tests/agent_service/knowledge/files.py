"""Files as people bring them, and as nobody should."""

import io
import struct
import zipfile
import zlib

from docx import Document

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def a_docx() -> bytes:
    document = Document()
    document.add_heading("Travel rules", level=0)
    document.add_paragraph("These rules are for everybody.")
    document.add_heading("Trains", level=1)
    document.add_paragraph("Second class, booked at least 7 days ahead.")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(
        [cell for row in table.rows for cell in row.cells], ["City", "Limit", "Oslo", "180"], strict=True
    ):
        cell.text = text
    return _saved(document)


def a_docx_without_properties() -> bytes:
    document = Document()
    document.add_paragraph("Second class, booked at least 7 days ahead.")
    return _without(_saved(document), "docProps/core.xml")


def _without(archive: bytes, part: str) -> bytes:
    """Return a Word document that lacks a part, and names it nowhere."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            if name != part:
                lines = old.read(name).decode("latin-1").replace("><", ">\n<").split("\n")
                new.writestr(name, "".join(line for line in lines if part not in line).encode("latin-1"))
    return out.getvalue()


def a_pdf(text: str = "Badges are collected at gate 4.", *, stream: bytes | None = None) -> bytes:
    """Return a PDF of one page; `stream` replaces what is drawn on it by something compressed."""
    drawn = f"BT /F1 12 Tf 72 700 Td ({text}) Tj ET".encode()
    content, filters = (drawn, b"") if stream is None else (stream, b" /Filter /FlateDecode")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type/Page/Parent 2 0 R/MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d%s >>\nstream\n%s\nendstream" % (len(content), filters, content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def a_pdf_bomb() -> bytes:
    """Return a small PDF whose only page unpacks to 150 megabytes."""
    packer = zlib.compressobj(9)
    megabyte = b" " * 1_000_000
    return a_pdf(stream=b"".join([*(packer.compress(megabyte) for _ in range(150)), packer.flush()]))


def a_docx_bomb() -> bytes:
    """Return a Word document whose text unpacks to a hundred times its size, as the archive says itself."""
    return _with_part(a_docx(), b"<w:document>" + b" " * 90_000_000)


def a_lying_docx_bomb() -> bytes:
    """Return the same, with an archive that says the text is short."""
    return a_docx_bomb().replace(struct.pack("<L", 90_000_012), struct.pack("<L", 12))


def a_docx_with_entities() -> bytes:
    """Return a Word document whose text is made of entities that grow tenfold, nine times over."""
    lines = ['<!ENTITY a0 "ten letters">']
    lines += [f'<!ENTITY a{level} "{f"&a{level - 1};" * 10}">' for level in range(1, 10)]
    xml = f"<?xml version='1.0'?><!DOCTYPE w:document [{''.join(lines)}]><w:document>&a9;</w:document>"
    return _with_part(a_docx(), xml.encode())


def _with_part(document: bytes, text: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(document)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, text if name == "word/document.xml" else source.read(name))
    return out.getvalue()


def _saved(document: object) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()
