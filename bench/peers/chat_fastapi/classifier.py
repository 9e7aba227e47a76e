"""What a message is about: TF-IDF of words and characters with a calibrated linear SVM, trained at start-up."""

from pathlib import Path

import numpy as np
import sklearn
from scipy.sparse import hstack
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from chat_fastapi.language import Language

UNSURE_BELOW = 0.45


def _as_is(terms: list[str]) -> list[str]:
    return terms


class Classifier:
    def __init__(self, language: Language, directory: Path) -> None:
        # As scikit-learn's documentation advises where single predictions have to be fast.
        sklearn.set_config(assume_finite=True, skip_parameter_validation=True)
        texts: list[str] = []
        intents: list[str] = []
        for file in sorted(directory.glob("examples.*.txt")):
            intent = ""
            for line in file.read_text(encoding="utf-8").splitlines():
                if line.startswith("# "):
                    intent = line[2:].strip()
                elif line.strip():
                    texts.append(language.fold(line))
                    intents.append(intent)
        terms = [language.terms(text) for text in texts]
        self._words = TfidfVectorizer(analyzer=_as_is, sublinear_tf=True, dtype=np.float32)
        self._characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True, dtype=np.float32)
        features = hstack([self._words.fit_transform(terms), self._characters.fit_transform(texts)]).tocsr()
        self._model = CalibratedClassifierCV(LinearSVC(), cv=3, ensemble=False).fit(features, intents)

    def classify(self, folded: str, terms: list[str]) -> tuple[str, float]:
        features = hstack([self._words.transform([terms]), self._characters.transform([folded])]).tocsr()
        chances = self._model.predict_proba(features)[0]
        best = int(np.argmax(chances))
        return str(self._model.classes_[best]), float(chances[best])
