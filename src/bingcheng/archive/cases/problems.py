"""What can be wrong with a case, and what to do about it."""

from __future__ import annotations

from bingcheng.core.errors import Owner, Problem

NO_TITLE = Problem(
    code="archive.case-no-title",
    says="the title is missing, or a text is longer than {count} characters",
    remedy="Write a title, and shorten what is too long.",
    owner=Owner.RADIOLOGIST,
)
NOTHING_CHOSEN = Problem(
    code="archive.case-nothing-chosen",
    says="nothing of the exam is chosen",
    remedy="Choose at least one series whose images the archive holds.",
    owner=Owner.RADIOLOGIST,
)
NOT_READY = Problem(
    code="archive.case-not-ready",
    says="the case can't be published yet: {what}",
    remedy="Wait until the images are de-identified, and decide about each that waits for a person.",
    owner=Owner.RADIOLOGIST,
)
TELLS_WHO = Problem(
    code="archive.case-tells-who",
    says="the text tells who the patient is: {where}",
    remedy="Take it out. Ages, intervals and the sex may stay.",
    owner=Owner.RADIOLOGIST,
)
WRONG_STEP = Problem(
    code="archive.case-wrong-step",
    says="this can't be done with it as it stands now",
    remedy="Load the page again to see how it stands.",
    owner=Owner.RADIOLOGIST,
)
CHANGED_MEANWHILE = Problem(
    code="archive.case-changed-meanwhile",
    says="somebody else changed the case while you were writing",
    remedy="What you wrote stands below; the other text is the latest of the versions. Join them, then save once more.",
    owner=Owner.RADIOLOGIST,
)
WRONG_AUDIENCE = Problem(
    code="archive.wrong-audience",
    says="it isn't said to whom it is given, or it ends in the past",
    remedy="Choose a hospital, a group or the province, and a day that is still to come.",
    owner=Owner.RADIOLOGIST,
)
NO_WORDS = Problem(
    code="archive.no-words",
    says="the text is empty, or longer than {count} characters",
    remedy="Write something, or shorten it.",
    owner=Owner.RADIOLOGIST,
)
WRONG_ATTACHMENT = Problem(
    code="archive.wrong-attachment",
    says="the file is empty, larger than {size_mb} MB, or none of these by its content: PNG, JPEG, PDF, plain text",
    remedy="Attach another file. Images of the exam belong into the case itself, where they are de-identified.",
    owner=Owner.RADIOLOGIST,
)
NOT_CLEANED = Problem(
    code="archive.attachment-not-cleaned",
    says="a file can't be freed of what tells where it comes from and whose it is: {why}",
    remedy="Save it anew, a picture as PNG, a document by printing it to PDF, and attach that.",
    owner=Owner.RADIOLOGIST,
)
WRONG_QUIZ = Problem(
    code="archive.wrong-quiz",
    says="a question needs two to eight different answers, of which one is marked as right",
    remedy="Write each answer on a line of its own, and begin the right one with an asterisk.",
    owner=Owner.RADIOLOGIST,
)
WRONG_REGIONS = Problem(
    code="archive.wrong-regions",
    says="a region is x, y, width and height, in whole pixels, one region a line",
    remedy="Write for example: 0, 0, 640, 40.",
    owner=Owner.RADIOLOGIST,
)
OUTSIDE_PICTURE = Problem(
    code="archive.region-outside-picture",
    says="a region lies outside the picture, which has {columns} columns and {rows} rows",
    remedy="Mark it where the text is: nothing of the picture would be blanked by it.",
    owner=Owner.RADIOLOGIST,
)
QUERY = Problem(
    code="archive.wrong-query",
    says="the search isn't understood at character {position}: {fault}",
    remedy="Correct it there. For example: organ = liver and lesion > 30 mm and protocol(li-rads) = conform",
    owner=Owner.RADIOLOGIST,
)
WRONG_METHOD = Problem(
    code="archive.wrong-method",
    says="the file isn't a protocol or the description of a method: {fault}",
    remedy="Give a protocol as a TOML file that `bingcheng protocol check` accepts, or a method's description as JSON.",
    owner=Owner.PHYSICIST,
)
WRONG_EVIDENCE = Problem(
    code="archive.wrong-evidence",
    says="the evidence isn't understood: {fault}",
    remedy="Give what `bingcheng verify --json` printed, or another list or object in JSON.",
    owner=Owner.PHYSICIST,
)
ADOPTION_TAKEN = Problem(
    code="archive.adoption-taken",
    says="a protocol that comes with this release is called {protocol} too",
    remedy="Ask those who share it to give it an identifier of its own, and to share it again.",
    owner=Owner.PHYSICIST,
)
FROM_ELSEWHERE = Problem(
    code="archive.case-from-elsewhere",
    says="the case came from another installation ({name}): its text and images are changed only there",
    remedy="Say what should change in its discussion, or ask those who published it.",
    owner=Owner.RADIOLOGIST,
)
WITHDRAWN_ELSEWHERE = Problem(
    code="archive.case-withdrawn-elsewhere",
    says="those who published the case in {name} withdrew it",
    remedy="Ask them; only they can publish it again.",
    owner=Owner.RADIOLOGIST,
)
NO_SUCH_IMAGE = Problem(
    code="archive.case-no-such-image",
    says="there is no image {image} in the series",
    remedy="Leaf through the series, and choose one of its images.",
    owner=Owner.RADIOLOGIST,
)
WRONG_IMAGES = Problem(
    code="archive.case-wrong-images",
    says="the numbers of the images aren't understood: {words}",
    remedy="Write for example 12, 40-60: numbers from 1 to {count}.",
    owner=Owner.RADIOLOGIST,
)
MANY_KEY_IMAGES = Problem(
    code="archive.case-many-key-images",
    says="a case has at most {count} key images, and a note of at most {length} characters beside each",
    remedy="Take one out, or shorten the note.",
    owner=Owner.RADIOLOGIST,
)
PICTURE_DECIDED_MEANWHILE = Problem(
    code="archive.case-picture-decided-meanwhile",
    says="somebody else decided about this picture while you were looking at it",
    remedy="What you marked stands in it. Look how it stands now, and decide once more if it is to be otherwise.",
    owner=Owner.RADIOLOGIST,
)
NOT_ANSWERED = Problem(
    code="archive.case-picture-not-answered",
    says="the picture waits for more than was answered",
    remedy="Answer all that is asked about it, or leave it out.",
    owner=Owner.RADIOLOGIST,
)
