from cloud_api.dashboard.bundle import INDEX, File, find, load_bundle

PAGE = File(b"<!doctype html>", "text/html", '"a"', keep_for_ever=False)
SCRIPT = File(b"1", "text/javascript", '"b"', keep_for_ever=True)
BUNDLE = {INDEX: PAGE, "assets/app-1234.js": SCRIPT}


def test_a_file_is_found_by_its_path():
    assert find(BUNDLE, "assets/app-1234.js") is SCRIPT


def test_every_path_of_the_page_gives_the_page():
    assert find(BUNDLE, "") is PAGE
    assert find(BUNDLE, "devices/7") is PAGE


def test_a_missing_file_is_missing_and_no_page():
    assert find(BUNDLE, "assets/app-0000.js") is None


def test_nothing_outside_the_bundle_can_be_named():
    for path in ("../../../etc/passwd", "..%2f..%2fetc/passwd", "/etc/passwd"):
        assert find(BUNDLE, path) in {None, PAGE}


def test_the_committed_bundle_has_a_page_and_no_inline_script():
    page = load_bundle()[INDEX].content.decode()
    assert "<script>" not in page
    assert "style=" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
