"""The quick look: right pictures, for those who may see them, at once."""

from __future__ import annotations

import io
import time

import numpy as np
from benchmarks.exchange_objects import file_of, image
from PIL import Image

from bingcheng.outputs.colours import of_lesion, rgb

SIDE = 96
"""Pixels of the CT's matrix: at this size a picture has the image's own pixels."""


def shades(answer):
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def hounsfield(dataset):
    return dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)


def test_a_ct_is_shown_in_the_window_that_was_asked_for(look):
    for window, center, width in (("soft", 40, 400), ("lung", -600, 1500), ("bone", 400, 1800), ("100,50", 100, 50)):
        made = shades(look.get("CT", "7.png", window=window, side=SIDE, outline=False)).astype(int)
        # PS3.3 C.11.2.1.2.1
        expected = 255 * np.clip((hounsfield(look.images["CT"][7]) - (center - 0.5)) / (width - 1) + 0.5, 0, 1)
        assert np.abs(made - expected).max() <= 1, window


def test_without_a_wish_a_ct_is_shown_as_soft_tissue(look):
    assert look.get("CT", "7.png", side=SIDE).content == look.get("CT", "7.png", window="soft", side=SIDE).content


def test_images_come_in_the_order_of_their_numbers(look):
    for index in (0, 9, 15):
        made = shades(look.get("CT", f"{index}.png", window="soft", side=SIDE, outline=False)).astype(int)
        expected = 255 * np.clip((hounsfield(look.images["CT"][index]) - 39.5) / 399 + 0.5, 0, 1)
        assert np.abs(made - expected).max() <= 1


def test_a_pet_is_dark_on_white_in_one_window_for_all_its_images(look):
    edge, middle = (shades(look.get("PT", f"{n}.png", side=48, outline=False)) for n in (0, 8))
    assert middle[0, 0] == 255
    assert middle.min() < 20  # the lesion
    body = np.median(edge[24, 14:20]), np.median(middle[24, 14:20])
    assert abs(float(body[0]) - float(body[1])) < 12  # of the same uptake, whatever else is in the image


def test_the_projection_of_a_pet_shows_its_lesion_with_the_head_on_top(look):
    made = shades(look.get("PT", "front.png", side=384, marks=False))
    rows, columns = np.nonzero(made < 64)
    assert made.shape == (80, 384)  # 16 slices of 5 mm, 48 columns of 8 mm
    assert abs(rows.mean() - 40) < 6
    assert abs(columns.mean() - (40 / 8 + 24) * 8) < 12  # 40 mm to the left of the middle, which is right in the image


def test_large_pictures_say_which_side_is_which_unless_that_is_not_wished(look):
    marked = shades(look.get("CT", "7.png", side=512, outline=False)).astype(int)
    plain = shades(look.get("CT", "7.png", side=512, outline=False, marks=False)).astype(int)
    rows, columns = np.nonzero(marked != plain)
    middle = (np.abs(rows - 256) < 170) & (np.abs(columns - 256) < 170)
    assert rows.size
    assert not middle.any()  # at the edges alone
    small = {look.get("CT", "7.png", side=128, outline=False, marks=wish).content for wish in (True, False)}
    assert len(small) == 1


def test_only_a_pet_has_a_projection(look):
    assert look.get("CT", "front.png").status_code == 404


def test_a_lesion_is_outlined_where_the_segmentation_has_it_and_not_if_that_is_not_wished(look):
    outlined = shades(look.get("CT", "7.png", side=960)).astype(int)
    plain = shades(look.get("CT", "7.png", side=960, outline=False))
    assert plain.ndim == 2
    drawn = (np.abs(outlined - np.array(rgb(of_lesion(0)))) < 12).all(axis=2)
    rows, columns = np.nonzero(drawn)
    # A sphere 40 mm to the left and 10 mm behind the middle of 96 pixels of 4 mm, ten pixels each in the picture.
    assert abs((columns.min() + columns.max()) / 2 - (40 / 4 + 48) * 10) < 12
    assert abs((rows.min() + rows.max()) / 2 - (10 / 4 + 48) * 10) < 12
    assert not (np.abs(shades(look.get("CT", "0.png", side=960)).astype(int)) != 0).all()


def test_an_image_without_a_lesion_has_no_outline(look):
    with_, without = (look.get("CT", "0.png", outline=wish).content for wish in (True, False))
    assert (shades_of(with_) == shades_of(without)).all()


def shades_of(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("L"))


def test_an_inverted_image_is_shown_as_it_is_meant(look):
    ramp = np.tile(np.arange(16, dtype=np.uint16) * 60, (16, 1))
    for number, meaning in ((1, "MONOCHROME2"), (2, "MONOCHROME1")):
        look.put(file_of(image("ramp", f"s{number}", 1, pixels=ramp, PhotometricInterpretation=meaning, Modality="CR")))
    from benchmarks.exchange_objects import uid_of  # noqa: PLC0415 - beside its use

    one, other = (
        shades(
            look.client.get(
                f"/quicklook/{uid_of('ramp')}/{uid_of('ramp', f's{n}')}/0.png", params={"side": 16, "window": "own"}
            )
        ).astype(int)
        for n in (1, 2)
    )
    assert (one + other == 255).all()
    assert one[0, -1] > one[0, 0]


