"""Records in a folder: the round trip, and every way in which a file may not be what it says."""

import json
import re

import pytest
from voice import says

import quipref as q
from quipref.sweeps import records, trials

QUESTION, ANSWER = {"method": "ldlq", "bits": None, "n": 8, "options": {}}, {"ratio": 0.25, "error": None}


@pytest.fixture
def path(tmp_path):
    records.write(tmp_path, QUESTION, ANSWER)
    (path,) = tmp_path.iterdir()
    return path


def test_what_is_written_is_read(path):
    assert records.read(path) == QUESTION | ANSWER
    assert path.name == records.file_name(dict(reversed(QUESTION.items())))  # the order of the keys is nothing
    assert re.fullmatch(r"[0-9a-f]{64}\.json", path.name)


def test_another_question_has_another_name(path):
    names = {records.file_name(QUESTION | change) for change in ({"n": 9}, {"bits": 2}, {"method": "optq"}, {"x": 1})}
    assert len(names | {path.name}) == 5


def other_question(text):
    return text.replace('"n": 8', '"n": 9')


def other_record(text):
    """A whole record, under the name of another question."""
    content = json.loads(text)
    content["question"]["n"] = 9
    content["sha256"] = records._digest([content["question"], content["answer"]])
    return json.dumps(content)


DAMAGE = [
    lambda text: text[:-20],
    lambda text: text.replace("0.25", "0.35"),
    lambda text: text.replace("0.25", "NaN"),
    lambda text: text.replace('"answer"', '"reply"'),
    lambda text: '"text"',
    lambda text: "[" * 100_000,
    lambda text: "",
    lambda text: '{"question": [], "answer": {}, "sha256": ""}',
    other_question,
    other_record,
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_refused_by_name(path, damage):
    path.write_text(damage(path.read_text()))
    with pytest.raises(ValueError, match=rf"{path.name} must be a whole record, but"):
        records.read(path)


def test_bytes_that_are_no_text_are_refused(path):
    path.write_bytes(b"\xff\x00\xff")
    with pytest.raises(ValueError, match="must be a whole record, but it is damaged or something else"):
        records.read(path)


def test_only_files_with_the_name_of_a_record_count(path):
    for name in ("notes.txt", "a.json", f".{path.name}.x.part.json", path.name.upper()):
        (path.parent / name).write_text("mine")
    assert records.files(path.parent) == [path]


def test_a_folder_is_made_in_an_existing_one_only(tmp_path):
    assert records.existing_folder(tmp_path / "a").is_dir()
    assert records.existing_folder(tmp_path / "a") == tmp_path / "a"
    with pytest.raises(FileNotFoundError, match="folder must be in an existing folder, but .*none is none"):
        records.existing_folder(tmp_path / "none" / "a")
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="folder must be a folder, but .*file is a file"):
        records.existing_folder(tmp_path / "file")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere" / "results")
    with pytest.raises(OSError, match="folder must be one to write to, but .*link is none .* Name another one"):
        records.existing_folder(tmp_path / "link")


def test_a_folder_with_the_name_of_a_result_is_refused_before_any_work(tmp_path, monkeypatch):
    asked = {"methods": "ldlq", "sizes": [4], "spectra": "flat", "seeds": 3, "folder": tmp_path, "jobs": 1}
    q.sweep(**asked)
    victim = records.files(tmp_path)[1]
    victim.unlink()
    victim.mkdir()
    monkeypatch.setattr(trials, "answer", lambda *a: pytest.fail("the work was begun"))
    with says(IsADirectoryError, "folder must hold files where results are", victim.name, "Move it away"):
        q.sweep(**asked)
    with pytest.warns(UserWarning, match="must be a whole record, but it is a folder. It is left out"):
        assert len(q.load_sweep(tmp_path)) == 2


def test_labels_name_bits_and_options():
    assert records.label({"method": "ldlq", "bits": None, "options": {}}) == "ldlq"
    assert records.label({"method": "ldlq", "bits": 1, "options": {"clamp": False}}) == "ldlq, 1 bit, clamp=False"
    assert records.label({"method": "quip", "bits": 2, "options": {}}) == "quip, 2 bits"
