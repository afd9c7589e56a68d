from cloud_api.db.account import Account, reachable

STRANGER = Account(uid=65_533, gid=65_533)


def test_a_folder_that_everybody_may_search_is_reachable(tmp_path):
    open_folder = tmp_path / "open"
    open_folder.mkdir(mode=0o755)
    for parent in tmp_path.parents:
        if not parent.stat().st_mode & 0o001:
            return  # the test's own folder is private: nothing below it can be open
    assert reachable(open_folder, STRANGER)


def test_a_private_parent_makes_everything_below_unreachable(tmp_path):
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    (private / "open").mkdir(mode=0o755)
    assert not reachable(private / "open", STRANGER)
    assert not reachable(private / "not" / "there" / "yet", STRANGER)


def test_the_owner_reaches_its_own_private_folder(tmp_path):
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    assert reachable(private, None)


def test_links_are_followed(tmp_path):
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    link = tmp_path / "link"
    link.symlink_to(private)
    assert not reachable(link, STRANGER)
