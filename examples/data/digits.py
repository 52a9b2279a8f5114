"""Make digits.npz: the first three images of scikit-learn's handwritten digits, enlarged from 8×8 to 28×28, and their labels.

    python examples/data/digits.py

`x` has one row of 784 pixels from 0 to 1 for each image, `t` one row with a 1 at the image's digit. The images are from E. Alpaydin
and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository (CC BY 4.0).
"""

from __future__ import annotations

from pathlib import Path

import numpy
from sklearn.datasets import load_digits

IMAGES = 3
SIDE = 28

digits = load_digits()
nearest = numpy.arange(SIDE) * 8 // SIDE
images = digits.images[:IMAGES][:, nearest][:, :, nearest] / 16.0
numpy.savez_compressed(
    Path(__file__).with_suffix(".npz"), x=images.reshape(IMAGES, SIDE * SIDE), t=numpy.eye(10)[digits.target[:IMAGES]]
)
