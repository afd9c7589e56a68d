"""The page of a hand-over report: one HTML file without anything from elsewhere."""

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from importlib import resources

from tidegate.edge.handover.checks import Check, Verdict
from tidegate.edge.handover.report import DeviceInReport, Report, problems_left
from tidegate.edge.handover.signature import EMPTY_SLOT, payload_script

COLUMNS = ("Point", "Expected", "Read", "Unit", "Quality", "Verdict", "By", "Raw")
_KINDS = {
    "gateway": "Signed with the gateway's own key, the one it is enrolled with.",
    "commissioning": (
        "This gateway is not enrolled with a cloud yet: signed with a commissioning key that was "
        "made on it and stays there."
    ),
}
_URGENCY = (Verdict.REJECTED, Verdict.OPEN, Verdict.SKIPPED, Verdict.ACCEPTED)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_VERIFY = (
    "Whoever changes one character of this file breaks the signature. Check it with "
    "<code>tidegate edge verify-report</code>, and hold the fingerprint below against the one that "
    "the installer shows you."
)


def render(report: Report) -> str:
    """Write the page with an empty slot for its signature."""
    title = f"Hand-over report: {report.gateway}"
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="color-scheme" content="light">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{_style()}</style>",
            "</head>",
            "<body>",
            "<main>",
            *_head(report),
            *_problems(report),
            "<h2>Points</h2>",
            *(line for device in report.devices for line in _device(device)),
            *_signatures(report),
            *_footer(report),
            "</main>",
            payload_script(report),
            EMPTY_SLOT,
            "</body>",
            "</html>",
            "",
        ]
    )


def _style() -> str:
    return resources.files("tidegate.edge.handover").joinpath("report.css").read_text("utf-8")


def _head(report: Report) -> Iterable[str]:
    people = report.people
    facts = {
        "Customer": people.customer,
        "Site": people.site,
        "Checked by": people.by,
        "Checks begun": _day(report.begun_at),
        "Report made": _day(report.made_at),
        "Software": f"Tidegate {report.software}",
        "Note": people.note,
    }
    yield "<header>"
    yield f"<h1><small>Hand-over report</small>{escape(report.gateway)}</h1>"
    yield "</header>"
    yield '<dl class="facts">'
    for name, value in facts.items():
        if value:
            yield f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>"
    yield "</dl>"
    yield '<ul class="counts">'
    for verdict in Verdict:
        number = report.counts.get(verdict.value, 0)
        shade = f' class="{verdict.value}"' if number else ""
        word = "not checked" if verdict is Verdict.OPEN else verdict.value
        yield f"<li><b{shade}>{number}</b> {word}</li>"
    yield "</ul>"


def _problems(report: Report) -> Iterable[str]:
    left = problems_left(report)
    yield "<h2>Problems left</h2>"
    if not left:
        yield f'<p class="none">None: all {len(report.checks)} points were accepted.</p>'
        return
    yield '<ul class="problems">'
    for checks in _alike(left):
        one = checks[0]
        told = f": {escape(one.note)}" if one.note else ""
        quality = f", {_quality(one)}" if one.quality not in {"", "good"} else ""
        names = ", ".join(_breakable(check.point) for check in checks)
        yield f"<li><b>{escape(one.device)}</b> {names} {_word(one)}{quality}{told}</li>"
    yield "</ul>"


def _alike(checks: Iterable[Check]) -> list[list[Check]]:
    """Put together what has the same trouble on the same device; what was rejected comes first."""
    groups: dict[tuple[str, ...], list[Check]] = {}
    for check in checks:
        quality = "" if check.quality == "good" else f"{check.quality} {check.reason}"
        key = (check.device, check.verdict.value, quality, check.note)
        groups.setdefault(key, []).append(check)
    return sorted(groups.values(), key=lambda group: _URGENCY.index(group[0].verdict))


def _breakable(name: str) -> str:
    """Let a long name break behind its underscores only."""
    return escape(name).replace("_", "_<wbr>")


def _device(device: DeviceInReport) -> Iterable[str]:
    yield '<section class="device">'
    yield f"<h3>{escape(device.name)}</h3>"
    where = [device.title, f"{device.protocol} {device.address}"]
    if device.identity:
        where.append(f"identity {device.identity}")
    yield f"<p>{escape(' · '.join(part for part in where if part))}</p>"
    if device.profile:
        yield (
            f"<p>Profile {escape(device.profile)}, {escape(device.evidence)}: "
            f"{escape(device.document)}</p>"
        )
    else:
        yield "<p>Points as they stand in gateway.yaml</p>"
    yield "<table><thead><tr>"
    for column in COLUMNS:
        shade = ' class="number"' if column in {"Expected", "Read"} else ""
        yield f'<th scope="col"{shade}>{column}</th>'
    yield "</tr></thead><tbody>"
    for check in device.checks:
        yield _row(check)
    yield "</tbody></table></section>"


def _row(check: Check) -> str:
    by = f"{escape(check.by)}{_minute(check.at_us)}" if check.at_us else ""
    note = f'<span class="note">{escape(check.note)}</span>' if check.note else ""
    cells = (
        ("name", _breakable(check.point)),
        ("number", escape(check.expected)),
        ("number", escape(check.shown)),
        ("", escape(check.unit)),
        (check.quality, _quality(check)),
        ("", f"<span>{_word(check)}{note}</span>"),
        ("soft", f"<span>{by}</span>" if by else ""),
        ("raw", escape(check.raw)),
    )
    parts = [
        f'<td class="{shade}" data-label="{label}">{text}</td>'
        for label, (shade, text) in zip(COLUMNS, cells, strict=True)
    ]
    return f"<tr>{''.join(parts)}</tr>"


def _word(check: Check) -> str:
    word = "not checked" if check.verdict is Verdict.OPEN else check.verdict.value
    return f'<span class="verdict {check.verdict.value}">{word}</span>'


def _quality(check: Check) -> str:
    return escape(f"{check.quality} ({check.reason})" if check.reason else check.quality)


def _signatures(report: Report) -> Iterable[str]:
    yield '<section class="signatures">'
    yield f"<div>Installer: {escape(report.people.by)}<br>Place, date, signature</div>"
    yield f"<div>Customer: {escape(report.people.customer)}<br>Place, date, signature</div>"
    yield "</section>"


def _footer(report: Report) -> Iterable[str]:
    signed = report.signed_by
    yield "<footer>"
    yield f"<p><b>Digital signature.</b> {_KINDS.get(signed.kind, '')} {_VERIFY}</p>"
    yield f'<p class="key">Key SHA-256 {_in_groups(signed.fingerprint)}</p>'
    if signed.gateway_id:
        yield f'<p class="key">Gateway {escape(signed.gateway_id)}</p>'
    yield "</footer>"


def _in_groups(fingerprint: str) -> str:
    return " ".join(fingerprint[i : i + 8] for i in range(0, len(fingerprint), 8))


def _day(text: str) -> str:
    return f"{text[:10]} {text[11:16]} UTC"


def _minute(time_us: int) -> str:
    when = datetime.fromtimestamp(time_us / 1_000_000, UTC)
    return f' <span class="when">{when:%Y-%m-%d %H:%M}</span>'


def file_name(report: Report) -> str:
    """Give the name of the file where none was asked for."""
    return f"{report.gateway}-hand-over-{report.made_at[:10]}.html"
