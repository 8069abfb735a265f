"""Where the files of a workspace lie: in its folder, unless a bucket is set before the first of them comes."""

from __future__ import annotations

import json

import pytest
from tests.archive.objects.conftest import FROM, SPACE
from tests.archive.objects.sent import file

from bingcheng.archive.about import hold
from bingcheng.archive.objects.objects import Objects
from bingcheng.archive.objects.place import ADDRESS, FOLDER, Bucket, storage_of
from bingcheng.archive.objects.storage import Folder
from bingcheng.core.errors import InputError

KEY = {"key_id": "us", "secret": "hidden"}
BUCKET = Bucket(name="exams", endpoint="https://s3.example", **KEY)


def test_files_lie_in_the_workspace_unless_something_else_is_set(workspace):
    found = storage_of(workspace)
    assert isinstance(found, Folder)
    assert found.root == workspace.folder / FOLDER
    found.close()


def test_a_workspace_with_objects_in_its_folder_does_not_lose_sight_of_them(workspace):
    objects = Objects.open(workspace)
    objects.receive(file(1), space=SPACE, origin=FROM)
    objects.close()
    with pytest.raises(InputError, match="objects-elsewhere"):
        storage_of(workspace, BUCKET)


def test_a_workspace_keeps_to_the_bucket_that_it_was_begun_with(workspace):
    with workspace.writing() as connection:
        hold(connection, ADDRESS, Bucket(name="others", endpoint="https://s3.example").address())
    with pytest.raises(InputError, match="objects-elsewhere"):
        storage_of(workspace, BUCKET)


def test_the_address_that_is_remembered_holds_no_key():
    assert set(json.loads(BUCKET.address())) == {"name", "prefix", "endpoint", "region"}
    assert "hidden" not in repr(BUCKET)
