import pytest

from cloud_api.db.pool import role_dsn
from cloud_api.db.roles import APP, INGEST, role_password
from cloud_api.errors import SettingsError

DSN = "host=db.test dbname=tide user=owner password=secret-of-the-owner"


def test_roles_have_passwords_of_their_own_that_every_process_derives_alike():
    assert role_password(DSN, APP) == role_password(DSN, APP)
    assert role_password(DSN, APP) != role_password(DSN, INGEST)
    assert "secret-of-the-owner" not in role_password(DSN, APP)


def test_the_runtime_never_connects_as_the_owner():
    dsn = role_dsn(DSN, APP)
    assert "user=tidegate_app" in dsn
    assert "owner" not in dsn.replace("host=db.test", "")


def test_an_owner_without_password_is_refused_with_a_hint():
    with pytest.raises(SettingsError) as caught:
        role_password("host=db.test user=owner", APP)
    assert "derived" in caught.value.hint
