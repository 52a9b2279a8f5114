"""Make digits.npz and digits-8x8.npz from scikit-learn's handwritten digits.

    python examples/data/digits.py

digits.npz holds the first three images, enlarged from 8×8 to 28×28: `x` has one row of 784 pixels from 0 to 1 for each image, `t`
one row with a 1 at the image's digit. digits-8x8.npz holds all 1,797 images as they are: `pixels` has one row of 64 numbers from 0
to 16 for each, `digit` which digit it shows. The images are from E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten
Digits, UCI Machine Learning Repository (CC BY 4.0).
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
numpy.savez_compressed(
    Path(__file__).with_name("digits-8x8.npz"), pixels=digits.data.astype(numpy.uint8), digit=digits.target.astype(numpy.uint8)
)
