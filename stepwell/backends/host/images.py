"""ImageDecoder: the bytes of an image file in, pixels [height, width, channels] out. Needs Pillow (`pip install 'stepwell[images]'`)."""

# Pillow is optional, and what it gives is not typed where it is absent.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from stepwell.backends.host.node import Array, HostNode, Value
from stepwell.backends.host.values import described, tensor
from stepwell.ir.diagnostics import CompileError

FORMATS = ("BMP", "JPEG", "JPEG2000", "TIFF", "PNG", "WEBP", "PPM")
"""What the standard asks for; no other decoder of Pillow is tried on a file."""
PIXELS = {"RGB": "RGB", "BGR": "RGB", "Grayscale": "L"}
MAX_PIXELS = 2**28
"""A file of a few bytes may claim to be an image of any size."""


def image_decoder(node: HostNode, inputs: Sequence[Value]) -> list[Value]:
    """An image as the attribute `pixel_format` wants it."""
    encoded = tensor(node, inputs, 0)
    if encoded.dtype != np.uint8 or encoded.ndim != 1:
        node.fail(f"its input is {described(encoded)}, not the bytes of a file")
    wanted = str(node.attributes.get("pixel_format", "RGB"))
    if wanted not in PIXELS:
        node.fail(f"pixel_format is {wanted!r}", hint=f"it may be {', '.join(PIXELS)}")
    pixels = _decoded(node, encoded.tobytes(), PIXELS[wanted])
    if wanted == "BGR":
        pixels = pixels[:, :, ::-1]
    return [np.ascontiguousarray(pixels if pixels.ndim == 3 else pixels[:, :, None])]


def _decoded(node: HostNode, data: bytes, mode: str) -> Array:
    try:
        from PIL import Image
    except ImportError:
        raise CompileError(f"{node.operator} needs Pillow", hint="pip install 'stepwell[images]'") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about sizes, which are checked here
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    node.fail(f"the image has {image.width} x {image.height} pixels, more than {MAX_PIXELS}")
                return np.asarray(image.convert(mode), np.uint8)
    except CompileError:
        raise
    except Exception as error:  # decoders raise whatever a broken file makes them trip over
        node.fail(f"the {len(data)} bytes are no image that can be read: {' '.join(str(error).split())[:120]}")


__all__: list[Any] = ["FORMATS", "image_decoder"]