def test_colours_are_shown_as_they_are(look):
    from benchmarks.exchange_objects import uid_of  # noqa: PLC0415 - beside its use

    red = np.zeros((12, 16, 3), dtype=np.uint8)
    red[..., 0] = 180
    look.put(file_of(image("colours", "s", 1, pixels=red, Modality="US")))
    made = shades(
        look.client.get(f"/quicklook/{uid_of('colours')}/{uid_of('colours', 's')}/0.png", params={"side": 16})
    )
    assert (made == red).all()


def test_what_there_is_no_picture_of_is_not_found(look):
    names = ("16.png", "99999.png", "-1.png", "7.gif", "7", "front.svg", "..%2F7.png", "7.png%00", "0007777777.png")
    assert {name: look.get("CT", name).status_code for name in names} == dict.fromkeys(names, 404)


def test_what_makes_no_sense_is_refused(look):
    for asked in ({"side": 0}, {"side": 100_000}, {"side": "x"}, {"outline": "perhaps"}):
        assert look.get("CT", "7.png", **asked).status_code == 422, asked


def test_a_window_that_is_none_gives_the_usual_one(look):
    usual = look.get("CT", "7.png").content
    for window in ("1,0", "nonsense", "1e9,1", "nan,nan", "40,400,1", ";drop", "-2000000,3"):
        assert look.get("CT", "7.png", window=window).content == usual, window


def test_another_hospital_sees_neither_page_nor_picture(look):
    other = look.served.browser("other-radiologist")
    path = f"/quicklook/{look.study}"
    assert other.get(path).status_code == 404
    assert other.get(f"{path}/{look.series['CT']}/7.webp").status_code == 404
    assert look.served.anonymous().get(f"{path}/{look.series['CT']}/7.webp").status_code == 401


def test_a_segmentation_of_another_hospital_outlines_nothing_here(serve, exam, look):
    files, headers, _ = exam
    theirs = look.served.browser("other-radiologist")
    for file, header in zip(files, headers, strict=True):
        if header.Modality == "CT":
            look.put(file, look.served.south)
    plain = theirs.get(f"/quicklook/{look.study}/{look.series['CT']}/7.png", params={"side": SIDE})
    assert shades(plain).ndim == 2


def test_uids_that_are_none_are_refused(look):
    assert look.client.get("/quicklook/..%2F..%2Fetc").status_code in (400, 404)
    assert look.client.get(f"/quicklook/{'1' * 65}").status_code in (400, 404)
    assert look.client.get("/quicklook/1.2.3").status_code == 404


def test_a_picture_that_has_not_changed_is_not_sent_again(look):
    first = look.get("CT", "7.webp")
    path = f"/quicklook/{look.study}/{look.series['CT']}/7.webp"
    again = look.client.get(path, headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert first.headers["cache-control"] == again.headers["cache-control"] == "private, no-cache"
    assert look.get("CT", "8.webp").headers["etag"] != first.headers["etag"]


def test_the_page_begins_with_a_lesion_and_lists_series_and_lesions(look):
    page = look.client.get(f"/quicklook/{look.study}")
    assert page.status_code == 200
    assert page.text.count("Lesion 1") == 2  # on CT and on PET
    assert f"/quicklook/{look.study}/{look.series['CT']}/7.webp" in page.text or "/8.webp" in page.text
    assert "front.webp" in page.text
    assert "Open in the viewer" in page.text
    assert page.headers["cache-control"] == "no-store"


def test_the_page_shows_the_series_that_was_asked_for(look):
    page = look.client.get(f"/quicklook/{look.study}", params={"series": look.series["PT"]})
    assert f'data-series="{look.series["PT"]}"' in page.text
    assert f'data-series="{look.series["CT"]}"' in look.client.get(f"/quicklook/{look.study}?series=9.9").text


def test_names_of_lesions_and_series_can_not_write_into_the_page(look):
    from benchmarks.exchange_objects import uid_of  # noqa: PLC0415 - beside its use

    look.put(file_of(image("evil", "s", 1, SeriesDescription='"><script>alert(1)</script>')))
    page = look.client.get(f"/quicklook/{uid_of('evil')}")
    assert page.status_code == 200
    assert "<script>alert" not in page.text


def test_a_damaged_segmentation_leaves_the_picture_without_outlines(look, exam):
    files, headers, _ = exam
    import pydicom  # noqa: PLC0415 - beside its use

    seg = pydicom.dcmread(io.BytesIO(files[next(n for n, one in enumerate(headers) if one.Modality == "SEG")]))
    seg.SOPInstanceUID = seg.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4.5"
    seg.ContentDate = "20990101"
    del seg.PerFrameFunctionalGroupsSequence
    written = io.BytesIO()
    seg.save_as(written)
    look.put(written.getvalue())
    assert look.get("CT", "7.png").status_code == 200


def test_a_picture_takes_milliseconds(look):
    """Not a benchmark: an order of magnitude, so that a slip such as reading a whole series for each picture shows."""
    look.get("CT", "7.webp")
    taken = []
    for index in range(4, 12):
        begun = time.process_time()
        look.get("CT", f"{index}.webp", side=512)
        taken.append(time.process_time() - begun)
    assert min(taken) < 0.05
