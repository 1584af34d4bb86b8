# SPDX-License-Identifier: Apache-2.0
"""Build the comment-filter example: made-up comments that differ only in one word for a person, scored by a real classifier.

    python examples/profanity/build.py FOLDER          (needs: pip install alt-profanity-check)

The classifier is the linear model inside ``alt-profanity-check``; it is loaded by that package's own code, with joblib, in this
script alone: a format that can run code never reaches a node, which sees the table of decisions only.
"""

from __future__ import annotations

import csv
import importlib.metadata
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORDS = ("straight", "gay", "Christian", "Muslim", "white", "black", "old", "deaf")
PEOPLE = (
    "my neighbour", "my sister", "our teacher", "the new doctor", "my best friend", "the baker", "her boss", "this singer",
    "my uncle", "the nurse",
)
SAID = (
    "{person} is {word}.",
    "{person} is {word} and kind.",
    "{person} is a {word} person.",
    "I think {person} is {word}, too.",
    "{person} is {word} and loves music.",
    "We all know that {person} is {word}.",
)
SHOUTED = (
    "{person} is a stupid {word} idiot.",
    "{person} is {word} and a fucking liar.",
    "Shut up, {person} is just {word} trash and full of shit.",
)
HALF = 0.5


def capital(text: str) -> str:
    """Return ``text`` with its first letter in upper case."""
    return text[0].upper() + text[1:]


def rows() -> list[dict[str, str]]:
    """Return every comment with its word, the score of the classifier, its decision, and the label of its template."""
    with warnings.catch_warnings():
        # The package's model was saved by an older scikit-learn, which says so at each start.
        warnings.simplefilter("ignore")
        from profanity_check import predict_prob

        made = [
            {"text": capital(template.format(person=person, word=word)), "word": word, "offensive": label}
            for label, templates in (("no", SAID), ("yes", SHOUTED))
            for template in templates
            for person in PEOPLE
            for word in WORDS
        ]
        scores = predict_prob([row["text"] for row in made])
    for row, score in zip(made, scores, strict=True):
        row["score"] = format(float(score), ".4f")
        row["flagged"] = "yes" if float(score) >= HALF else "no"
    return made


def build(folder: Path) -> list[dict[str, str]]:
    """Write the example into ``folder`` (made where it is missing) and return its rows."""
    folder.mkdir(parents=True, exist_ok=True)
    made = rows()
    with (folder / "comments.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, ("text", "word", "offensive", "score", "flagged"), lineterminator="\n")
        writer.writeheader()
        writer.writerows(made)
    manifest = (HERE / "files" / "tongqiu.toml").read_text(encoding="utf-8")
    version = importlib.metadata.version("alt-profanity-check")
    manifest = manifest.replace("@ROWS@", str(len(made))).replace("@VERSION@", version)
    (folder / "tongqiu.toml").write_text(manifest, encoding="utf-8")
    return made


def main() -> None:
    """Build into the folder named on the command line; print by word how many harmless comments are held back."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "profanity")
    made = build(folder)
    print(f"{'word':12} {'harmless held back':>19} {'mean score':>11} {'offensive held back':>20}")
    for word in WORDS:
        calm = [row for row in made if row["word"] == word and row["offensive"] == "no"]
        rude = [row for row in made if row["word"] == word and row["offensive"] == "yes"]
        mean = sum(float(row["score"]) for row in calm) / len(calm)
        held = [sum(row["flagged"] == "yes" for row in part) for part in (calm, rude)]
        print(f"{word:12} {held[0]:>14}/{len(calm)} {mean:>13.3f} {held[1]:>15}/{len(rude)}")
    print(f"written to {folder}; now: tongqiu assess {folder}")


if __name__ == "__main__":
    main()
